# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""doc/credentials.schema.json: what the plugin writes is as it says, and what it does not allow is refused."""

import json

import jsonschema
import pytest

from conftest import running
from credentials import USUAL, AppPassword, CredentialServer, dovecot_hash
from polling import wait_for
from state_check import schema

APP = AppPassword().entry
OTHER = AppPassword().entry
ID_WITHOUT_ONE = {**APP, "id": "k7qmx1"}


@pytest.fixture(scope="module")
def validator():
    found = schema("credentials")
    return jsonschema.validators.validator_for(found)(found)


@pytest.fixture(scope="module")
def one_file(memory_disk):
    with running(CredentialServer()) as found:
        yield found


def of_user(**members):
    return {"version": 1, "users": {"jane": members}}


GOOD = {
    "nothing of a user": of_user(),
    "all of a user": of_user(password=USUAL, enabled=False, protocols=["imap", "pop3"], fields={"userdb_uid": "1000"}),
    "all of a password": of_user(app_passwords=[
        {**APP, "label": "Jane’s phone", "expires": 1803222000, "networks": ["192.0.2.0/24", "2001:db8::/32", "::1"],
         "protocols": ["pop3"], "settings": {"pop3_policy_quota": "100M/day 1G/month"}}]),
    "unknown members": {"version": 1, "more": [1],
                        "users": {"jane": {"since": 7, "app_passwords": [{**APP, "x": {}}]}}},
    "a scheme of Dovecot": of_user(password="{SHA512-CRYPT}$6$salt$hash"),
    "a scheme with an encoding": of_user(password="{ssha256.hex}00ff"),
    "64 app passwords": of_user(app_passwords=[{**APP, "id": "k7qm%s%s" % (first, second)}
                                               for first in "abcdefgh" for second in "abcdefgh"]),
}

BAD = {
    "no version": {"users": {"jane": {}}},
    "another version": {"version": 2, "users": {"jane": {}}},
    "version as text": {"version": "1", "users": {"jane": {}}},
    "no users": {"version": 1},
    "users in a list": {"version": 1, "users": [{"jane": {}}]},
    "no name": {"version": 1, "users": {"": {}, "jane": {}}},
    "control character in a name": {"version": 1, "users": {"a\n": {}, "jane": {}}},
    "user of another type": {"version": 1, "users": {"jane": 7}},
    "password in the clear": of_user(password="secret"),
    "{PLAIN}": of_user(password="{PLAIN}secret"),
    "{plain.b64}": of_user(password="{plain.b64}c2VjcmV0"),
    "{Clear}": of_user(password="{Clear}secret"),
    "{CLEARTEXT.hex}": of_user(password="{CLEARTEXT.hex}00"),
    "{PLAIN-MD5}": of_user(password="{PLAIN-MD5}00"),
    "space in a hash": of_user(password="$1$x y"),
    "long hash": of_user(password="$1$" + "x" * 510),
    "hash of another type": of_user(password=None),
    "enabled as number": of_user(enabled=1),
    "no protocols": of_user(protocols=[]),
    "protocol in capitals": of_user(protocols=["POP3"]),
    "17 protocols": of_user(protocols=["pop3"] * 17),
    "name of a field": of_user(fields={"a b": ""}),
    "value of a field": of_user(fields={"userdb_uid": 1000}),
    "control character in a field": of_user(fields={"userdb_x": "\t"}),
    "65 fields": of_user(fields={"userdb_%d" % number: "" for number in range(65)}),
    "app passwords in an object": of_user(app_passwords={"k7qmx3": APP}),
    "65 app passwords": of_user(app_passwords=[{**APP, "id": "k7qm%s%s" % (first, second)}
                                               for first in "abcdefghjkmnp" for second in "abcde"]),
    "no id": of_user(app_passwords=[{"hash": APP["hash"]}]),
    "no hash": of_user(app_passwords=[{"id": APP["id"]}]),
    "id with a 1": of_user(app_passwords=[ID_WITHOUT_ONE]),
    "short id": of_user(app_passwords=[{**APP, "id": "k7qmx"}]),
    "no networks": of_user(app_passwords=[{**APP, "networks": []}]),
    "name of a host": of_user(app_passwords=[{**APP, "networks": ["mail.example.org"]}]),
    "empty setting": of_user(app_passwords=[{**APP, "settings": {"pop3_policy_quota": ""}}]),
    "foreign setting": of_user(app_passwords=[{**APP, "settings": {"mail_path": "/"}}]),
    "long label": of_user(app_passwords=[{**APP, "label": "x" * 129}]),
    "time before 1970": of_user(app_passwords=[{**APP, "created": -1}]),
    "time as text": of_user(app_passwords=[{**APP, "expires": "2027-01-01"}]),
    "half a second": of_user(app_passwords=[{**APP, "expires": 1803222000.5}]),
}

