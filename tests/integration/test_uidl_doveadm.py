# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""doveadm pop3 uidl list, verify, adopt and accept, against what sessions tell."""

import itertools
import json
import os
import pty
import re
import shutil
import subprocess

import pytest

import disasters
import journal_damage
import mailgen
import state_check
from conftest import running
from dovecot import Server
from uidl_doveadm import download, failure, rows, run, state_files, target, told

FORMS = pytest.mark.parametrize("form", ["maildir", "mdbox"])
PLACES = pytest.mark.parametrize("socket", [False, True], ids=["local", "over-doveadm-server"])
NUMBERS = itertools.count(1)
STEADY = {"damaged": "0", "differences": "0", "result": "steady", "kept": "0", "new": "0", "gone": "0", "reason": "-"}


@pytest.fixture(scope="module")
def plain_server(memory_disk):
    """Its clock is the real one: UIDVALIDITY is a time."""
    with running(Server(faked=False)) as found:
        yield found


@pytest.fixture
def make(plain_server):
    def make_user(form="maildir", messages=0, **fields):
        user = plain_server.user("uidl%d" % next(NUMBERS), form, **fields)
        if messages:
            user.append(mailgen.messages(messages))
        return user
    return make_user


# -- list


@FORMS
@PLACES
def test_list(make, form, socket):
    """Says of each message what a client is told, and changes nothing."""
    user = make(form, 5)
    uidls = download(user, 2, 4)
    user.append([mailgen.message(6)])
    before = state_files(user)
    found = rows(user, "list", socket=socket)
    assert state_files(user) == before
    assert [row["msgno"] for row in found] == ["1", "2", "3", "4", "5", "6"]
    assert [row["uid"] for row in found] == ["1", "2", "3", "4", "5", "6"]
    assert {row["source"] for row in found} == {"own"}
    assert [row["recorded"] for row in found] == ["yes"] * 5 + ["no"]
    assert [row["downloaded"] != "-" for row in found] == [False, True, False, True, False, False]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}", found[1]["downloaded"])
    assert {row["msgno"]: row["uidl"] for row in found[:5]} == uidls
    assert {row["msgno"]: row["uidl"] for row in found} == told(user)


@PLACES
def test_list_formats(make, socket):
    user = make("maildir", 2)
    uidls = told(user)
    options = target(user, socket)
    lines = user.doveadm("pop3", "uidl", "list", *options).splitlines()
    assert lines[0].split() == ["Msgno", "UID", "UIDL", "Source", "Recorded", "Downloaded"]
    assert [line.split() for line in lines[1:]] == [
        [number, number, uidl, "own", "yes", "-"] for number, uidl in uidls.items()]
    lines = user.doveadm("-f", "tab", "pop3", "uidl", "list", *options).splitlines()
    assert [line.split("\t") for line in lines[1:]] == [
        [number, number, uidl, "own", "yes", "-"] for number, uidl in uidls.items()]


@FORMS
def test_list_before_any_session(make, form):
    user = make(form, 3)
    found = rows(user, "list")
    assert not os.path.exists(user.state_dir)
    assert [(row["source"], row["recorded"], row["downloaded"]) for row in found] == [("own", "no", "-")] * 3
    assert {row["msgno"]: row["uidl"] for row in found} == told(user)


def test_list_of_nothing(make):
    user = make()
    assert rows(user, "list") == []
    assert not os.path.exists(user.state_dir)


@FORMS
def test_list_when_uidls_have_to_be_recovered(make, form):
    """It does not guess; after a session has recovered them, they are stored ones."""
    user = make(form, 3)
    uidls = told(user)
    disasters.uidvalidity_changed(user)
    before = state_files(user)
    _, found, errors = failure(user, "list")
    assert found == [] and "UIDVALIDITY changed" in errors and "doveadm pop3 uidl accept" in errors
    assert state_files(user) == before
    assert told(user) == uidls
    found = rows(user, "list")
    assert {row["msgno"]: row["uidl"] for row in found} == uidls
    assert {row["source"] for row in found} == {"stored"}


def test_list_in_the_order_of_pop3(make):
    """As dovecot-uidlist may have it after a migration."""
    user = make("maildir", 3)
    told(user)
    path, = disasters.files(user, "dovecot-uidlist")
    with open(path, encoding="ascii") as file:
        lines = file.read().splitlines()
    assert len(lines) == 4
    with open(path, "w", encoding="ascii") as file:
        file.write("\n".join([lines[0]] + [line.replace(" ", " O%d " % (10 - number), 1)
                                           for number, line in enumerate(lines[1:])]) + "\n")
    disasters.unlink(disasters.files(user, r"dovecot\.index.*"))
    user.own_home()
    found = rows(user, "list")
    assert [row["uid"] for row in found] == ["3", "2", "1"]
    assert {row["msgno"]: row["uidl"] for row in found} == told(user)


