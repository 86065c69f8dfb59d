# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Dovecot's log process: all others write to its pipes, and it writes the file when its turn comes, which may be after a
client has seen the reply."""

import fcntl
import os
import stat
import struct
import termios


def has_written_all(pid):
    """Whether all that was written to the pipes of the log process PID is in the file."""
    try:
        return not any(map(octets_in, pipes_of(pid))) and sleeps(pid)
    except (FileNotFoundError, ProcessLookupError):
        return True


def pipes_of(pid):
    folder = "/proc/%d/fd" % pid
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        # its own output is a pipe, too, which somebody else may leave unread
        if os.readlink(path).startswith("pipe:") and os.lstat(path).st_mode & stat.S_IRUSR:
            yield path


def octets_in(path):
    pipe = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        return struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, b"\0" * 4))[0]
    finally:
        os.close(pipe)


def sleeps(pid):
    """It has nothing else to wait for than its pipes."""
    with open("/proc/%d/stat" % pid, encoding="utf-8") as file:
        return file.read().rpartition(")")[2].split()[0] == "S"
