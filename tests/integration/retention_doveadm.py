# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""What the tests of `doveadm pop3 retention` share."""

import json
import os
import re
import stat
import subprocess

import pytest

import invariant
import mailgen
from conftest import FORMATS
from test_poll import listing
from uidl_doveadm import target

PLACES = pytest.mark.parametrize("socket", [False, True], ids=["local", "over-doveadm-server"])
EACH_FORM_ONE_SOCKET = pytest.mark.parametrize(
    "form, socket", [*((form, False) for form in FORMATS), ("maildir", True)])
SIZE = len(mailgen.message(1))
NONE = {"downloaded": "0", "undownloaded": "0", "max_messages": "0", "max_size": "0", "bytes": "0"}


def doveadm(user, action, *args, socket=False, check=True):
    return user.server.run_doveadm("-f", "json", "pop3", "retention", action, *target(user, socket), *args, check=check)


def run(user, *args, **kwargs):
    """What was taken of a user; {} if nothing was."""
    found = json.loads(doveadm(user, "run", *args, **kwargs).stdout or "[]")
    assert len(found) <= 1
    return found[0] if found else {}


def took(**counts):
    return {**NONE, **{name: str(value) for name, value in counts.items()}}


def status(user, **kwargs):
    found = json.loads(doveadm(user, "status", **kwargs).stdout or "[]")
    assert len({row["rule"] for row in found}) == len(found)
    return {row.pop("rule"): row for row in found}


def mail_and_state(user):
    """What lies in the home, but for what Dovecot's indexes remember of what was asked for."""
    return {path: info for path, info in listing(user.home).items()
            if not stat.S_ISDIR(info[1]) and "/dovecot.index" not in path}


def row(messages, due_at="-", due=0, size=SIZE):
    """What status says of a rule that holds so many messages of one size."""
    return {"messages": str(messages), "bytes": str(messages * size), "next": due_at, "due": str(due),
            "due_bytes": str(due * size)}


def failure(user, action, *args, **kwargs):
    """Exit code and errors of a command that must fail, and does nothing."""
    result = doveadm(user, action, *args, check=False, **kwargs)
    assert result.returncode != 0
    assert json.loads(result.stdout or "[]") == []
    return result.returncode, result.stderr.decode()


def says(user, *args):
    """What a run says that ends well."""
    return doveadm(user, "run", *args).stderr.decode()


def journal_time(user, uid):
    return user.journal()[uid]["downloaded"]


def seconds(text):
    """Seconds since 1970 of a time that status tells."""
    return int(subprocess.run(["date", "-d", text, "+%s"], stdout=subprocess.PIPE, check=True).stdout)


def files_used(server, *command):
    """Files in homes that a doveadm command has used in any way; those of the state folder by their names only."""
    trace = os.path.join(server.root, "trace")
    result = subprocess.run(["strace", "-f", "-qq", "-s", "500", "-e", "trace=file", "-o", trace,
                             "doveadm", "-c", server.conf, *command], env=server.environment(),
                            stdout=subprocess.PIPE, text=True, check=True)
    invariant.after_doveadm(server, command, result.stdout)
    with open(trace, encoding="utf-8", errors="replace") as file:
        return re.findall(r'"(%s/[^"]*|\w+\.jsonl?)"' % re.escape(server.home_root), file.read())
