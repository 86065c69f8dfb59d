# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""What holds for every state folder, whatever a test has done."""

import json
import os
import stat

import jsonschema

import user

SCHEMA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "doc", "state.schema.json")
MAX_SIZE = 4096
LEFT_BROKEN = ".left-broken-by-test"


def schema():
    with open(SCHEMA, encoding="utf-8") as file:
        return json.load(file)


def leave_alone(home):
    """Says that a test has left in HOME what no check can pass."""
    with open(os.path.join(home, LEFT_BROKEN), "w", encoding="ascii"):
        pass


def check_home(home):
    folder = os.path.join(home, "pop3-policy")
    if os.path.exists(os.path.join(home, LEFT_BROKEN)) or not os.path.lexists(folder):
        return
    info = os.lstat(folder)
    assert stat.S_ISDIR(info.st_mode) and stat.S_IMODE(info.st_mode) == 0o700, oct(info.st_mode)
    assert (info.st_uid, info.st_gid) == (user.UID, user.GID)
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        info = os.lstat(path)
        assert stat.S_ISREG(info.st_mode) and stat.S_IMODE(info.st_mode) == 0o600, (name, oct(info.st_mode))
        assert (info.st_uid, info.st_gid) == (user.UID, user.GID), name
    assert "state.json.tmp" not in os.listdir(folder)
    path = os.path.join(folder, "state.json")
    if os.path.lexists(path):
        assert os.path.getsize(path) < MAX_SIZE
        with open(path, encoding="utf-8") as file:
            jsonschema.validate(json.load(file), schema())
