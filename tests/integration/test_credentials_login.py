# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Who gets in with which password, and what clients and the log are told."""

import imaplib
import time

import pytest

import dovecot_conf
from conftest import running, user_maker
from credentials import EXPIRED, FAILED, AppPassword, CredentialServer, argon

RIGHT = dovecot_conf.PASSWORD


@pytest.fixture(scope="module")
def server(memory_disk):
    with running(CredentialServer()) as found:
        yield found


@pytest.fixture
def user(server, request):
    return user_maker(server, request)()


def gets_in(user, password):
    return user.server.login_reply(user, password).startswith("+OK")


def imap_gets_in(user, password):
    imap = imaplib.IMAP4("127.0.0.1", user.server.ports["imap"])
    try:
        imap.login(user.name, password)
    except imaplib.IMAP4.error:
        return False
    finally:
        imap.logout()
    return True


# -- the main password


def test_main_password(server, user):
    """It is good for everything, and nothing else is."""
    assert gets_in(user, RIGHT)
    assert imap_gets_in(user, RIGHT)
    assert server.auth(user, RIGHT, protocol="submission", rip="192.0.2.7").ok
    wrong = (RIGHT + "x", RIGHT[:-1], RIGHT.upper(), " " + RIGHT, "x", user.name)
    assert server.replies(*[(user, word) for word in wrong]) == [FAILED] * 6
    assert not imap_gets_in(user, "x")
    assert not server.auth(user, "x", protocol="submission").ok


def test_wrong_password_in_log(server, user):
    start = server.log_size()
    assert server.login_reply(user, "x") == FAILED
    server.wait_auth_lines(user, "Password mismatch", start=start)
    server.wait_login_line(user, "auth failed", start)


def test_unknown_user(server, user):
    """They are told what a wrong password is told; only the log knows."""
    server.drop(user.name)
    start = server.log_size()
    assert server.login_reply(user, RIGHT) == FAILED
    server.wait_auth_lines(user, "unknown user", start=start)
    assert not server.auth_lines(user, "mismatch", start)
    server.wait_login_line(user, "auth failed", start)


def test_new_user_is_known_at_once(server, user):
    """Also to a server that has just been asked for them: what is not there is not remembered."""
    server.drop(user.name)
    assert server.login_reply(user, RIGHT) == FAILED
    server.set(user.name, password=argon("new"))
    assert gets_in(user, "new")
    assert not gets_in(user, RIGHT)


def test_changed_password_without_cache(server, user):
    assert gets_in(user, RIGHT)
    server.set(user.name, password=argon("new"))
    assert server.login_reply(user, RIGHT) == FAILED
    assert gets_in(user, "new")


def test_odd_passwords(server, user):
    for password in ("p" * 500, "\u00fc\u20ac pass word", "%u %d %{user}", "$argon2id$", "{PLAIN}x"):
        server.set(user.name, password=argon(password))
        assert server.auth_all((user, password), (user, password + "x")) == [True, False], password


def test_hash_is_no_password(server, user):
    """What the file has gets nobody in."""
    app = server.add_app(user.name)
    texts = (server.read(user.name)["password"], app.entry["hash"], app.id, app.secret)
    assert not any(server.auth_all(*[(user, text) for text in texts]))


# -- app passwords


FORMS = {
    "as printed": lambda text: text,
    "upper case": str.upper,
    "with spaces": lambda text: text.replace("-", " "),
    "in one": lambda text: text.replace("-", ""),
    "spaces around": lambda text: "  " + text.upper().replace("-", " - ") + " ",
}


@pytest.mark.parametrize("form", FORMS)
def test_app_password(server, user, form):
    """It is good in each way that a user may type it, and the main password is, too."""
    server.add_app(user.name)
    app = server.add_app(user.name)
    assert gets_in(user, FORMS[form](app.text))
    assert imap_gets_in(user, FORMS[form](app.text))
    assert server.auth(user, FORMS[form](app.text), protocol="submission").ok
    assert gets_in(user, RIGHT)


def other_letter(letter):
    return "b" if letter == "a" else "a"


def test_wrong_app_passwords(server, user, request):
    app = server.add_app(user.name)
    other = user_maker(server, request)()
    others = server.add_app(other.name)
    start = server.log_size()
    wrong = [app.id + other_letter(app.secret[0]) + app.secret[1:],
             app.text[:-1] + other_letter(app.text[-1]),
             other_letter(app.id[0]) + app.text[1:],
             app.id + others.secret, others.text, app.text + "a", app.text[:-1], app.text + "!"]
    assert server.replies(*[(user, text) for text in wrong]) == [FAILED] * len(wrong)
    server.wait_auth_lines(user, "mismatch", len(wrong), start)
    assert gets_in(user, app.text)


def test_revoked_app_password(server, user):
    app, left = server.add_app(user.name), server.add_app(user.name)
    assert gets_in(user, app.text)
    server.drop_app(user.name, app)
    assert server.login_reply(user, app.text) == FAILED
    assert gets_in(user, left.text)
    assert gets_in(user, RIGHT)


def test_main_password_of_the_form_of_a_code(server, user):
    """A password that looks as an app password of nobody is the main one."""
    text = AppPassword().text
    server.set(user.name, password=argon(text))
    assert gets_in(user, text)
    # it is not taken as a code is
    assert server.login_reply(user, text.upper()) == FAILED
    server.add_app(user.name)
    assert gets_in(user, text)


def test_without_main_password(server, user):
    app = server.add_app(user.name)
    server.set(user.name, password=None)
    assert gets_in(user, app.text)
    wrong = (RIGHT, "x", AppPassword().text)
    assert server.replies(*[(user, word) for word in wrong]) == [FAILED] * 3


