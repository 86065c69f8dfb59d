# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""doveadm pop3 retention with -A: who has nothing due costs nothing, and one bad user is no harm to others."""

import json
import os
import re

import pytest

import invariant
import mailgen
from retention import fetch, fields, left
from retention_doveadm import SIZE, files_used, took
from test_poll import listing


@pytest.fixture
def all_users(start_server, make_user_on):
    """Makes a server with users: all_users({name: rules})."""
    def make(*rules):
        server = start_server(iterate=True)
        new_user = make_user_on(server)
        users = [new_user(**fields(**each)) for each in rules]
        for user in users:
            user.wait_known()
            user.append([mailgen.message(1), mailgen.message(2)])
        return server, users
    return make


def run_all(server, *args, check=True):
    """{user: what was taken}, exit code, errors."""
    result = server.run_doveadm("-f", "json", "pop3", "retention", "run", "-A", *args, check=check)
    found = json.loads(result.stdout or "[]")
    return {each.pop("username"): each for each in found}, result.returncode, result.stderr.decode()


def opened_by_run_all(server):
    """Files that `run -A` has used in any way."""
    return files_used(server, "pop3", "retention", "run", "-A")


def of_mailbox(user, paths):
    return [path for path in paths if re.match(re.escape(user.home) + "/Maildir/.*(index|uidlist|cur|new)", path)]


def test_all_users(all_users):
    """A user with nothing due costs no mailbox."""
    server, users = all_users({"keep_downloaded": "14d"}, {"keep_downloaded": "2d"}, {"keep_downloaded": "0"}, {})
    later, due, imap, free = users
    for user in (later, due, free):
        fetch(user, 1)
    server.clock.advance(hours=47)
    paths = opened_by_run_all(server)
    for user in (later, due):
        assert any(path.startswith(user.state_dir) for path in paths)
    for user in users:
        assert not of_mailbox(user, paths)
    server.clock.advance(hours=2)
    before = {user.name: listing(user.home) for user in users}
    assert run_all(server, "--dry-run") == ({due.name: took(downloaded=1, bytes=SIZE)}, 0, "")
    assert {user.name: listing(user.home) for user in users} == before
    paths = opened_by_run_all(server)
    assert of_mailbox(due, paths)
    for user in (later, imap, free):
        assert not of_mailbox(user, paths)
    assert left(due) == [2]
    for option in ([], ["--force"], ["--dry-run"]):
        assert run_all(server, *option)[:2] == ({}, 0)
    for user in (later, imap, free):
        assert left(user) == [1, 2]
    assert not os.path.exists(imap.state_dir)


def test_limits_are_looked_at_once_a_day(all_users):
    """How much mail there is cannot be known without a look."""
    server, users = all_users({"keep_max_messages": "5"}, {"keep_max_size": "1G"})
    for user in users:
        fetch(user, 1)
    for _ in range(2):
        server.clock.advance(hours=23)
        paths = opened_by_run_all(server)
        assert not any(of_mailbox(user, paths) for user in users)
        server.clock.advance(hours=2)
        paths = opened_by_run_all(server)
        assert all(of_mailbox(user, paths) for user in users)


@pytest.mark.parametrize("name, value", [("keep_downloaded", "14 dogs"), ("exempt", "NONSENSE"), ("report_only", "x")])
def test_one_bad_user(all_users, name, value):
    """The others get their due, and the exit code tells."""
    server, users = all_users(*[{"keep_downloaded": "2d"}] * 5)
    for user in users:
        fetch(user, 1)
    server.clock.advance(days=2)
    bad = users[2]
    bad.set_fields(**fields(**{name: value}))
    found, code, errors = run_all(server, check=False)
    assert code == 75
    assert found == {user.name: took(downloaded=1, bytes=SIZE) for user in users if user != bad}
    lines = [line for line in errors.splitlines() if "Error: " in line]
    assert len(lines) == 1 and bad.name in lines[0], errors
    assert "pop3_policy_" + name in lines[0] and value in lines[0]
    assert left(bad) == [1, 2]
    result = server.run_doveadm("-f", "json", "pop3", "retention", "status", "-A", check=False)
    assert result.returncode == 75
    assert {each["username"] for each in json.loads(result.stdout)} == {user.name for user in users if user != bad}
    bad.set_fields(**fields(keep_downloaded="2d", exempt="FLAGGED", report_only="no"))
    assert run_all(server)[:2] == ({bad.name: took(downloaded=1, bytes=SIZE)}, 0)


def test_all_users_in_columns(all_users):
    """Each user is named once."""
    server, users = all_users(*[{"keep_downloaded": "2d"}] * 2)
    for user in users:
        fetch(user, 1)
    server.clock.advance(days=2)
    for action in ("status", "run"):
        lines = server.doveadm("-f", "tab", "pop3", "retention", action, "-A").splitlines()
        assert lines[0].split("\t")[0].lower() == "username" and "user" not in lines[0].lower().split("\t")[1:]
        assert sorted(line.split("\t")[0] for line in lines[1:]) == sorted(user.name for user in users)
