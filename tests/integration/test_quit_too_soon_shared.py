# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""QUIT that comes before the client has read its messages, in a process that has other clients, too."""

import mailgen
from polling import wait_for
from test_quit_too_soon import GONE
from test_throttle import SHARED_PROCESS, seconds

MESSAGES = 1500
SIZE = 3000
# by which a clock is too fast
SPEED = 10


def queued(port):
    """The octets that the system has for the client at this PORT: those that were not acknowledged, and those that were
    and not read."""
    found = 0
    with open("/proc/net/tcp", encoding="ascii") as file:
        for line in file.readlines()[1:]:
            words = line.split()
            here, there, queues = words[1], words[2], words[4].split(":")
            if there.endswith(":%04X" % port):
                found += int(queues[0], 16)
            elif here.endswith(":%04X" % port):
                found += int(queues[1], 16)
    return found


def fill(pop3):
    """Fetches one message after the other until the system does not take the last one to its end."""
    port = pop3.socket.getsockname()[1]
    sizes = [int(line.split()[1]) for line in pop3.ok("LIST").rest.splitlines()[:-1]]
    total = 0
    for number, size in enumerate(sizes, 1):
        pop3.send(b"RETR %d\r\n" % number)
        total += len(b"+OK %d octets\r\n.\r\n" % size) + size
        try:
            wait_for(lambda total=total: queued(port) == total, "the reply", deadline=5)
        except AssertionError:
            return
    raise AssertionError("there is room for all of it, %d octets" % total)


def test_others_in_the_process(start_server, make_user_on):
    """They wait for ten seconds, and what the client could not have stays."""
    server = start_server(extra=SHARED_PROCESS)
    new_user = make_user_on(server)
    deaf, other = new_user(pop3_policy_keep_downloaded="0"), new_user(messages=1)
    deaf.append([mailgen.message(number, SIZE) for number in range(MESSAGES)])
    with deaf.session(receive_buffer=4096) as pop3:
        fill(pop3)
        server.clock.write("%+d x%d\n" % (server.clock.offset, SPEED))
        pop3.send(b"DELE 1\r\nQUIT\r\n")
        taken, _ = seconds(server.wait_log, deaf, GONE)
        # ten minutes would take 60 s
        assert taken < 30
        with other.session() as fast:
            assert fast.retr(1).ok
            fast.quit()
        pop3.cut()
    server.clock.set_epoch(server.clock.now())
    assert len(server.children("pop3")) == 1
    line, = server.wait_log(deaf, "Disconnected")
    assert "del=0/" in line
    assert not server.log_lines(deaf, "retention")
    with deaf.session() as pop3:
        assert pop3.stat()[0] == MESSAGES
        pop3.quit()
    server.stop()
