# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Names of users that become paths: each has a state of its own below the folder of the states, or none. That such
names get so far takes an admin who lets users have them (auth_username_chars)."""

import json
import os
import shutil
import tempfile
import unicodedata

import pytest

import dovecot_conf
import expect
import mailgen
import user as users
from auth_client import AuthClient
from credentials import argon
from dovecot import Server
from standalone import Programs

RIGHT = dovecot_conf.PASSWORD
NAME = {"2.3": "%u", "2.4": "%{user}"}[dovecot_conf.LINE]
# at home below the folder
PLAIN = ["jane", "Jane", "JANE", "jane.", "jane..", "jane@example.org", "jane@EXAMPLE.org", "ja..ne", "..jane", " jane",
         "jane ", "ja ne", "jane%", "%h", "%u", "%{home}", "%s%n", "${home}", "$(id)", "`id`", "*", "?", "-n", "~",
         "~root", "ja'ne", 'ja"ne', "ja\\ne", "{}", "x" * 255, unicodedata.normalize("NFC", "müller"),
         unicodedata.normalize("NFD", "müller"), "МИР", "\u202ejane", "\u2024\u2024", "a\uff0fb", "jane\t", "jane\x7f"]
UP = ["..", "../evil", "../../evil", "a/../../evil", "a/..", "/..", "/../evil", "..//evil"]


class Session(Programs):
    """Programs as if run for a user of that name."""

    user = None

    def environment(self):
        return {**super().environment(), "USER": self.user}

    def compile(self, program):
        if dovecot_conf.LINE == "2.3":
            # what doveconf has answered has the name before
            self.compiled.clear()
        return super().compile(program)


class Names:
    def __init__(self, base):
        self.base = base
        self.home = os.path.join(base, "home")
        self.states = os.path.join(base, "states")
        for path in (self.home, self.states, os.path.join(self.home, "Maildir")):
            os.mkdir(path)
        mailgen.write_maildir(os.path.join(self.home, "Maildir"), mailgen.messages(1))
        for path in (base, self.states):
            os.chown(path, users.UID, users.GID)
        users.chown_tree(self.home)
        self.session = Session(base, self.home, "names", {"auth_username_format": NAME}, {
            "pop3_policy_state": "file:%s/%s" % (self.states, NAME), "pop3_policy_quota": "2msg/day"})

    def retr(self, name):
        """What a session of that user is told."""
        self.session.user = name
        return self.session.pop3(["RETR 1", "RETR 1", "QUIT"])

    def found(self):
        """State files anywhere, by the name of their folder."""
        return {os.path.relpath(path, self.states): os.path.join(path, "state.json")
                for path, _, names in os.walk(self.base) if "state.json" in names}


@pytest.fixture
def names(memory_disk):
    base = tempfile.mkdtemp(prefix="names-", dir=Server.base)
    os.chmod(base, 0o755)
    yield Names(base)
    shutil.rmtree(base)


def test_each_name_has_its_own(names):
    """Also those that are the same in another case, or in another form of Unicode."""
    for name in PLAIN:
        done = names.retr(name)
        assert done.reply.count(b"\r\n.\r\n") == 2 and not done.complaints, (name, done)
    assert set(names.found()) == set(PLAIN)
    for name in PLAIN:
        with open(names.found()[name], encoding="utf-8") as file:
            counters = json.load(file)["quota"]["windows"]
        assert counters["day"]["messages"] == 2, name
        assert b"Download quota used up" in names.retr(name).reply
    assert set(names.found()) == set(PLAIN)


@pytest.mark.parametrize("name", UP)
def test_none_leads_up(names, name):
    """Refused before anything is listed; the log says which path it would be."""
    done = names.retr(name)
    assert done.reply.decode() == expect.NO_STATE + "\r\n", done
    assert not names.found()
    line, = done.complaints
    assert 'has ".." in it, expected a path without' in line


@pytest.mark.parametrize("name", ["a/b", "/evil", "./jane", ".", "jane/"])
def test_none_leaves_the_folder(names, name):
    done = names.retr(name)
    assert not done.complaints or done.reply.decode() == expect.NO_STATE + "\r\n"
    assert not [path for path in names.found() if path.startswith("..")]
    assert not os.path.exists("/evil")


@pytest.mark.parametrize("size", [256, 4000, 10_000])
def test_name_that_no_folder_can_have(names, size):
    """Temporary, as all that the file system says: an admin may move the folder to another one."""
    done = names.retr("x" * size)
    assert expect.NO_STATE.encode() in done.reply and not names.found(), done
    assert any("File name too long" in line for line in done.complaints)


def test_names_that_auth_refuses(start_credentials):
    """With auth_username_chars as it is by default they become no path at all; the others are what they were."""
    server = start_credentials(per_user=True)
    server.set("jane", password=argon(RIGHT))
    with AuthClient(server) as client:
        found = client.logins([(name, RIGHT) for name in ("jane", "../jane", "a/b", "jane%", "ja ne", "jane\t",
                                                          "jane\n", "%{user}", "jane\u00e9", "jane.json/", "", "jane")])
    assert [result.ok for result in found] == [True] + [False] * 10 + [True]
    assert all(name.startswith("jane.json") for name in os.listdir(server.folder))


def test_long_names_of_credential_files(start_credentials):
    """A user whose file cannot have such a name is nobody, and the service goes on."""
    server = start_credentials(per_user=True, extra="auth_username_chars =\n")
    longest = "x" * (255 - len(".json.new"))
    server.set(longest, password=argon(RIGHT))
    with AuthClient(server) as client:
        found = client.logins([(name, RIGHT) for name in (longest, longest + "x" * 10, "y" * 4000, longest)])
    assert [result.ok for result in found] == [True, False, False, True]
