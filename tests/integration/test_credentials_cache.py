# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Dovecot's auth cache before credential files: who is let in by it, and until when."""

import math
import os
import time

import pytest

import dovecot_conf
from conftest import running, user_maker
from credentials import FAILED, TEMPORARY, AppPassword, CredentialServer, argon
from polling import wait_for

RIGHT = dovecot_conf.PASSWORD
TTL = 2
# the cache counts by them
WHOLE_SECOND = 1


@pytest.fixture(scope="module")
def server(memory_disk):
    with running(CredentialServer(cache="1M", extra="auth_debug = yes\n")) as found:
        yield found


@pytest.fixture(scope="module")
def hasty(memory_disk):
    """Its cache forgets soon."""
    with running(CredentialServer(cache="1M", ttl="%d secs" % TTL, extra="auth_debug = yes\n")) as found:
        yield found


@pytest.fixture
def user(server, request):
    return user_maker(server, request)()


def asked(server, user, password, **kwargs):
    """(Is let in, came from the cache) for one login."""
    start = server.log_size()
    answer = server.auth(user, password, **kwargs)
    return answer.ok, bool(server.auth_lines(user, "cache hit", start))


HIT, MISS, REFUSED = (True, True), (True, False), (False, False)


def test_devices_do_not_push_each_other_out(server, user):
    """Each password of a user has an entry of its own; only the first login of each asks the file."""
    apps = [server.add_app(user.name, label=label) for label in ("phone", "desk", "tablet")]
    texts = [app.text for app in apps] + [RIGHT]
    assert [asked(server, user, text) for text in texts] == [MISS] * 4
    for _ in range(3):
        assert [asked(server, user, text) for text in texts] == [HIT] * 4


def test_wrong_password_is_never_cached(server, user):
    app = server.add_app(user.name)
    assert asked(server, user, RIGHT) == MISS
    start = server.log_size()
    wrong = ("x", "x", AppPassword().text, app.id + AppPassword().secret, "x")
    assert not any(server.auth_all(*[(user, word) for word in wrong]))
    assert not server.auth_lines(user, "cache hit", start)
    assert asked(server, user, RIGHT) == HIT
    # what was wrong becomes right
    server.set(user.name, password=argon("x"))
    assert asked(server, user, "x") == MISS
    assert asked(server, user, "x") == HIT


def test_unknown_user_is_not_cached(server, user):
    server.drop(user.name)
    for _ in range(2):
        assert asked(server, user, RIGHT) == REFUSED
    server.set(user.name, password=argon(RIGHT))
    assert asked(server, user, RIGHT) == MISS


def test_protocol_that_is_barred(server, user):
    """A password that the cache knows from one protocol does not get in by another one."""
    server.set(user.name, protocols=["imap"])
    app = server.add_app(user.name, protocols=["pop3"])
    for _ in range(2):
        assert server.auth(user, RIGHT, protocol="imap").ok
        assert server.login_reply(user, RIGHT) == FAILED
        assert server.auth(user, app.text).ok
        assert not server.auth(user, app.text, protocol="imap").ok
    assert asked(server, user, RIGHT, protocol="imap") == HIT
    assert asked(server, user, RIGHT, protocol="pop3") == REFUSED


def test_networks_of_a_hit(server, user):
    app = server.add_app(user.name, networks=["192.0.2.0/24"])
    assert asked(server, user, app.text, rip="192.0.2.1") == MISS
    for _ in range(2):
        assert asked(server, user, app.text, rip="198.51.100.1")[0] is False
        assert asked(server, user, app.text, rip="192.0.2.2") == HIT
        assert not server.auth(user, app.text, rip=None).ok
    other = server.add_app(user.name, networks=["192.0.2.0/24"])
    assert asked(server, user, other.text, rip="198.51.100.1")[0] is False
    assert asked(server, user, other.text, rip="192.0.2.2")[0]


