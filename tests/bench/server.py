# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""A private server that knows who the users are, and does nothing else."""

import contextlib
import os
import subprocess
import time

import session

START_SECS = 20


def wait_for_socket(process, path):
    end = time.monotonic() + START_SECS
    while not os.path.exists(path):
        if process.poll() is not None or time.monotonic() > end:
            raise session.SessionError("no server comes up")
        time.sleep(0.1)


@contextlib.contextmanager
def running(conf, base_dir):
    with subprocess.Popen(["dovecot", "-F", "-c", conf], stdin=subprocess.DEVNULL) as process:
        try:
            wait_for_socket(process, os.path.join(base_dir, "auth-userdb"))
            yield
        finally:
            process.terminate()
