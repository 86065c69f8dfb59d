# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""doveadm pop3 status and top, against what sessions have done."""

import json
import os
import re

import pytest

import clock
import mailgen
import retention
from conftest import running
from damage import snapshot
from dovecot import Server
from journal_damage import content_of, put
from polling import wait_for
from retention import DAY, fetch, fields, poll
from retention_doveadm import EACH_FORM_ONE_SOCKET, PLACES, SIZE, files_used, mail_and_state, seconds
from test_retention_doveadm_all import of_mailbox
from uidl_doveadm import target

NOTHING = {"device": "-", "limit": "-", "used": "-", "left": "-", "resets_at": "-", "messages": "0", "downloaded": "0",
           "next": "-", "due": "-", "last_download": "-", "last_login": "-", "last_write": "-", "uidls": "first"}
OF_DEVICE = dict.fromkeys(NOTHING, "-")
TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}")


def doveadm(user, command, *args, socket=False, **kwargs):
    return user.server.run_doveadm("-f", "json", "pop3", command, *target(user, socket), *args, **kwargs)


def status(user, *args, **kwargs):
    """The rows of a user; the command has changed nothing."""
    before = mail_and_state(user)
    found = json.loads(doveadm(user, "status", *args, **kwargs).stdout)
    assert mail_and_state(user) == before
    assert [list(row) for row in found] == [list(NOTHING)] * len(found)
    return found


def device_row(name, downloaded, last_download):
    return {**OF_DEVICE, "device": name, "downloaded": downloaded, "last_download": last_download}


@PLACES
def test_status(server, new_user, socket):
    """One line for the user, and one for each device."""
    retention.true_time(server)
    user = new_user(messages=4, quota="5msg/day 10G/month", pop3_policy_device="phone", **fields(keep_downloaded="14d"))
    fetch(user, 1, 2)
    user.set_fields(pop3_policy_device="laptop")
    server.clock.advance(days=1)
    fetch(user, 2, 3, 4)
    user.append([mailgen.message(5)])
    journal = user.journal()
    first, last = journal[1]["downloaded"], journal[3]["downloaded"]
    row, phone, laptop = status(user, socket=socket)
    for key in ("resets_at", "next", "last_download", "last_write"):
        assert TIME.fullmatch(row[key]), (key, row)
    assert {key: row[key] for key in ("device", "limit", "used", "left", "messages", "downloaded", "due", "uidls")} == {
        "device": "-", "limit": "5msg/day", "used": "3", "left": "2", "messages": "4", "downloaded": "4", "due": "-",
        "uidls": "recorded"}
    assert row["last_login"] == "-"
    assert seconds(row["next"]) == first + 14 * DAY
    assert seconds(row["last_download"]) == last
    assert seconds(row["last_write"]) == int(os.stat(user.state_path).st_mtime)
    assert phone == device_row("phone", "2", phone["last_download"])
    assert seconds(phone["last_download"]) == journal[2]["downloaded"]
    assert laptop == device_row("laptop", "3", row["last_download"])


def test_status_of_a_login(new_user):
    """login.json is written by nobody but logins."""
    user = new_user(messages=1, pop3_policy_login_delay="1s")
    fetch(user, 1)
    path = os.path.join(user.state_dir, "login.json")
    os.utime(path, (1795435211, 1795435211))
    row, = status(user)
    assert seconds(row["last_login"]) == 1795435211


@EACH_FORM_ONE_SOCKET
def test_status_of_the_mailbox(server, new_user, form, socket):
    """With --mailbox it says what is there now, not what was there when the state was written."""
    retention.true_time(server)
    user = new_user(form, messages=4, pop3_policy_device="phone", **fields(keep_downloaded="14d"))
    fetch(user, 3)
    server.clock.advance(hours=1)
    fetch(user, 1, 2)
    first = user.journal()[3]["downloaded"]
    user.expunge(2)
    user.append([mailgen.message(5), mailgen.message(6)])
    row, phone = status(user, socket=socket)
    assert (row["messages"], row["downloaded"], row["due"], row["uidls"]) == ("4", "3", "-", "recorded")
    row, phone = status(user, "--mailbox", socket=socket)
    assert (row["messages"], row["downloaded"], row["due"], row["uidls"]) == ("5", "2", "0", "steady")
    assert seconds(row["next"]) == first + 14 * DAY
    assert phone["downloaded"] == "2"
    server.clock.set_epoch(first + 14 * DAY + 60)
    row, _ = status(user, "-m", socket=socket)
    assert row["due"] == "1" and seconds(row["next"]) == first + 14 * DAY


def test_status_of_a_device_that_is_waited_for(new_user):
    """What has downloaded nothing keeps the mail there."""
    user = new_user(messages=2, pop3_policy_device="phone", **fields(keep_downloaded="0", keep_devices="phone laptop"))
    fetch(user, 1)
    _, phone, laptop = status(user)
    assert phone["downloaded"] == "1"
    assert laptop == device_row("laptop", "0", "-")


def test_status_without_pop3(new_user):
    user = new_user(**retention.all_rules())
    assert status(user) == status(user, "--mailbox") == [NOTHING]
    assert os.listdir(user.home) == []
    user.set_fields(pop3_policy_quota="5msg/day")
    row, = status(user)
    assert row == {**NOTHING, "limit": "5msg/day", "used": "0", "left": "5", "resets_at": row["resets_at"]}


