# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""The example that is shipped for passwords in a credential file."""

import os
import pwd
import re
import subprocess
import threading

import pytest

import dovecot_conf
import user as users
from conftest import running
from credentials import USUAL, CredentialServer

pytestmark = pytest.mark.native

EXAMPLE = "auth-json.conf.ext"
INSTALLED = "/etc/dovecot/conf.d/" + EXAMPLE
TREE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "conf.d", dovecot_conf.LINE, EXAMPLE)
FOLDER = "/var/lib/pop3-credentials"
WORKERS = 12


def shipped():
    with open(INSTALLED if os.path.exists(INSTALLED) else TREE, encoding="utf-8") as file:
        return file.read()


def blocks(text):
    """Pairs of what is switched on and the text of a block, or of lines without one."""
    return re.split(r"\n\n+", text)


def uncommented(text):
    """Directives are the lines with "#" and no space after it, or with two."""
    return re.sub(r"^( *)#(?=[^\s#]|  )", r"\1", text, flags=re.M)


def own_files(text):
    """The example with a file for each user, as it says."""
    lines = []
    for line in text.splitlines():
        if FOLDER in line and "users.json" in line and "hash_" not in line and not line.startswith("#"):
            continue
        lines.append(uncommented(line) if FOLDER in line and re.search(r"%u\.json$|%\{user\}\.json$", line) else line)
    return "\n".join(lines) + "\n"


def with_userdbs(text, names):
    """The example with those userdbs that are called NAMES in place of the one that it has."""
    found = []
    for block in blocks(text):
        drivers = re.findall(r"^#?userdb (\w+) \{|^#?  driver = (prefetch|static|passwd)$", block, flags=re.M)
        drivers = [first or second for first, second in drivers]
        if drivers and drivers == names:
            found.append(uncommented(block))
        elif not drivers or block.startswith("#") or "\n#userdb" in block:
            found.append(block)
    return "\n\n".join(found)


class ExampleServer(CredentialServer):
    """Has the example as it is shipped, but for the folder."""

    def __init__(self, text=None, per_user=False, **kwargs):
        self.text = text or shipped()
        super().__init__(per_user=per_user, **kwargs)

    def write_conf(self, text):
        """Before the userdb of the other servers, in which their users are."""
        example = self.text.replace(FOLDER, self.folder)
        path = os.path.join(self.root, EXAMPLE)
        with open(path, "w", encoding="utf-8") as file:
            file.write(example)
        start = text.index("passdb")
        end = text.index("userdb {\n  driver = dict" if dovecot_conf.LINE == "2.3" else "userdb passwd-file")
        super().write_conf(text[:start] + "!include %s\n" % path + text[end:])

    def path(self, name=None):
        return os.path.join(self.folder, name + ".json" if self.per_user else "users.json")


@pytest.fixture
def start_example(own_servers):
    return lambda *args, **kwargs: own_servers.enter_context(running(ExampleServer(*args, **kwargs)))


@pytest.fixture
def example(start_example):
    return start_example()


