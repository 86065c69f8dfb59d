# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Waiting for a condition, never for a time."""

import subprocess
import time

import under

DEADLINE = 60


def wait_for(condition, what, deadline=DEADLINE):
    """Polls until CONDITION returns something true, and returns that."""
    end = time.monotonic() + deadline
    while True:
        result = condition()
        if result:
            return result
        assert time.monotonic() < end, "waited %d s in vain for %s" % (deadline, what)
        time.sleep(0.01)


def unmount(path):
    """When the last process has left it: one that has ended a session may be there for a moment more. One that serves many
    users stays there until the next one comes."""
    command = ["umount", *["--lazy"] * under.reuses_processes(), path]
    wait_for(lambda: subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode == 0,
             "all to leave " + path)
