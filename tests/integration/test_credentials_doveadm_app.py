# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""doveadm pop3 app-password: what its options make, and how devices live and end."""

import datetime
import ipaddress
import json
import os
import re
import time

import pytest

import dovecot_conf
from credential_commands import (CODE, DATA, HOUR, OK, USAGE, add, contents, create, fails, idle, listed, live, say,
                                 user, verdict)
from credentials import FAILED, MEMORY, PASSES, AppPassword, limits


def test_add_writes_what_the_options_say(idle):
    create(idle)
    start = int(time.time())
    code = add(idle, "jane", "--label", "phone", "--expires", "90d", "--network", "192.0.2.0/24", "-n", "2001:db8::/32",
               "--protocol", "pop3", "-p", "imap", "--setting", "pop3_policy_quota=100M/day 1G/month",
               "-s", "pop3_policy_keep_downloaded=14d")
    assert CODE.fullmatch(code)
    [entry] = idle.read("jane")["app_passwords"]
    assert limits(entry.pop("hash")) == (MEMORY, PASSES)
    created = entry.pop("created")
    assert start <= created <= time.time()
    assert entry == {
        "id": code[:6], "label": "phone", "expires": created + 90 * 24 * HOUR,
        "networks": ["192.0.2.0/24", "2001:db8::/32"], "protocols": ["pop3", "imap"],
        "settings": {"pop3_policy_quota": "100M/day 1G/month", "pop3_policy_keep_downloaded": "14d"}}
    assert verdict(idle, "jane", code) == (0, code[:6], "phone", "good")
    assert code not in contents(idle).decode() and code[7:].replace("-", "") not in contents(idle).decode()
    [row] = listed(idle, "jane")
    assert (row["id"], row["label"], row["last_used"], row["from"]) == (code[:6], "phone", "never", "-")
    assert row["networks"] == "192.0.2.0/24 2001:db8::/32" and row["protocols"] == "pop3 imap"
    assert row["settings"] == "pop3_policy_quota=100M/day 1G/month, pop3_policy_keep_downloaded=14d"
    assert datetime.datetime.strptime(row["expires"], "%Y-%m-%d %H:%M:%S %z").timestamp() == entry["expires"]
    bare = add(idle, "jane")
    assert set(idle.read("jane")["app_passwords"][1]) == {"id", "hash", "created"}
    assert listed(idle, "jane")[1] == {
        "id": bare[:6], "label": "-", "created": listed(idle, "jane")[1]["created"], "expires": "never",
        "networks": "-", "protocols": "-", "settings": "-", "last_used": "never", "from": "-"}


@pytest.mark.parametrize("text, days", [("1 hour", 1 / 24), ("12h", 0.5), ("2 weeks", 14)])
def test_expires_after_a_time(idle, text, days):
    create(idle)
    add(idle, "jane", "-e", text)
    [entry] = idle.read("jane")["app_passwords"]
    assert entry["expires"] - entry["created"] == days * 24 * HOUR


def test_expires_on_a_day(idle):
    """With the first second of it, by the clock of the server."""
    create(idle)
    add(idle, "jane", "-e", "2035-02-28")
    [entry] = idle.read("jane")["app_passwords"]
    [row] = listed(idle, "jane")
    assert row["expires"].startswith("2035-02-28 00:00:00 ")
    assert entry["expires"] == datetime.datetime.strptime(row["expires"], "%Y-%m-%d %H:%M:%S %z").timestamp()


@pytest.mark.parametrize("options, error", [
    (["-e", "soon"], r'--expires: "soon" is neither'),
    (["-e", "90"], "--expires"),
    (["-e", ""], "--expires"),
    (["-e", "-1d"], "--expires"),
    (["-e", "0"], "--expires"),
    (["-e", "2035-02-30"], "--expires.*neither"),
    (["-e", "2035-13-01"], "--expires.*neither"),
    (["-e", "2020-01-01"], "--expires.*over already"),
    (["-n", "192.0.2.0/33"], "--network"),
    (["-n", "example.org"], "--network"),
    (["-n", "192.0.2.1", "-n", ""], "--network"),
    pytest.param(["-n", "192.0.2.1"] * 17, "--network: there may be at most 16", id="networks"),
    (["-p", "pop 3"], "--protocol"),
    pytest.param(["-p", "pop3"] * 17, "--protocol: there may be at most 16", id="protocols"),
    pytest.param(["-l", "x" * 129], "--label", id="long-label"),
    (["-l", "a\nb"], "--label"),
    (["-s", "pop3_policy_quota"], "--setting.*no value"),
    (["-s", "pop3_policy_quotas=1M/day"], "--setting: there is no setting pop3_policy_quotas"),
    (["-s", "mail_path=/"], "--setting"),
    (["-s", "pop3_policy_quota=1M"], "--setting: pop3_policy_quota: no window"),
    (["-s", "pop3_policy_keep_downloaded=soon"], "--setting: pop3_policy_keep_downloaded"),
    (["-s", "pop3_policy_keep_max_size=many"], "--setting: pop3_policy_keep_max_size"),
    (["-s", "pop3_policy_fast_polls=maybe"], "--setting: pop3_policy_fast_polls"),
    (["-s", "pop3_policy_exempt=NOSUCHKEY"], "--setting"),
    (["-s", "pop3_policy_device=phone"], "--setting: pop3_policy_device cannot be set"),
    (["-s", "pop3_policy_quota=1M/day", "-s", "pop3_policy_quota=2M/day"], "--setting: pop3_policy_quota is.*twice"),
])
def test_add_refuses(idle, options, error):
    create(idle)
    before = contents(idle)
    fails(idle, DATA, error, "app-password", "add", "-u", "jane", *options)
    assert contents(idle) == before


