# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""What is changed while a password is checked holds for that login, and for all later ones: the cache, which was emptied
by then, gets nothing that was true before."""

import concurrent.futures

import pytest

import dovecot_conf
from auth_client import cpu
from conftest import running, user_maker
from credential_commands import OK, say
from credentials import FAILED, CredentialServer, argon
from polling import wait_for

RIGHT = dovecot_conf.PASSWORD
# A hash takes doveadm a part of a second, and one of the file is as slow as is allowed beside that: a check takes
# seconds.
MEMORY, PASSES = 16 << 20, 100

pytestmark = pytest.mark.native


def slow(password):
    return argon(password, 4 * PASSES, MEMORY)


def quick(password):
    return argon(password, PASSES, MEMORY)


@pytest.fixture(scope="module")
def server(memory_disk):
    with running(CredentialServer(cache="1M", memory=MEMORY, passes=PASSES)) as found:
        yield found


@pytest.fixture
def user(server, request):
    found = user_maker(server, request)()
    server.set(found.name, password=slow(RIGHT))
    return found


def reply_to_login(server, user, password, change):
    """What a client is told whose password is being checked when CHANGE is made."""
    server.settle()
    pid, = server.workers()
    start = cpu(pid)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        login = pool.submit(server.login_reply, user, password)
        wait_for(lambda: cpu(pid) > start + 0.1, "the check")
        change()
        assert not login.done(), "the change was too late"
        return login.result()


def doveadm(server, *words, data=None):
    return lambda: say(server, *words, data=data)


def test_revoked(server, user):
    app = server.add_app(user.name)
    server.set(user.name, app_passwords=[{**app.entry, "hash": slow(app.secret)}])
    revoke = doveadm(server, "app-password", "revoke", "-u", user.name, app.id)
    assert reply_to_login(server, user, app.text, revoke) == FAILED
    assert server.login_reply(user, app.text) == FAILED


@pytest.mark.parametrize("words, data", [
    (["disable"], None), (["remove"], None), (["set"], "new password\n"),
], ids=lambda value: value[0] if isinstance(value, list) else "")
def test_main_password(server, user, words, data):
    change = doveadm(server, "password", *words, "-u", user.name, data=data)
    assert reply_to_login(server, user, RIGHT, change) == FAILED
    assert server.login_reply(user, RIGHT) == FAILED
    if data:
        assert server.login_reply(user, data.strip()) == OK


@pytest.mark.parametrize("members", [
    {"protocols": ["imap"]}, {"password": quick("new")}, {"password": None},
], ids=["barred", "other password", "no password"])
def test_other_change(server, user, members):
    """So it is with those of other programs."""
    assert reply_to_login(server, user, RIGHT, lambda: server.set(user.name, **members)) == FAILED
    assert server.login_reply(user, RIGHT) == FAILED


def test_password_that_stays_right(server, user):
    """Another hash of it is as good, and other fields are those that count."""
    change = {"password": quick(RIGHT), "fields": {"userdb_one": "new"}}
    assert reply_to_login(server, user, RIGHT, lambda: server.set(user.name, **change)) == OK
    assert server.auth(user, RIGHT, action="login").fields["one"] == "new"
