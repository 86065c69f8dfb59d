# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""A server that runs in the foreground, with all its processes."""

import contextlib
import os
import signal
import socket
import subprocess
import time

START_SECS = 30
STOP_SECS = 30
# Processor time is given to a process when it has ended.
SETTLE_SECS = 0.3


class NoServer(Exception):
    pass


def answers(port):
    with socket.socket() as probe:
        probe.settimeout(5)
        with contextlib.suppress(OSError):
            probe.connect(("127.0.0.1", port))
            return probe.recv(1) == b"+"
    return False


def wait_for(holds, seconds, what):
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise NoServer(what)
        time.sleep(0.1)


def read_stats():
    """Of each process: {pid: (parent, session, seconds with those of children that have ended)}."""
    found = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{name}/stat", encoding="ascii", errors="replace") as stat:
            words = stat.read().rpartition(")")[2].split()
            ticks = sum(int(word) for word in words[11:15])
            found[int(name)] = int(words[1]), int(words[3]), ticks / os.sysconf("SC_CLK_TCK")
    return found


def cpu(root):
    """Seconds of the process and of all that descend from it."""
    stats = read_stats()
    family, more = set(), {root}
    while more:
        family |= more
        more = {pid for pid, (parent, _, _) in stats.items() if parent in family} - family
    return sum(stats[pid][2] for pid in family if pid in stats)


def session_is_empty(leader):
    return not any(session == leader for _, session, _ in read_stats().values())


class Process:
    def __init__(self, pid):
        self.pid = pid

    def cpu(self):
        time.sleep(SETTLE_SECS)
        return cpu(self.pid)


@contextlib.contextmanager
def running(command, port):
    """COMMAND in a session of its own; ends all that is in that."""
    if answers(port):
        raise NoServer(f"there is a server at port {port} already")
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        wait_for(lambda: answers(port) or process.poll() is not None, START_SECS, f"{command[0]} does not come up")
        if process.poll() is not None:
            raise NoServer(f"{command[0]} ended with {process.returncode}")
        yield Process(process.pid)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait()
        wait_for(lambda: session_is_empty(process.pid), STOP_SECS, f"{command[0]} does not end")
