# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""One session that meets its quota: what is refused, with which words, and what still works."""

import datetime
import os
import re

import pytest

import clock
import expect
import mailgen
from conftest import FORMATS

NOON = clock.quiet_noon()
MIDNIGHT = expect.next_start("day", NOON)


def served(*replies):
    """Octets of the replies that carry a message."""
    return sum(reply.wire_size for reply in replies if reply.ok)


def use_up(user, count):
    """Downloads COUNT messages in a session of their own."""
    with user.session() as pop3:
        replies = [pop3.retr(number) for number in range(1, count + 1)]
        assert all(reply.ok for reply in replies)
        pop3.quit()
    return served(*replies)


@pytest.mark.parametrize("window, article", [("hour", "an"), ("day", "a"), ("week", "a"), ("month", "a")])
def test_refusal_says_limit_and_time(server, new_user, window, article):
    user = new_user(messages=4, quota="3msg/" + window)
    with user.session() as pop3:
        for number in (1, 2, 3):
            assert pop3.retr(number).message == mailgen.message(number)
        until = expect.next_start(window, NOON)
        assert pop3.retr(4).line == (expect.used_up("3 messages %s %s" % (article, window), until) + "\r\n").encode()
        pop3.quit()
    server.clock.set(until - datetime.timedelta(seconds=30))
    with user.session() as pop3:
        assert pop3.retr(4).text == expect.used_up("3 messages %s %s" % (article, window), until)
    server.clock.set(until + datetime.timedelta(seconds=1))
    with user.session() as pop3:
        assert pop3.retr(4).message == mailgen.message(4)
        pop3.quit()
    assert user.used(window)[1] == 1


def test_window_ends_during_a_session(server, new_user):
    user = new_user(messages=5, quota="2msg/hour")
    end = expect.next_start("hour", NOON)
    server.clock.set(end - datetime.timedelta(minutes=1))
    with user.session() as pop3:
        assert [pop3.retr(number).ok for number in (1, 2, 3)] == [True, True, False]
        # not by so much that Dovecot ends the session for being idle
        server.clock.set(end)
        replies = [pop3.retr(number) for number in (3, 4, 5)]
        assert [reply.ok for reply in replies] == [True, True, False]
        pop3.quit()
    assert user.used("hour") == (served(*replies), 2)
    assert user.used("day")[1] == 4
    assert len(server.wait_log(user, "pop3_policy: downloaded 4 messages")) == 1


def test_limit_of_one_message(new_user):
    user = new_user(messages=2, quota="1msg/day")
    with user.session() as pop3:
        assert pop3.retr(1).ok
        assert pop3.retr(2).text == expect.used_up("1 message a day", MIDNIGHT)


def test_times_around_summer_time(server, new_user):
    """The day before, the day itself, and the day after the clocks go forward."""
    user = new_user(messages=3, quota="1msg/day")
    sunday = datetime.datetime.combine(clock.last_sunday(3), datetime.time())
    day = datetime.timedelta(days=1)
    for number, (now, until, zone) in enumerate([
            (sunday - datetime.timedelta(minutes=30), sunday, "+0100"),
            (sunday + datetime.timedelta(hours=1), sunday + day, "+0200"),
            (sunday + day, sunday + 2 * day, "+0200")], 1):
        server.clock.set(now)
        with user.session() as pop3:
            assert pop3.retr(number).ok
            assert pop3.retr(number).text == "-ERR [SYS/TEMP] Download quota used up (1 message a day), " \
                "try again after %s %s" % (until.strftime("%Y-%m-%d %H:%M"), zone)
            pop3.quit()


def test_refusals_in_a_pipeline(new_user):
    user = new_user(messages=8, quota="3msg/day")
    refused = expect.used_up("3 messages a day", MIDNIGHT)
    with user.session() as pop3:
        replies = pop3.pipeline("STAT", "RETR 2", "RETR 5", "LIST 1", "RETR 3", "RETR 4", "NOOP", "RETR 6", "TOP 4 0",
                                "RETR 7", "RETR 99", "UIDL 1", "RETR 2", "FOO", "RETR 8", "DELE 2", "RETR 2", "STAT",
                                "QUIT")
        assert pop3.drain() == b""
    assert [reply.message for reply in replies[1:3] + replies[4:5]] == [mailgen.message(n) for n in (2, 5, 3)]
    assert [reply.text for reply in replies[5:8]] == [refused, "+OK", refused]
    assert replies[8].ok and replies[8].message.startswith(mailgen.message(4)[:100])
    assert replies[9].text == refused
    assert replies[10].text == "-ERR There's no message 99."
    assert replies[11].ok and replies[12].text == refused
    assert replies[13].text == "-ERR Unknown command: FOO"
    assert [reply.text for reply in replies[14:17]] == [refused, "+OK Marked to be deleted.",
                                                       "-ERR Message is deleted."]
    assert replies[17].text.startswith("+OK 7 ")
    assert replies[18].text == "+OK Logging out, messages deleted."
    assert user.used() == (served(*replies[1:3], replies[4], replies[8]), 3)
    assert len(user.flags()) == 7


