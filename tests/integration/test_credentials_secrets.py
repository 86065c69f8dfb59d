# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""No secret is written down anywhere, whatever the logs are asked to say, and none of ours stays in memory. What
Dovecot keeps is not ours: the lines of requests in the buffers of auth and of its workers, the requests themselves
until others take their place in memory, and what doveadm is about to print. Neither is auth_debug_passwords, by which
an admin asks for passwords in the log. Memory is read as it is in the running process: all that a core file has."""

import os
import re
import secrets
import time

import pytest

import leaks
from auth_client import AuthClient, one_worker, settle
from conftest import running, user_maker
from credentials import ID_LEN, MEMORY, AppPassword, CredentialServer, argon, dovecot_hash

pytestmark = pytest.mark.native

ALL = "auth_debug = yes\nauth_verbose = yes\nmail_debug = yes\nlog_debug = category=auth OR category=mail OR event=*\n"
HASH = re.compile(rb"\$(?:argon2|7\$|6\$|2y\$)[^\s\"]{8,}|\{(?:SSHA|SHA|CRYPT|BLF)[^}]*\}[A-Za-z0-9+/$]{8,}")


@pytest.fixture(scope="module")
def server(memory_disk):
    with running(CredentialServer(cache="1M", extra=ALL)) as found:
        yield found


@pytest.fixture
def user(server, request):
    return user_maker(server, request)()


def word():
    """A password that has something to quote, for any way to write it down."""
    return "Pa55 %%=+/:%s" % secrets.token_hex(10)




# -- what is written


class Story:
    """Everything that can be done with passwords; remembers them all."""

    def __init__(self, server, user):
        self.server, self.user = server, user
        self.secrets = []
        self.said = b""

    def secret(self, text=None):
        text = text or word()
        self.secrets.append(text)
        return text

    def app(self, **members):
        app = self.server.add_app(self.user.name, **members)
        self.secrets += [app.text, app.secret]
        return app

    def pop3(self, password, name=None):
        with self.user.connect() as pop3:
            reply = pop3.login(name or self.user.name, password)
            self.said += reply.line
            if reply.ok:
                pop3.quit()
        return reply.ok

    def plain(self, password):
        """By one line of base64, as most clients do."""
        with AuthClient(self.server) as client:
            return client.login(self.user.name, password).ok

    def doveadm(self, *words, data=""):
        result = self.server.run_doveadm("-Dv", "pop3", *words, data=data.encode(), check=False)
        # what is printed is for who asks
        self.said += result.stderr
        return result

    def logins(self):
        main = self.secret()
        self.server.set(self.user.name, password=argon(main))
        phone = self.app(label="phone", settings={"pop3_policy_quota": "5M/day"})
        old = self.app(expires=int(time.time()) - 60)
        far = self.app(networks=["192.0.2.0/24"])
        barred = self.app(protocols=["imap"])
        for login in (self.pop3, self.plain):
            for _ in range(2):
                assert login(main) and login(phone.text)
            for wrong in (self.secret(), old.text, barred.text, self.secret(old.id + AppPassword().secret),
                          self.secret(AppPassword().text)):
                assert not login(wrong)
        assert not self.pop3(far.text)
        assert self.server.auth(self.user, far.text, rip="192.0.2.7").ok
        assert not self.server.auth(self.user, self.secret()).ok
        assert not self.pop3(self.secret(), "nobody")
        with self.user.connect() as pop3:
            pop3.command(pop3.apop_command(self.user.name, main))
        self.server.set(self.user.name, enabled=False)
        self.server.flush(self.user.name)
        assert not self.pop3(main)
        self.server.set(self.user.name, enabled=True, protocols=["imap"])
        assert not self.pop3(main)
        self.server.set(self.user.name, protocols=None)

    def upgrades(self):
        """Old hashes are replaced; some cannot be, and some ask for too much."""
        for make in (lambda text: dovecot_hash("SSHA512", text), lambda text: argon(text, memory=1 << 20)):
            main = self.secret()
            self.server.set(self.user.name, password=make(main))
            assert self.plain(main)
            settle(self.server)
        main = self.secret()
        self.server.set(self.user.name, password=dovecot_hash("SSHA512", main))
        os.chmod(self.server.folder, 0o500)
        assert self.plain(main)
        settle(self.server)
        os.chmod(self.server.folder, 0o700)
        for text in ("{NONSENSE}" + secrets.token_hex(20), "{SHA512-CRYPT}" + secrets.token_hex(20),
                     "$argon2id$v=19$m=9999999,t=9,p=1$%s$%s" % ("c" * 22, "d" * 43)):
            self.server.set(self.user.name, password=text)
            assert not self.plain(self.secret())

    def broken_files(self):
        main = self.secret()
        self.server.set(self.user.name, password=argon(main))
        with open(self.server.path(), encoding="utf-8") as file:
            text = file.read()
        # in the middle of a hash, and a secret where none should be
        stray = self.secret()
        for broken in (text[:text.index("$argon2") + 40],
                       text.replace('"password":', '"password":"%s","x":' % stray, 1),
                       text.replace('"password":"', '"password" "' + stray, 1)):
            self.server.write_text(self.server.path(), broken)
            self.server.kill_workers()
            self.plain(main)
            self.plain(self.secret())
            self.doveadm("password", "verify", "-u", self.user.name, data=main + "\n")
        self.server.write_text(self.server.path(), text, 0o644)
        self.plain(main)
        self.server.write_text(self.server.path(), text)
        assert self.plain(main)

    def commands(self):
        name, main = self.user.name, self.secret()
        assert self.doveadm("password", "set", "-u", name, data=main + "\n").returncode == 0
        for typed in (main, self.secret()):
            self.doveadm("password", "verify", "-u", name, data=typed + "\n")
        result = self.doveadm("app-password", "add", "-u", name, "--label", "by hand")
        assert result.returncode == 0, result.stderr
        code = result.stdout.decode().strip()
        self.secrets += [code, code.replace("-", "")[ID_LEN:]]
        assert self.plain(code)
        self.doveadm("password", "verify", "-u", name, data=code + "\n")
        self.doveadm("app-password", "list", "-u", name)
        self.doveadm("app-password", "revoke", "-u", name, code[:ID_LEN])
        path = os.path.join(self.server.root, "passwd")
        with open(path, "w", encoding="utf-8") as file:
            file.write("imported:%s::::\n" % dovecot_hash("SHA512-CRYPT", self.secret(), "-r", "1000"))
            file.write("clear:{PLAIN}%s::::\n" % self.secret(secrets.token_hex(12)))
            file.write("broken:{SSHA512}%s::::\n" % secrets.token_hex(12))
        self.doveadm("password", "import", path)
        os.unlink(path)


@pytest.fixture
def story(server, user):
    found = Story(server, user)
    found.logins()
    found.upgrades()
    found.commands()
    found.broken_files()
    server.stop()
    yield found
    server.start()


def test_no_secret_is_written(server, story):
    """Neither to a log, nor to any file of the server, nor to the screen; and no hash but to credential files."""
    files = dict(leaks.files_below(server.root))
    log = files[server.log_path]
    # there was something to find, and the log says all
    assert re.search(rb"Debug: .*auth", log) and any("credentials" in path for path in files)
    assert len(story.secrets) > 20
    for path, data in [*files.items(), ("the screen and clients", story.said)]:
        assert leaks.found_in(data, story.secrets) == [], path
        if not path.startswith(server.folder):
            assert HASH.findall(data) == [], path
    assert HASH.search(b"".join(data for path, data in files.items() if path.startswith(server.folder)))
    used = [data for path, data in files.items() if path.endswith(".used")]
    assert used and not any(HASH.search(data) for data in used)


def test_forms_of_a_secret():
    """What the test above looks for would be found."""
    text = "Pa55 %=+/word"
    for data in (text.encode(), b"x=" + text.encode().hex().encode(), b"Pa55%20%25%3D%2B%2Fword", *leaks.base64_forms(
            text.encode())):
        assert leaks.found_in(b"before " + data + b" after", [text]) == [text]
    for before in ("", "a", "ab"):
        data = leaks.base64.b64encode(("\0" + before + "\0" + text).encode())
        assert leaks.found_in(data, [text]) == [text]
    assert leaks.found_in(b"Pa55 %=+/wor", [text]) == []


# -- what is in memory


def auth_memory(server):
    return {pid: leaks.memory(pid) for pid in server.children("auth")}


def test_secret_of_a_code_is_wiped(server, user):
    """It is taken out of what was typed, which only we do: nothing is left of it a moment after the login, right or
    wrong, from the cache or not, and with a new hash made of it."""
    good, old = server.add_app(user.name), AppPassword()
    old.entry["hash"] = argon(old.secret, memory=1 << 20)
    server.add_app(user.name, old)
    wrong = AppPassword()
    with one_worker(server) as (client, pid):
        for typed, ok in ((good.text, True), (old.text, True), (good.text, True), (wrong.text, False),
                          ((good.id + wrong.text[ID_LEN:]), False)):
            assert client.login(user.name, typed.upper().replace("-", " - ")).ok == ok
            settle(server)
            for found in auth_memory(server).values():
                assert [app.secret for app in (good, old, wrong) if app.secret.encode() in found] == []
        # the hash is there: it was looked at the right place
        assert good.entry["hash"].encode() in leaks.memory(pid)


@pytest.mark.parametrize("hashed", ["new", "old"])
def test_main_password_is_gone(server, user, hashed):
    """When Dovecot has used its memory for other logins nothing is left of a password, right or wrong, but the lines in
    its input buffers."""
    right, wrong = word(), word()
    server.set(user.name, password=argon(right, memory=MEMORY if hashed == "new" else 1 << 20))
    with one_worker(server) as (client, pid):
        client.login(user.name, "x" * 300)
        assert client.login(user.name, right).ok
        assert not client.login(user.name, wrong).ok
        for _ in range(3):
            # as long as they are
            assert not client.login(user.name, word()).ok
        settle(server)
        assert b"\tuser=%s\t" % user.name.encode() in leaks.memory(pid)
        for found in auth_memory(server).values():
            assert leaks.found_in(leaks.without_requests(found), [right, wrong]) == []


def command(server, *words):
    return ["doveadm", "-c", server.conf, "pop3", *words]


def test_command_wipes_what_is_typed(server, user):
    """The password is gone from the memory of doveadm when it goes on with the hash."""
    text = word()
    result, found = leaks.memory_at("fcntl", command(server, "password", "set", "-u", user.name), text.encode() + b"\n",
                                    server.environment(), server.path() + ".lock")
    assert result.returncode == 0, result
    assert user.name.encode() in found
    assert leaks.found_in(found, [text]) == []
    server.flush(user.name)
    assert server.auth(user, text).ok


def at_output(server, path, *words, data=b""):
    """What a command has in memory when it writes what it has to say, which it does at its end."""
    text = "exec %s > %s" % (" ".join(command(server, *words)), path)
    return leaks.memory_at("write,writev", ["sh", "-c", text], data, server.environment(), path)[1]


@pytest.mark.parametrize("which", ["main", "app", "wrong"])
def test_command_wipes_what_it_checks(server, user, tmp_path, which):
    """Also before it says whether it is the right one."""
    text, app = word(), server.add_app(user.name)
    server.set(user.name, password=argon(text))
    typed = {"main": text, "app": app.text.upper(), "wrong": word()}[which]
    out = tmp_path / "out"
    found = at_output(server, str(out), "password", "verify", "-u", user.name, data=typed.encode() + b"\n")
    assert ("wrong" in out.read_text()) == (which == "wrong")
    assert user.name.encode() in found
    assert leaks.found_in(found, [typed, app.secret]) == []


def test_command_wipes_what_it_made_up(server, user, tmp_path):
    """Of the new code there is only what Dovecot is about to print."""
    out = tmp_path / "out"
    found = at_output(server, str(out), "app-password", "add", "-u", user.name)
    code = out.read_text().strip()
    assert re.fullmatch(r"\w{6}(-\w{5}){5}", code)
    assert user.name.encode() in found
    assert found.count(code.encode()) == found.count(code.encode() + b"\n") == 1
    found = found.replace(code.encode(), b"")
    assert leaks.found_in(found, [code, code.replace("-", "")[ID_LEN:], code[ID_LEN + 1:]]) == []
    assert server.auth(user, code).ok
