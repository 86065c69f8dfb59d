# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""doveadm pop3 password and app-password: what they write, what they say, and that no secret is seen."""

import contextlib
import datetime
import fcntl
import ipaddress
import json
import os
import pty
import re
import select
import signal
import subprocess
import termios
import time

import pytest

import dovecot_conf
from conftest import running, user_maker
from credentials import (FAILED, MEMORY, PASSES, AppPassword, CredentialServer, argon, argon2i, dovecot_hash, limits,
                         scrypt)

OK = "+OK Logged in."
SECRET = "Correct Horse: battery"
CODE = re.compile(r"[a-km-np-z2-9]{6}(-[a-km-np-z2-9]{5}){5}")
NO_USER, DATA, USAGE, NO_PERMISSION, TEMPORARY, CONFIG = 67, 65, 64, 77, 75, 78
HOUR = 3600


@pytest.fixture
def idle(memory_disk):
    """A configuration whose server does not run."""
    server = CredentialServer(cache="1M")
    os.unlink(server.path())
    yield server
    server.remove()


@pytest.fixture(scope="module")
def live(memory_disk):
    with running(CredentialServer(cache="1M")) as found:
        yield found


@pytest.fixture
def user(live, request):
    return user_maker(live, request)()


def run(server, *words, data=None, **kwargs):
    """The result of a command that may fail, which never says anything of a password."""
    data = data.encode() if isinstance(data, str) else data
    result = server.run_doveadm("pop3", *words, data=data if data is not None else b"", check=False, **kwargs)
    errors = result.stderr.decode()
    assert "$argon2" not in errors + result.stdout.decode() and "Panic" not in errors, errors
    if data and len(data) > 4:
        assert data.decode("latin-1").strip() not in errors, errors
    return result


def say(server, *words, code=0, **kwargs):
    """What a command that ends with this code prints, and its errors."""
    result = run(server, *words, **kwargs)
    assert result.returncode == code, (result.returncode, result.stdout, result.stderr)
    return result.stdout.decode(), result.stderr.decode()


def fails(server, code, error, *words, **kwargs):
    """A command ends with this code, says what this pattern finds, and prints nothing."""
    out, errors = say(server, *words, code=code, **kwargs)
    assert out == ""
    assert re.search(error, errors), errors
    assert errors.count("\n") == 1, errors


def create(server, name="jane", password=SECRET):
    return say(server, "password", "set", "--create", "-u", name, data=password + "\n")


def add(server, name, *options):
    """Makes an app password; returns it as printed."""
    out, _ = say(server, "app-password", "add", "-u", name, *options)
    return out.strip()


def listed(server, name):
    result = server.run_doveadm("-f", "json", "pop3", "app-password", "list", "-u", name)
    return json.loads(result.stdout or "[]")


def verdict(server, name, password, *options):
    """(exit code, which password, label, result) of verify."""
    result = server.run_doveadm("-f", "json", "pop3", "password", "verify", "-u", name, *options,
                                data=password.encode(), check=False)
    found = json.loads(result.stdout)[0]
    return result.returncode, found["password"], found["label"], found["result"]


