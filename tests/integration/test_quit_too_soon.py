# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""QUIT that comes before the client has read the messages that it fetches: RFC 2449, section 6.6, allows it, and the
pop3 process ends with what is still in its buffers."""

import contextlib
import fcntl
import itertools
import os
import time

import pytest

import clock
import mailgen
from dovecot import Server
from polling import wait_for
from replica import folder
from standalone import Programs, forget_clock, wire
from test_bad_sessions import Mailbox
from test_uidl_lines import rests

MESSAGES = 12
# the pipe to the client takes nearly three of them
SIZE = 3000
PIPE = 8192
GOES = {"pop3_policy_keep_downloaded": "0"}
RULES = {
    "deleted": {},
    "deleted, slow polls": {"pop3_policy_fast_polls": "no"},
    "retention": GOES,
    "retention, slowly": {**GOES, "pop3_policy_rate": "1M/s"},
}
# of a process in a clock that is so many times too fast; a second has whole milliseconds then, as poll() needs
SPEED = 250
TEN_MINUTES = 600 / SPEED
LOCK = "dovecot-pop3-session.lock"
# another session may take a lock that is so many seconds old
STALE = 300
GONE = "the client was gone before all that it fetched was sent"


@pytest.fixture(params=RULES)
def mailbox(memory_disk, request):
    rules = RULES[request.param]
    with folder(Server.base) as base:
        found = Mailbox(base, mailgen.messages(MESSAGES, SIZE), rules)
        found.is_retention = GOES.items() <= rules.items()
        yield found


def commands(mailbox, count):
    numbers = range(1, count + 1)
    fetched = ["RETR %d" % number for number in numbers]
    return fetched + ["DELE %d" % number for number in numbers if not mailbox.is_retention] + ["QUIT"]


def fast_clock(speed):
    return "env", "LD_PRELOAD=" + clock.library(), "FAKETIME=+0 x%d" % speed, "NO_FAKE_STAT=1"


def begin(mailbox, count, wrapper=(), name="policy"):
    """A session that was sent all commands, and whose client reads nothing."""
    mailbox.renew()
    process = mailbox.programs[name].start("pop3", wrapper=wrapper)
    fcntl.fcntl(process.stdout.fileno(), fcntl.F_SETPIPE_SZ, PIPE)
    os.write(process.stdin.fileno(), b"".join(map(wire, commands(mailbox, count))))
    return process


def begin_waiting(mailbox, count):
    """The same, when it waits for its client."""
    process = begin(mailbox, count)
    wait_for(lambda: process.poll() is not None or rests(process), "the pop3 process")
    return process


@pytest.mark.parametrize("count", range(2, 9))
def test_reads_at_last(mailbox, count):
    """It gets all that it has asked for before anything goes."""
    with begin_waiting(mailbox, count) as process:
        done = mailbox.programs["policy"].finish(process, b"")
    assert done.reply.count(b"\r\n.\r\n") == count
    assert done.reply.endswith(b"+OK Logging out.\r\n" if mailbox.is_retention else
                               b"+OK Logging out, messages deleted.\r\n")
    assert mailbox.left() == MESSAGES - count


def test_never_reads(mailbox):
    """Nothing goes that it cannot have, and the log says so if QUIT was read."""
    logs = []
    for count in (3, 4, 5, 6):
        with begin_waiting(mailbox, count) as process:
            assert process.poll() is None and mailbox.left() == MESSAGES, "it does not wait"
            process.stdout.close()
            logs.append(process.stderr.read().decode())
        assert "del=0/" in logs[-1] and "retention" not in logs[-1], logs[-1]
        assert mailbox.left() == MESSAGES
    assert any(GONE in log for log in logs), logs
    comes_again(mailbox)


def test_reads_nothing_for_ten_minutes(mailbox):
    """Is given up then, and nothing goes either."""
    logs = []
    for count in (3, 4, 5, 6):
        start = time.monotonic()
        with begin(mailbox, count, fast_clock(SPEED)) as process:
            assert process.wait(60) == 0
            logs.append(process.stderr.read().decode())
        forget_clock(process.pid)
        assert time.monotonic() - start > TEN_MINUTES
        assert "inactivity" in logs[-1] and "del=0/" in logs[-1] and "retention" not in logs[-1], logs[-1]
        assert mailbox.left() == MESSAGES
        if GONE in logs[-1]:
            comes_again(mailbox)
            return
    assert False, logs


def test_server_stops_meanwhile(mailbox):
    """Dovecot, or systemd, tells the process to end: nobody waits for the client then, and nothing goes."""
    logs = []
    for count in (3, 4, 5, 6):
        with begin_waiting(mailbox, count) as process:
            process.terminate()
            assert process.wait(30) == 0
            logs.append(process.stderr.read().decode())
        assert "Server shutting down" in logs[-1] and "del=0/" in logs[-1] and "retention" not in logs[-1], logs[-1]
        assert mailbox.left() == MESSAGES
    assert any(GONE in log for log in logs), logs
    comes_again(mailbox)


@pytest.mark.parametrize("mailbox", ["deleted"], indirect=True)
def test_lock_is_kept(mailbox):
    """That of pop3_lock_session, as long as the client is waited for."""
    mailbox.programs["locked"] = Programs(mailbox.base, mailbox.home, "locked", {"pop3_lock_session": "yes"}, {})
    path = os.path.join(mailbox.home, "Maildir", LOCK)
    for count in (3, 4, 5, 6):
        times = []
        with begin(mailbox, count, fast_clock(100), "locked") as process:
            while process.poll() is None:
                with contextlib.suppress(FileNotFoundError):
                    times.append(os.stat(path).st_mtime)
                time.sleep(0.01)
            log = process.stderr.read().decode()
        forget_clock(process.pid)
        if GONE in log:
            assert max(later - earlier for earlier, later in itertools.pairwise(times)) < STALE
            assert times[-1] - times[0] > STALE
            assert not os.path.exists(path)
            return
    assert False, "no session was waited for"


def comes_again(mailbox):
    again = mailbox.programs["policy"].pop3(["RETR 1", "QUIT"])
    assert again.reply.count(b"\r\n.\r\n") == 1
