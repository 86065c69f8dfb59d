# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""How fast sessions are: a rate for all of them, and one for what is over the quota.

A slow session is known by the time that it takes at the least, however fast the machine is. A fast one is known by what
it has done while a slow one would still have most of it before it."""

import datetime
import os
import re
import subprocess
import threading
import time

import pytest

import clock
import dovecot_conf
import expect
import mailgen
from polling import wait_for
from test_reuse import REUSE

K = 1024
# a second's worth was saved before, unless the rate is that of the quota action
SLOW = "throttle 64k/s"
MIDNIGHT = expect.local(expect.next_start("day", clock.quiet_noon()))
# one process for all users, as on large sites
SHARED_PROCESS = "service pop3 {\n  %s\n  process_limit = 1\n  client_limit = 20\n}\n" % REUSE


def seconds(function, *args):
    start = time.monotonic()
    result = function(*args)
    return time.monotonic() - start, result


def at_least(size, rate):
    """What SIZE octets take; clocks and timers may disagree a little."""
    return 0.95 * size / rate


def test_rate(new_user):
    """Also for a user without a quota. Nothing is lost, and lists are counted too."""
    user = new_user(messages=3, size=100_000, pop3_policy_rate="96k/s")
    with user.session() as pop3:
        taken, replies = seconds(pop3.pipeline, "UIDL", "RETR 1", "TOP 2 5", "RETR 2", "LIST", "RETR 3", "CAPA")
        assert [replies[index].message for index in (1, 3, 5)] == [mailgen.message(n, 100_000) for n in (1, 2, 3)]
        assert replies[6].line + replies[6].rest == expect.capa("NEVER")
        assert taken >= at_least(sum(reply.wire_size for reply in replies) - 96 * K, 96 * K)
        assert pop3.quit().text == "+OK Logging out."


def test_over_quota(server, new_user):
    """Slow instead of refused: the counters are true, the log says so once, and the session is what it was else."""
    user = new_user(messages=4, size=100_000, quota="1msg/day", pop3_policy_quota_action=SLOW)
    with user.session() as pop3:
        replies = [pop3.retr(1)]
        for command in ("RETR 2", "TOP 3 100000"):
            taken, reply = seconds(pop3.command, command)
            assert reply.message == mailgen.message(int(command.split()[1]), 100_000)
            # of this rate nothing was saved
            assert taken >= at_least(reply.wire_size - 8 * K, 64 * K)
            replies.append(reply)
        capa = pop3.ok("CAPA")
        assert capa.line + capa.rest == expect.capa("NEVER")
        assert pop3.stat()[0] == 4
        pop3.ok("DELE 1")
        assert pop3.quit().text == "+OK Logging out, messages deleted."
    assert user.used() == (sum(reply.wire_size for reply in replies), 3)
    lines = server.wait_log(user, "pop3_policy: (quota|message)")
    assert [re.sub(".*pop3_policy: ", "", line) for line in lines] == [
        "quota used up: 1msg/day, slowed to 64k/s until " + MIDNIGHT]
    assert len(user.flags()) == 3


def test_pipeline_over_quota(new_user):
    """Word for word what a session without a rate would be told."""
    commands = ["STAT", "UIDL"] + ["RETR %d" % number for number in range(1, 26)] + \
        ["TOP 7 3", "LIST", "RETR 99", "UIDL 3", "CAPA", "FOO", "DELE 2", "RETR 2", "RETR 3", "QUIT"]
    told = []
    for fields in ({}, {"quota": "1msg/day", "pop3_policy_quota_action": SLOW}):
        user = new_user(messages=25, size=4000, **fields)
        with user.session() as pop3:
            taken, replies = seconds(pop3.pipeline, *commands)
            told.append([reply.line + reply.rest for reply in replies])
    # the second half of a UIDL is the UIDVALIDITY of the mailbox
    without, with_rate = [[re.sub(rb"(?<= [0-9a-f]{8})[0-9a-f]{8}\r$", b"", reply, flags=re.M) for reply in replies]
                          for replies in told]
    assert with_rate == without
    assert taken >= at_least(sum(map(len, told[1])) - 16 * K, 64 * K)


def test_new_window(server, new_user):
    """The same session is fast again, and other ones too."""
    end = expect.next_start("hour", clock.quiet_noon())
    # Dovecot ends a session if its clock is set by much
    server.clock.set(end - datetime.timedelta(minutes=1))
    user = new_user(quota="1msg/hour", pop3_policy_quota_action="throttle 8k/s")
    user.append([mailgen.message(1), mailgen.message(2, 10_000)] + [mailgen.message(n, 800_000) for n in (3, 4)])
    with user.session() as pop3:
        assert pop3.retr(1).ok
        taken, reply = seconds(pop3.retr, 2)
        assert taken >= at_least(reply.wire_size - 8 * K, 8 * K)
        server.clock.set(end)
        # 100 s for who is slow
        taken, reply = seconds(pop3.retr, 3)
        assert reply.message == mailgen.message(3, 800_000)
        assert taken < 50
        pop3.quit()
    assert user.used("hour") == (reply.wire_size, 1)
    server.clock.advance(hours=1)
    with user.session() as pop3:
        taken, reply = seconds(pop3.retr, 4)
        assert reply.message == mailgen.message(4, 800_000)
        assert taken < 50
        pop3.quit()


@pytest.mark.parametrize("rate, action", [("48k/s", "throttle 10M/s"), ("10M/s", "throttle 48k/s")])
def test_slower_one_of_two_rates(new_user, rate, action):
    user = new_user(quota="1msg/day", pop3_policy_rate=rate, pop3_policy_quota_action=action)
    user.append([mailgen.message(1), mailgen.message(2, 100_000)])
    with user.session() as pop3:
        first = pop3.retr(1)
        taken, reply = seconds(pop3.retr, 2)
        assert reply.message == mailgen.message(2, 100_000)
        assert taken >= at_least(reply.wire_size - 8 * K, 48 * K) - 1
        pop3.quit()
    assert user.used() == (first.wire_size + reply.wire_size, 2)


def test_deny_is_the_default(new_user):
    user = new_user(messages=2, quota="1msg/day", pop3_policy_rate="10M/s")
    with user.session() as pop3:
        assert [pop3.retr(number).ok for number in (1, 2, 1)] == [True, False, False]
        assert pop3.ok("CAPA").rest.endswith(b"EXPIRE NEVER\r\n.\r\n")
        pop3.quit()


def test_client_that_hangs_up(server, new_user):
    """Is noticed at the next piece, not when all would have been sent."""
    user = new_user(quota="1msg/day", pop3_policy_quota_action=SLOW)
    user.append([mailgen.message(1), mailgen.message(2, 20_000_000)])
    with user.session() as pop3:
        assert pop3.retr(1).ok
        pop3.send(b"RETR 2\r\n")
        received = len(pop3.read_exactly(50_000))
        pop3.cut()
    # 300 s would be left
    server.wait_idle()
    counted, messages = user.used()
    assert messages == 2
    assert received < counted < 10_000_000


def test_wakes(server, new_user):
    """A session that waits does nothing else: no busy loop, and one wake for what an eighth of a second gives."""
    user = new_user(messages=2, size=200_000, quota="1msg/day", pop3_policy_quota_action=SLOW)
    trace = os.path.join(server.root, "trace")
    with user.session() as pop3:
        assert pop3.retr(1).ok
        pid, = server.children("pop3")
        tracer = subprocess.Popen(["strace", "-q", "-p", str(pid), "-o", trace], stderr=subprocess.PIPE)
        wait_for(lambda: "TracerPid:\t0\n" not in read("/proc/%d/status" % pid), "strace to attach itself")
        taken, reply = seconds(pop3.retr, 2)
        assert reply.ok
        pop3.quit()
    tracer.communicate()
    waits = [line for line in read(trace).splitlines() if line.startswith(("epoll_wait(", "epoll_pwait("))]
    assert len(waits) > 4
    # each opening of the stream takes a timer, and one more wait for the socket
    assert len(waits) < 20 * taken + 60


def read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def test_others_in_the_process(start_server, make_user_on):
    """One slow client holds up nobody."""
    server = start_server(extra=SHARED_PROCESS)
    new_user = make_user_on(server)
    slow = new_user(messages=2, size=300_000, quota="1msg/day", pop3_policy_quota_action="throttle 4k/s")
    other = new_user(messages=1, size=2_000_000)
    with slow.session() as pop3:
        assert pop3.retr(1).ok
        pop3.send(b"RETR 2\r\n")
        pop3.read_exactly(10_000)
        for _ in range(5):
            with other.session() as fast:
                for _ in range(20):
                    assert fast.ok("NOOP")
                assert fast.retr(1).message == mailgen.message(1, 2_000_000)
                fast.quit()
        assert len(server.children("pop3")) == 1
        # most of it is still to come, 70 s of it
        pop3.socket.setblocking(False)
        while pop3.received[-5:] != b"\r\n.\r\n":
            try:
                assert pop3.fill()
            except BlockingIOError:
                break
        assert len(pop3.received) - pop3.position < 200_000
        pop3.cut()
    # the process waits for more users, until it ends with its server
    wait_for(lambda: len(server.log_lines(slow, "Disconnected")) == 1, "the end of the slow session")
    server.stop()


def test_rawlog(start_server, make_user_on):
    """The log of a session lies between the socket and what slows it down."""
    server = start_server(extra="protocol pop3 {\n  rawlog_dir = %s/rawlog\n}\n" % (
        "%h" if dovecot_conf.LINE == "2.3" else "%{home}"))
    user = make_user_on(server)(messages=3, size=60_000, quota="1msg/day", pop3_policy_quota_action=SLOW)
    folder = os.path.join(user.home, "rawlog")
    os.mkdir(folder)
    user.own_home()
    with user.session() as pop3:
        start = pop3.position
        taken, replies = seconds(pop3.pipeline, "UIDL", "RETR 1", "RETR 2", "TOP 3 0", "RETR 3", "CAPA", "STAT")
        assert taken >= at_least(replies[2].wire_size + replies[4].wire_size - 8 * K, 64 * K)
        pop3.quit()
        told = bytes(pop3.received[start:])
    server.wait_idle()
    name, = [name for name in os.listdir(folder) if name.endswith(".out")]
    with open(os.path.join(folder, name), "rb") as file:
        logged = re.sub(rb"^\d+\.\d+ ", b"", file.read(), flags=re.M)
    assert logged.endswith(told)
    assert expect.capa("NEVER") in told


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    key, cert = str(folder / "key.pem"), str(folder / "cert.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-days", "2", "-subj", "/CN=localhost", "-keyout", key, "-out", cert], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return cert, key


def test_tls(start_server, make_user_on, certificate):
    """STLS: the octets go through another process of Dovecot, which has room for some."""
    server = start_server(extra=dovecot_conf.tls(*certificate))
    user = make_user_on(server)(messages=2, size=400_000, quota="1msg/day",
                                pop3_policy_quota_action="throttle 128k/s")
    with user.connect() as pop3:
        pop3.start_tls()
        assert pop3.login(user.name, user.password).ok
        assert pop3.retr(1).message == mailgen.message(1, 400_000)
        taken, reply = seconds(pop3.retr, 2)
        assert reply.message == mailgen.message(2, 400_000)
        assert taken >= at_least(reply.wire_size - 16 * K, 128 * K)
        pop3.quit()


def test_sessions_side_by_side(new_user):
    """Each has the rate for itself; the counters have all of it."""
    user = new_user(messages=4, size=60_000, quota="1msg/day", pop3_policy_quota_action=SLOW)
    with user.session() as pop3:
        sent = [pop3.retr(1)]
        pop3.quit()

    def fetch():
        with user.session() as session:
            taken, reply = seconds(session.retr, 2)
            assert taken >= at_least(reply.wire_size - 8 * K, 64 * K)
            sent.append(reply)
            session.quit()

    threads = [threading.Thread(target=fetch) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [reply.ok for reply in sent] == [True] * 5
    user.server.wait_idle()
    assert user.used() == (sum(reply.wire_size for reply in sent), 5)


def test_idle_timer(start_server, make_user_on):
    """Whoever reads all he gets is not idle, however slow that is; whoever reads nothing is."""
    server = start_server()
    new_user = make_user_on(server)
    slow = new_user(quota="1msg/day", pop3_policy_quota_action="throttle 8k/s")
    slow.append([mailgen.message(1), mailgen.message(2, 80_000)])
    deaf = new_user(pop3_policy_rate="16M/s")
    deaf.append([mailgen.message(1, 20_000_000)])
    # the ten minutes of Dovecot are over in less than eight seconds
    server.clock.write("%+d x80\n" % server.clock.offset)
    with slow.session() as pop3, deaf.session(receive_buffer=4096) as other:
        other.send(b"RETR 1\r\n")
        assert pop3.retr(1).ok
        assert pop3.retr(2).message == mailgen.message(2, 80_000)
        pop3.quit()
        server.wait_log(deaf, "Disconnected: Client has not read server output|Disconnected: Inactivity")
    server.wait_log(slow, "Disconnected: Logged out")
