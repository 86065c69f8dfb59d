# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""doveadm pop3 password: what it writes, what it says, and that no secret is seen."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

import pytest

import dovecot_conf
from credential_commands import (CODE, DATA, NO_PERMISSION, NO_USER, OK, SECRET, TEMPORARY, USAGE, add, contents,
                                 create, fails, idle, live, say, user, verdict)
from credentials import FAILED, MEMORY, PASSES, AppPassword, argon, argon2i, dovecot_hash, limits, scrypt
from polling import wait_for


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


def test_lock_left_by_root(idle):
    """A command that was killed before it gave its lock file away has shut out auth, until the next command; what else
    of root's may be there is not given to anybody."""
    lock, other = idle.path() + ".lock", idle.path() + ".other"
    folder = os.stat(idle.folder)
    for left, owner in ((b"", folder.st_uid), (b"text", 0), (None, 0)):
        with open(lock, "wb") as file:
            file.write(left or b"")
        if left is None:
            os.link(lock, other)
        create(idle)
        assert os.stat(lock).st_uid == owner
        os.unlink(lock)


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


# -- trouble


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


def unread(pipe):
    """Octets that the other side has not taken yet."""
    return struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, b"\0" * 4))[0]


def test_no_secret_is_seen(live, user):
    """Neither among the arguments of any process nor in what is said and logged, also with -D."""
    start = live.log_size()
    process = subprocess.Popen(["doveadm", "-D", "-c", live.conf, "pop3", "password", "set", "-u", user.name],
                               env=live.environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    arguments = b""
    process.stdin.write(SECRET.encode())
    process.stdin.flush()
    wait_for(lambda: not unread(process.stdin), "doveadm to read the password")
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
    begun = time.monotonic()
    add(idle, "jane")
    needed = time.monotonic() - begun
    for at in range(24):
        process = subprocess.Popen(["doveadm", "-c", idle.conf, "pop3", "app-password", "add", "-u", "jane"],
                                   env=idle.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(1.1 * needed * at / 23)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert idle.read("jane")["password"]
    count = len(idle.read("jane").get("app_passwords", []))
    add(idle, "jane")
    assert len(idle.read("jane")["app_passwords"]) == count + 1
