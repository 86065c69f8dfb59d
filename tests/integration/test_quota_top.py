# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""TOP over quota: the header always comes, the whole message does not."""

import pytest

import clock
import expect
import mailgen

MIDNIGHT = expect.next_start("day", clock.quiet_noon())
REFUSED = expect.used_up("1 message a day", MIDNIGHT)
HEADER = b"Subject: top\r\nX-Pad: " + b"p" * 60 + b"\r\n"


def lines_message(count, last_line_ends=True):
    data = HEADER + b"\r\n" + b"".join(b"line %d\r\n" % number for number in range(1, count + 1))
    return data if last_line_ends else data[:-2]


@pytest.fixture
def over_quota(new_user):
    """A user who has had his one message of the day; the others are what each test needs."""
    def make(*messages, **fields):
        user = new_user(quota="1msg/day", **fields)
        user.import_maildir([mailgen.message(1)] + list(messages))
        with user.session() as pop3:
            pop3.retr(1)
            pop3.quit()
        return user
    return make


HUGE = ["4294967296", "4294967297", "18446744073709551614", "18446744073709551615"]


@pytest.mark.parametrize("last_line_ends", [True, False], ids=["line-end", "no-line-end"])
def test_headers_rule(over_quota, last_line_ends):
    """As many lines as the body has are the whole of it; one less is not."""
    user = over_quota(lines_message(10, last_line_ends))
    with user.session() as pop3:
        for count in (0, 1, 5, 9):
            reply = pop3.ok("TOP 2 %d" % count)
            assert reply.message == lines_message(count)
        for count in (10, 11, 1000, *HUGE):
            assert pop3.command("TOP 2 %s" % count).text == REFUSED
        assert pop3.command("TOP 2 18446744073709551616").text.startswith("-ERR Size too large")
        assert pop3.command("TOP 2 x").text.startswith("-ERR Invalid size")
        assert pop3.command("TOP 3 5").text == "-ERR There's no message 3."
        assert pop3.retr(2).text == REFUSED
        pop3.quit()
    assert user.used()[1] == 1


def test_deny_rule(over_quota):
    user = over_quota(lines_message(10), pop3_policy_quota_top="deny")
    with user.session() as pop3:
        assert pop3.ok("TOP 2 0").message == HEADER + b"\r\n"
        for count in (1, 9, 10, *HUGE):
            assert pop3.command("TOP 2 %s" % count).text == REFUSED
        assert pop3.ok("TOP 2 0").message == HEADER + b"\r\n"
        pop3.quit()
    assert user.used()[1] == 1


@pytest.mark.parametrize("rule", ["headers", "deny"])
@pytest.mark.parametrize("data", [b"", HEADER, HEADER[:-2], HEADER + b"\r\n", b"\r\n", b"\r\nonly a body\r\n"],
                         ids=["nothing", "no-body", "no-line-end", "empty-body", "one-line-end", "no-header"])
def test_headers_alone_always_come(over_quota, rule, data):
    """Also where the header is all there is."""
    user = over_quota(data, pop3_policy_quota_top=rule)
    with user.session() as pop3:
        assert pop3.ok("TOP 2 0").ok
        assert pop3.command("TOP 2 1").text == REFUSED
        assert pop3.retr(2).text == REFUSED
        pop3.quit()


def test_top_within_the_quota(new_user):
    """The whole of a message counts as one; less counts in bytes only."""
    user = new_user(quota="2msg/day 1M/day")
    user.append([lines_message(10)] * 3)
    with user.session() as pop3:
        replies = [pop3.ok("TOP 1 %d" % count) for count in (0, 1, 9)]
        assert pop3.quit().ok
    assert user.used() == (sum(reply.wire_size for reply in replies), 0)
    with user.session() as pop3:
        replies += [pop3.ok("TOP 1 10"), pop3.retr(2)]
        assert pop3.command("TOP 3 1000").text == expect.used_up("2 messages a day", MIDNIGHT)
        assert pop3.quit().ok
    assert user.used() == (sum(reply.wire_size for reply in replies), 2)


def test_deny_rule_within_the_quota(new_user):
    user = new_user(quota="1G/day", pop3_policy_quota_top="deny")
    user.append([lines_message(10)])
    with user.session() as pop3:
        replies = [pop3.ok("TOP 1 %d" % count) for count in (0, 1, 9, 10)]
        assert [reply.message for reply in replies] == [lines_message(count) for count in (0, 1, 9, 10)]
        pop3.quit()
    assert user.used()[0] == sum(reply.wire_size for reply in replies)


def test_top_against_a_limit_of_bytes(new_user):
    """Headers come also when no byte is left, and are counted."""
    user = new_user(quota="2k/day")
    user.append([mailgen.message(1, 3000), lines_message(3)])
    with user.session() as pop3:
        total = pop3.retr(1).wire_size
        for _ in range(50):
            total += pop3.ok("TOP 2 2").wire_size
        assert pop3.command("TOP 2 3").text == expect.used_up("2 kB a day", MIDNIGHT)
        pop3.quit()
    assert user.used() == (total, 1)


SPELLINGS = [b"TOP 2 %s\r\n", b"top 2 %s\r\n", b"tOp  2   %s\r\n", b"TOP 02 000%s\r\n", b"TOP 2 %s\n",
             b"TOP 2 " + b"0" * 1900 + b"%s\r\n"]


@pytest.mark.parametrize("spelling", range(len(SPELLINGS)))
def test_spellings(over_quota, spelling):
    """The number of lines is understood as Dovecot understands it."""
    user = over_quota(lines_message(10))
    with user.session() as pop3:
        for count, answered in ((b"9", True), (b"10", False), (b"0", True)):
            pop3.send(SPELLINGS[spelling] % count)
            reply = pop3.read_reply(True)
            assert reply.ok == answered, count
            assert reply.text in ("+OK", REFUSED)


def test_command_in_pieces(over_quota):
    user = over_quota(lines_message(10))
    with user.session() as pop3:
        for count, answered in ((b"9", True), (b"10", False), (b"0", True), (b"10", False)):
            command = b"NOOP\r\nTOP 2 %s\r\n" % count
            for index in range(len(command)):
                pop3.send(command[index:index + 1])
            assert pop3.read_reply(False).ok
            assert pop3.read_reply(True).ok == answered, count


def test_long_pipeline(over_quota):
    """Hundreds of commands in one write pass the input buffer of Dovecot many times."""
    user = over_quota(lines_message(10), mailgen.message(3, 30000))
    commands = []
    for round_ in range(150):
        commands += ["TOP 2 %d" % (round_ % 10), "TOP 2 10", "RETR 2", "TOP 3 0", "RETR 3", "NOOP", "TOP 3 9999999"]
    with user.session() as pop3:
        replies = pop3.pipeline(*commands)
        pop3.quit()
    for index in range(0, len(commands), 7):
        oks = [reply.ok for reply in replies[index:index + 7]]
        assert oks == [True, False, False, True, False, True, False], commands[index:index + 7]
    assert {reply.text for reply in replies if not reply.ok} == {REFUSED}


@pytest.mark.parametrize("numbers", [range(2, 42), range(41, 1, -1), [2] * 40], ids=["up", "down", "same"])
def test_forty_refusals_do_not_end_the_session(over_quota, numbers):
    user = over_quota(*[lines_message(3)] * 40)
    with user.session() as pop3:
        assert {pop3.command("TOP %d 3" % number).text for number in numbers} == {REFUSED}
        assert pop3.stat()[0] == 41
        pop3.ok("DELE 41")
        assert pop3.quit().text == "+OK Logging out, messages deleted."
    assert len(user.flags()) == 40
