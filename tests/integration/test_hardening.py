# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""What doc/hardening.md says of system calls is what sessions do."""

import os
import re
import shutil
import tempfile

import pytest

import mailgen
import user as users
from dovecot import Server
from standalone import Programs

# a tool makes calls of its own
pytestmark = pytest.mark.native

DOC = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "doc", "hardening.md")
POLICY = {"pop3_policy_quota": "9msg/day 1G/day", "pop3_policy_keep_downloaded": "0",
          "pop3_policy_expire_action": "move Archive", "pop3_policy_quota_action": "throttle 1M/s"}
SESSIONS = [["UIDL", "RETR 1", "DELE 2", "QUIT"], ["UIDL", "RETR 1", "TOP 1 0", "QUIT"], ["UIDL", "QUIT"]]


@pytest.fixture
def base(memory_disk):
    path = tempfile.mkdtemp(prefix="calls-", dir=Server.base)
    os.chmod(path, 0o755)
    os.chown(path, users.UID, users.GID)
    yield path
    shutil.rmtree(path)


def calls(base, name, policy):
    home, trace = os.path.join(base, name), os.path.join(base, "trace-" + name)
    os.mkdir(home)
    mailgen.write_maildir(os.path.join(home, "Maildir"), mailgen.messages(5))
    users.chown_tree(home)
    programs = Programs(base, home, name, {}, policy)
    for commands in SESSIONS:
        assert b"+OK Logging out" in programs.pop3(commands, ("strace", "-A", "-f", "-qq", "-o", trace)).reply
    with open(trace, encoding="utf-8", errors="replace") as file:
        return set(re.findall(r"^\d+ +(\w+)\(", file.read(), re.M))


def test_calls(base):
    with open(DOC, encoding="utf-8") as file:
        listed = re.search(r"need not make:\n\n +([a-z0-9_ ]+)\n", file.read()).group(1).split()
    more = calls(base, "ours", POLICY) - calls(base, "stock", None)
    assert more <= set(listed), more
    assert {"renameat", "unlinkat", "mkdir", "fsync"} <= more
