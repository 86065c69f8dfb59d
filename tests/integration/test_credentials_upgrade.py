# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Hashes of other schemes and limits: they are good, and are replaced by what is configured; some ask for too much."""

import json
import os
import pwd
import stat
import threading
import time

import pytest

import dovecot_conf
from conftest import running, user_maker
from credentials import MEMORY, PASSES, TEMPORARY, CredentialServer, argon, argon2i, dovecot_hash, edit, limits, scrypt
from polling import wait_for

RIGHT = dovecot_conf.PASSWORD
DOVECOT = pwd.getpwnam("dovecot")

OLD = {
    "SHA512-CRYPT": lambda word: dovecot_hash("SHA512-CRYPT", word, "-r", "1000"),
    "SHA256-CRYPT": lambda word: dovecot_hash("SHA256-CRYPT", word, "-r", "1000"),
    "BLF-CRYPT": lambda word: dovecot_hash("BLF-CRYPT", word, "-r", "4"),
    "SSHA512": lambda word: dovecot_hash("SSHA512", word),
    "SSHA256": lambda word: dovecot_hash("SSHA256", word),
    "ARGON2ID of another prefix": lambda word: "{ARGON2ID}" + argon(word, memory=1 << 20),
    "argon2i": argon2i,
    "scrypt": scrypt,
    "less memory": lambda word: argon(word, memory=1 << 20),
    "more memory": lambda word: argon(word, memory=2 * MEMORY),
    "more passes": lambda word: argon(word, passes=2),
}


@pytest.fixture(scope="module")
def server(memory_disk):
    with running(CredentialServer()) as found:
        yield found


@pytest.fixture
def user(server, request):
    return user_maker(server, request)()


def is_new(text):
    return text.startswith("$argon2id$") and limits(text) == (MEMORY, PASSES)


def lines(path):
    with open(path, encoding="utf-8") as file:
        return file.readlines()


class Old:
    """A user with an old hash, in the words of the plugin."""

    def __init__(self, server, request, scheme, which):
        self.server = server
        self.user = user_maker(server, request)()
        app = server.add_app(self.user.name, label="phone", networks=["127.0.0.0/8"])
        self.typed = RIGHT if which == "main" else app.text
        self.hash = OLD[scheme](RIGHT if which == "main" else app.secret)
        if which == "main":
            members = {"password": self.hash}
        else:
            members = {"app_passwords": [{**app.entry, "hash": self.hash}]}
        server.set(self.user.name, enabled=True, **members)

    @property
    def start(self):
        return '"%s":' % self.user.name

    def check_new(self):
        """All but the hash is as it was."""
        old, new = self.server.credentials[self.user.name], self.server.read(self.user.name)
        before, after = (json.dumps(entry, sort_keys=True) for entry in (old, new))
        head, tail = before.split(json.dumps(self.hash)[1:-1])
        assert after.startswith(head) and after.endswith(tail)
        assert is_new(after[len(head):-len(tail)])


@pytest.mark.parametrize("which", ["main", "app"])
def test_upgrade(server, request, which):
    """A good login puts a hash of the configured limits in the place of an old one, and changes nothing else: neither
    owner nor mode, and not an octet of what the file says of others."""
    users = [Old(server, request, scheme, which) for scheme in OLD]
    server.set("bystander", password=argon("x"), x_note=[1, {"b": 2}])
    os.chmod(server.path(), 0o640)
    before = lines(server.path())
    wrong = [(old.user, old.typed + "x") for old in users]
    assert not any(server.auth_all(*wrong))
    assert lines(server.path()) == before

    server.kill_workers()
    for old in users:
        before = lines(server.path())
        assert server.auth(old.user, old.typed).ok
        server.settle()
        after = lines(server.path())
        assert len(before) == len(after)
        changed = [one for one, other in zip(before, after) if one != other]
        assert len(changed) == 1 and changed[0].startswith(old.start)
        old.check_new()
    found = os.stat(server.path())
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (DOVECOT.pw_uid, DOVECOT.pw_gid, 0o640)

    for old in users:
        assert server.auth(old.user, old.typed).ok
    server.settle()
    assert not any(server.auth_all(*wrong))
    assert lines(server.path()) == after


