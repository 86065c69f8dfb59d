# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""A credential file with contents that no program of ours leaves: who has them is told to come again, and nobody else
notices."""

import json
import os
import shutil

import pytest

from auth_client import AuthClient
from conftest import running
from credentials import CredentialServer, argon

RIGHT = "right-password"
RIGHT_ONE = b'{"password":"HASH"}'


@pytest.fixture(scope="module")
def server(memory_disk):
    with running(CredentialServer()) as found:
        yield found


def app(members):
    return b'"app_passwords":[{"id":"k7qmx3","hash":"HASH",' + members + b"}]"


NUMBERS = {"nan": b"NaN", "infinity": b"Infinity", "1e999": b"1e999", "negative": b"-1", "2-63": b"9223372036854775808",
           "2-64": b"18446744073709551616", "real": b"1.5", "octal": b"010", "string": b'"1"', "null": b"null"}
STRINGS = {"invalid-utf-8": b'"\xff\xfe"', "overlong-utf-8": b'"\xc0\xaf"', "lone-surrogate": b'"\\ud800"',
           "nul": b'"a\\u0000"', "raw-nul": b'"a\0"', "control": b'"\x07"', "number": b"7", "array": b"[]",
           "unterminated": b'"a'}
# a user's object, with the hash of the right password in the place of HASH
BAD = {
    "empty": b"", "null": b"null", "number": b"7", "array": b"[]", "string": b'"x"', "nul": b"\0", "nuls": b"\0" * 5000,
    "duplicate-key": b'{"password":"HASH","password":"HASH"}',
    "deep": b'{"password":"HASH","x":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    "million-entries": b'{"password":"HASH","x":[' + b"0," * 1_000_000 + b"0]}",
    "huge": b'{"password":"HASH","x":"' + b"x" * 2_000_000 + b'"}',
    "password-of-nothing": b'{"password":""}',
    **{member + "-" + name: b'{"password":"HASH",' + app(b'"%s":%s' % (member.encode(), value)) + b"}"
       for member in ("expires", "created") for name, value in NUMBERS.items()},
    **{"label-" + name: b'{"password":"HASH",' + app(b'"label":' + value) + b"}" for name, value in STRINGS.items()},
    **{"enabled-" + name: b'{"password":"HASH","enabled":' + value + b"}" for name, value in NUMBERS.items()},
}
# what makes a line of it that cannot be told from others
NO_LINES = ["label-raw-nul", "label-control", "label-unterminated"] + [
    name for name, value in BAD.items() if not value.startswith(b"{")]
# an edge, and nothing wrong
GOOD = {
    "created-in-the-future": b'{"password":"HASH",' + app(b'"created":9223372036854775807') + b"}",
    "expired-app": b'{"password":"HASH",' + app(b'"expires":1') + b"}",
    "unknown-members": b'{"password":"HASH","x":{"a":[1e5,null]},"y":"\\u0000".}'.replace(b'"\\u0000".', b'"z"'),
}


def put(server, people):
    """A file with a line for each user, who has the right password where HASH stands."""
    hashed = argon(RIGHT).encode()
    lines = [b'"%s":%s' % (name.encode(), value.replace(b"HASH", hashed)) for name, value in people.items()]
    path = server.path() + ".new"
    with open(path, "wb") as file:
        file.write(b'{"version":1,"users":{\n' + b",\n".join(lines) + b"\n}}\n")
    os.chmod(path, 0o600)
    server.own(path)
    os.rename(path, server.path())


def log_in(server, names):
    """Who gets in, and who is told to come again: who is told that the password is wrong would be asked for another."""
    with AuthClient(server) as client:
        found = dict(zip(names, client.logins([(name, RIGHT) for name in names])))
    return {name for name in found if found[name].ok}, {name for name in found if found[name].failed}


def test_bad_users(server):
    """Each is the trouble of its own user only."""
    start = server.log_size()
    bad = {name: value for name, value in BAD.items() if name not in NO_LINES}
    assert len(bad) > 40
    people = {"first": RIGHT_ONE, **GOOD, **bad, "last": RIGHT_ONE}
    put(server, people)
    assert log_in(server, people) == ({"first", "last", *GOOD}, set(bad))
    assert not server.auth_lines(None, "Panic|Fatal", start)


@pytest.mark.parametrize("name", NO_LINES)
def test_what_is_no_user(server, name):
    """Then the file may be of no use: who was in it before gets in all the same."""
    put(server, {"first": RIGHT_ONE, "last": RIGHT_ONE})
    assert log_in(server, ["first", "last"])[0] == {"first", "last"}
    put(server, {"first": RIGHT_ONE, name: BAD[name], "last": RIGHT_ONE})
    assert log_in(server, ["first", name, "last"]) == ({"first", "last"}, {name})


def test_older_copy_restored(server):
    """With its old times, as from a backup: it is what counts, at once."""
    server.set("jane", password=argon("old-password"))
    shutil.copy2(server.path(), server.path() + ".backup")
    assert server.auth("jane", "old-password").ok
    server.set("jane", password=argon("new-password"))
    assert server.auth_all(("jane", "new-password"), ("jane", "old-password")) == [True, False]
    # in its place, and over it
    shutil.copy2(server.path() + ".backup", server.path() + ".restored")
    server.own(server.path() + ".restored")
    with open(server.path(), encoding="utf-8") as file:
        new = json.load(file)
    os.rename(server.path() + ".restored", server.path())
    assert server.auth_all(("jane", "new-password"), ("jane", "old-password")) == [False, True]
    server.credentials = new["users"]
    server.write()
    assert server.auth_all(("jane", "new-password"), ("jane", "old-password")) == [True, False]
