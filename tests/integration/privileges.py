# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""What processes do in homes while they are root, by strace: it follows the user id of each process."""

import dataclasses
import os
import re

CREDENTIALS = ["setuid", "setreuid", "setresuid", "setfsuid"]
TREE = ["clone", "clone3", "fork", "vfork"]
FILES = ["open", "openat", "openat2", "creat", "rename", "renameat", "renameat2", "link", "linkat", "symlink",
         "symlinkat", "unlink", "unlinkat", "mkdir", "mkdirat", "rmdir", "chmod", "fchmodat", "chown", "lchown",
         "fchownat", "mknod", "mknodat", "truncate", "utime", "utimes",
         "utimensat", "setxattr", "lsetxattr", "removexattr"]
# a machine need not have all of them
TRACE = "trace=" + ",".join("?" + call for call in CREDENTIALS + TREE + FILES)
LINE = re.compile(r"^(\d+) +(\w+)\((.*)$")
RESUMED = re.compile(r"^(\d+) +<\.\.\. (\w+) resumed>(.*)$")
# a path, after the folder that it is relative to, which -y tells
PATH = re.compile(r'(?:(?:AT_FDCWD|\d+)<([^>]*)>, )?"((?:[^"\\]|\\.)*)"')


def strace(path, *command):
    """A command line that runs the command and adds a trace to PATH."""
    return ["strace", "-A", "-f", "--seccomp-bpf", "-y", "-qq", "-s", "4096", "-e", TRACE, "-o", path, *command]


@dataclasses.dataclass
class Call:
    euid: int
    name: str
    paths: list

    def is_below(self, folder):
        return any(os.path.normpath(path).startswith(folder + "/") for path in self.paths)


def paths_of(arguments):
    return [os.path.join(folder or "/", name) for folder, name in PATH.findall(arguments)]


def changed_uid(name, arguments, euid):
    """The effective user id after a call that has succeeded."""
    values = [int(value) for value in re.findall(r"-?\d+", arguments.split(")")[0])]
    value = values[0] if name in ("setuid", "setfsuid") else values[1]
    return euid if value == -1 else value


def calls(path):
    """Every call of the trace that names a file, with the user id under which it was made; the first process is
    root."""
    euids, started, forking, found = {}, {}, [], []
    with open(path, encoding="utf-8", errors="replace") as file:
        lines = file.read().splitlines()
    for line in lines:
        begun, resumed = LINE.match(line), RESUMED.match(line)
        if not begun and not resumed:
            continue
        pid = (begun or resumed).group(1)
        if pid not in euids:
            # a child may be seen before its parent has come back
            euids[pid] = euids[forking[-1]] if forking else 0
        name, rest = (begun or resumed).group(2), (begun or resumed).group(3)
        if begun and name in FILES:
            # it has begun with the rights of that moment
            found.append(Call(euids[pid], name, paths_of(rest)))
        if begun and rest.endswith("<unfinished ...>"):
            started[pid] = rest
            if name in TREE:
                forking.append(pid)
            continue
        if resumed and name in TREE and pid in forking:
            forking.remove(pid)
        result = re.search(r"= (-?\d+)[^=]*$", rest)
        if name in TREE and result and int(result.group(1)) > 0:
            euids[result.group(1)] = euids[pid]
        if name in CREDENTIALS and result and result.group(1) == "0":
            euids[pid] = changed_uid(name, started.pop(pid, "") + rest, euids[pid])
    return found
