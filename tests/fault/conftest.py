# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Fixtures of the fault tests, which use the tools of the integration tests."""

import os
import subprocess
import sys
import tempfile

import pytest

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))

import dovecot_conf  # noqa: E402 pylint: disable=wrong-import-position
import harms  # noqa: E402 pylint: disable=wrong-import-position
import lab  # noqa: E402 pylint: disable=wrong-import-position
from dovecot import Server  # noqa: E402 pylint: disable=wrong-import-position
from polling import wait_for  # noqa: E402 pylint: disable=wrong-import-position


@pytest.fixture(scope="session")
def memory_disk():
    """Thousands of small files and as many calls of fsync: on a busy disk they take longer than all the rest."""
    assert os.geteuid() == 0, "these tests run programs as other users and must be run as root"
    path = tempfile.mkdtemp(prefix="pop3-policy-", dir="/tmp")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0755,size=1g", "none", path], check=True)
    Server.base = path
    yield path
    Server.base = "/tmp"
    lab.forget_library()
    wait_for(lambda: subprocess.run(["umount", path], stderr=subprocess.DEVNULL, check=False).returncode == 0,
             "the programs to leave " + path)
    os.rmdir(path)


TABLE = pytest.StashKey()


@pytest.fixture(scope="session")
def fault_table(request):
    """Collects what was harmed, for the table at the end."""
    return request.config.stash.setdefault(TABLE, harms.Table())


def pytest_terminal_summary(terminalreporter, config):
    found = config.stash.get(TABLE, None)
    if found is None or not found.runs:
        return
    text = found.markdown("Dovecot %s: faults of each call" % dovecot_conf.version())
    terminalreporter.section("crash matrix")
    terminalreporter.write(text)
    if path := os.environ.get("FAULT_TABLE"):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