def contents(server, name="jane"):
    """The bytes of the file, or None."""
    try:
        with open(server.path(name), "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None


# -- set


def test_set_makes_a_user_only_if_told(idle):
    """The new file is of the owner of its folder, for nobody else; the hash is as the passdb is configured."""
    fails(idle, NO_USER, r"there is no user jane in \S+/all\.json: to make one, add --create",
          "password", "set", "-u", "jane", data=SECRET + "\n")
    assert os.listdir(idle.folder) == []
    out, errors = create(idle)
    assert "password set" in out and errors == ""
    assert limits(idle.read("jane")["password"]) == (MEMORY, PASSES)
    folder = os.stat(idle.folder)
    for path in (idle.path(), idle.path() + ".lock"):
        found = os.stat(path)
        assert (found.st_uid, found.st_gid, found.st_mode & 0o777) == (folder.st_uid, folder.st_gid, 0o600)
    assert verdict(idle, "jane", SECRET) == (0, "main", "-", "good")


def test_set_keeps_all_else(idle):
    app = AppPassword(label="phone", settings={"pop3_policy_quota": "1M/day"})
    entry = {"password": argon("old"), "enabled": False, "protocols": ["imap"], "fields": {"userdb_uid": "1"},
             "app_passwords": [app.entry]}
    idle.credentials = {"joe": {"password": argon("joe")}, "jane": entry}
    idle.write()
    say(idle, "password", "set", "-u", "jane", data=SECRET + "\n")
    found = idle.read("jane")
    assert found.pop("password") != entry.pop("password")
    assert found == entry
    assert idle.read("joe") == idle.credentials["joe"]


@pytest.mark.parametrize("data, error", [
    (b"", "there is no password"),
    (b"\n", "there is no password"),
    (b"\r\n", "there is no password"),
    (b"nul\0inside\n", "NUL"),
    pytest.param(b"x" * 513 + b"\n", "more than 512 octets", id="longer"),
    pytest.param(b"x" * 100000, "more than 512 octets", id="endless"),
    (b"K7QMX3-abcde-fghjk-mnpqr-stuvw-xyz23\n", "form of an app password"),
    (b"k7qmx3 abcde fghjk mnpqr stuvw xyz23", "form of an app password"),
])
def test_set_refuses(idle, data, error):
    create(idle)
    before = contents(idle)
    fails(idle, DATA, error, "password", "set", "-u", "jane", data=data)
    assert contents(idle) == before


@pytest.mark.parametrize("data, password", [
    (b"with blanks \n", "with blanks "), (b"no end", "no end"), (b"crlf\r\n", "crlf"), (b"first\nsecond\n", "first"),
    pytest.param(b"x" * 512 + b"\r\n", "x" * 512, id="longest"),
    ("Gr\u00fc\u00dfe".encode(), "Gr\u00fc\u00dfe"), (b"a\x03b\n", "a\x03b"),
    (b"k7qmx3-abcde-fghjk-mnpqr-stuvw-xyz2\n", "k7qmx3-abcde-fghjk-mnpqr-stuvw-xyz2"),
])
def test_set_takes_one_line(idle, data, password):
    say(idle, "password", "set", "-c", "-u", "jane", data=data)
    assert verdict(idle, "jane", password)[0] == 0
    assert verdict(idle, "jane", password[:-1] + "?")[0] == NO_PERMISSION


# -- the terminal


class Terminal:
    """doveadm as a person sees it."""

    def __init__(self, server, *words):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execvpe("doveadm", ["doveadm", "-c", server.conf, "pop3", *words], server.environment())
        self.text = ""

    def read(self, until):
        """Reads until the end (None) or a pattern."""
        limit = time.monotonic() + 20
        while until is None or not re.search(until, self.text):
            assert time.monotonic() < limit, self.text
            if not select.select([self.fd], [], [], 1)[0]:
                continue
            try:
                data = os.read(self.fd, 4096)
            except OSError:
                data = b""
            if not data:
                assert until is None, self.text
                break
            self.text += data.decode()

    def type(self, text, after):
        self.read(after)
        # the prompt comes after the terminal was told to be quiet
        os.write(self.fd, text.encode())

    def echoes(self):
        """Whether the terminal shows what is typed."""
        return bool(termios.tcgetattr(self.fd)[3] & termios.ECHO)

    def end(self):
        self.read(None)
        _, status = os.waitpid(self.pid, 0)
        os.close(self.fd)
        return os.waitstatus_to_exitcode(status)


def test_terminal_asks_twice_without_echo(idle):
    terminal = Terminal(idle, "password", "set", "-c", "-u", "jane")
    terminal.type(SECRET + "\n", r"New password of jane: ")
    terminal.type(SECRET + "\n", r"once more: ")
    assert terminal.end() == 0
    assert SECRET not in terminal.text and "password set" in terminal.text
    assert verdict(idle, "jane", SECRET)[0] == 0
    terminal = Terminal(idle, "password", "verify", "-u", "jane")
    terminal.type(SECRET + "\n", r"Password of jane: ")
    assert terminal.end() == 0
    assert SECRET not in terminal.text and "good" in terminal.text


def test_terminal_wants_the_same_twice(idle):
    terminal = Terminal(idle, "password", "set", "-c", "-u", "jane")
    terminal.type(SECRET + "\n", r"New password of jane: ")
    terminal.type(SECRET + "x\n", r"once more: ")
    assert terminal.end() == DATA
    assert SECRET not in terminal.text and "the two passwords differ" in terminal.text
    assert contents(idle) is None


@pytest.mark.parametrize("key", ["\x03", "\x04", "half\x03"])
def test_terminal_is_left_as_it_was(idle, key):
    """Who gives up by ^C or ^D can see again what is typed."""
    terminal = Terminal(idle, "password", "set", "-c", "-u", "jane")
    terminal.read("New password of jane: ")
    assert not terminal.echoes()
    terminal.type(key, "jane: ")
    terminal.read("aborted|there is no password")
    assert terminal.echoes()
    assert terminal.end() == DATA
    assert contents(idle) is None


def test_terminal_says_how_to_use_an_app_password(idle):
    """Programs are told the password and nothing else."""
    create(idle)
    assert CODE.fullmatch(add(idle, "jane"))
    terminal = Terminal(idle, "app-password", "add", "-u", "jane")
    assert terminal.end() == 0
    assert CODE.search(terminal.text) and "shown only now" in terminal.text


# -- verify


def test_verify_says_which_password_it_was(idle):
    good, old, barred, near = (AppPassword(label="phone"), AppPassword(label="old", expires=int(time.time()) - 1),
                               AppPassword(protocols=["imap"]), AppPassword(networks=["192.0.2.0/24", "2001:db8::/32"]))
    idle.credentials = {"jane": {"password": argon(SECRET), "protocols": ["imap"],
                                 "app_passwords": [app.entry for app in (good, old, barred, near)]},
                        "joe": {"password": argon(SECRET), "enabled": False, "app_passwords": [good.entry]},
                        "none": {"app_passwords": [good.entry]}}
    idle.write()
    assert verdict(idle, "jane", SECRET) == (NO_PERMISSION, "main", "-", "not for pop3")
    assert verdict(idle, "jane", SECRET, "-p", "imap") == (0, "main", "-", "good")
    assert verdict(idle, "jane", good.text.upper()) == (0, good.id, "phone", "good")
    assert verdict(idle, "jane", old.text) == (NO_PERMISSION, old.id, "old", "expired")
    assert verdict(idle, "jane", barred.text) == (NO_PERMISSION, barred.id, "", "not for pop3")
    assert verdict(idle, "jane", near.text) == (0, near.id, "", "good")
    for address, result in (("192.0.2.9", "good"), ("2001:db8::1", "good"), ("192.0.3.1", "not from this address")):
        assert verdict(idle, "jane", near.text, "-a", address)[3] == result
    assert verdict(idle, "jane", good.id + near.secret) == (NO_PERMISSION, "-", "-", "wrong")
    assert verdict(idle, "joe", SECRET) == (NO_PERMISSION, "main", "-", "disabled")
    assert verdict(idle, "joe", good.text) == (NO_PERMISSION, good.id, "phone", "disabled")
    assert verdict(idle, "none", SECRET) == (NO_PERMISSION, "-", "-", "wrong")
    fails(idle, NO_USER, "there is no user nobody", "password", "verify", "-u", "nobody", data="x\n")
    fails(idle, DATA, "bogus is no address", "password", "verify", "-a", "bogus", "-u", "jane", data="x\n")


@pytest.mark.parametrize("make", [
    argon2i, scrypt,
    lambda password: "{ARGON2ID}" + argon(password),
    lambda password: dovecot_hash("SHA512-CRYPT", password),
    lambda password: dovecot_hash("SHA512-CRYPT", password).replace("{SHA512-CRYPT}", ""),
    lambda password: dovecot_hash("SSHA256", password),
    lambda password: dovecot_hash("BLF-CRYPT", password, "-r", "5"),
    lambda password: dovecot_hash("PBKDF2", password),
], ids=["argon2i", "scrypt", "argon2id-scheme", "sha512-crypt", "crypt", "ssha256", "bcrypt", "pbkdf2"])
def test_verify_knows_all_hashes(idle, make):
    idle.credentials = {"jane": {"password": make(SECRET)}}
    idle.write()
    assert verdict(idle, "jane", SECRET) == (0, "main", "-", "good")
    assert verdict(idle, "jane", SECRET + "x") == (NO_PERMISSION, "-", "-", "wrong")


@pytest.mark.parametrize("text, error", [
    ("{SHA512-CRYPT}$6$rounds=999999999$abcdefgh$" + "x" * 86, "999999999"),
    ("$argon2id$v=19$m=4194304,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$" + "A" * 43, "4294967296"),
    ("{NONESUCH}x", "NONESUCH"),
])
def test_verify_bounds(idle, text, error):
    """What asks for too much is not computed, and no right or wrong is told."""
    idle.credentials = {"jane": {"password": text}}
    idle.write()
    fails(idle, TEMPORARY, error, "password", "verify", "-u", "jane", data=SECRET)


# -- disable, enable, remove


def test_disable_and_enable_take_effect_at_once(live, user):
    """Also for a login that the cache of auth would let in."""
    live.set_prefetch(user)
    say(live, "password", "set", "-u", user.name, data=SECRET + "\n")
    code = add(live, user.name)
    assert [live.login_reply(user, password) for password in (SECRET, code)] == [OK, OK]
    for action, again, reply in (("disable", "was disabled already", FAILED), ("enable", "was enabled already", OK)):
        before = contents(live, user.name)
        out, _ = say(live, "password", action, "-u", user.name)
        assert action + "d" in out and again not in out
        assert contents(live, user.name) != before
        after = contents(live, user.name)
        out, _ = say(live, "password", action, "-u", user.name)
        assert again in out
        assert contents(live, user.name) == after
        for password in (SECRET, code, SECRET):
            assert live.login_reply(user, password) == reply


def test_set_takes_effect_at_once(live, user):
    assert live.login_reply(user, dovecot_conf.PASSWORD) == OK
    say(live, "password", "set", "-u", user.name, data=SECRET + "\n")
    assert live.login_reply(user, dovecot_conf.PASSWORD) == FAILED
    assert live.login_reply(user, SECRET) == OK


def test_remove(live, user):
    assert live.login_reply(user, dovecot_conf.PASSWORD) == OK
    out, _ = say(live, "password", "remove", "-u", user.name)
    assert "removed" in out
    assert live.login_reply(user, dovecot_conf.PASSWORD) == FAILED
    fails(live, NO_USER, "there is no user " + user.name, "password", "remove", "-u", user.name)


@pytest.mark.parametrize("words", [
    ["password", "disable"], ["password", "enable"], ["password", "remove"], ["app-password", "add"],
    ["app-password", "list"], ["app-password", "revoke", "k7qmx3"],
])
def test_unknown_user(idle, words):
    """Neither without a file nor in one; no file is left behind."""
    fails(idle, NO_USER, "there is no user jane in " + re.escape(idle.path()), *words, "-u", "jane")
    assert os.listdir(idle.folder) == []
    create(idle, "joe")
    before = contents(idle)
    fails(idle, NO_USER, "there is no user jane in " + re.escape(idle.path()), *words, "-u", "jane")
    assert contents(idle) == before
    fails(idle, USAGE, "-u USER", *words)


# -- app passwords


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


def test_list_is_a_table(idle):
    create(idle)
    add(idle, "jane", "-l", "phone", "-n", str(ipaddress.ip_network("192.0.2.0/24")))
    out, errors = say(idle, "app-password", "list", "-u", "jane")
    assert errors == "" and "Last used" in out.splitlines()[0] and "phone" in out.splitlines()[1]


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


@pytest.mark.parametrize("text, mode, error", [
    ("{", 0o600, r"all\.json: .*line"), ("", 0o600, r"all\.json"), ('{"version":2,"users":{}}', 0o600, "version"),
    ('{"version":1,"users":{}}', 0o644, "has mode 0644"),
])
def test_broken_file_is_left_alone(idle, text, mode, error):
    idle.write_text(idle.path(), text, mode)
    for words in (["password", "set", "-c"], ["password", "remove"], ["app-password", "add"], ["app-password", "list"]):
        fails(idle, TEMPORARY, error, *words, "-u", "jane", data=SECRET)
    assert contents(idle).decode() == text


def test_waits_for_other_writers(idle):
    create(idle)
    with open(idle.path() + ".lock", "a", encoding="utf-8") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX)
        waiting = subprocess.Popen(["doveadm", "-c", idle.conf, "pop3", "password", "disable", "-u", "jane"],
                                   env=idle.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(1)
        assert waiting.poll() is None
        assert idle.read("jane")["enabled"]
    out, errors = waiting.communicate(timeout=20)
    assert waiting.returncode == 0 and b"disabled" in out, errors
    assert not idle.read("jane")["enabled"]


def test_gives_up_waiting(idle):
    create(idle)
    with open(idle.path() + ".lock", "a", encoding="utf-8") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX)
        start = time.monotonic()
        fails(idle, TEMPORARY, re.escape(idle.path()) + r"\.lock", "password", "disable", "-u", "jane")
        assert 8 < time.monotonic() - start < 15