@pytest.mark.parametrize("numbers", [list(range(2, 42)), list(range(41, 1, -1)), [2] * 40, [2, 41] * 20],
                         ids=["ascending", "descending", "the-same", "to-and-fro"])
@pytest.mark.parametrize("pipelined", [False, True], ids=["one-by-one", "pipelined"])
def test_forty_refusals_do_not_end_the_session(new_user, numbers, pipelined):
    user = new_user(messages=41, size=500, quota="1msg/day")
    refused = expect.used_up("1 message a day", MIDNIGHT)
    with user.session() as pop3:
        assert pop3.retr(1).ok
        commands = ["RETR %d" % number for number in numbers]
        replies = pop3.pipeline(*commands) if pipelined else [pop3.command(command) for command in commands]
        assert [reply.text for reply in replies] == [refused] * len(numbers)
        assert pop3.stat()[0] == 41
        pop3.ok("DELE 1")
        pop3.ok("DELE 17")
        assert pop3.quit().text == "+OK Logging out, messages deleted."
    assert len(user.flags()) == 39


def test_bad_commands_still_end_the_session(new_user):
    """Refusals must not hide from Dovecot that a client sends nonsense."""
    user = new_user(messages=2, quota="1msg/day")
    use_up(user, 1)
    with user.session() as pop3:
        assert not pop3.retr(1).ok
        pop3.send(b"FOO\r\n" * 25)
        assert pop3.drain().endswith(b"-ERR Too many bad commands.\r\n")


@pytest.mark.parametrize("form", FORMATS)
def test_everything_else_stays_complete(new_user, form):
    user = new_user(form, messages=20, quota="5msg/day")

    def look(pop3):
        replies = pop3.pipeline("STAT", "LIST", "UIDL", "NOOP", "CAPA", *[
            "%s %d" % (command, number) for number in range(1, 21) for command in ("LIST", "UIDL")])
        replies += [pop3.command("TOP %d 0" % number) for number in range(1, 21)]
        assert all(reply.ok for reply in replies)
        return [reply.line + reply.rest for reply in replies]

    with user.session() as pop3:
        before = look(pop3)
        for number in range(1, 21):
            assert pop3.retr(number).ok == (number <= 5)
        assert look(pop3) == before
        pop3.ok("DELE 3")
        pop3.ok("DELE 20")
        assert pop3.stat()[0] == 18
        assert len(pop3.uidl()) == 18
        pop3.ok("RSET")
        assert look(pop3) == before
        pop3.ok("DELE 20")
        pop3.quit()
    assert len(user.flags()) == 19


@pytest.mark.parametrize("form", FORMATS)
def test_refused_messages_stay_unseen(new_user, form):
    user = new_user(form, messages=6, quota="2msg/day")
    with user.session() as pop3:
        for number in (1, 2, 3, 4):
            pop3.retr(number)
        pop3.command("TOP 5 1000")
        pop3.quit()
    assert [uid for uid, flags in sorted(user.flags().items()) if "\\Seen" in flags] == [1, 2]


def test_refusals_change_no_state(server, new_user):
    user = new_user(messages=5, quota="2msg/day")
    use_up(user, 2)
    server.wait_idle()
    before = os.stat(user.state_path), user.state()
    for last in ("QUIT", None):
        with user.session() as pop3:
            for number in (3, 4, 5, 1):
                assert not pop3.retr(number).ok
            assert not pop3.command("TOP 3 1000").ok
            pop3.stat()
            if last:
                pop3.quit()
        server.wait_idle()
        after = os.stat(user.state_path), user.state()
        assert after[1] == before[1]
        assert (after[0].st_ino, after[0].st_mtime_ns) == (before[0].st_ino, before[0].st_mtime_ns)


