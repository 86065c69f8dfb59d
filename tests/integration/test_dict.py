# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""States in a dict: the same documents, the same commands, the same UIDLs through disasters."""

import json
import os

import jsonschema
import pytest

import dicts
import mailgen
import state_check
import uidl_doveadm
from test_uidl_matrix import Mailbox, check

DISASTERS = ["UIDVALIDITY changed", "backup restored"]
MORE_DISASTERS = ["indexes deleted", "uidlist deleted", "pop3_uidl_format changed", "re-appended by IMAP"]


def fetch(user, *numbers):
    """Downloads these messages; returns what came over the wire."""
    with user.session() as pop3:
        wire = sum(pop3.retr(number).wire_size for number in numbers)
        pop3.quit()
    user.server.wait_idle()
    return wire


def journal(program, user):
    """The lines of the journal, without the first one."""
    generation, pieces = map(int, program.get(user, "doc/journal").split())
    text = "".join(program.get(user, "doc/journal/%d/%d" % (generation, number)) for number in range(pieces))
    assert text.endswith("\n")
    first, *rest = [json.loads(line) for line in text.splitlines()]
    assert first["generation"] == generation
    return rest


def doveadm_rows(user, *args, check=True):
    result = user.server.run_doveadm("-f", "json", "pop3", *args, "-u", user.name, check=check)
    return result.returncode, json.loads(result.stdout or "[]")


@pytest.mark.parametrize("has_home", [True, False])
def test_status_and_repair(program, dict_user, has_home):
    """A piece of the journal is lost; what the state and the mailbox know is written anew."""
    user = dict_user(messages=3, quota="9msg/day")
    if not has_home:
        maildir = os.path.join(user.home, "mail")
        os.rename(os.path.join(user.home, "Maildir"), maildir)
        user.no_home(maildir)
    fetch(user, 1, 2)
    status, = doveadm_rows(user, "status")[1]
    assert (status["used"], status["left"], status["messages"], status["downloaded"]) == ("2", "7", "3", "2")
    assert doveadm_rows(user, "top")[1][0]["messages"] == "2"
    assert doveadm_rows(user, "check") == (0, [])
    told = user.told()
    generation = program.get(user, "doc/journal").split()[0]
    program.set(user, "doc/journal/%s/0" % generation, '{"version":1}\n')
    code, found = doveadm_rows(user, "check", check=False)
    assert code == 65 and found
    code, found = doveadm_rows(user, "check", "--repair", check=False)
    assert code == 0 and {row["result"] for row in found} == {"mended"}, found
    assert doveadm_rows(user, "check") == (0, [])
    assert sorted(line["uid"] for line in journal(program, user)) == [1, 2, 3]
    assert user.told() == told


def test_documents(program, dict_user):
    """What would be in files is in the dict, and no file is made but those that are locked."""
    user = dict_user(messages=3, quota="1M/day")
    wire = fetch(user, 1, 2)
    found = program.all(user)
    state = json.loads(found["doc/state"])
    jsonschema.validate(state, state_check.schema("state"))
    assert state["quota"]["windows"]["day"]["bytes"] == wire
    assert state["uidl"]["recorded"] == "1:3" and state["uidl"]["downloaded"] == "1:2"
    lines = journal(program, user)
    for line in lines:
        jsonschema.validate(line, state_check.schema("journal"))
    assert sorted(line["uid"] for line in lines) == [1, 2, 3]
    assert {line["uid"] for line in lines if "downloaded" in line} == {1, 2}
    assert set(os.listdir(user.state_dir)) <= {"state.lock", "retention.lock"}
    start = state["quota"]["windows"]["day"]["start"]
    assert found["num/quota/day/%d/bytes" % start] == str(wire)
    assert found["num/quota/day/%d/messages" % start] == "2"
    # nothing of locks is left but what the next one adds to
    assert "doc/owner" not in found
    locks = {name: value for name, value in found.items() if "lock" in name}
    assert locks == {"num/lock/%s/0" % found["num/version"]: "0"}