def doveconf(server, *args):
    result = subprocess.run(["doveconf", "-c", server.conf, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout


def test_installed_file_is_the_one_of_the_tree():
    with open(TREE, encoding="utf-8") as file:
        assert shipped() == file.read()


def test_doveconf_takes_the_example(example):
    text = doveconf(example, "-n")
    for words in (r"users\.json", "auth_cache_size = 10 ?M", "auth_cache_negative_ttl = 1 ?min"):
        assert re.search(words, text), words
    # what is commented out says the defaults
    text = uncommented(shipped())
    assert "hash_memory = 64M" in text or "hash_memory=64M" in text


def test_login_as_shipped(example, make_user_on):
    """The device and its settings come with a login, the rest from the userdb; the second login is from the cache."""
    user = make_user_on(example)(messages=2)
    app = example.add_app(user.name, label="phone", settings={"pop3_policy_quota": "1msg/day"})
    for _ in range(2):
        answer = example.auth(user, app.text, action="login")
        assert answer.ok and answer.fields["pop3_policy_device"] == "phone"
        assert answer.fields["pop3_policy_quota"] == "1msg/day"
        assert answer.fields["uid"] == str(users.UID)
    with user.connect() as pop3:
        assert pop3.login(user.name, app.text).ok
        assert [pop3.retr(number).ok for number in (1, 2)] == [True, False]
        pop3.quit()
    with user.session() as pop3:
        assert pop3.retr(2).ok
        pop3.quit()


def test_accounts_of_the_machine(example):
    """They are found by the userdb of the example."""
    account = pwd.getpwnam("games")
    example.set(account.pw_name, password=USUAL)
    app = example.add_app(account.pw_name, label="phone")
    answer = example.auth(account.pw_name, app.text, action="login")
    assert answer.ok and answer.fields["uid"] == str(account.pw_uid)
    assert answer.fields["home"] == account.pw_dir and answer.fields["pop3_policy_device"] == "phone"


def test_workers_are_few_and_not_root(example, make_user_on):
    user = make_user_on(example)()
    threads = [threading.Thread(target=example.auth, args=(user, "wrong-%d" % number)) for number in range(3 * WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    workers = example.workers()
    assert 2 <= len(workers) <= WORKERS
    for pid in workers:
        assert os.stat("/proc/%d" % pid).st_uid == pwd.getpwnam("dovecot").pw_uid
        with open("/proc/%d/limits" % pid, encoding="ascii") as file:
            assert re.search(r"^Max address space +%d " % (256 << 20), file.read(), flags=re.M)
    assert example.auth(user, user.password).ok


def test_a_file_for_each_user(start_example, make_user_on):
    server = start_example(own_files(shipped()), per_user=True)
    assert "users.json" not in doveconf(server, "-n")
    user = make_user_on(server)(messages=1)
    with user.session() as pop3:
        assert pop3.retr(1).ok
        pop3.quit()
    assert not server.auth("nobody-knows", user.password).ok


def virtual_user(server):
    """An app password of a user whom only the example can know."""
    server.set("virtual", password=USUAL)
    return server.add_app("virtual", label="phone")


def numbers(text):
    """For the machine of the tests, which has no vmail."""
    text = text.replace("/var/vmail", "/nonexistent")
    for name, number in (("uid", users.UID), ("gid", users.GID)):
        text = re.sub("%s( ?= ?)vmail" % name, r"%s\g<1>%d" % (name, number), text)
    return text


@pytest.mark.parametrize("names", [["static"], ["prefetch", "static"]], ids="-".join)
def test_other_userdbs_of_the_example(start_example, names):
    """Which say what the file does not; with prefetch the file says all."""
    server = start_example(numbers(with_userdbs(shipped(), names)))
    app = virtual_user(server)
    expected = str(users.UID), "/nonexistent/virtual"
    if "prefetch" in names:
        expected = "1234", "/nonexistent/own"
        server.set("virtual", fields={"userdb_uid": "1234", "userdb_gid": "1235", "userdb_home": expected[1]})
    answer = server.auth("virtual", app.text, action="login")
    assert answer.ok and answer.fields["pop3_policy_device"] == "phone"
    assert (answer.fields["uid"], answer.fields["home"]) == expected
    # doveadm and deliveries ask the other one
    assert server.doveadm("user", "-f", "home", "virtual").strip() == "/nonexistent/virtual"


def test_prefetch_is_not_enough_for_a_device_alone(start_example):
    """As the example warns: a device has a userdb field, so that no other userdb is asked."""
    server = start_example(numbers(with_userdbs(shipped(), ["prefetch", "static"])))
    answer = server.auth("virtual", virtual_user(server).text, action="login")
    assert answer.ok and answer.fields["pop3_policy_device"] == "phone"
    assert "uid" not in answer.fields


def test_field_of_the_userdb_wins(example, make_user_on):
    user = make_user_on(example)(quota="7msg/day")
    app = example.add_app(user.name, settings={"pop3_policy_quota": "1msg/day"})
    answer = example.auth(user, app.text, action="login")
    assert answer.ok and answer.fields["pop3_policy_quota"] == "7msg/day"


def test_field_of_the_device_wins_over_that_of_the_user(example, make_user_on):
    user = make_user_on(example)()
    example.set(user.name, fields={"userdb_pop3_policy_quota": "7msg/day"})
    app = example.add_app(user.name, settings={"pop3_policy_quota": "1msg/day"})
    assert example.auth(user, app.text, action="login").fields["pop3_policy_quota"] == "1msg/day"
    assert example.auth(user, user.password, action="login").fields["pop3_policy_quota"] == "7msg/day"
