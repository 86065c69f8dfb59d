# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""What a process does: which client it serves, by its sockets, as the title of a process does not always say it, and
whether it waits."""

import contextlib
import os
import re

# epoll_wait, or epoll_pwait where there is no other
EPOLL_WAIT = {"x86_64": "232", "aarch64": "22"}[os.uname().machine]


def is_waiting(pid):
    """For something to happen: neither at work, nor at its beginning."""
    with open("/proc/%d/syscall" % pid, encoding="ascii") as file:
        return file.read().split()[0] == EPOLL_WAIT


def waits_for_others(pid):
    """Likewise, and not for a time: for its next user, if it has none."""
    try:
        with open("/proc/%d/syscall" % pid, encoding="ascii") as file:
            words = file.read().split()
    except OSError:
        return False
    return words[0] == EPOLL_WAIT and int(words[4], 16) & 0xffffffff == 0xffffffff


def clients_of(pids, port):
    """{pid: the ports of the clients of 127.0.0.1 that it serves at PORT}."""
    ports = client_ports(port)
    return {pid: {ports[inode] for inode in inodes_of(pid) if inode in ports} for pid in pids}


def client_ports(port):
    """{inode of a socket: port of its client}."""
    found = {}
    with open("/proc/net/tcp", encoding="ascii") as file:
        for line in file.read().splitlines()[1:]:
            words = line.split()
            if int(words[1].split(":")[1], 16) == port:
                found[words[9]] = int(words[2].split(":")[1], 16)
    return found


def inodes_of(pid):
    folder = "/proc/%d/fd" % pid
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):
            with contextlib.suppress(OSError):
                match = re.fullmatch(r"socket:\[(\d+)\]", os.readlink(os.path.join(folder, name)))
                if match:
                    yield match.group(1)
