# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""The app password says which device a session is of, and has settings of its own; when it was last used is noted."""

import json
import os
import re
import stat
import time

import pytest

import mailgen
from conftest import running, user_maker
from credentials import FAILED, AppPassword, CredentialServer
from polling import wait_for

HOUR = 3600


@pytest.fixture(scope="module", params=["no cache", "cache"])
def server(memory_disk, request):
    with running(CredentialServer(cache="1M" if request.param == "cache" else "0", prefetch_alone=True)) as found:
        yield found


@pytest.fixture
def user(server, request):
    """Somebody whose mail is known by the fields of the file alone: two messages."""
    found = user_maker(server, request)()
    server.set_prefetch(found)
    found.append(mailgen.messages(2, 500))
    return found


def fields_of(server, user, password, protocol="pop3"):
    return server.auth(user, password, protocol=protocol, action="login").fields


def device_of(server, user, password):
    return fields_of(server, user, password).get("pop3_policy_device")


def fetch(user, password, *numbers):
    """Replies to RETR in a session of a device."""
    with user.connect() as pop3:
        assert pop3.login(user.name, password).ok
        replies = [pop3.retr(number) for number in numbers]
        pop3.quit()
    user.server.wait_idle()
    return replies


# -- the device


def test_device_of_a_session(server, user):
    """The label of the app password is the device, in each login, from the cache or not; the main password has none."""
    phone, desk = server.add_app(user.name, label="phone"), server.add_app(user.name, label="desk-top")
    for _ in range(3):
        assert device_of(server, user, phone.text) == "phone"
        assert device_of(server, user, desk.text) == "desk-top"
        assert device_of(server, user, user.password) is None


LABELS = {"": False, "phone": True, "Jane's phone": False, "a b": False, "a,b": False, "\u00fcber": True,
          "x" * 64: True, "x" * 65: False, "no\u00a0break": False, "100%": True, "%u": True, "%{user}": True}


@pytest.mark.parametrize("label", LABELS)
def test_label_that_is_no_device_name(server, user, label):
    """The id stands for a label that cannot be a name of a device."""
    app = server.add_app(user.name, label=label)
    assert device_of(server, user, app.text) == (label if LABELS[label] else app.id)


def test_without_label(server, user):
    app = server.add_app(user.name)
    assert device_of(server, user, app.text) == app.id


def test_device_in_the_journal_and_log(server, user):
    """The pop3 process knows the device: its download is noted for it."""
    user.set_fields(pop3_policy_keep_devices="phone,desk-top", pop3_policy_keep_downloaded="1d")
    server.set_prefetch(user)
    phone, desk = server.add_app(user.name, label="phone"), server.add_app(user.name, label="desk-top")
    fetch(user, phone.text, 1, 2)
    fetch(user, desk.text, 1)
    journal = [record["devices"] for _, record in sorted(user.journal().items())]
    assert [sorted(devices) for devices in journal] == [["desk-top", "phone"], ["phone"]]


def test_settings_of_devices(server, user):
    """The phone may have one message a day, the desktop all; the main password has what the user has."""
    phone = server.add_app(user.name, label="phone", settings={"pop3_policy_quota": "1msg/day"})
    desk = server.add_app(user.name, label="desk", settings={"pop3_policy_quota": "unlimited"})
    for _ in range(2):
        assert fields_of(server, user, phone.text)["pop3_policy_quota"] == "1msg/day"
        assert fields_of(server, user, desk.text)["pop3_policy_quota"] == "unlimited"
    for replies in (fetch(user, phone.text, 1, 2), fetch(user, phone.text, 2)):
        assert "quota used up (1 message a day)" in replies[-1].text, replies
    assert [reply.ok for reply in fetch(user, desk.text, 1, 2)] == [True, True]
    assert [reply.ok for reply in fetch(user, user.password, 1, 2)] == [True, True]


