# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""What holds for every state folder, whatever a test has done."""

import json
import os
import stat

import jsonschema

import user

DOC = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "doc")
MAX_SIZE = 4096
MAX_SIZE_OF_DEVICE = 512
LOGIN_SIZE = 42
LEFT_BROKEN = ".left-broken-by-test"


def schema(name):
    with open(os.path.join(DOC, name + ".schema.json"), encoding="utf-8") as file:
        return json.load(file)


def schema_validator(name):
    expected = schema(name)
    return jsonschema.validators.validator_for(expected)(expected)


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
    assert not {"state.json.tmp", "messages.jsonl.new"} & set(os.listdir(folder))
    path = os.path.join(folder, "state.json")
    if os.path.lexists(path):
        with open(path, encoding="utf-8") as file:
            state = json.load(file)
        jsonschema.validate(state, schema("state"))
        devices = len(state.get("uidl", {}).get("devices", {}))
        assert os.path.getsize(path) < MAX_SIZE + devices * MAX_SIZE_OF_DEVICE
    check_journal(os.path.join(folder, "messages.jsonl"))
    check_login(os.path.join(folder, "login.json"))


def check_journal(path):
    """Each line by itself is what the schema says, and the first one only is of the other kind."""
    if not os.path.lexists(path):
        return
    with open(path, encoding="utf-8") as file:
        text = file.read()
    assert text.endswith("\n"), text[-200:]
    validator = schema_validator("journal")
    for number, line in enumerate(text.splitlines()):
        entry = json.loads(line)
        validator.validate(entry)
        assert ("version" in entry) == (number == 0), line


def check_login(path):
    """Whole, and of the one size that it always has. A disk that was full may leave nothing in it."""
    if not os.path.lexists(path) or os.path.getsize(path) == 0:
        return
    with open(path, encoding="ascii") as file:
        text = file.read()
    schema_validator("login").validate(json.loads(text))
    assert len(text) == LOGIN_SIZE and text.endswith("\n"), text