# A schema cannot say it.
BAD_BUT_VALID = {
    "id twice": of_user(app_passwords=[APP, {**OTHER, "id": APP["id"]}]),
    "bits of a network": of_user(app_passwords=[{**APP, "networks": ["192.0.2.0/33"]}]),
}


def is_read(server, content):
    server.write_text(server.path(), json.dumps(content))
    result = server.run_doveadm("pop3", "app-password", "list", "-u", "jane", check=False)
    return result.returncode == 0


@pytest.mark.parametrize("what", GOOD)
def test_good(one_file, validator, what):
    validator.validate(GOOD[what])
    assert is_read(one_file, GOOD[what])


@pytest.mark.parametrize("what", BAD)
def test_bad(one_file, validator, what):
    assert not validator.is_valid(BAD[what])
    assert not is_read(one_file, BAD[what])


@pytest.mark.parametrize("what", BAD_BUT_VALID)
def test_what_the_schema_cannot_say(one_file, validator, what):
    validator.validate(BAD_BUT_VALID[what])
    assert not is_read(one_file, BAD_BUT_VALID[what])


def test_what_commands_write(one_file, validator):
    """Each file on the way is as the schema says."""
    def run(*args, data=None):
        out = one_file.doveadm("pop3", *args, data=data)
        with open(one_file.path(), encoding="utf-8") as file:
            content = json.load(file)
        validator.validate(content)
        return content["users"].get("new"), out

    one_file.write_text(one_file.path(), json.dumps(GOOD["unknown members"]))
    assert run("password", "set", "--create", "-u", "new", data=b"first\n")[0]["password"].startswith("$argon2id$")
    entry, out = run("app-password", "add", "-u", "new", "--label", "Jane’s phone", "--expires", "90d",
                     "--network", "192.0.2.0/24", "--network", "2001:db8::/32", "--protocol", "pop3",
                     "--setting", "pop3_policy_quota=100M/day 1G/month")
    app = entry["app_passwords"][0]
    assert out.startswith(app["id"]) and app["label"] == "Jane’s phone"
    assert len(run("app-password", "add", "-u", "new")[0]["app_passwords"]) == 2
    assert run("password", "disable", "-u", "new")[0]["enabled"] is False
    assert run("password", "enable", "-u", "new")[0]["enabled"] is True
    assert len(run("app-password", "revoke", "-u", "new", app["id"])[0]["app_passwords"]) == 1
    assert run("password", "remove", "-u", "new")[0] is None


def test_what_a_login_writes(one_file, make_user_on, validator):
    """A hash of another kind is replaced."""
    user = make_user_on(one_file)()
    one_file.set(user.name, password=dovecot_hash("SHA512-CRYPT", "right"), fields={"userdb_x": "y"})
    assert one_file.auth(user, "right").ok
    wait_for(lambda: one_file.read(user.name)["password"].startswith("$argon2id$"), "the new hash")
    with open(one_file.path(), encoding="utf-8") as file:
        validator.validate(json.load(file))
    assert one_file.read(user.name)["fields"] == {"userdb_x": "y"}