def test_hash_at_the_limits_stays(server, user):
    before = os.stat(server.path())
    assert server.auth(user, RIGHT).ok
    server.settle()
    assert os.stat(server.path()).st_ino == before.st_ino


def test_refused_login_changes_no_hash(server, user):
    """Neither does the right password of who may not log in."""
    server.set(user.name, password=OLD["SSHA512"](RIGHT), protocols=["imap"])
    before = os.stat(server.path()).st_ino
    assert not server.auth(user, RIGHT).ok
    server.settle()
    assert os.stat(server.path()).st_ino == before
    server.set(user.name, enabled=False, protocols=None)
    before = os.stat(server.path()).st_ino
    assert not server.auth(user, RIGHT).ok
    server.settle()
    assert os.stat(server.path()).st_ino == before


# -- what cannot be written


def locked_away(server):
    """Root's folder, and a file that the auth service may read."""
    os.chown(server.folder, 0, DOVECOT.pw_gid)
    os.chmod(server.folder, 0o750)


def locked_file(server):
    """A file of root's in a folder of the auth service, with a lock of that: the owner could not be kept."""
    with open(server.path() + ".lock", "a", encoding="utf-8"):
        server.own(server.path() + ".lock")
    os.chown(server.path(), 0, DOVECOT.pw_gid)
    os.chmod(server.path(), 0o640)


@pytest.mark.parametrize("lock,said", ids=["folder", "file"], argvalues=[
    (locked_away, r"Info: .*old hashes are not replaced: cannot write to \S+/credentials/: Permission denied"),
    (locked_file, r"Warning: .*cannot replace an old hash of a password of \S+: fchown\(\S+/all\.json\.tmp, .*Operation not permitted")])
def test_file_that_cannot_be_written(server, user, lock, said):
    """Logins are as good as ever, the file stays as it is, and the log says so, but not for each login."""
    server.set(user.name, password=OLD["SSHA512"](RIGHT))
    before = lines(server.path())
    server.kill_workers()
    lock(server)
    known, start = set(os.listdir(server.folder)), server.log_size()
    for _ in range(3):
        assert server.auth(user, RIGHT).ok
    server.settle()
    assert lines(server.path()) == before
    beside = {"all.json.used", "all.json.lock", "all.json.good"}
    assert set(os.listdir(server.folder)) - beside == {"all.json"}
    assert lock is locked_file or set(os.listdir(server.folder)) == known
    assert len(server.wait_auth_lines(None, said, start=start)) == 1
    assert not server.auth_lines(None, "json: replaced|Error|Panic|Fatal", start)


# -- what asks for too much


# what the log says of each
HUNGRY = {
    "memory": ("$argon2id$v=19$m=4194304,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$" + "A" * 43,
               "asks for 4294967296 octets of memory, allowed are 134217728"),
    "passes": ("$argon2id$v=19$m=65536,t=4000000,p=1$c2FsdHNhbHRzYWx0c2FsdA$" + "A" * 43,
               "asks to go over 268435456000000 octets (memory times passes), allowed are 536870912"),
    "prefix": ("{ARGON2ID}$argon2id$v=19$m=4194304,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$" + "A" * 43, "octets of memory"),
    "scrypt": ("$7$M6..../...." + "A" * 43 + "$" + "A" * 43, "octets of memory"),
    "SHA512-CRYPT": ("{SHA512-CRYPT}$6$rounds=999999999$saltsalt$" + "x" * 86,
                     "scheme SHA512-CRYPT asks for 999999999 rounds, allowed are 1 to 1000000"),
    "BLF-CRYPT": ("{BLF-CRYPT}$2y$31$" + "a" * 53, "scheme BLF-CRYPT asks for a cost of 31, allowed are at most 14"),
    "CRYPT": ("{CRYPT}$6$rounds=999999999$saltsalt$" + "x" * 86, "scheme CRYPT asks for 999999999 rounds"),
    "PBKDF2": ("{PBKDF2}$1$saltsalt$999999999$" + "0" * 40, "scheme PBKDF2 asks for 999999999 rounds"),
    "not a hash": ("$argon2id$v=19$m=8192", "expected $v=19$m=KILOBYTES,t=PASSES,p=LANES$SALT$HASH"),
    "unknown scheme": ("{FOO}xyz", "does not check password hashes of the scheme FOO"),
    "undecodable": ("{SSHA512.b64}!!!", "has not the form of the scheme SSHA512.b64"),
}


