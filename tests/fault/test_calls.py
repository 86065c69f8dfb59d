# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""What the library sees of a session is all that strace sees: no call that changes a file is left out of the matrix.
And it finds a call in another run."""

import collections
import itertools
import os
import re
import subprocess
import sys

import pytest

import harms
import lab
import standalone
from lab import DOVECOTS, FORMATS
from scenarios import COMMANDS, SCENARIOS, Stage

# all calls of Linux that change files or names
ON_FILES = ("write pwrite64 writev pwritev pwritev2 sendfile splice copy_file_range ftruncate fallocate fsync fdatasync "
            "sync_file_range fchmod fchown fsetxattr fremovexattr").split()
ON_NAMES = ("creat truncate rename renameat renameat2 link linkat symlink symlinkat unlink unlinkat rmdir mkdir mkdirat "
            "mknod mknodat chmod fchmodat fchmodat2 chown lchown fchownat utime utimes futimesat utimensat setxattr "
            "lsetxattr removexattr lremovexattr").split()
NAMES_HERE = {"pwrite64": "pwrite", "utimensat": "utime"}
# what changes files without such calls
BEHIND = ("io_uring_setup", "io_submit", "process_vm_writev")
LINE = re.compile(r"(\d+) +(\w+)\((.*)\) += (\S+)")


class Trace:
    """What strace has seen of a session."""

    def __init__(self, path, home):
        self.counts = collections.Counter()
        # of files that were made for sure
        self.made = 0
        self.others = []
        self.processes = set()
        with open(path, encoding="utf-8", errors="replace") as file:
            for line in file:
                if found := LINE.match(line):
                    self.add(*found.groups(), home)

    def add(self, pid, call, args, result, home):
        self.processes.add(pid)
        first = re.match(r"\d+<(.*?)>", args)
        if call in BEHIND or (call == "mmap" and "PROT_WRITE" in args and "MAP_SHARED" in args and home in args):
            self.others.append("%s(%s)" % (call, args))
        if call in ON_FILES and first and first.group(1).startswith(home) or call in ON_NAMES and home in args:
            self.counts[NAMES_HERE.get(call, call)] += 1
        if call in ("open", "openat") and home in args and not result.startswith("-"):
            # else it is only made if it is not there
            self.made += "O_EXCL" in args or "O_TRUNC" in args


def of_ours(calls, home):
    return [call.key(home) for call in calls if call.owner != DOVECOTS]


CASES = [(form, name) for form, name in itertools.product(FORMATS, SCENARIOS)
         if harms.GIVEN or FORMATS.index(form) == list(SCENARIOS).index(name)]


@pytest.mark.parametrize("form, name", CASES)
def test_library_sees_all(memory_disk, form, name):
    """And each session makes the same calls, so that a call is found in another one."""
    stage = Stage(memory_disk, form, SCENARIOS[name])
    path = os.path.join(stage.home.base, "trace")

    def run(variables):
        with stage.programs.harmed(variables):
            return stage.programs.run("pop3", sent=b"".join(map(standalone.wire, COMMANDS)),
                                      wrapper=("strace", "-f", "-y", "-qq", "-s", "0", "-o", path))

    known = [call for call in stage.home.recorded(run) if call.counts]
    trace = Trace(path, stage.home.home)
    assert len(trace.processes) == 1 and not trace.others, trace.others
    seen = collections.Counter(call.name for call in known)
    made = seen.pop("create") + seen.pop("empty", 0)
    # which is what the library makes of it
    seen["write"] += seen.pop("writev", 0)
    assert seen == trace.counts
    assert trace.made <= made <= trace.made + 2
    assert len(known) > 25
    # Dovecot looks at the times of an mbox, and writes the map of an mdbox in another second once more
    assert of_ours(known, stage.home.home) == of_ours(stage.calls(), stage.home.home)
    assert abs(len(known) - len(stage.calls())) <= 3
    stage.home.remove()


# tells which folders could not be made
MAKES = """
import os, sys
for name in sys.argv[1:]:
    try:
        os.mkdir(name)
    except OSError:
        print(name)
"""
KNOWN = ["1000000001.a", "x[1]*?\\", "1000000002.a", "b", "x1*"]
# others are before those that are wanted, and one is missing
AGAIN = ["b", "x1y?\\", "1000000003.a", "b.1000000004.c", "x[1]*?\\", "1000000005.a", "c"]
SAME = dict(zip(KNOWN, ["1000000003.a", "x[1]*?\\", "1000000005.a", "b", None]))


def make_folders(base, names, variables):
    """The log, and what failed."""
    home, log = base / "home", base / "log"
    log.unlink(missing_ok=True)
    home.mkdir()
    environment = {**lab.fault(log=log, below=home), **variables, "LD_PRELOAD": lab.library()}
    done = subprocess.run([sys.executable, "-c", MAKES, *names], cwd=home, env=environment, stdout=subprocess.PIPE,
                          check=True, text=True)
    home.rename(base / ("home-%d" % len(os.listdir(base))))
    return lab.read_calls(log), done.stdout.splitlines()


@pytest.mark.usefixtures("memory_disk")
@pytest.mark.parametrize("sticky", [0, 1])
def test_call_is_found_in_another_order(tmp_path, sticky):
    """By its name and path without what changes in it, also if its number is another one; and so it is seen that
    it is not there. What a sticky error meets then are all calls."""
    calls, failed = make_folders(tmp_path, KNOWN, {})
    assert [os.path.basename(call.path) for call in calls if call.counts] == KNOWN and not failed
    for name, call in zip(KNOWN, calls):
        log, failed = make_folders(tmp_path, AGAIN, {
            **lab.fault("EROFS", call.number, sticky=sticky), **call.among(calls, str(tmp_path / "home"))})
        place = AGAIN.index(SAME[name]) if SAME[name] else len(AGAIN)
        assert failed == (AGAIN[place:] if sticky else AGAIN[place:place + 1])
        assert [os.path.basename(call.path) for call in log if call.is_harm] == AGAIN[place:place + 1]