def test_no_secret_is_seen(live, user):
    """Neither among the arguments of any process nor in what is said and logged, also with -D."""
    start = live.log_size()
    process = subprocess.Popen(["doveadm", "-D", "-c", live.conf, "pop3", "password", "set", "-u", user.name],
                               env=live.environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    arguments = b""
    process.stdin.write(SECRET.encode())
    process.stdin.flush()
    time.sleep(0.2)
    with open("/proc/%d/cmdline" % process.pid, "rb") as file:
        arguments += file.read()
    out, errors = process.communicate(b"\n", timeout=20)
    assert process.returncode == 0, errors
    result = live.run_doveadm("-D", "pop3", "app-password", "add", "-u", user.name)
    code = result.stdout.decode().strip()
    live.run_doveadm("-D", "pop3", "app-password", "list", "-u", user.name)
    said = arguments + out + errors + result.stderr + live.log_from(start).encode()
    for secret in (SECRET, code, code[7:], code[7:].replace("-", ""), "$argon2id$"):
        assert secret.encode() not in said


def test_killed_writer_leaves_a_whole_file(idle):
    """A signal at any time: the old file or the new one."""
    create(idle)
    for at in range(8):
        process = subprocess.Popen(["doveadm", "-c", idle.conf, "pop3", "app-password", "add", "-u", "jane"],
                                   env=idle.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.01 * at)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert idle.read("jane")["password"]
    count = len(idle.read("jane").get("app_passwords", []))
    add(idle, "jane")
    assert len(idle.read("jane")["app_passwords"]) == count + 1