def test_list_of_a_time_that_is_none(make):
    user = make("maildir", 1)
    download(user, 1)
    with open(user.journal_path, encoding="utf-8") as file:
        text = file.read()
    with open(user.journal_path, "w", encoding="utf-8") as file:
        file.write(re.sub(r'"downloaded":\d+', '"downloaded":%d' % (2 ** 63 - 1), text))
    assert rows(user, "list")[0]["downloaded"] == str(2 ** 63 - 1)


# -- verify


@FORMS
@PLACES
def test_verify(make, form, socket):
    user = make(form, 4)
    row, = rows(user, "verify", socket=socket)
    assert row == {**STEADY, "messages": "4", "known": "0", "stored": "0", "downloaded": "0", "journal_lines": "0",
                   "result": "first"}
    assert not os.path.exists(user.state_dir)
    download(user, 3)
    before = state_files(user)
    row, = rows(user, "verify", socket=socket)
    assert row == {**STEADY, "messages": "4", "known": "4", "stored": "0", "downloaded": "1", "journal_lines": "4"}
    assert state_files(user) == before


@FORMS
@PLACES
def test_verify_of_another_uidvalidity(make, form, socket):
    """Says what a recovery would come to, and leaves it to a session."""
    user = make(form, 4)
    told(user)
    user.expunge(1)
    user.append([mailgen.message(5), mailgen.message(6)])
    disasters.uidvalidity_changed(user)
    before = state_files(user)
    _, (row,), errors = failure(user, "verify", socket=socket)
    assert (row["result"], row["kept"], row["new"], row["gone"]) == ("broken", "3", "2", "1")
    assert "UIDVALIDITY changed" in row["reason"] and row["reason"] in errors
    assert state_files(user) == before
    told(user)
    row, = rows(user, "verify", socket=socket)
    assert (row["result"], row["known"], row["stored"]) == ("steady", "5", "3")


@pytest.mark.parametrize("break_it, damaged, differences, reason", [
    (journal_damage.garble_line, "1", "1", "messages.jsonl has damaged lines"),
    (journal_damage.change_uidl, "0", "1", "messages.jsonl does not say what is told"),
    (journal_damage.remove_line, "0", "1", "messages.jsonl does not say what is told"),
    (journal_damage.remove_journal, "0", "3", "messages.jsonl is missing, or another one"),
], ids=lambda value: getattr(value, "__name__", None))
def test_verify_after_damage(make, break_it, damaged, differences, reason):
    user = make("maildir", 3)
    told(user)
    break_it(user)
    code, (row,), errors = failure(user, "verify")
    assert code == 65
    assert (row["result"], row["damaged"], row["differences"]) == ("damaged", damaged, differences)
    assert row["reason"] == reason and reason in errors
    state_check.leave_alone(user.home)


# -- adopt


@FORMS
@PLACES
def test_adopt(make, form, socket):
    """Messages that no session has seen keep their UIDLs whatever becomes of the mailbox."""
    user = make(form)
    user.import_maildir(mailgen.messages(2500, 300))
    assert rows(user, "adopt", socket=socket) == [{"adopted": "2500"}]
    row, = rows(user, "verify")
    assert row == {**STEADY, "messages": "2500", "known": "2500", "stored": "0", "downloaded": "0",
                   "journal_lines": "2500"}
    before = state_files(user)
    assert rows(user, "adopt", socket=socket) == [{"adopted": "0"}]
    assert state_files(user)[user.state_path] == before[user.state_path]
    uidls = told(user)
    user.append([mailgen.message(2501, 300)])
    assert rows(user, "adopt", socket=socket) == [{"adopted": "1"}]
    disasters.uidvalidity_changed(user)
    assert list(told(user).items())[:2500] == list(uidls.items())


def test_adopt_tells_its_progress(make):
    """On a terminal only."""
    user = make()
    user.import_maildir(mailgen.messages(1200, 300))
    ours, theirs = pty.openpty()
    subprocess.run(["doveadm", "-c", user.server.conf, "pop3", "uidl", "adopt", *target(user)], stderr=theirs,
                   stdout=subprocess.PIPE, env=user.server.environment(), check=True)
    os.close(theirs)
    assert os.read(ours, 1000) == b"\r1000 of 1200 messages\r1200 of 1200 messages\r\n"
    os.close(ours)


def test_adopt_of_nothing(make):
    user = make()
    assert rows(user, "adopt") == [{"adopted": "0"}]
    assert not os.path.exists(user.state_dir)


def test_adopt_recovers_first(make):
    user = make("maildir", 3)
    uidls = told(user)
    user.append([mailgen.message(4)])
    disasters.uidvalidity_changed(user)
    rows(user, "adopt")
    assert list(told(user).items())[:3] == list(uidls.items())
    row, = rows(user, "verify")
    assert row["known"] == row["messages"] == "4"


