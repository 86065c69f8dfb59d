# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""UIDL of all messages, where the plugin sends the lines in the place of the pop3 process."""

import contextlib
import os

import pytest

import dovecot_conf
from dovecot import Server
from polling import wait_for
from replica import folder
from standalone import wire
from test_fast_polls import Copies

# A reply to UIDL is some 40 KB.
LONG_FORMAT = {"2.3": "%u-", "2.4": "%{uid}-"}[dovecot_conf.LINE] + 200 * "x"
MESSAGES = 200
# All of the replies would be this much more than a process has otherwise.
TIMES = 1000
KB = MESSAGES * 200 * TIMES // 1024


@pytest.fixture
def base(memory_disk):
    with folder(Server.base) as path:
        yield path


def test_deleted_messages_are_left_out(base):
    """As long as they are deleted; the others keep their numbers."""
    found = Copies(base, 12)
    found.learn()
    for commands in (["DELE 2", "DELE 9", "UIDL", "UIDL 3", "RSET", "UIDL", "DELE 1", "UIDL"],
                     ["UIDL", "DELE 12", "UIDL", "STAT", "UIDL", "QUIT"]):
        found.equal([copy.programs.pop3(commands) for copy in found.all])


def status(process):
    with open("/proc/%d/stat" % process.pid, encoding="ascii") as file:
        words = file.read().rpartition(")")[2].split()
    return words[0], words[11], words[12]


def most_memory(process):
    """KB."""
    with open("/proc/%d/status" % process.pid, encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM:"))


def rests(process):
    """Whether it waits, and has done nothing for a moment."""
    before = status(process)
    with contextlib.suppress(AssertionError):
        wait_for(lambda: status(process) != before, "anything to do", deadline=0.5)
    return status(process) == before and before[0] == "S"


def read_listings(process, count):
    """COUNT replies of many lines, or all that is left."""
    lines = []
    while count > 0 and (not lines or lines[-1]):
        lines.append(process.stdout.readline())
        count -= lines[-1] == b".\r\n"
    return b"".join(lines)


def fill(copy):
    """The memory of a process whose client asks and asks and does not read, and what it gets when it reads at last."""
    with copy.programs.start("pop3") as process:
        os.write(process.stdin.fileno(), wire("UIDL") * TIMES)
        wait_for(lambda: rests(process), "the pop3 process")
        memory = most_memory(process)
        # at QUIT a program gives up what the pipe does not take
        listings = read_listings(process, TIMES)
        return memory, copy.programs.finish(process, wire("QUIT"), listings)


def test_client_that_does_not_read(base):
    """It has no more than one reply waiting for it."""
    found = Copies(base, MESSAGES, {"pop3_uidl_format": LONG_FORMAT})
    found.learn()
    filled = [fill(copy) for copy in found.all]
    found.equal([done for _, done in filled])
    assert filled[2][0] < filled[0][0] + KB / 4


def test_server_stops_meanwhile(base):
    """Dovecot, or systemd, tells the process to end: it does not wait until the client reads."""
    found = Copies(base, MESSAGES, {"pop3_uidl_format": LONG_FORMAT})
    found.learn()
    for copy in found.all:
        with copy.programs.start("pop3") as process:
            os.write(process.stdin.fileno(), wire("UIDL") * TIMES)
            wait_for(lambda process=process: rests(process), "the pop3 process")
            process.terminate()
            assert process.wait(30) == 0
            assert b"Server shutting down" in process.stderr.read()


@contextlib.contextmanager
def all_at_once(copy):
    """A process that was sent its commands with QUIT, and waits for its client to read: the pipe holds less than the
    replies."""
    with copy.programs.start("pop3") as process:
        os.write(process.stdin.fileno(), wire("UIDL") * 2 + wire("QUIT"))
        wait_for(lambda: rests(process), "the pop3 process")
        yield process


def test_client_that_reads_slowly_and_has_said_quit(base):
    """It gets the whole list before the session ends."""
    found = Copies(base, MESSAGES, {"pop3_uidl_format": LONG_FORMAT})
    found.learn()
    done = []
    for copy in found.all:
        with all_at_once(copy) as process:
            done.append(copy.programs.finish(process, b""))
    found.equal(done)
    assert done[2].reply.endswith(b"\r\n.\r\n+OK Logging out.\r\n")


@pytest.mark.parametrize("kilobytes", range(28, 34))
def test_pipe_is_full_at_quit(base, kilobytes):
    """It gets the end of the list also if the pipe has room for all but this."""
    found = Copies(base, MESSAGES, {"pop3_uidl_format": LONG_FORMAT})
    found.learn()
    done = []
    for copy in found.all:
        with all_at_once(copy) as process:
            before = os.read(process.stdout.fileno(), kilobytes * 1024)
            wait_for(lambda process=process: process.poll() is not None or rests(process), "the end or the pop3 process")
            done.append(copy.programs.finish(process, b"", before))
    found.equal(done)
