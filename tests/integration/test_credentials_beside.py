# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Credential files beside other databases, and with real clients and other mechanisms than PLAIN."""

import base64
import hashlib
import hmac
import json
import os
import re

import pytest

import dovecot_conf
import mailgen
from clients import CLIENTS
from conftest import running, user_maker
from credentials import FAILED, TEMPORARY, USUAL, CredentialServer, argon, argon2i
from polling import wait_for

RIGHT = dovecot_conf.PASSWORD


@pytest.fixture(scope="module")
def server(memory_disk):
    with running(CredentialServer()) as found:
        yield found


@pytest.fixture
def user(server, request):
    return user_maker(server, request)()


# -- other databases


def passwd_file(root, name, *users):
    path = os.path.join(root, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write("".join("%s:{PLAIN}%s-word::::\n" % (user, user) for user in users))
    os.chmod(path, 0o644)
    return path


@pytest.fixture(scope="module")
def masters(memory_disk):
    """Somebody else's passwords: a master user before our file, and a user behind it."""
    def before(root):
        return dovecot_conf.file_passdb(passwd_file(root, "masters", "boss"), master=True)

    def after(root):
        return dovecot_conf.file_passdb(passwd_file(root, "others", "behind", "both"))

    with running(CredentialServer(before=before, after=after, extra="auth_master_user_separator = *\n")) as found:
        yield found


def as_master(user, password):
    """What the master user is told who logs in as a user."""
    with user.connect() as pop3:
        return pop3.login(user.name + "*boss", password).text


def test_master_user(masters, make_user_on):
    """A master user of another database logs in as a user, as without our file."""
    user = make_user_on(masters)()
    assert as_master(user, "boss-word").startswith("+OK")
    assert as_master(user, RIGHT) == FAILED
    assert masters.replies((user, "boss-word"), (user, RIGHT)) == [FAILED, "+OK Logged in."]


def test_master_user_of_known_users(start_credentials, make_user_on):
    """A site may let master users log in only as users that our file knows and who are not disabled. What the cache of
    auth keeps lets nobody else in."""
    server = start_credentials(extra="auth_master_user_separator = *\n", cache="1M", before=lambda root: (
        dovecot_conf.file_passdb(passwd_file(root, "masters", "boss"), master=True, go_on=True)))
    user, disabled, unknown = (make_user_on(server)() for _ in range(3))
    server.set(disabled.name, enabled=False)
    server.drop(unknown.name)
    for _ in range(2):
        assert as_master(user, "boss-word").startswith("+OK")
        assert not as_master(disabled, "boss-word").startswith("+OK")
        assert not as_master(unknown, "boss-word").startswith("+OK")
        assert server.replies((user, "boss-word"), (user, RIGHT)) == [FAILED, "+OK Logged in."]
        assert as_master(user, RIGHT) == FAILED


def test_password_that_another_database_has_checked(start_credentials, make_user_on):
    """Our file has to know the user then, and the password is not remembered as one of ours."""
    server = start_credentials(cache="1M", before=lambda root: (
        dovecot_conf.file_passdb(passwd_file(root, "others"), go_on=True)))
    user, unknown = make_user_on(server)(), make_user_on(server)()
    server.drop(unknown.name)
    path = passwd_file(server.root, "others", user.name, unknown.name)
    os.utime(path, (1, 1))
    # 2.4 looks once in a second
    wait_for(lambda: server.login_reply(user, user.name + "-word").startswith("+OK"), "a password of the other file")
    assert server.replies((user, RIGHT), (unknown, unknown.name + "-word")) == ["+OK Logged in.", FAILED]
    passwd_file(server.root, "others")
    os.utime(path, (2, 2))
    wait_for(lambda: server.login_reply(user, user.name + "-word") == FAILED, "its end")
    assert server.login_reply(user, RIGHT).startswith("+OK")


def test_file_of_those_who_are_denied(start_credentials, make_user_on):
    """With Dovecot's deny = yes all users of the file are kept out, and nobody else is."""
    server = start_credentials(more="  deny = yes\n", after=lambda root: dovecot_conf.static_passdb())
    user, other = make_user_on(server)(), make_user_on(server)()
    server.set(user.name, password=argon("x"))
    server.drop(other.name)
    assert server.replies((user, RIGHT), (user, "x"), (other, RIGHT)) == [FAILED, FAILED, "+OK Logged in."]


def test_database_behind(masters, make_user_on):
    """It is asked for unknown users, and for wrong passwords; not for who is disabled and has the right password."""
    behind, both = masters.user("behind"), masters.user("both")
    masters.drop("behind")
    assert masters.login_reply(behind, "behind-word").startswith("+OK")
    assert masters.login_reply(behind, "x") == FAILED
    assert masters.login_reply(both, RIGHT).startswith("+OK")
    assert masters.login_reply(both, "both-word").startswith("+OK")
    masters.set("both", enabled=False)
    assert masters.login_reply(both, RIGHT) == FAILED
    assert masters.login_reply(both, "both-word").startswith("+OK")


def test_broken_file_before_another_database(masters):
    """While our file cannot be read, the users of the other one get in, and the rest is told to come again."""
    behind = masters.user("behind")
    masters.drop("behind")
    masters.kill_workers()
    masters.write_text(masters.path(), "{")
    assert masters.login_reply(behind, "behind-word").startswith("+OK")
    assert masters.login_reply(behind, "x").startswith(TEMPORARY)


# -- fields of the admin


@pytest.mark.parametrize("cache", ["0", "1M"])
def test_password_is_that_of_the_name_that_was_typed(start_credentials, make_user_on, cache):
    """Also where the admin says that all logins are for one user: the password of that one opens no other door."""
    server = start_credentials(cache=cache, more=dovecot_conf.passdb_fields(user="shared"))
    user, unknown = make_user_on(server)(), make_user_on(server)()
    shared = server.user("shared")
    server.set(user.name, password=argon("own"))
    app = server.add_app(user.name)
    other = server.add_app(shared.name)
    server.drop(unknown.name)
    for _ in range(2):
        assert server.replies((user, "own"), (user, app.text), (shared, RIGHT)) == ["+OK Logged in."] * 3
        assert server.replies((user, RIGHT), (user, other.text), (unknown, RIGHT), (unknown, "x")) == [FAILED] * 4
    server.set(user.name, enabled=False)
    server.flush(user.name)
    assert server.replies((user, "own"), (user, app.text), (shared, RIGHT)) == [FAILED] * 2 + ["+OK Logged in."]


def test_last_use_is_that_of_the_name_that_was_typed(start_credentials, make_user_on):
    """So is a hash that is raised to the limits."""
    server = start_credentials(more=dovecot_conf.passdb_fields(user="shared"))
    user = make_user_on(server)()
    shared = server.user("shared")
    server.set(user.name, password=argon2i(RIGHT))
    assert server.login_reply(user, RIGHT).startswith("+OK")
    server.settle()
    with open(server.path() + ".used", encoding="utf-8") as file:
        assert {json.loads(line)["user"] for line in file} == {user.name}
    assert server.read(user.name)["password"].startswith("$argon2id$")
    assert server.read(shared.name)["password"] == USUAL


@pytest.mark.parametrize("cache", ["0", "1M"])
def test_fields_of_the_admin(start_credentials, make_user_on, cache):
    """They are those of all logins, also of the ones that the cache knows; what the file says of a user wins. Who looks
    a user up gets them, too."""
    server = start_credentials(cache=cache, more=dovecot_conf.passdb_fields(
        user="shared", allow_nets="192.0.2.0/24", userdb_one="admin", userdb_two="admin"))
    server.user("shared")
    user = make_user_on(server)()
    server.set(user.name, fields={"userdb_two": "file"})
    app = server.add_app(user.name)
    for password in (RIGHT, app.text) * 2:
        assert not server.auth(user, password, rip="198.51.100.1").ok
        found = server.auth(user, password, rip="192.0.2.1", action="login")
        assert found.ok and [found.fields.get("one"), found.fields.get("two")] == ["admin", "file"]
        assert found.fields["user"] == "shared"
    assert re.search(r"\buser *: shared", server.doveadm("auth", "lookup", "-x", "rip=192.0.2.1", user.name))


def test_fields_of_the_admin_by_the_address(start_credentials, make_user_on):
    """The cache does not give one client what belongs to another one."""
    variable = "%r" if dovecot_conf.LINE == "2.3" else "%{remote_ip}"
    server = start_credentials(cache="1M", more=dovecot_conf.passdb_fields(userdb_from=variable))
    user = make_user_on(server)()
    for rip in ("192.0.2.1", "192.0.2.2") * 2:
        assert server.auth(user, RIGHT, rip=rip, action="login").fields["from"] == rip


def test_wrong_fields_of_the_admin(start_credentials, make_user_on):
    """Nobody gets in without them, and the log says why. A wrong password is answered as always."""
    wrong = "%{wrong:x}" if dovecot_conf.LINE == "2.3" else "%{wrong}"
    server = start_credentials(more=dovecot_conf.passdb_fields(userdb_one=wrong))
    user = make_user_on(server)()
    start = server.log_size()
    assert server.login_reply(user, RIGHT).startswith(TEMPORARY)
    server.wait_auth_lines(user, "Error.*[Ff]ailed to expand.*wrong", start=start)
    assert server.login_reply(user, "x") == FAILED


# -- real clients


@pytest.mark.parametrize("name", ["curl", "fetchmail"])
def test_real_client(server, user, name):
    """It brings its mail home with an app password, and nothing with a wrong one."""
    folder = os.path.join(server.root, "client-" + user.name)
    user.append(mailgen.messages(2, 500))
    app = server.add_app(user.name)
    for password, count in ((app.text.replace("-", "") + "a", 0), (app.text, 2)):
        user.password = password
        client = CLIENTS[name](user, folder, keep=True)
        assert len(client.fetch()) == count, client.output
    user.password = RIGHT


# -- mechanisms that need the clear text


def cram_md5(user):
    with user.connect() as pop3:
        pop3.send(b"AUTH CRAM-MD5\r\n")
        challenge = base64.b64decode(pop3.read_line()[2:])
        digest = hmac.new(RIGHT.encode(), challenge, "md5").hexdigest()
        pop3.send(base64.b64encode(("%s %s" % (user.name, digest)).encode()) + b"\r\n")
        return pop3.read_line().decode().rstrip()


def apop(user):
    with user.connect() as pop3:
        challenge = pop3.banner[pop3.banner.rindex(b"<"):].strip()
        digest = hashlib.md5(challenge + RIGHT.encode()).hexdigest()
        pop3.send(("APOP %s %s\r\n" % (user.name, digest)).encode())
        return pop3.read_line().decode().rstrip()


@pytest.mark.parametrize("known", [True, False])
def test_mechanisms_that_need_clear_text(start_credentials, make_user_on, known):
    """They fail, for whom does not matter, and the log says why."""
    server = start_credentials(extra="auth_mechanisms = plain apop cram-md5\n", cache="1M")
    user = make_user_on(server)()
    if not known:
        server.drop(user.name)
    for name, login in (("CRAM-MD5", cram_md5), ("APOP", apop)):
        # the cache of the password does not make it work either
        assert not known or server.login_reply(user, RIGHT).startswith("+OK")
        start = server.log_size()
        assert login(user) == FAILED
        server.wait_auth_lines(user, "Warning.*mechanism %s needs passwords in the clear, but only hashes of them are "
                                     "stored" % name, start=start)
        assert not server.auth_lines(user, "Error|Panic|Fatal", start)


def test_lookups_without_password(server, user):
    """doveadm auth lookup knows the user and the fields, but no password."""
    server.set_prefetch(user)
    found = server.doveadm("auth", "lookup", user.name)
    assert re.search(r"\buser *: " + re.escape(user.name), found)
    assert "$argon" not in found and "password=" not in found
    server.drop(user.name)
    assert server.run_doveadm("auth", "lookup", user.name, check=False).returncode != 0