@pytest.mark.parametrize("which", ["main", "app"])
def test_hash_that_cannot_be_checked(server, request, which):
    """It is not computed: an error in the log that does not quote it, a temporary failure, and others log in as ever,
    also the same user with another password."""
    users, logins = {}, []
    for name, (hashed, _) in HUNGRY.items():
        user = users[name] = user_maker(server, request)()
        app = server.add_app(user.name)
        if which == "main":
            server.set(user.name, password=hashed)
        else:
            server.set(user.name, app_passwords=[{**app.entry, "hash": hashed}, server.add_app(user.name).entry])
        logins.append((user, RIGHT if which == "main" else app.text, app.text if which == "main" else RIGHT))
    other = user_maker(server, request)()
    start = server.log_size()
    begun = time.monotonic()
    replies = server.replies(*[login[:2] for login in logins])
    # the cheapest of them would take longer if it were computed
    assert time.monotonic() - begun < 10
    assert server.auth(other, RIGHT).ok
    for (name, (hashed, word)), reply, (user, _, good) in zip(HUNGRY.items(), replies, logins):
        assert reply.startswith(TEMPORARY), name
        error = server.wait_auth_lines(user, "Error", start=start)[0]
        assert hashed[-20:] not in error
        assert word in error, error
        assert server.auth(user, good).ok


# -- all at once


def test_many_writers(start_credentials, make_user_on):
    """Logins that bring new hashes, doveadm, and somebody else who changes the file by its rules, all at once: nobody
    is ever lost, every change is there, and no login is refused."""
    server = start_credentials(workers=8)
    users = [make_user_on(server)() for _ in range(6)]
    for user in users:
        server.set(user.name, password=OLD["SSHA512"](RIGHT))
    codes, refused = [], []

    def log_in(user):
        for _ in range(4):
            if not server.auth(user, RIGHT).ok:
                refused.append(user.name)

    def change(names):
        for name in names:
            edit(server.path(), lambda found, name=name: found.update({name: {"password": argon(name)}}))

    def command(names):
        for user, name in zip(users, names):
            server.doveadm("pop3", "password", "set", "--create", "-u", name, data=name.encode() + b"\n")
            codes.append((user, server.doveadm("pop3", "app-password", "add", "-u", user.name).strip()))

    start = server.log_size()
    names = {function: ["%s-%d" % (function.__name__, number) for number in range(count)]
             for function, count in ((change, 12), (command, 6))}
    threads = [threading.Thread(target=log_in, args=(user,)) for user in users]
    threads += [threading.Thread(target=function, args=(found,)) for function, found in names.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not refused
    assert len(codes) == 6
    # a login may have left its hash alone, as another one held the lock
    logins = [(user, RIGHT) for user in users]
    assert all(server.auth_all(*logins))
    for user in users:
        wait_for(lambda user=user: is_new(server.read(user.name)["password"]), "a new hash of " + user.name)
    assert all(server.auth_all(*logins, *codes, *[(name, name) for found in names.values() for name in found]))
    assert not server.auth_lines(None, "Error|Panic|Fatal", start)