def with_xuidl(number):
    return b"X-UIDL: own-%d\r\n" % number + mailgen.message(number)


def test_adopt_leaves_xuidl_to_a_session(make):
    user = make()
    user.append([mailgen.message(1), with_xuidl(2)])
    for action in ("adopt", "list", "export"):
        _, _, errors = failure(user, action)
        assert "pop3_reuse_xuidl" in errors and "log in by POP3 once" in errors
    assert not os.path.exists(user.state_dir)
    uidls = told(user)
    user.append([with_xuidl(3)])
    assert rows(user, "adopt") == [{"adopted": "1"}]
    assert [row["uidl"] for row in rows(user, "list")][:2] == list(uidls.values())


def test_adopt_leaves_duplicates_to_a_session(start_server, make_user_on):
    server = start_server(extra="pop3_uidl_format = %s\n" % disasters.UIDL_FORMATS["guid"])
    user = make_user_on(server)(messages=2)
    for action in ("adopt", "list"):
        _, _, errors = failure(user, action)
        assert "pop3_uidl_duplicates" in errors and "log in by POP3 once" in errors
    assert not os.path.exists(user.state_dir)
    uidls = told(user)
    user.append([mailgen.message(3)])
    _, _, errors = failure(user, "list")
    assert "doveadm pop3 uidl adopt" in errors
    assert rows(user, "adopt") == [{"adopted": "1"}]
    assert list(told(user).items())[:2] == list(uidls.items())


# -- accept


def replace_mail(user, first, count):
    """The mailbox is gone, and another one is in its place."""
    disasters.await_next_second(user)
    user.mail.lose("on purpose")
    for path in disasters.mail_paths(user):
        shutil.rmtree(path)
    user.append([mailgen.message(number) for number in range(first, first + count)])


@FORMS
@PLACES
def test_accept(make, form, socket):
    user = make(form, 30)
    uidls = told(user)
    replace_mail(user, 29, 10)
    with user.connect() as pop3:
        pop3.login(user.name, user.password)
        assert b"not available" in pop3.drain()
    before = state_files(user)
    _, (row,), _ = failure(user, "verify", socket=socket)
    assert (row["kept"], row["new"], row["gone"]) == ("2", "8", "28")
    assert "accept" in failure(user, "adopt", socket=socket)[2]
    assert state_files(user)[user.state_path] == before[user.state_path]
    assert rows(user, "accept", socket=socket) == [{"result": "accepted", "kept": "2", "new": "8", "gone": "28"}]
    found = told(user)
    assert (found["1"], found["2"]) == (uidls["29"], uidls["30"])
    assert not set(list(found.values())[2:]) & set(uidls.values())
    assert rows(user, "accept", socket=socket) == [{"result": "steady", "kept": "0", "new": "0", "gone": "0"}]


def test_accept_without_any_state(make):
    user = make("maildir", 2)
    assert rows(user, "accept") == [{"result": "first", "kept": "0", "new": "0", "gone": "0"}]
    assert not os.path.exists(user.state_dir)


# -- all of them


def test_all_users(start_server, make_user_on):
    server = start_server(iterate=True)
    new_user = make_user_on(server)
    users = [new_user() for _ in range(2)]
    for user in users:
        user.wait_known()
        user.append([mailgen.message(1)])
    for action in ("adopt", "list", "verify", "accept", "export"):
        found = json.loads(server.doveadm("-f", "json", "pop3", "uidl", action, "-A"))
        assert sorted(row["username"] for row in found) == sorted(user.name for user in users), action


@pytest.mark.parametrize("action", ["list", "verify", "adopt", "accept", "export", "import"])
def test_errors(make, plain_server, action):
    """A user that is not known, settings that are wrong, a state that must not be trusted."""
    command = ["pop3", "uidl", action]
    assert plain_server.run_doveadm(*command, "-u", "nobody-here", data=b"", check=False).returncode == 67
    bad = make(pop3_policy_uidl_alarm="many")
    result = run(bad, action, data=b"", check=False)
    assert result.returncode == 75 and b"pop3_policy_uidl_alarm" in result.stderr
    later = make(messages=1)
    later.write_state({"version": 2, "quota": {"windows": {}}})
    result = run(later, action, data=b"", check=False)
    assert result.returncode == 75 and b"newer than version 1" in result.stderr
    os.unlink(later.state_path)


def test_usage(plain_server):
    result = plain_server.run_doveadm("pop3", "uidl", check=False)
    text = (result.stdout + result.stderr).decode()
    for action in ("list", "verify", "adopt", "accept", "export", "import"):
        assert action in text
