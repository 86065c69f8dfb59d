# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""The tests see each line that was logged before they look, also on a busy machine."""

import contextlib
import os
import signal

import log_process
from conftest import running
from dovecot import Server

# the pipe takes what these log, however small it is
SESSIONS = 20


@contextlib.contextmanager
def paused(pid):
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_late_lines(memory_disk, make_user_on):
    with running(Server()) as server:
        user = make_user_on(server)()
        user.told()
        pid, = server.children("log")
        server.log()
        assert log_process.has_written_all(pid)
        with paused(pid):
            for _ in range(SESSIONS):
                user.told()
            assert any(map(log_process.octets_in, log_process.pipes_of(pid)))
            assert not log_process.has_written_all(pid)
        assert len(server.log_lines(user, "Disconnected: Logged out")) == SESSIONS + 1