def test_status_of_what_needs_care(new_user):
    """The state of UIDLs, with and without a look at the mailbox."""
    user = new_user(messages=3)
    poll(user)
    kept = {path: content_of(path) for path in (user.state_path, user.journal_path)}

    def uidls():
        return [status(user, *args)[0]["uidls"] for args in ([], ["-m"])]

    assert uidls() == ["recorded", "steady"]
    put(user, user.journal_path, kept[user.journal_path] + b'{"uid":9')
    assert uidls() == ["damaged", "damaged"]
    put(user, user.journal_path, kept[user.journal_path].replace(b'"uid":2', b'"uid":"2"'))
    assert uidls() == ["damaged", "damaged"]
    os.unlink(user.journal_path)
    assert uidls() == ["damaged", "damaged"]
    put(user, user.journal_path, kept[user.journal_path])
    os.unlink(user.state_path)
    assert uidls() == ["lost", "broken"]
    put(user, user.state_path, kept[user.state_path])
    assert uidls() == ["recorded", "steady"]


def test_status_of_a_corrupt_state(new_user):
    """It stays where it is, and the other users are told all the same."""
    user, other = new_user(messages=1), new_user(messages=1)
    for each in (user, other):
        fetch(each, 1)
    kept = content_of(user.state_path)
    put(user, user.state_path, b"{")
    before = snapshot(user.home)
    for command in ("status", "top"):
        result = doveadm(user, command, check=False)
        assert result.returncode == 75 and json.loads(result.stdout or "[]") == []
        assert b"state.json is corrupt" in result.stderr
    assert snapshot(user.home) == before
    users = os.path.join(user.server.root, "some-users")
    put(user, users, "".join(each.name + "\n" for each in (user, other)).encode())
    result = user.server.run_doveadm("-f", "json", "pop3", "status", "-F", users, check=False)
    assert result.returncode == 75
    assert [row["username"] for row in json.loads(result.stdout)] == [other.name]
    put(user, user.state_path, kept)


def test_status_reads_no_mailbox(server, new_user):
    """It reads the two files of the state, top only one of them."""
    user = new_user(messages=3)
    poll(user)

    def names(*command):
        used = files_used(server, "pop3", *command, *target(user))
        return {os.path.basename(path) for path in used if "json" in path}, of_mailbox(user, used) != []

    assert names("status") == ({"state.json", "messages.jsonl", "login.json"}, False)
    assert names("top") == ({"state.json"}, False)
    assert names("status", "--mailbox")[1]


# -- top


@pytest.fixture(scope="module")
def crowd(memory_disk):
    """A server whose users have downloaded 3, 1, 2, 2 and no messages; the last one has no quota."""
    with running(Server(iterate=True, settings={"pop3_policy_quota": "100M/month"})) as found:
        found.clock.set(clock.quiet_noon())
        downloads = {"ann": 3, "bob": 1, "cat": 2, "dan": 2, "eve": 0, "fay": 3}
        users = [found.user(name) for name in downloads if name != "fay"]
        users.append(found.user("fay", pop3_policy_quota="unlimited"))
        wait_for(lambda: all(found.run_doveadm("user", name, check=False).returncode == 0 for name in downloads),
                 "the server to know all users")
        for user in users:
            user.append(mailgen.messages(3))
            if downloads[user.name]:
                fetch(user, *range(1, downloads[user.name] + 1))
        yield found


def top(server, *args, form="json"):
    return server.run_doveadm("-f", form, "pop3", "top", *args)


def top_rows(server, *args):
    return [(row["username"], row["messages"]) for row in json.loads(top(server, *args).stdout or "[]")]


CROWD = [("ann", "3"), ("cat", "2"), ("dan", "2"), ("bob", "1")]


def test_top(crowd):
    """The day is counted although the limit is one of the month; with equal bytes names decide."""
    result = top(crowd, "-A")
    found = json.loads(result.stdout)
    assert [(row["username"], row["messages"]) for row in found] == CROWD
    assert [list(row) for row in found] == [["username", "bytes", "messages"]] * 4
    assert [int(row["bytes"]) // int(row["messages"]) // 100 * 100 for row in found] == [SIZE // 100 * 100] * 4
    assert b"nothing is counted: 1\n" in result.stderr
    assert top_rows(crowd, "-A", "--max", "2") == CROWD[:2]
    assert top_rows(crowd, "-A", "-n", "99") == CROWD
    assert top_rows(crowd, "-u", "?a*") == [("cat", "2"), ("dan", "2")]


def test_top_formats(crowd):
    lines = top(crowd, "-A", form="table").stdout.decode().splitlines()
    assert lines[0].split() == ["Username", "Bytes", "Messages"]
    assert [(words[0], words[2]) for words in map(str.split, lines[1:])] == CROWD
    lines = top(crowd, "-A", form="flow").stdout.decode().splitlines()
    assert [re.sub(r"Bytes=\d+ ", "", line) for line in lines] == ["%s Messages=%s" % each for each in CROWD]


def test_top_of_one_user(crowd):
    row, = json.loads(top(crowd, "-u", "cat").stdout)
    assert sorted(row) == ["bytes", "messages"] and row["messages"] == "2"
    assert top(crowd, "-u", "eve").stdout.decode().strip() in ("", "[]")


def test_top_over_doveadm_server(crowd):
    """Each user is asked for by itself."""
    found = top_rows(crowd, "-A", "-S", os.path.join(crowd.root, "doveadm-server"))
    assert sorted(found) == sorted(CROWD)


@pytest.mark.parametrize("value", ["0", "-1", "x", "", "99999999999999999999"])
def test_top_of_no_number(crowd, value):
    result = crowd.run_doveadm("pop3", "top", "-A", "--max", value, check=False)
    assert result.returncode == 64 and b"is not a number of users" in result.stderr


def test_top_of_yesterday(crowd):
    """What was counted yesterday is not of today."""
    crowd.clock.advance(days=1)
    assert top_rows(crowd, "-A") == []
