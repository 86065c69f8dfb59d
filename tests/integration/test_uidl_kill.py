# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""A session that recovers UIDLs, or records new ones, is killed at each call that changes a file or tells something:
the next session tells all UIDLs as before."""

import glob
import os
import re
import subprocess
import time

import pytest

import disasters
import mailgen
from conftest import FORMATS
from polling import wait_for
from pop3 import LineClosed

CALLS = ["rename", "renameat", "renameat2", "ftruncate", "fsync", "fdatasync", "pwrite64", "unlink", "unlinkat", "link",
         "linkat", "mkdir", "write", "writev", "sendfile", "openat"]
SECONDS = 45
# epoll_wait, or epoll_pwait where there is no other
EPOLL_WAIT = {"x86_64": "232", "aarch64": "22"}[os.uname().machine]


def is_waiting(pid):
    """Whether the process waits for its next user, with nothing else to do."""
    try:
        with open("/proc/%d/syscall" % pid, encoding="ascii") as file:
            words = file.read().split()
    except OSError:
        return False
    # with no timeout
    return words[0] == EPOLL_WAIT and int(words[4], 16) & 0xffffffff == 0xffffffff


class Prey:
    """The one process that waits for the next user: a tracer is attached to it that kills it at the given call."""

    def __init__(self, server):
        self.trace = os.path.join(server.root, "trace")
        self.tracer = None
        self.pid, = wait_for(lambda: self.only_one(server), "a process that waits for a user")

    @staticmethod
    def only_one(server):
        found = server.children("pop3")
        return found if len(found) == 1 and is_waiting(found[0]) else None

    def kill_at(self, call, number):
        """False if this machine has no such call."""
        # pylint: disable=consider-using-with
        self.tracer = subprocess.Popen(
            ["strace", "-q", "-p", str(self.pid), "-o", self.trace, "-e", "trace=" + call, "-e",
             "inject=%s:signal=KILL:when=%d" % (call, number)], stderr=subprocess.PIPE, text=True)
        wait_for(lambda: self.is_traced() or self.tracer.poll() is not None, "strace to attach itself")
        if self.tracer.poll() is None:
            return True
        text = self.tracer.communicate()[1]
        assert "invalid system call" in text, text
        return False

    def was_killed(self):
        self.tracer.communicate()
        with open(self.trace, encoding="utf-8", errors="replace") as file:
            return "+++ killed by SIGKILL +++" in file.read()

    def is_traced(self):
        with open("/proc/%d/status" % self.pid, encoding="utf-8") as file:
            return not re.search(r"^TracerPid:\s+0$", file.read(), re.M)

    def wait_gone(self):
        wait_for(lambda: not os.path.exists("/proc/%d" % self.pid), "the end of the process")


def session(user):
    """The UIDLs, or None if the session was killed before it told them all."""
    uidls = None
    try:
        with user.session() as pop3:
            uidls = pop3.uidl()
            pop3.quit()
    except (LineClosed, ConnectionError, AssertionError):
        # killed
        pass
    return uidls


def change_uidvalidity(user):
    """By hand where that can be, as this happens very often."""
    if user.form != "maildir":
        disasters.uidvalidity_changed(user)
        return
    path, = disasters.files(user, "dovecot-uidlist")
    with open(path, encoding="ascii") as file:
        text = file.read()
    with open(path, "w", encoding="ascii") as file:
        file.write(re.sub(r" V(\d+)", lambda match: " V%d" % (int(match.group(1)) + 1), text, count=1))


@pytest.fixture
def user(start_server, make_user_on, form):
    server = start_server(faked=False, extra="service pop3 {\n  process_min_avail = 1\n}\n")
    yield make_user_on(server)(form, messages=8)
    # a process always waits, so that the server would never be idle
    server.stop()


def whole_session(user):
    """One that nobody kills, once its process is gone."""
    prey = Prey(user.server)
    uidls = session(user)
    prey.wait_gone()
    assert uidls is not None
    return uidls


def each_kill(user, prepare):
    """Yields (name of the point, the UIDLs if they were told) for each session that was killed after PREPARE."""
    end = time.monotonic() + SECONDS
    for call in CALLS:
        killed, number = True, 0
        while killed and time.monotonic() < end:
            number += 1
            prepare()
            prey = Prey(user.server)
            if not prey.kill_at(call, number):
                break
            told = session(user)
            prey.wait_gone()
            killed = prey.was_killed()
            # stock Dovecot waits two minutes for such locks of a dead process; that of an mbox is beside it
            for path in disasters.files(user, r".*\.(new)?lock") + glob.glob(os.path.join(user.home, "*.lock")):
                os.unlink(path)
            if killed:
                yield "%s %d" % (call, number), told


@pytest.mark.parametrize("form", FORMATS)
def test_killed_in_a_recovery(user):
    whole_session(user)
    user.append([mailgen.message(101)])
    uidls = whole_session(user)
    points = []
    for point, told in each_kill(user, lambda: change_uidvalidity(user)):
        assert whole_session(user) == uidls, "killed at " + point
        assert told in (None, uidls), "killed at " + point
        points.append(point)
    assert len(points) > 20, points
    # new mail after all of that
    user.append([mailgen.message(102)])
    after = whole_session(user)
    assert {number: after[number] for number in uidls} == uidls and len(set(after.values())) == 10


@pytest.mark.parametrize("form", ["maildir", "mdbox"])
def test_killed_when_it_records(user):
    """A message whose UIDL was told, and then lost, would come out of the next disaster with another one."""
    uidls = whole_session(user)
    points = []
    for point, told in each_kill(user, lambda: user.append([mailgen.message(len(points) + 100)])):
        after = whole_session(user)
        known = told or uidls
        assert {number: after[number] for number in known} == known, "killed at " + point
        uidls = after
        if len(points) % 4 == 0:
            change_uidvalidity(user)
            assert whole_session(user) == uidls, "killed at " + point
        points.append(point)
    assert len(points) > 20, points