def test_user_without_any_password(server, user):
    server.set(user.name, password=None)
    start = server.log_size()
    assert server.login_reply(user, RIGHT) == FAILED
    assert not server.auth_lines(user, "Error", start)


# -- who is barred


@pytest.mark.parametrize("which", ["main", "app"])
def test_disabled(server, user, which):
    """Only who has the right password can see in any way that the user is disabled."""
    app = server.add_app(user.name)
    password = RIGHT if which == "main" else app.text
    server.set(user.name, enabled=False)
    start = server.log_size()
    assert server.login_reply(user, "x") == FAILED
    server.wait_login_line(user, "auth failed", start)
    start = server.log_size()
    assert server.login_reply(user, password) == FAILED
    server.wait_login_line(user, "user disabled", start)
    assert not imap_gets_in(user, password)
    server.set(user.name, enabled=True)
    assert gets_in(user, password)


def test_expired(server, user):
    """The same holds for an app password that has expired; the others and the main one are as good as before."""
    now = int(time.time())
    old, young = server.add_app(user.name, expires=now - 1), server.add_app(user.name, expires=now + 3600)
    never = server.add_app(user.name, expires=0)
    start = server.log_size()
    assert server.login_reply(user, old.id + AppPassword().secret) == FAILED
    server.wait_login_line(user, "auth failed", start)
    start = server.log_size()
    assert server.login_reply(user, old.text) == EXPIRED
    server.wait_login_line(user, "expired", start)
    for good in (young.text, never.text, RIGHT):
        assert gets_in(user, good)


def test_disabled_and_expired(server, user):
    old = server.add_app(user.name, expires=int(time.time()) - 1)
    server.set(user.name, enabled=False)
    start = server.log_size()
    assert server.login_reply(user, old.text) == FAILED
    server.wait_login_line(user, "user disabled", start)


def test_expires_in_its_second(start_credentials, make_user_on):
    """An app password is good until the second that is named, and not in it."""
    server = start_credentials(faked_worker=True)
    user = make_user_on(server)()
    expires = int(server.clock.now()) + 24 * 3600
    app = server.add_app(user.name, expires=expires)
    for seconds, reply in ((-3600, "+OK"), (-1, "+OK"), (0, "-ERR"), (3600, "-ERR")):
        server.clock.freeze(expires + seconds)
        assert server.auth(user, app.text).ok == (reply == "+OK"), seconds


def test_protocols_of_main_password(server, user):
    """A site bars the main password from POP3: there it is told what a wrong one is told."""
    app = server.add_app(user.name)
    server.set(user.name, protocols=["imap", "submission"])
    start = server.log_size()
    assert server.login_reply(user, RIGHT) == FAILED
    server.wait_login_line(user, "auth failed", start)
    lines = server.wait_auth_lines(user, "the main password may not be used for pop3", start=start)
    assert "mismatch" not in lines[0], lines
    start = server.log_size()
    assert server.login_reply(user, "x") == FAILED
    server.wait_auth_lines(user, "mismatch", start=start)
    assert not server.auth_lines(user, "may not be used", start)
    assert imap_gets_in(user, RIGHT)
    assert server.auth(user, RIGHT, protocol="submission").ok
    assert gets_in(user, app.text)


def test_protocols_of_app_password(server, user):
    app = server.add_app(user.name, protocols=["pop3"])
    assert gets_in(user, app.text)
    assert not imap_gets_in(user, app.text)
    assert not server.auth(user, app.text, protocol="submission").ok
    assert imap_gets_in(user, RIGHT)


NETWORKS = {
    "127.0.0.0/8": ["127.0.0.1"],
    "192.0.2.0/24": ["192.0.2.0", "192.0.2.255"],
    "192.0.2.7": ["192.0.2.7"],
    "2001:db8::/32": ["2001:db8::1", "2001:db8:ffff::"],
    "2001:db8::7/128": ["2001:db8::7"],
}
ADDRESSES = ["127.0.0.1", "192.0.1.255", "192.0.2.0", "192.0.2.7", "192.0.2.255", "192.0.3.0", "198.51.100.1",
             "2001:db8::1", "2001:db8::7", "2001:db8:ffff::", "2001:db9::"]


def expected(networks, address):
    return any(address in found or (network == "192.0.2.0/24" and address == "192.0.2.7") or
               (network == "2001:db8::/32" and address == "2001:db8::7")
               for network, found in NETWORKS.items() if network in networks)


@pytest.mark.parametrize("networks", [["127.0.0.0/8"], ["192.0.2.0/24", "2001:db8::7/128"],
                                      ["192.0.2.7", "2001:db8::/32"]])
def test_networks(server, user, networks):
    app = server.add_app(user.name, networks=networks)
    start = server.log_size()
    good = [expected(networks, address) for address in ADDRESSES]
    assert server.auth_all(*[(user, app.text, "pop3", address) for address in ADDRESSES]) == good
    server.wait_auth_lines(user, "allow_nets", good.count(False), start)
    assert gets_in(user, app.text) == ("127.0.0.0/8" in networks)
    # the main password is good from anywhere
    assert server.auth(user, RIGHT, rip="198.51.100.1").ok


def test_networks_without_an_address(server, user):
    """Who does not say where the client is does not get in."""
    app = server.add_app(user.name, networks=["127.0.0.0/8"])
    assert not server.auth(user, app.text, rip=None).ok
    assert server.auth(user, RIGHT, rip=None).ok
