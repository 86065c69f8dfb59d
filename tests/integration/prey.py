# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Kills the process of a session at a given call that changes a file or tells something."""

import glob
import os
import re
import subprocess

import disasters
from polling import wait_for
from served import waits_for_others

CALLS = ["rename", "renameat", "renameat2", "ftruncate", "fsync", "fdatasync", "pwrite64", "unlink", "unlinkat", "link",
         "linkat", "mkdir", "write", "writev", "sendfile", "openat"]
# a machine need not have all of them
ALL_CALLS = ",".join("?" + call for call in CALLS)
# a server of which one process always waits for the next user, with its true clock
ONE_WAITS = {"faked": False, "extra": "service pop3 {\n  process_min_avail = 1\n}\n"}


class Prey:
    """The one process that waits for the next user: a tracer is attached to it that kills it at the given call."""

    def __init__(self, server):
        self.path = os.path.join(server.root, "trace")
        self.tracer = None
        self.pid, = wait_for(lambda: self.only_one(server), "a process that waits for a user")

    @staticmethod
    def only_one(server):
        found = server.children("pop3")
        return found if len(found) == 1 and waits_for_others(found[0]) else None

    def attach(self, *args):
        """False if this machine has no such call."""
        # pylint: disable=consider-using-with
        self.tracer = subprocess.Popen(["strace", "-q", "-p", str(self.pid), "-y", "-o", self.path, *args],
                                       stderr=subprocess.PIPE, text=True)
        wait_for(lambda: self.is_traced() or self.tracer.poll() is not None, "strace to attach itself")
        if self.tracer.poll() is None:
            return True
        text = self.tracer.communicate()[1]
        assert "invalid system call" in text, text
        return False

    def kill_at(self, call, number, traced=None):
        """False if this machine has no such call. Only this call is traced, if not others too."""
        return self.attach("-e", "trace=" + (traced or call), "-e", "inject=%s:signal=KILL:when=%d" % (call, number))

    def trace(self):
        """Kills nobody."""
        assert self.attach("-e", "trace=" + ALL_CALLS)

    def calls(self):
        """What the tracer has seen, once the process is gone."""
        self.tracer.wait()
        self.tracer.stderr.close()
        with open(self.path, encoding="utf-8", errors="replace") as file:
            return file.read().splitlines()

    def was_killed(self):
        return any("+++ killed by SIGKILL +++" in line for line in self.calls())

    def is_traced(self):
        with open("/proc/%d/status" % self.pid, encoding="utf-8") as file:
            return not re.search(r"^TracerPid:\s+0$", file.read(), re.M)

    def wait_gone(self):
        wait_for(lambda: not os.path.exists("/proc/%d" % self.pid), "the end of the process")


def remove_stale_locks(user):
    """Stock Dovecot waits two minutes for such locks of a dead process; that of an mbox is beside it."""
    for path in disasters.files(user, r".*\.(new)?lock") + glob.glob(os.path.join(user.home, "*.lock")):
        os.unlink(path)