def test_statistics_count_what_was_sent(server, new_user):
    user = new_user(messages=4, quota="2msg/day")
    with user.session() as pop3:
        replies = [pop3.retr(number) for number in (1, 2, 3, 4)]
        pop3.quit()
    # stock counts every RETR of a message that exists, and octets without the final dot
    line = server.wait_log(user, "Disconnected: Logged out")[0]
    assert "retr=4/%d," % (served(*replies) - 2 * 3) in line


def test_quit_settles_before_it_is_answered(new_user):
    """Whoever has read the goodbye finds the counters exact, without waiting."""
    user = new_user(messages=10, quota="1000msg/day 1G/day")
    for session in range(1, 6):
        with user.session() as pop3:
            replies = [pop3.retr(number) for number in range(1, session + 1)]
            pop3.command("QUIT")
            now = user.used()
        if session == 1:
            total = (0, 0)
        total = (total[0] + served(*replies), total[1] + session)
        assert now == total
    for window in ("hour", "day", "week", "month"):
        assert user.used(window) == total


def test_message_larger_than_the_limit(server, new_user):
    """Served when nothing of the window was used, and uses it up; else it would never come."""
    user = new_user(quota="10k/day")
    user.append([mailgen.message(1, 50_000), mailgen.message(2, 1000), mailgen.message(3, 50_000)])
    with user.session() as pop3:
        big = pop3.retr(1)
        assert big.message == mailgen.message(1, 50_000)
        for number in (1, 2, 3):
            assert pop3.retr(number).text == expect.used_up("10 kB a day", MIDNIGHT)
        pop3.quit()
    assert user.used() == (big.wire_size, 1)
    server.clock.advance(days=1)
    with user.session() as pop3:
        small = pop3.retr(2)
        assert small.ok
        left = 10 * 1024 - small.wire_size
        assert pop3.retr(3).text == expect.does_not_fit("10 kB a day", "%d kB" % (left // 1024),
                                                        MIDNIGHT + datetime.timedelta(days=1))
        assert pop3.retr(2).ok
        pop3.quit()
    server.clock.advance(days=1)
    with user.session() as pop3:
        assert pop3.retr(3).message == mailgen.message(3, 50_000)
        pop3.quit()


def test_message_that_does_not_fit(new_user):
    """A smaller one still does; the line says how much is left."""
    user = new_user(quota="500k/day")
    user.append([mailgen.message(number, size) for number, size in enumerate(
        [300_000, 250_000, 150_000, 250_000, 20_000], 1)])
    with user.session() as pop3:
        replies = [pop3.retr(1)]
        left = 500 * 1024 - served(*replies)
        refused = expect.does_not_fit("500 kB a day", "%d kB" % (left // 1024), MIDNIGHT)
        assert pop3.retr(2).text == refused
        replies.append(pop3.retr(3))
        left = 500 * 1024 - served(*replies)
        assert pop3.retr(4).text == expect.does_not_fit("500 kB a day", "%d kB" % (left // 1024), MIDNIGHT)
        replies.append(pop3.retr(5))
        pop3.quit()
    assert all(reply.ok for reply in replies)
    assert user.used() == (served(*replies), 3)


def test_bytes_are_counted_to_the_last_one(new_user):
    """Status line, dot stuffing and final dot are counted. A limit of exactly that serves; without room for the octets
    of the message it is refused."""
    dots = b"Subject: dots\r\n\r\n" + b".\r\n" * 100
    probe = new_user(quota="1G/day")
    probe.append([dots, dots])
    with probe.session() as pop3:
        size = pop3.retr(1).wire_size
        pop3.quit()
    assert probe.used() == (size, 1)
    assert size == len(dots) + 100 + len("+OK 317 octets\r\n") + len(".\r\n")
    for limit, fits in ((2 * size, True), (size + len(dots) - 1, False)):
        user = new_user(quota="%db/day" % limit)
        user.append([dots, dots])
        with user.session() as pop3:
            assert pop3.retr(1).ok
            assert pop3.retr(2).ok == fits
            pop3.quit()
        assert user.used()[0] == size * (2 if fits else 1)


def test_several_limits(server, new_user):
    user = new_user(messages=20, quota="3msg/hour 5msg/day 7msg/week 8msg/month 100M/day")

    def session(number, count, window, limit):
        until = expect.next_start(window, now)
        with user.session() as pop3:
            for message in range(number, number + count):
                assert pop3.retr(message).ok
            assert pop3.retr(20).text == expect.used_up("%s %s" % (limit, window), until)
            pop3.quit()
        return until

    now = NOON
    now = session(1, 3, "hour", "3 messages an")
    server.clock.set(now)
    now = session(4, 2, "day", "5 messages a")
    server.clock.set(now)
    now = session(6, 2, "week", "7 messages a")
    server.clock.set(now)
    session(8, 1, "month", "8 messages a")


@pytest.mark.parametrize("window", ["hour", "day", "week", "month"])
def test_clock_that_goes_back_reopens_nothing(server, new_user, window):
    user = new_user(messages=4, quota="2msg/" + window)
    use_up(user, 2)
    for back in (datetime.timedelta(minutes=30), datetime.timedelta(hours=5), datetime.timedelta(days=1),
                 datetime.timedelta(days=9)):
        server.clock.set(NOON - back)
        with user.session() as pop3:
            assert not pop3.retr(3).ok, back
            pop3.quit()
    server.clock.set(NOON)
    with user.session() as pop3:
        assert not pop3.retr(3).ok
    server.clock.set(expect.next_start(window, NOON))
    with user.session() as pop3:
        assert pop3.retr(3).ok


def test_clock_that_goes_back_and_forth_with_downloads(server, new_user):
    user = new_user(messages=10, quota="6msg/day")
    use_up(user, 2)
    server.clock.set(NOON - datetime.timedelta(days=1))
    use_up(user, 2)
    server.clock.set(NOON)
    with user.session() as pop3:
        replies = [pop3.retr(number) for number in range(1, 6)]
    assert [reply.ok for reply in replies] == [True, True, False, False, False]


@pytest.mark.parametrize("end", ["cut", "close"])
@pytest.mark.parametrize("form", FORMATS)
def test_line_broken_in_a_message(server, new_user, form, end):
    """What came over the wire is counted, and the message, whether or not it came whole."""
    user = new_user(form, quota="100M/day 100msg/day")
    user.append([mailgen.message(1, 5_000_000), mailgen.message(2)])
    with user.session() as pop3:
        small = pop3.retr(2)
        pop3.send(b"RETR 1\r\n")
        received = len(pop3.read_exactly(1_000_000)) + small.wire_size
        if end == "cut":
            pop3.cut()
        else:
            pop3.close()
    server.wait_idle()
    counted, messages = user.used()
    assert received <= counted < small.wire_size + 5_100_000
    assert messages == 2
    with user.session() as pop3:
        assert pop3.retr(2).ok


def test_log_lines(server, new_user):
    user = new_user(messages=5, quota="3msg/day 500M/week")
    with user.session() as pop3:
        replies = [pop3.retr(number) for number in (1, 2)]
        pop3.quit()
    total = served(*replies)
    first = server.wait_log(user, "pop3_policy: downloaded")
    assert len(first) == 1
    assert re.search(r"Info: pop3_policy: downloaded 2 messages, %d bytes; left: 1msg of 3msg/day, 499M of 500M/week$"
                     % total, first[0]), first
    with user.session() as pop3:
        one = pop3.retr(3)
        for number in (4, 5, 4):
            assert not pop3.retr(number).ok
        pop3.quit()
    second = server.wait_log(user, "pop3_policy: downloaded", count=2)[1]
    assert second.endswith("downloaded 1 messages, %d bytes; left: 0 of 3msg/day, 499M of 500M/week" % one.wire_size)
    refusals = server.log_lines(user, "pop3_policy: quota used up")
    assert len(refusals) == 1
    assert refusals[0].endswith("Info: pop3_policy: quota used up: 3msg/day, refused until " + expect.local(MIDNIGHT))
    with user.session() as pop3:
        assert not pop3.retr(4).ok
        pop3.quit()
    server.wait_log(user, "Disconnected: Logged out", count=3)
    assert len(server.log_lines(user, "pop3_policy: downloaded")) == 2
    assert len(server.log_lines(user, "pop3_policy: quota used up")) == 2
    assert not server.log_lines(user, "(Error|Fatal|Panic|pop3_policy.*Warning)")


def test_no_quota_means_nothing_counted(server, new_user):
    for fields in ({}, {"quota": "unlimited"}):
        user = new_user(messages=5, **fields)
        use_up(user, 5)
        server.wait_log(user, "Disconnected")
        server.wait_idle()
        assert not server.log_lines(user, "pop3_policy")
        assert user.counted() == 0