def test_networks_of_the_admin_and_of_an_app_password(start_credentials, make_user_on):
    """Both must hold, whoever comes first, and also for a password that the cache knows."""
    server = start_credentials(cache="1M", extra="auth_debug = yes\n", more=dovecot_conf.passdb_fields(
        allow_nets="192.0.2.0/24,local,2001:db8::/32"))
    user = make_user_on(server)()
    wide = server.add_app(user.name, networks=["192.0.0.0/16", "198.51.100.0/24", "2001:db8::7"])
    narrow = server.add_app(user.name, networks=["192.0.2.128/25"])
    nowhere = server.add_app(user.name, networks=["198.51.100.0/24"])
    good, bad = ("192.0.2.1", "2001:db8::7"), ("192.0.3.1", "198.51.100.1", "2001:db8::8")
    for app, admitted, others in ((wide, good, bad), (narrow, ("192.0.2.200",), good + bad), (nowhere, (), good + bad)):
        assert not server.auth(user, app.text, rip=others[-1]).ok
        for _ in range(2):
            assert [asked(server, user, app.text, rip=rip) for rip in admitted] == [HIT] * len(admitted)
            assert [asked(server, user, app.text, rip=rip) for rip in others] == [(False, True)] * len(others)
            assert not server.auth(user, app.text, rip=None).ok
    # who has no address is local
    assert server.auth(user, RIGHT, rip=None).ok and not server.auth(user, RIGHT, rip="198.51.100.1").ok


def test_flush(server, user):
    """What was changed is known at once if the cache is told."""
    app = server.add_app(user.name)
    assert asked(server, user, RIGHT) == MISS
    assert asked(server, user, app.text) == MISS
    server.drop_app(user.name, app)
    server.set(user.name, password=argon("new"))
    assert asked(server, user, RIGHT) == HIT
    assert asked(server, user, app.text) == HIT
    server.flush(user.name)
    assert asked(server, user, RIGHT) == REFUSED
    assert asked(server, user, app.text) == REFUSED
    assert asked(server, user, "new") == MISS


def test_flush_of_one_user(server, user, request):
    """The others stay in the cache."""
    other = user_maker(server, request)()
    for _ in range(2):
        server.auth(user, RIGHT), server.auth(other, RIGHT)
    server.flush(user.name)
    assert asked(server, user, RIGHT) == MISS
    assert asked(server, other, RIGHT) == HIT


CHANGES = {
    "other password": lambda server, name: server.set(name, password=argon("new")),
    "disabled": lambda server, name: server.set(name, enabled=False),
    "barred": lambda server, name: server.set(name, protocols=["imap"]),
    "removed": lambda server, name: server.drop(name),
}


def last_success(server, user, password):
    """When the last login began that was good, of many in a row; so a slow machine makes none too late."""
    began = -math.inf

    def refused():
        nonlocal began
        now = time.monotonic()
        if not server.auth(user, password).ok:
            return True
        began = now
        return False

    wait_for(refused, "the end of the TTL")
    return began


def test_change_of_the_file(hasty, request):
    """It holds as soon as the cache has forgotten what was, which is after its TTL."""
    users = {change: user_maker(hasty, request)() for change in CHANGES}
    assert all(hasty.auth_all(*[(user, RIGHT) for user in users.values()]))
    for change, user in users.items():
        CHANGES[change](hasty, user.name)
    changed = time.monotonic()
    for change, user in users.items():
        assert last_success(hasty, user, RIGHT) < changed + TTL + WHOLE_SECOND, change


@pytest.mark.native
def test_app_password_that_was_revoked_or_expires(hasty, request):
    user = user_maker(hasty, request)()
    revoked = hasty.add_app(user.name)
    end = time.monotonic() + 2
    expiring = hasty.add_app(user.name, expires=int(time.time()) + 2)
    for app in (revoked, expiring):
        assert hasty.auth(user, app.text).ok
    hasty.drop_app(user.name, revoked)
    dropped = time.monotonic()
    assert last_success(hasty, user, revoked.text) < dropped + TTL + WHOLE_SECOND
    assert last_success(hasty, user, expiring.text) < end + TTL + WHOLE_SECOND
    assert hasty.auth(user, RIGHT).ok


def test_broken_file(hasty, request):
    """Who is in the cache goes on, also when the entry is old and the worker is new; another password does not."""
    user, other = user_maker(hasty, request)(), user_maker(hasty, request)()
    for _ in range(2):
        assert asked(hasty, user, RIGHT)[0]
    hasty.write_text(hasty.path(), "{")
    hasty.kill_workers()
    time.sleep(TTL + 1)
    for _ in range(2):
        assert hasty.login_reply(user, RIGHT).startswith("+OK")
        assert hasty.login_reply(user, "x").startswith(TEMPORARY)
        assert hasty.login_reply(other, RIGHT).startswith(TEMPORARY)
    hasty.write()
    assert hasty.login_reply(user, "x") == FAILED
    assert hasty.login_reply(other, RIGHT).startswith("+OK")


def test_hit_asks_no_worker(server, user):
    """A login that is cached runs no Argon2: it works while there is no file."""
    assert asked(server, user, RIGHT) == MISS
    server.kill_workers()
    os.unlink(server.path())
    for _ in range(3):
        assert asked(server, user, RIGHT) == HIT
    server.write()
