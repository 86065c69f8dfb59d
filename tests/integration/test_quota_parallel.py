# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Many sessions of one user against one limit, and sessions that are killed. What counts is what went over the wire."""

import os
import signal
import threading

import pytest

import mailgen
from conftest import FORMATS
from polling import wait_for
from pop3 import LineClosed

SESSIONS = 20


class Worker(threading.Thread):
    """Downloads every message it can in one session, beginning when all the others do."""

    def __init__(self, user, count, barrier, cut_after=None):
        super().__init__()
        self.user = user
        self.count = count
        self.barrier = barrier
        self.cut_after = cut_after
        self.wire = 0
        self.messages = 0
        self.error = None

    def run(self):
        try:
            self.session()
        except Exception as error:  # pylint: disable=broad-except
            self.error = error
            self.barrier.abort()

    def session(self):
        with self.user.session() as pop3:
            self.barrier.wait(60)
            for number in range(1, self.count + 1):
                if self.messages == self.cut_after:
                    self.cut(pop3, number)
                    return
                reply = pop3.retr(number)
                if reply.ok:
                    assert reply.message.endswith(b"seventy bytes.\r\n")
                    self.wire += reply.wire_size
                    self.messages += 1
            pop3.quit()

    def cut(self, pop3, number):
        pop3.send(b"RETR %d\r\n" % number)
        line = pop3.read_line()
        if line.startswith(b"+OK"):
            self.wire += len(line) + len(pop3.read_exactly(500))
            self.messages += 1
        pop3.cut()


def run_all(user, count, cuts=()):
    barrier = threading.Barrier(SESSIONS)
    workers = [Worker(user, count, barrier, cuts[index] if index < len(cuts) else None) for index in range(SESSIONS)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    errors = [worker.error for worker in workers if worker.error is not None]
    assert not errors, errors
    user.server.wait_idle()
    return sum(worker.wire for worker in workers), sum(worker.messages for worker in workers)


@pytest.mark.parametrize("form", FORMATS)
def test_limit_of_messages(new_user, form):
    user = new_user(form, messages=30, quota="100msg/day")
    wire, messages = run_all(user, 30)
    assert 0 < messages <= 100
    assert user.used() == (wire, messages)
    # nothing is lost either: what was leased and not used can still be had
    with user.session() as pop3:
        rest = [pop3.retr(1).ok for _ in range(101)]
        pop3.quit()
    assert messages + sum(rest) == 100
    assert user.used()[1] == 100


@pytest.mark.parametrize("form", FORMATS)
def test_limit_of_bytes(new_user, form):
    limit, size = 4 * 1024 * 1024, 30_000
    user = new_user(form, messages=30, size=size, quota="4M/day")
    wire, messages = run_all(user, 30)
    assert wire <= limit + size + 100
    assert user.used() == (wire, messages)
    with user.session() as pop3:
        replies = [pop3.retr(1) for _ in range(150)]
        pop3.quit()
    total = wire + sum(reply.wire_size for reply in replies if reply.ok)
    assert limit - size - 100 <= total <= limit + size + 100
    assert user.used()[0] == total


def test_lines_that_break_among_others(new_user):
    """What is cut off counts at least as far as it was sent; the sessions that end well are exact."""
    limit, size = 4 * 1024 * 1024, 30_000
    user = new_user(messages=30, size=size, quota="4M/day 5000msg/hour")
    wire, messages = run_all(user, 30, cuts=[0, 1, 2, 3, 5, 8, 1, 0])
    counted, counted_messages = user.used()
    assert wire <= counted <= limit + 9 * (size + 100)
    assert wire <= limit + size + 100
    assert counted_messages == messages == user.used("hour")[1]


def only_session(server):
    """The process id of the one pop3 process that there is."""
    found = wait_for(lambda: server.children("pop3"), "the pop3 process")
    assert len(found) == 1
    return found[0]


BIG = 20 * 1024 * 1024


@pytest.fixture(scope="module")
def big_message():
    return mailgen.message(1, BIG)


@pytest.mark.parametrize("received", [0, 1, 5_000_000, 13_000_000])
@pytest.mark.parametrize("form", FORMATS)
def test_killed_in_a_big_message(server, new_user, big_message, form, received):
    user = new_user(form, quota="1G/day 1000msg/day")
    user.append([big_message, mailgen.message(2)])
    with user.session(receive_buffer=65536) as pop3:
        pop3.send(b"RETR 1\r\n")
        wire = len(pop3.read_exactly(received))
        if received == 0:
            wait_for(lambda: os.path.exists(user.state_path), "the lease")
        os.kill(only_session(server), signal.SIGKILL)
        wire += len(pop3.drain())
    server.wait_idle()
    # the kernel holds some MB on the way, so that the kill comes in the middle all the same
    assert received <= wire < BIG
    counted, messages = user.used()
    assert counted >= wire
    assert messages >= 1
    assert user.used("hour") == user.used("day") == user.used("week") == user.used("month")
    with user.session() as pop3:
        reply = pop3.retr(2)
        assert reply.message == mailgen.message(2)
        pop3.quit()
    assert user.used() == (counted + reply.wire_size, messages + 1)


def test_killed_after_messages(server, new_user):
    """Between two commands: what was sent is in the lease."""
    user = new_user(messages=50, size=5000, quota="100M/day 1000msg/day")
    with user.session() as pop3:
        wire = sum(pop3.retr(number).wire_size for number in range(1, 51))
        os.kill(only_session(server), signal.SIGKILL)
        assert pop3.drain() == b""
    server.wait_idle()
    counted, messages = user.used()
    assert counted >= wire and messages >= 50


def test_killing_does_not_stretch_the_limit(server, new_user, big_message):
    """A session that is killed again and again gets no more than the limit and one message."""
    limit = 50 * 1024 * 1024
    user = new_user(quota="50M/day")
    user.append([big_message])
    wire = 0
    for _ in range(50):
        with user.session(receive_buffer=65536) as pop3:
            pop3.send(b"RETR 1\r\n")
            line = pop3.read_line()
            if line.startswith(b"-ERR"):
                break
            wire += len(line) + len(pop3.read_exactly(1_000_000))
            os.kill(only_session(server), signal.SIGKILL)
            wire += len(pop3.drain())
        server.wait_idle()
        assert user.used()[0] >= wire
        assert wire <= limit + len(big_message) + 100
    else:
        pytest.fail("the limit was never reached")


@pytest.mark.parametrize("alive", [False, True], ids=["killed", "alive"])
def test_lease_is_seen_by_others(server, new_user, alive):
    """What a session has leased is not there for another one, until it ends well."""
    user = new_user(messages=20, size=100_000, quota="2M/day")
    with user.session() as first:
        used = first.retr(1).wire_size
        leased = user.used()[0]
        assert leased >= used
        if not alive:
            os.kill(only_session(server), signal.SIGKILL)
            try:
                first.read_line()
            except LineClosed:
                pass
            server.wait_idle()
        with user.session() as second:
            replies = [second.retr(number) for number in range(1, 21)]
            second.quit()
        wire = sum(reply.wire_size for reply in replies if reply.ok)
        assert leased + wire <= 2 * 1024 * 1024 + 101_000
        if alive:
            first.quit()
            assert user.used()[0] == used + wire
        else:
            assert user.used()[0] == leased + wire
