# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""What the processes of a server hold, over time."""

import collections
import contextlib
import os
import re

# PROCESSES are all of the server's
Sample = collections.namedtuple("Sample", "sessions pss private files processes")


def children(pid):
    with open("/proc/%d/task/%d/children" % (pid, pid), encoding="ascii") as file:
        return [int(word) for word in file.read().split()]


def read(pid, name):
    with open("/proc/%d/%s" % (pid, name), "rb") as file:
        return file.read().decode("utf-8", "replace")


def name_of(pid):
    """Two processes of one name differ in what they do."""
    found = read(pid, "comm").strip()
    return "auth worker" if found == "auth" and " -w" in read(pid, "cmdline").replace("\0", " ") else found


def born(pid):
    return int(read(pid, "stat").rsplit(")", 1)[1].split()[19])


def sample(pid, sessions, processes):
    """Octets."""
    rollup = read(pid, "smaps_rollup")
    pss, clean, dirty = (int(re.search(r"^%s:\s+(\d+) kB" % word, rollup, re.M).group(1)) * 1024
                         for word in ("Pss", "Private_Clean", "Private_Dirty"))
    return Sample(sessions, pss, clean + dirty, len(os.listdir("/proc/%d/fd" % pid)), processes)


class Memory:
    """Curves of all processes: {(name, pid): [Sample]}."""

    def __init__(self, server):
        self.server = server
        self.curves = collections.defaultdict(list)

    def processes(self, name):
        found = []
        for pid in children(self.server.process.pid):
            with contextlib.suppress(OSError):
                if name_of(pid) == name:
                    found.append(pid)
        return found

    def take(self, sessions, total):
        """SESSIONS is {pid: how many it has served}; what is not known goes by the number of all."""
        pids = children(self.server.process.pid)
        for pid in pids:
            with contextlib.suppress(OSError):
                self.curves[name_of(pid), pid].append(sample(pid, sessions.get(pid, total), len(pids)))

    def growth(self, curve):
        """Octets of private memory a session in the second half of a life: what is needed is there by then."""
        half = [point for point in curve if point.sessions >= (curve[0].sessions + curve[-1].sessions) / 2]
        if len(half) < 4 or half[-1].sessions == half[0].sessions:
            return None
        mean_x = sum(point.sessions for point in half) / len(half)
        mean_y = sum(point.private for point in half) / len(half)
        spread = sum((point.sessions - mean_x) ** 2 for point in half)
        return sum((point.sessions - mean_x) * (point.private - mean_y) for point in half) / spread
