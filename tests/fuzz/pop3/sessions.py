# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Sessions of the pop3 process, fed with packets."""

import contextlib
import dataclasses
import fcntl
import os
import re
import subprocess

import standalone
import streams

TIMEOUT = 60
F_SETPIPE_SZ = 1031
# one page for each packet
INPUT_SIZE = 1 << 20
# When the line has dropped, a process does not wait for who reads slowly: a reply must fit in the pipe.
MAX_REPLY = 40000


@dataclasses.dataclass
class Result:
    code: int
    reply: bytes
    log: str

    @property
    def complaints(self):
        return [line for line in self.log.splitlines() if re.search(r"\b(Error|Fatal|Panic): ", line)]


def filled_pipe(packets):
    """Its reader gets one packet after the other, and then the end."""
    reader, writer = os.pipe2(os.O_DIRECT | os.O_CLOEXEC)
    fcntl.fcntl(writer, F_SETPIPE_SZ, INPUT_SIZE)
    for packet in packets:
        if packet:
            os.write(writer, packet)
    os.close(writer)
    return reader


def wait(process):
    """Returns what it has said and logged."""
    try:
        return process.communicate(timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        reply, log = process.communicate()
        return reply, log + b"\nError: the session hangs\n"


class Programs(standalone.Programs):
    """With an instrumented plugin, which writes down where it was."""

    coverage = None

    def clock(self):
        return {} if self.coverage is None else {"FUZZ_COVERAGE": self.coverage}

    def session(self, data):
        reader = filled_pipe(streams.packets(data))
        try:
            with self.start("pop3", stdin=reader) as process:
                reply, log = wait(process)
        finally:
            os.close(reader)
        return Result(process.returncode, reply, log.decode("utf-8", "replace"))

    def take_coverage(self):
        """The counters of the last session; empty if it had none, as after a crash."""
        counters = b""
        with contextlib.suppress(FileNotFoundError):
            with open(self.coverage, "rb") as file:
                counters = file.read()
            os.unlink(self.coverage)
        return counters