def test_settings_win_over_fields(server, user):
    """What an app password sets stands in the place of what the user has."""
    fields = {**server.credentials[user.name]["fields"], "userdb_pop3_policy_quota": "5M/day"}
    server.set(user.name, fields=fields)
    app = server.add_app(user.name, settings={"pop3_policy_quota": "1msg/day"})
    assert fields_of(server, user, app.text)["pop3_policy_quota"] == "1msg/day"
    assert fields_of(server, user, user.password)["pop3_policy_quota"] == "5M/day"


def test_retention_waits_for_all_devices(memory_disk, start_credentials, make_user_on):
    """A message goes when each device of the list has it, known by its app password alone."""
    server = start_credentials(faked=True, cache="1M")
    user = make_user_on(server)()
    user.set_fields(pop3_policy_keep_devices="phone,desk", pop3_policy_keep_downloaded="1d")
    server.set_prefetch(user)
    user.append(mailgen.messages(2, 500))
    phone, desk = server.add_app(user.name, label="phone"), server.add_app(user.name, label="desk")
    fetch(user, phone.text, 1, 2)
    fetch(user, desk.text, 1)
    server.clock.advance(days=2)
    fetch(user, phone.text)
    assert len(user.uids()) == 1


# -- last use


def used(server):
    path = server.path() + ".used"
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def used_by(server, user):
    return [line for line in used(server) if line["user"] == user.name]


def wait_used(server, user, count):
    return wait_for(lambda: (lambda found: found if len(found) >= count else None)(used_by(server, user)),
                    "%d lines on uses by %s" % (count, user.name))


def test_last_use(server, user):
    """The first use in an hour is noted, with time and address, for each app password and for the main one; what was
    refused is not."""
    phone, desk = server.add_app(user.name, label="phone"), server.add_app(user.name, label="desk")
    barred = server.add_app(user.name, networks=["192.0.2.0/24"])
    before = int(time.time())
    known = len(used_by(server, user))
    for _ in range(2):
        assert server.auth(user, phone.text, rip="192.0.2.7").ok
        assert server.auth(user, desk.text, rip="2001:db8::7").ok
        assert not server.auth(user, AppPassword().text).ok
        assert not server.auth(user, barred.text, rip="198.51.100.1").ok
    server.settle()
    wait_used(server, user, known + 2)
    found = {line["id"]: line for line in used_by(server, user)[known:]}
    assert len(used_by(server, user)) == known + 2
    assert found[phone.id]["address"] == "192.0.2.7" and found[desk.id]["address"] == "2001:db8::7"
    assert all(before <= line["time"] <= time.time() for line in found.values())
    # that of the fixture's deliveries
    assert [line["id"] for line in used_by(server, user)[:known]] == [""] * known == [""]
    mode = stat.S_IMODE(os.stat(server.path() + ".used").st_mode)
    assert mode == 0o600


def test_last_use_again_after_an_hour(start_credentials, make_user_on):
    server = start_credentials(faked_worker=True)
    user = make_user_on(server)()
    app = server.add_app(user.name)
    times = []
    for minutes in (0, 59, 2, 30, 31):
        server.clock.advance(minutes=minutes)
        assert server.auth(user, app.text).ok
        server.settle()
        times = [line["time"] for line in used_by(server, user)]
    assert len(times) == 3, times
    assert all(later - earlier >= HOUR for earlier, later in zip(times, times[1:]))


def test_last_use_is_not_in_the_way(server, user):
    """A login is as good where it cannot be noted; the log has a warning."""
    app = server.add_app(user.name)
    path = server.path() + ".used"
    if os.path.exists(path):
        os.unlink(path)
    os.mkdir(path)
    start = server.log_size()
    try:
        for _ in range(2):
            assert server.auth(user, app.text).ok
        server.settle()
        server.wait_auth_lines(None, re.escape("all.json.used"), start=start)
        assert not server.auth_lines(None, "Panic|Fatal", start)
    finally:
        os.rmdir(path)
    assert server.login_reply(user, "x") == FAILED
