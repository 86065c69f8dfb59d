# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""doveadm pop3 password and app-password: users and their files are those of auth."""

import contextlib
import json
import os
import re

import pytest

import dovecot_conf
from conftest import running
from credential_commands import (CONFIG, DATA, NO_USER, SECRET, add, contents, create, fails, listed, live, say, user,
                                 verdict)
from credentials import CredentialServer


# -- names


def by_line(before, after):
    return {"2.3": before, "2.4": after}[dovecot_conf.LINE]


@contextlib.contextmanager
def warm(**kwargs):
    """A server whose worker of auth is there: 2.4 drops logins that come while the first one starts."""
    with running(CredentialServer(**kwargs)) as server:
        server.settle()
        yield server


def test_a_user_has_the_name_that_auth_makes(live):
    """All commands take the names that clients log in with, which auth lowers."""
    live.settle()
    out, errors = create(live, "Jane")
    assert re.search(r"^jane +password set *$", out, flags=re.M) and errors == ""
    assert live.read("jane") and b"Jane" not in contents(live)
    say(live, "password", "set", "-u", "jANE", data="second\n")
    assert live.auth_all(("Jane", "second"), ("jane", "second"), ("JANE", "second")) == [True] * 3
    phone = add(live, "JANE", "-l", "phone")
    assert live.auth("jane", phone).ok and live.auth("Jane", phone).ok
    live.settle()
    assert [app["last_used"] != "never" for app in listed(live, "jaNe")] == [True]
    assert verdict(live, "Jane", phone) == (0, phone[:6], "phone", "good")
    say(live, "app-password", "revoke", "-u", "JAne", "-l", "phone")
    # not even the cache knows it
    assert not live.auth("jane", phone).ok
    say(live, "password", "disable", "-u", "Jane")
    assert not live.auth("jane", "second").ok
    say(live, "password", "enable", "-u", "Jane")
    say(live, "password", "remove", "-u", "JANE")
    assert b"jane" not in contents(live).lower()


@pytest.mark.parametrize("text, name, others, strangers", [
    (by_line("%n", "%{user | username}"), "Jane", ["Jane@example.org", "Jane@b", "Jane"], ["jane"]),
    (by_line("%Ln@%{domain}.org", "%{user | username | lower}@%{user | domain}.org"), "jane@b.org",
     ["JANE@b", "jane@b"], ["jane@B", "jane@b.org"]),
    ("", "Jane", ["Jane"], ["jane"]),
], ids=["local", "both", "none"])
def test_format_of_names(memory_disk, text, name, others, strangers):
    """What auth_username_format says holds for both."""
    with warm(extra="auth_username_format = %s\n" % text, cache="1M") as server:
        create(server, others[0])
        assert list(json.loads(contents(server))["users"]) == [name]
        for other in others:
            assert verdict(server, other, SECRET)[0] == 0
        for stranger in strangers:
            fails(server, NO_USER, "there is no user", "password", "verify", "-u", stranger, data=SECRET)
        assert server.auth_all(*((other, SECRET) for other in others + strangers)) == (
            [True] * len(others) + [False] * len(strangers))
        say(server, "password", "set", "-u", others[-1], data="second\n")
        assert server.auth_all((others[0], SECRET), (others[0], "second")) == [False, True]


@pytest.mark.parametrize("text, code, error", [
    (by_line("%u%s", "%{user}%{protocol}"), CONFIG, "auth_username_format: unknown variable"),
    (by_line("%d", "%{user | domain}"), DATA, "bad name of a user: "),
])
def test_format_that_gives_no_name(memory_disk, text, code, error):
    server = CredentialServer(extra="auth_username_format = %s\n" % text)
    os.unlink(server.path())
    fails(server, code, error, "password", "set", "-c", "-u", "jane", data=SECRET)
    assert os.listdir(server.folder) == []
    server.remove()


# -- files


def test_path_without_a_domain(memory_disk):
    """The file of those who are in no domain is the same for auth."""
    with warm(path="ROOT/credentials/DOMAIN/all.json") as server:
        os.unlink(server.path())
        os.mkdir(os.path.join(server.folder, "example.org"))
        server.own(os.path.join(server.folder, "example.org"))
        create(server, "Jane")
        create(server, "Jane@Example.org", "other")
        assert server.read("jane")
        assert server.auth_all(("jane", SECRET), ("jane@example.org", SECRET), ("jane@example.org", "other")) == [
            True, False, True]
        assert server.auth_lines(None, "Error: ") == []


@pytest.mark.parametrize("path, good, bad", [
    ("LOCAL", ["jane"], ["@example.org", "../jane", ".jane", "a/b@c"]),
    ("DOMAIN.json", ["jane@b"], ["jane", "jane@", "jane@../b", "jane@.b"]),
    (by_line("%1.20u.json", "%{user | substr(1)}.json"), ["xjane", "x1.2"], ["x.jane", "x/jane", "x"]),
    (by_line("%%%u.json", "%u%{user}.json"), ["jane"], ["/jane"]),
], ids=["local", "domain", "cut", "percent"])
def test_same_paths_as_auth(memory_disk, path, good, bad):
    """Who can be given a password can log in by it, who cannot is no trouble of the server's."""
    with warm(path="ROOT/credentials/" + path, extra="auth_username_chars =\n") as server:
        os.unlink(server.path())
        for name in good:
            create(server, name)
        made = sorted(os.listdir(server.folder))
        for name in bad:
            fails(server, DATA, 'the name of the user has a "/" or begins with a dot, or is empty',
                  "password", "set", "-c", "-u", name, data=SECRET)
        assert sorted(os.listdir(server.folder)) == made
        assert server.auth_all(*((name, SECRET) for name in good + bad)) == [True] * len(good) + [False] * len(bad)
        server.wait_auth_lines(None, 'has a "/" or begins with a dot', len(bad))
        assert server.auth_lines(None, "Error: ") == []


def test_path_that_auth_refuses(memory_disk):
    server = CredentialServer(path="ROOT/credentials/USER-%s.json" % by_line("%s", "%{protocol}"))
    fails(server, CONFIG, "passdb json: path: unknown variable", "password", "set", "-c", "-u", "jane", data=SECRET)
    server.remove()


def test_file_for_each_user(memory_disk):
    server = CredentialServer(per_user=True)
    try:
        create(server, "jane")
        create(server, "joe@example.org")
        assert sorted(name for name in os.listdir(server.folder) if name.endswith(".json")) == [
            "jane.json", "joe@example.org.json"]
        assert verdict(server, "joe@example.org", SECRET)[0] == 0
        for name in ("../jane", "a/b", ".jane", "..", ""):
            fails(server, DATA, "", "password", "set", "-c", "-u", name, data=SECRET)
        assert len(os.listdir(server.folder)) == 4
    finally:
        server.remove()


def test_no_such_passdb(memory_disk):
    server = CredentialServer(block={"path": None})
    with open(server.conf, encoding="utf-8") as file:
        text = file.read()
    server.write_conf(re.sub(r"driver = json|passdb json", lambda found: found.group().replace("json", "static"),
                             text))
    fails(server, CONFIG, "there is no passdb", "password", "set", "-c", "-u", "jane", data=SECRET)
    server.remove()


def test_second_passdb(memory_disk):
    """The first one of the driver counts, wherever it stands."""
    server = CredentialServer(before=lambda root: {
        "2.3": "passdb {\n  driver = static\n  args = password=x\n}\n",
        "2.4": "passdb static {\n  password = x\n}\n"}[dovecot_conf.LINE])
    create(server)
    assert contents(server) is not None
    server.remove()
