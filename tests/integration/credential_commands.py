# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""What the tests of doveadm pop3 password and app-password share."""

import json
import os
import re

import pytest

from conftest import running, user_maker
from credentials import CredentialServer

OK = "+OK Logged in."
SECRET = "Correct Horse: battery"
CODE = re.compile(r"[a-km-np-z2-9]{6}(-[a-km-np-z2-9]{5}){5}")
NO_USER, DATA, USAGE, NO_PERMISSION, TEMPORARY, CONFIG = 67, 65, 64, 77, 75, 78
HOUR = 3600


@pytest.fixture
def idle(memory_disk):
    """A configuration whose server does not run."""
    server = CredentialServer(cache="1M")
    os.unlink(server.path())
    yield server
    server.remove()


@pytest.fixture(scope="module")
def live(memory_disk):
    with running(CredentialServer(cache="1M")) as found:
        yield found


@pytest.fixture
def user(live, request):
    return user_maker(live, request)()


def run(server, *words, data=None, **kwargs):
    """The result of a command that may fail, which never says anything of a password."""
    data = data.encode() if isinstance(data, str) else data
    result = server.run_doveadm("pop3", *words, data=data if data is not None else b"", check=False, **kwargs)
    errors = result.stderr.decode()
    assert "$argon2" not in errors + result.stdout.decode() and "Panic" not in errors, errors
    if data and len(data) > 4:
        assert data.decode("latin-1").strip() not in errors, errors
    return result


def say(server, *words, code=0, **kwargs):
    """What a command that ends with this code prints, and its errors."""
    result = run(server, *words, **kwargs)
    assert result.returncode == code, (result.returncode, result.stdout, result.stderr)
    return result.stdout.decode(), result.stderr.decode()


def fails(server, code, error, *words, **kwargs):
    """A command ends with this code, says what this pattern finds, and prints nothing."""
    out, errors = say(server, *words, code=code, **kwargs)
    assert out == ""
    assert re.search(error, errors), errors
    assert errors.count("\n") == 1, errors


def create(server, name="jane", password=SECRET):
    return say(server, "password", "set", "--create", "-u", name, data=password + "\n")


def add(server, name, *options):
    """Makes an app password; returns it as printed."""
    out, _ = say(server, "app-password", "add", "-u", name, *options)
    return out.strip()


def listed(server, name):
    result = server.run_doveadm("-f", "json", "pop3", "app-password", "list", "-u", name)
    return json.loads(result.stdout or "[]")


def verdict(server, name, password, *options):
    """(exit code, which password, label, result) of verify."""
    result = server.run_doveadm("-f", "json", "pop3", "password", "verify", "-u", name, *options,
                                data=password.encode(), check=False)
    found = json.loads(result.stdout)[0]
    return result.returncode, found["password"], found["label"], found["result"]


def contents(server, name="jane"):
    """The bytes of the file, or None."""
    try:
        with open(server.path(name), "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None
