# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""EXPIRE in the reply to CAPA after login (RFC 2449, section 6.7): what it says, that it is there whenever it is asked
for, and that nothing else is changed."""

import os
import re

import pytest

import dovecot_conf
import expect
import mailgen
import state_check
from conftest import FORMATS
from pop3 import Pop3
from retention import fields

BIG = 4 << 20


def whole(reply):
    return reply.line + reply.rest


def capa(pop3):
    return whole(pop3.command("CAPA"))


def expire_of(user):
    """What a session says of a user, as the first command; the rest of the reply is that of stock Dovecot."""
    with user.session() as pop3:
        found = capa(pop3)
        assert pop3.quit().ok
    match = re.search(rb"\r\nEXPIRE (\w+)\r\n", found)
    assert found == expect.capa(match.group(1).decode()), found
    return match.group(1).decode()


def autoexpunge(*sections):
    """The inbox namespace with sections of mailbox settings: ("INBOX", {"autoexpunge": "30d"})."""
    text = ""
    for name, settings in sections:
        if dovecot_conf.LINE == "2.4":
            name = dovecot_conf.quote(name)
        text += "  mailbox %s {\n%s  }\n" % (name, "".join("    %s = %s\n" % item for item in settings.items()))
    return "namespace inbox {\n  inbox = yes\n  separator = /\n%s}\n" % text


def test_stock_says_nothing(start_server, make_user_on):
    user = make_user_on(start_server(plugin=False))(messages=1)
    with user.session() as pop3:
        assert capa(pop3) == expect.STOCK_CAPA
        pop3.quit()


TABLE = [
    ("NEVER", {}),
    ("NEVER", {"keep_downloaded": "forever", "keep_undownloaded": "forever"}),
    ("14", {"keep_downloaded": "14d"}),
    ("90", {"keep_undownloaded": "90d"}),
    ("14", {"keep_downloaded": "14d", "keep_undownloaded": "90d"}),
    ("5", {"keep_downloaded": "14d", "keep_undownloaded": "5d"}),
    # rounded down
    ("1", {"keep_downloaded": "47 hours"}),
    ("2", {"keep_downloaded": "48 hours"}),
    # at the end of the session
    ("0", {"keep_downloaded": "0"}),
    ("0", {"keep_downloaded": "0", "keep_undownloaded": "90d", "keep_max_messages": "5"}),
    # less than a day, but not at QUIT
    ("1", {"keep_downloaded": "1 hour"}),
    ("1", {"keep_undownloaded": "1 hour"}),
    # may take each message at any time
    ("1", {"keep_max_messages": "1000"}),
    ("1", {"keep_max_size": "1G", "keep_downloaded": "14d"}),
    # where it goes, and what stays nevertheless, makes no difference
    ("14", {"keep_downloaded": "14d", "expire_action": "move Trash", "exempt": "FLAGGED"}),
    # nothing is removed
    ("NEVER", {"keep_downloaded": "14d", "report_only": "yes"}),
    ("NEVER", {"keep_downloaded": "0", "keep_undownloaded": "5d", "keep_max_messages": "5", "report_only": "yes"}),
]


@pytest.mark.parametrize("expected, rules", TABLE)
def test_value(new_user, expected, rules):
    assert expire_of(new_user(**fields(**rules))) == expected


def test_value_of_each_user(start_server, make_user_on):
    new_user = make_user_on(start_server(settings=fields(keep_downloaded="30d")))
    assert expire_of(new_user()) == "30"
    assert expire_of(new_user(**fields(keep_downloaded="7d"))) == "7"
    user = new_user(**fields(keep_downloaded="forever"))
    assert expire_of(user) == "NEVER"
    user.set_fields(pop3_policy_keep_undownloaded="8d")
    assert expire_of(user) == "8"


AUTOEXPUNGE = [
    ("30", [("INBOX", {"autoexpunge": "30d"})], {}),
    ("7", [("INBOX", {"autoexpunge": "30d"})], {"keep_downloaded": "7d"}),
    ("30", [("INBOX", {"autoexpunge": "30d"})], {"keep_downloaded": "90d"}),
    ("1", [("INBOX", {"autoexpunge": "1 hours"})], {}),
    ("1", [("INBOX", {"autoexpunge_max_mails": "5000"})], {}),
    ("0", [("INBOX", {"autoexpunge": "30d"})], {"keep_downloaded": "0"}),
    # removes mail also when our rules do not
    ("30", [("INBOX", {"autoexpunge": "30d"})], {"keep_downloaded": "7d", "report_only": "yes"}),
    # every section that is meant for INBOX, and no other
    ("NEVER", [("Trash", {"autoexpunge": "30d"}), ("INBOX", {"auto": "no"})], {}),
    ("NEVER", [("INBOX/*", {"autoexpunge": "30d"})], {}),
    ("10", [("*", {"autoexpunge": "10d"})], {}),
    ("10", [("*", {"autoexpunge": "10d"}), ("INBOX", {"autoexpunge": "20d"})], {}),
    ("5", [("INB*", {"autoexpunge": "10d"}), ("INBOX", {"autoexpunge": "5d"})], {}),
]


@pytest.mark.parametrize("expected, sections, rules", AUTOEXPUNGE)
def test_autoexpunge_of_dovecot(start_server, make_user_on, expected, sections, rules):
    user = make_user_on(start_server(extra=autoexpunge(*sections)))(**fields(**rules))
    assert expire_of(user) == expected


def test_before_login_nothing(server):
    with Pop3(server.ports["pop3"]) as pop3:
        assert b"EXPIRE" not in capa(pop3)


def test_pipelined_with_login(new_user):
    """With all commands in one packet: the pop3 process gets CAPA before it has opened the mailbox."""
    user = new_user(messages=2, **fields(keep_downloaded="14d"))
    with user.connect() as pop3:
        replies = pop3.pipeline("USER " + user.name, "PASS " + user.password, "CAPA", "capa", "CAPA x", "QUIT")
        assert [whole(reply) for reply in replies[2:5]] == [expect.capa("14")] * 3
        assert replies[5].ok


@pytest.mark.parametrize("form", FORMATS)
def test_among_other_commands(new_user, form):
    """Also after messages that were sent, and that were refused by the quota or by Dovecot."""
    user = new_user(form, messages=6, quota="3msg/day", **fields(keep_downloaded="14d"))
    commands = ["CAPA", "STAT", "LIST", "CAPA", "UIDL", "CAPA", "RETR 1", "CAPA", "TOP 2 1", "CAPA", "TOP 2 0", "CAPA",
                "RETR 2", "RETR 3", "CAPA", "RETR 4", "CAPA", "RETR 5", "RETR 6", "CAPA", "TOP 4 9999", "CAPA",
                "RETR 9", "CAPA", "FOO", "CAPA", "UIDL 1", "LIST 1", "CAPA", "DELE 1", "RETR 1", "CAPA", "RSET",
                "CAPA", "NOOP"]
    with user.session() as pop3:
        for _ in range(2):
            for command, reply in zip(commands, pop3.pipeline(*commands)):
                assert (command == "CAPA") == (whole(reply) == expect.capa("14")), command
        for command in commands:
            assert (command == "CAPA") == (whole(pop3.command(command)) == expect.capa("14")), command
        assert pop3.quit().ok


def test_after_a_message_that_is_gone(new_user):
    user = new_user(messages=2)
    with user.session() as pop3:
        user.expunge(2)
        replies = pop3.pipeline("RETR 2", "CAPA", "TOP 2 0", "CAPA", "RETR 1", "CAPA")
        assert [reply.ok for reply in replies[::2]] == [False, False, True]
        assert [whole(reply) for reply in replies[1::2]] == [expect.capa("NEVER")] * 3
        assert pop3.quit().ok


def test_messages_that_look_like_it(new_user):
    """Octet for octet, whichever of them stands at the beginning of a message, a line or a buffer."""
    text = expect.STOCK_CAPA.replace(b"\r\n.\r\n", b"\r\n..\r\n")
    messages = [expect.STOCK_CAPA[:-3], text, text * 3, b"Subject: x\r\n\r\n" + text, b"Subject: x\r\n\r\n" + text[:-4],
                b"+OK\r\nCAPA\r\n", b"+OK\r\nCAPA\r\n..\r\n", b"x" * 4089 + b"\r\n" + text,
                b"Subject: x\r\n\r\n" + (b"+OK\r\nCAPA\r\n" + b"." * 79 + b"\r\n") * 500]
    user = new_user(**fields(keep_downloaded="14d"))
    user.import_maildir([message.replace(b"\r\n", b"\n") for message in messages])
    with user.session() as pop3:
        assert pop3.stat()[0] == len(messages)
        replies = [pop3.retr(number + 1) for number in range(len(messages))]
        assert {reply.message for reply in replies} == set(messages)
        for number, reply in enumerate(replies):
            assert pop3.command("TOP %d 99999" % (number + 1)).message == reply.message
        pipelined = pop3.pipeline(*[command % (number + 1) for number in range(len(messages))
                                    for command in ("RETR %d", "CAPA%.0s", "TOP %d 99999")])
        for number, reply in enumerate(replies):
            first, middle, last = pipelined[3 * number:3 * number + 3]
            assert first.message == last.message == reply.message
            assert whole(middle) == expect.capa("14")
        assert pop3.quit().ok


@pytest.mark.parametrize("form", ["maildir", "mdbox"])
def test_slow_reader(new_user, form):
    """Lists and messages that do not fit in any buffer: commands stop and go on in the middle, and the session is told
    when the client has read."""
    count = 3000
    user = new_user(form, **fields(keep_downloaded="14d"))
    user.import_maildir([mailgen.message(number, 60) for number in range(1, count)])
    user.append([mailgen.message(count, BIG)])
    commands = ["CAPA", "LIST", "CAPA", "UIDL", "CAPA", "RETR %d" % count, "CAPA", "TOP %d 99999999" % count, "CAPA",
                "UIDL", "LIST", "RETR 1", "CAPA"] * 2
    with user.session(receive_buffer=4096) as pop3:
        replies = pop3.pipeline(*commands)
        for command, reply in zip(commands, replies):
            if command == "CAPA":
                assert whole(reply) == expect.capa("14")
            elif command in ("LIST", "UIDL"):
                assert len(reply.lines) == count
            else:
                assert mailgen.number_of(reply.message) == int(command.split()[1])
        assert capa(pop3) == expect.capa("14")
        assert pop3.quit().ok


@pytest.mark.parametrize("command", ["RETR 2", "TOP 2 99999999", "CAPA", "LIST"])
def test_line_cut(server, new_user, command):
    """Nothing that the client has sent after it runs then: with QUIT the message would be deleted."""
    user = new_user(messages=1)
    user.append([mailgen.message(2, BIG)])
    with user.session(receive_buffer=4096) as pop3:
        if command in ("CAPA", "LIST"):
            pop3.send((command + "\r\n").encode() * 40000)
        else:
            pop3.send(("CAPA\r\nDELE 1\r\n%s\r\nQUIT\r\n" % command).encode())
        pop3.read_exactly(5000)
        pop3.cut()
    server.wait_idle()
    assert len(user.contents()) == 2
    assert not server.log_lines(user, "Panic|Fatal|Error")


def test_what_is_logged_as_sent(server, new_user):
    """The line is sent, so it counts, and what a message takes is told as before."""
    user = new_user(messages=2, quota="100M/day", **fields(keep_downloaded="14d"))
    with user.session() as pop3:
        start = pop3.position
        pop3.ok("CAPA")
        message = pop3.retr(1)
        pop3.ok("CAPA")
        top = pop3.command("TOP 2 1")
        pop3.ok("CAPA")
        pop3.quit()
        logged_in = len(b"+OK Logged in.\r\n")
        sent = len(pop3.received) - start + logged_in
    line, = server.wait_log(user, "Disconnected")
    server.wait_idle()
    assert "out=%d" % sent in line
    # the status line is not counted by Dovecot
    assert "retr=1/%d" % (message.wire_size - len(".\r\n")) in line
    assert "top=1/%d" % (top.wire_size - len(".\r\n")) in line
    assert user.used()[0] == message.wire_size + top.wire_size


def test_rawlog(start_server, make_user_on):
    """What Dovecot writes down of a session is what was sent."""
    server = start_server(extra="protocol pop3 {\n  rawlog_dir = %s/rawlog\n}\n"
                          % ("%h" if dovecot_conf.LINE == "2.3" else "%{home}"))
    user = make_user_on(server)(messages=1, **fields(keep_downloaded="14d"))
    folder = os.path.join(user.home, "rawlog")
    os.mkdir(folder)
    user.own_home()
    with user.session() as pop3:
        start = pop3.position
        replies = pop3.pipeline("CAPA", "RETR 1", "CAPA", "QUIT")
        assert [whole(reply) for reply in (replies[0], replies[2])] == [expect.capa("14")] * 2
        sent = bytes(pop3.received[start:])
    server.wait_idle()
    name, = [name for name in os.listdir(folder) if name.endswith(".out")]
    with open(os.path.join(folder, name), "rb") as file:
        lines = [line.split(b" ", 1)[-1] for line in file.read().splitlines(keepends=True)]
    assert b"".join(lines).endswith(sent)


def test_session_without_policy(start_server, make_user_on):
    """A session whose state cannot be known, and that goes on, has no rules that could be told."""
    server = start_server(settings={"pop3_policy_on_error": "ignore"})
    user = make_user_on(server)(messages=1, **fields(keep_downloaded="14d"))
    user.write_state({"version": 2})
    state_check.leave_alone(user.home)
    with user.session() as pop3:
        assert capa(pop3) == expect.STOCK_CAPA
        pop3.quit()