def test_poll_writes_nothing(program, dict_user):
    user = dict_user(messages=3, quota="1M/day")
    fetch(user, 1)
    before = program.all(user)
    for _ in range(2):
        assert len(user.told()) == 3
    assert program.all(user) == before


def test_quota(program, dict_user):
    user = dict_user(messages=5, quota="3msg/day 10M/hour")
    fetch(user, 1, 2)
    with user.session() as pop3:
        assert pop3.retr(3).ok
        reply = pop3.retr(4)
        assert not reply.ok and "[SYS/TEMP]" in reply.text
        pop3.quit()
    user.server.wait_idle()
    assert user.quota()["day", "messages"]["used"] == "3"
    rows = user.quota_rows("reset")
    assert {(row["window"], row["type"]): row["reset"] for row in rows}["day", "messages"] == "3"
    fetch(user, 1, 2, 3)
    assert user.quota()["day", "messages"]["used"] == "3"


def hour_numbers(program, user):
    return {name: value for name, value in program.all(user).items() if name.startswith("num/quota/hour/")}


@dicts.REDIS_ONLY
def test_new_window(program, dict_user):
    """Numbers of a window that has ended are removed."""
    user = dict_user(messages=5, quota="3msg/hour")
    fetch(user, 1, 2, 3)
    old = hour_numbers(program, user)
    user.server.clock.advance(hours=1)
    wire = fetch(user, 1, 2)
    new = hour_numbers(program, user)
    assert len(old) == len(new) == 2 and not set(old) & set(new)
    assert user.quota()["hour", "messages"]["used"] == "2"
    assert sorted(map(int, new.values())) == [2, wire]


def test_journal_of_many_pieces(program, dict_user):
    """It is written in pieces that a line to the dict server can hold, added to, and written anew."""
    user = dict_user(messages=200, size=300)
    told = user.told()
    generation, pieces = program.get(user, "doc/journal").split()
    assert int(pieces) > 1
    fetch(user, *range(1, 201))
    lines = journal(program, user)
    assert len(lines) == 400
    assert program.state(user)["uidl"]["journal"] == {"generation": int(generation), "lines": 400, "gone": 0}
    user.doveadm("mailbox", "update", "-u", user.name, "--uid-validity", "77", "INBOX")
    assert user.told() == told
    new_generation, new_pieces = program.get(user, "doc/journal").split()
    assert new_generation != generation
    assert {name for name in program.all(user) if name.startswith("doc/journal/")} == {
        "doc/journal/%s/%d" % (new_generation, number) for number in range(int(new_pieces))}


def suffer(dict_server, name):
    mailbox = Mailbox(dict_server, name, "maildir", "mpop")
    mailbox.begin()
    rest = mailbox.suffer(101)
    check(name, mailbox.figures(), rest)


@pytest.mark.parametrize("name", DISASTERS)
def test_disaster(dict_server, name):
    suffer(dict_server, name)


@dicts.REDIS_ONLY
@pytest.mark.parametrize("name", MORE_DISASTERS)
def test_more_disasters(dict_server, name):
    suffer(dict_server, name)


@dicts.REDIS_ONLY
def test_state_is_lost_but_not_the_journal(program, dict_user):
    user = dict_user(messages=4)
    fetch(user, 1)
    told = user.told()
    program.unset(user, "doc/state")
    user.doveadm("mailbox", "update", "-u", user.name, "--uid-validity", "77", "INBOX")
    assert user.told() == told
    assert program.state(user)["uidl"]["recorded"] == "1:4"


@dicts.REDIS_ONLY
def test_a_piece_of_the_journal_is_lost(program, dict_user):
    """What the state knows to be downloaded stays so."""
    user = dict_user(messages=150, size=300, pop3_policy_keep_downloaded="30d")
    fetch(user, *range(1, 31))
    generation, pieces = program.get(user, "doc/journal").split()
    program.unset(user, "doc/journal/%s/%d" % (generation, int(pieces) - 1))
    fetch(user, 31)
    lines = journal(program, user)
    assert {line["uid"] for line in lines if "downloaded" in line} == set(range(1, 32))