def test_labels_are_names_of_devices(idle):
    """One that cannot be such a name is taken, and the id is the name; none is there twice."""
    create(idle)
    phone = add(idle, "jane", "-l", "phone")
    for label in ("my phone", "none", "a,b"):
        out, errors = say(idle, "app-password", "add", "-u", "jane", "-l", label)
        assert re.search(r'the label "%s" cannot be the name of a device: it will be %s' % (label, out[:6]), errors)
    for label in ("phone", "my phone", phone[:6]):
        fails(idle, DATA, "jane has an app password ......? already", "app-password", "add", "-u", "jane", "-l", label)
    # without a label there is nothing to be the same
    add(idle, "jane")
    add(idle, "jane", "-l", "")
    create(idle, "joe")
    add(idle, "joe", "-l", "phone")


def test_there_are_at_most_64(idle):
    idle.credentials = {"jane": {"app_passwords": [AppPassword().entry for _ in range(63)]}}
    idle.write()
    code = add(idle, "jane", "-l", "last")
    before = contents(idle)
    fails(idle, DATA, "jane has 64 app passwords already", "app-password", "add", "-u", "jane")
    assert contents(idle) == before
    say(idle, "app-password", "revoke", "-u", "jane", code[:6])
    add(idle, "jane")


def test_app_password_of_a_device(live, user):
    """It lets in at once, where and for what it may; the list says when and from where; revoked it is of no use."""
    live.set_prefetch(user)
    assert live.login_reply(user, dovecot_conf.PASSWORD) == OK
    code = add(live, user.name, "-l", "phone", "-p", "pop3", "-n", "127.0.0.0/8", "-s", "pop3_policy_quota=7msg/day")
    far = add(live, user.name, "-l", "far", "-n", "192.0.2.0/24")
    assert [row["last_used"] for row in listed(live, user.name)] == ["never", "never"]
    answer = live.auth(user, code, action="login")
    assert answer.ok and answer.fields["pop3_policy_quota"] == "7msg/day"
    assert answer.fields["pop3_policy_device"] == "phone"
    assert not live.auth(user, code, protocol="imap").ok
    for _ in range(3):
        assert live.login_reply(user, code.replace("-", " ").upper()) == OK
    assert live.login_reply(user, far) == FAILED
    found = {row["label"]: row for row in listed(live, user.name)}
    assert found["phone"]["from"] == "127.0.0.1"
    used = datetime.datetime.strptime(found["phone"]["last_used"], "%Y-%m-%d %H:%M:%S %z").timestamp()
    assert abs(used - time.time()) < 60
    out, _ = say(live, "app-password", "revoke", "-u", user.name, code[:6])
    assert "revoked" in out
    assert live.login_reply(user, code) == FAILED
    assert [row["label"] for row in listed(live, user.name)] == ["far"]
    say(live, "app-password", "revoke", "-u", user.name, "--label", "far")
    assert listed(live, user.name) == []
    assert live.login_reply(user, dovecot_conf.PASSWORD) == OK


@pytest.mark.parametrize("when", [2 ** 63 - 1, 2 ** 62, 2 ** 56])
def test_list_of_times_that_have_no_date(idle, when):
    """They are numbers; what has a date is as always."""
    app = AppPassword(created=when, expires=when)
    idle.credentials = {"jane": {"app_passwords": [app.entry, AppPassword(created=0, expires=0).entry]}}
    idle.write()
    with open(idle.path() + ".used", "w", encoding="utf-8") as file:
        os.chmod(file.name, 0o600)
        idle.own(file.name)
        file.write(json.dumps({"user": "jane", "id": app.id, "time": when}) + "\n")
    assert [(row["created"], row["expires"], row["last_used"]) for row in listed(idle, "jane")] == [
        (str(when),) * 3, ("-", "never", "never")]


def test_revoke_says_what_is_not_there(idle):
    create(idle)
    code = add(idle, "jane", "-l", "phone")
    before = contents(idle)
    for options, exit_code, error in [
            (["zzzzzz"], DATA, "no app password with the id zzzzzz"), (["-l", "desk"], DATA, 'the label "desk"'),
            (["-l", ""], DATA, 'the label ""'), ([], USAGE, "which one"),
            ([code[:6], "-l", "phone"], USAGE, "which one")]:
        fails(idle, exit_code, error, "app-password", "revoke", "-u", "jane", *options)
    assert contents(idle) == before


@pytest.mark.parametrize("label", ["phone", ""])
def test_revoke_of_a_label_that_is_there_twice(idle, label):
    """As another program may write it: nothing is revoked until the id says which one."""
    members = {"label": label} if label else {}
    one, two, desk = AppPassword(**members), AppPassword(**members), AppPassword(label="desk")
    idle.credentials = {"jane": {"app_passwords": [app.entry for app in (one, desk, two)]}}
    idle.write()
    before = contents(idle)
    fails(idle, DATA, 'jane has 2 app passwords with the label "%s": say which one by its id' % label,
          "app-password", "revoke", "-u", "jane", "-l", label)
    assert contents(idle) == before
    say(idle, "app-password", "revoke", "-u", "jane", two.id)
    say(idle, "app-password", "revoke", "-u", "jane", "-l", label)
    assert [row["id"] for row in listed(idle, "jane")] == [desk.id]


def test_list_is_a_table(idle):
    create(idle)
    add(idle, "jane", "-l", "phone", "-n", str(ipaddress.ip_network("192.0.2.0/24")))
    out, errors = say(idle, "app-password", "list", "-u", "jane")
    assert errors == "" and "Last used" in out.splitlines()[0] and "phone" in out.splitlines()[1]