@dicts.REDIS_ONLY
def test_corrupt(program, dict_user):
    user = dict_user(messages=2, quota="10msg/day")
    fetch(user, 1)
    program.set(user, "doc/state", '{"version": 1, "quota": ')
    fetch(user, 1)
    assert user.server.wait_log(user, "the state in the dict is corrupt .*kept it as doc/state.corrupt")
    assert program.get(user, "doc/state.corrupt") == '{"version": 1, "quota": '
    assert program.state(user)["uidl"]["recorded"] == "1:2"
    # the numbers were not lost with it
    assert user.quota()["day", "messages"]["used"] == "2"


@dicts.REDIS_ONLY
def test_too_new(program, dict_user):
    user = dict_user(messages=2)
    fetch(user, 1)
    program.set(user, "doc/state", '{"version": 99}')
    assert "[SYS/TEMP]" in user.refused_login()
    assert program.get(user, "doc/state") == '{"version": 99}'


def test_doveadm(program, dict_user):
    user = dict_user(messages=4)
    fetch(user, 2)
    told = uidl_doveadm.told(user)
    rows = uidl_doveadm.rows(user, "list")
    assert [row["uidl"] for row in rows] == list(told.values())
    text = uidl_doveadm.export(user, "jsonl")
    assert all(uidl.encode() in text for uidl in told.values())
    uidl_doveadm.run(user, "verify")
    user.doveadm("mailbox", "update", "-u", user.name, "--uid-validity", "77", "INBOX")
    uidl_doveadm.run(user, "adopt")
    assert list(uidl_doveadm.told(user).values()) == list(told.values())
    assert "recovered" not in "".join(user.server.log_lines(user))


def test_doveadm_for_many(dict_user, tmp_path):
    """One process of doveadm opens the dict for one user after the other."""
    users = [dict_user(messages=2, quota="10msg/day", pop3_policy_keep_downloaded="5d") for _ in range(4)]
    for user in users:
        fetch(user, 1)
    path = tmp_path / "users"
    path.write_text("".join(user.name + "\n" for user in users), encoding="ascii")
    server = users[0].server
    rows = json.loads(server.doveadm("-f", "json", "pop3", "quota", "get", "-F", str(path)))
    assert [(row["username"], row["used"]) for row in rows] == [(user.name, "1") for user in users]
    server.clock.advance(days=6)
    server.doveadm("pop3", "retention", "run", "-F", str(path))
    assert [len(user.contents()) for user in users] == [1] * 4


@pytest.mark.parametrize("line", ["from files to the dict", "from the dict to files"])
@dicts.REDIS_ONLY
def test_move(program, dict_user, line):
    """As doc/dict.md says: UIDLs and downloads go along."""
    to_dict = line.endswith("dict")
    user = dict_user()
    files = "file:" + os.path.join(user.home, "files")
    user.set_fields(pop3_policy_state=files if to_dict else program.setting)
    user.append(mailgen.messages(4))
    fetch(user, 2)
    user.doveadm("mailbox", "update", "-u", user.name, "--uid-validity", "77", "INBOX")
    told = user.told()
    text = uidl_doveadm.export(user, "jsonl")
    user.set_fields(pop3_policy_state=program.setting if to_dict else files)
    uidl_doveadm.run(user, "import", data=text)
    assert user.told() == told
    rows = uidl_doveadm.rows(user, "list")
    assert [row["uidl"] for row in rows] == told
    assert [row["downloaded"] != "-" for row in rows] == [False, True, False, False]


@dicts.REDIS_ONLY
def test_retention(program, dict_user):
    user = dict_user(messages=4, pop3_policy_keep_downloaded="5d")
    fetch(user, 1, 3)
    user.server.clock.advance(days=6)
    user.doveadm("pop3", "retention", "run", "-u", user.name)
    assert len(user.contents()) == 2
    assert program.state(user)["uidl"]["retention"]["checked"] > 0
