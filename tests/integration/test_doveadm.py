# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""doveadm pop3 quota get and reset, against what sessions have really done."""

import json
import os
import re

import pytest

import clock
import expect

NOON = clock.quiet_noon()
LIMITS = "10msg/hour 500M/day 20msg/day 1G/week 5G/month"
VALUES = [("hour", "messages", 10), ("day", "bytes", 500 << 20), ("day", "messages", 20), ("week", "bytes", 1 << 30),
          ("month", "bytes", 5 << 30)]


def download(user, count):
    with user.session() as pop3:
        replies = [pop3.retr(number) for number in range(1, count + 1)]
        pop3.quit()
    return sum(reply.wire_size for reply in replies if reply.ok)


def expected_rows(octets, messages):
    rows = []
    for window, kind, limit in VALUES:
        used = octets if kind == "bytes" else messages
        rows.append([window, kind, str(used), str(limit), str(limit - used),
                     expect.local_seconds(expect.next_start(window, NOON))])
    return rows


COLUMNS = ["window", "type", "used", "limit", "left", "resets_at"]
TITLES = ["Window", "Type", "Used", "Limit", "Left", "Resets at"]


def get(user, *options, socket=False):
    target = ["-u", user.name] + (["-S", os.path.join(user.server.root, "doveadm-server")] if socket else [])
    return user.doveadm(*options, "pop3", "quota", "get", *target)


@pytest.mark.parametrize("socket", [False, True], ids=["local", "over-doveadm-server"])
def test_get_in_all_formats(new_user, socket):
    user = new_user(messages=5, quota=LIMITS)
    octets = 0
    for messages in (0, 4):
        if messages:
            octets = download(user, messages)
        rows = expected_rows(octets, messages)
        assert json.loads(get(user, "-f", "json", socket=socket)) == [dict(zip(COLUMNS, row)) for row in rows]
        lines = get(user, "-f", "tab", socket=socket).splitlines()
        assert lines[0].split("\t") in (TITLES, COLUMNS)
        assert [line.split("\t") for line in lines[1:]] == rows
        lines = get(user, "-f", "table", socket=socket).splitlines()
        assert lines[0].split() == " ".join(TITLES).split()
        assert [line.split() for line in lines[1:]] == [" ".join(row).split() for row in rows]
        assert get(user, socket=socket).splitlines() == lines
        if not messages:
            assert not os.path.exists(user.state_dir)


def test_get_after_the_windows(server, new_user):
    user = new_user(messages=5, quota=LIMITS)
    octets = download(user, 4)
    server.clock.set(expect.next_start("day", NOON))
    rows = user.quota()
    assert rows["hour", "messages"]["used"] == rows["day", "bytes"]["used"] == "0"
    assert rows["week", "bytes"]["used"] == rows["month", "bytes"]["used"] == str(octets)


def test_get_of_more_than_the_limit(new_user):
    user = new_user(messages=1, size=5000, quota="1k/day")
    octets = download(user, 1)
    row = user.quota()["day", "bytes"]
    assert (row["used"], row["limit"], row["left"]) == (str(octets), "1024", "0")


def test_get_without_quota(new_user):
    for fields in ({}, {"quota": "unlimited"}):
        user = new_user(**fields)
        assert user.quota_rows("get") == []
        assert user.quota_rows("reset") == []


def test_get_sees_a_running_session(new_user):
    user = new_user(messages=5, quota=LIMITS)
    with user.session() as pop3:
        sent = pop3.retr(1).wire_size
        rows = user.quota()
        assert int(rows["day", "bytes"]["used"]) >= sent and int(rows["day", "messages"]["used"]) >= 1
        pop3.quit()
    assert user.quota()["day", "bytes"]["used"] == str(sent)


@pytest.mark.parametrize("socket", [False, True], ids=["local", "over-doveadm-server"])
def test_reset(new_user, socket):
    """Says what it reset, and the user may go on."""
    user = new_user(messages=5, quota="2msg/day")
    octets = download(user, 3)
    target = ["-S", os.path.join(user.server.root, "doveadm-server")] if socket else []
    rows = user.quota_rows("reset", *target)
    assert rows == [{"window": window, "type": kind, "reset": str(amount)}
                    for window in ("hour", "day", "week", "month")
                    for kind, amount in (("bytes", octets), ("messages", 2))]
    assert user.used() == (0, 0)
    assert user.quota()["day", "messages"]["used"] == "0"
    assert user.quota_rows("reset", *target) == []
    again = download(user, 3)
    assert user.used() == (again, 2)


def test_reset_formats(new_user):
    user = new_user(messages=1, quota="2msg/day")
    octets = str(download(user, 1))
    table = user.doveadm("-f", "tab", "pop3", "quota", "reset", "-u", user.name)
    rows = [line.split("\t") for line in table.splitlines()]
    assert rows[0] in (["Window", "Type", "Reset"], ["window", "type", "reset"])
    assert rows[1:3] == [["hour", "bytes", octets], ["hour", "messages", "1"]] and len(rows) == 9
    download(user, 1)
    lines = user.doveadm("pop3", "quota", "reset", "-u", user.name).splitlines()
    assert lines[0].split() == ["Window", "Type", "Reset"] and lines[1].split() == ["hour", "bytes", octets]


def test_reset_during_a_session(new_user):
    """What is sent after the reset is counted, whatever was leased before it."""
    user = new_user(messages=20, quota="10msg/day 1G/day")
    with user.session() as pop3:
        for number in range(1, 5):
            pop3.retr(number)
        assert user.quota_rows("reset")
        octets = 0
        messages = 0
        for number in range(5, 21):
            reply = pop3.retr(number)
            if reply.ok:
                octets += reply.wire_size
                messages += 1
        pop3.quit()
    assert 0 < messages <= 10
    used = user.used()
    assert used[0] >= octets and used[1] >= messages
    assert user.used("hour") == used


@pytest.mark.parametrize("end", ["quit", "cut"])
def test_reset_in_the_middle_of_a_message(server, new_user, end):
    user = new_user(quota="1G/day")
    user.append([b"Subject: big\r\n\r\n" + (b"x" * 70 + b"\r\n") * 300_000])
    with user.session(receive_buffer=65536) as pop3:
        pop3.send(b"RETR 1\r\nQUIT\r\n")
        pop3.read_exactly(2_000_000)
        assert user.quota_rows("reset")
        before = user.used()[0]
        if end == "quit":
            pop3.drain()
            after = 10_000_000
        else:
            after = len(pop3.read_exactly(8_000_000)) - 6_000_000
            pop3.cut()
    server.wait_idle()
    assert user.used()[0] >= before + after


def test_all_users(start_server, make_user_on):
    server = start_server(iterate=True)
    make = make_user_on(server)
    users = [make(quota="%dmsg/day" % (number + 2)) for number in range(3)] + [make()]
    # the file of users is read again once a second at the most
    for user in users:
        user.wait_known()
        user.append([b"Subject: x\r\n\r\nx\r\n"] * 5)
    for user in users:
        download(user, 5)
    rows = json.loads(server.doveadm("-f", "json", "pop3", "quota", "get", "-A"))
    assert {(row["username"], row["used"], row["limit"]) for row in rows} == {
        (user.name, str(number + 2), str(number + 2)) for number, user in enumerate(users[:3])}
    rows = json.loads(server.doveadm("-f", "json", "pop3", "quota", "reset", "-A"))
    assert {row["username"] for row in rows} == {user.name for user in users[:3]} and len(rows) == 24
    assert all(download(user, 5) for user in users)


def test_errors(server, new_user):
    result = server.run_doveadm("pop3", "quota", "get", "-u", "nobody-here", check=False)
    assert result.returncode == 67
    bad = new_user(quota="5msg/dya")
    for action in ("get", "reset"):
        result = server.run_doveadm("pop3", "quota", action, "-u", bad.name, check=False)
        assert result.returncode != 0
        assert b'unknown window "dya" in "5msg/dya", expected hour, day, week or month' in result.stderr
    corrupt = new_user(quota="5msg/day")
    corrupt.write_state(b"{")
    result = server.run_doveadm("-f", "json", "pop3", "quota", "get", "-u", corrupt.name)
    assert json.loads(result.stdout)[0]["used"] == "0"
    assert b"corrupt" in result.stderr
    assert [name for name in os.listdir(corrupt.state_dir) if ".corrupt-" in name]


def test_without_the_mail_plugin(start_server, make_user_on):
    """The doveadm module stands alone."""
    server = start_server(plugin=False, settings={"pop3_policy_quota": "7msg/week"})
    user = make_user_on(server)()
    assert user.quota()["week", "messages"]["limit"] == "7"
    assert user.quota_rows("reset") == []


def test_usage(server):
    result = server.run_doveadm("pop3", check=False)
    text = (result.stdout + result.stderr).decode()
    assert re.search(r"quota\s+get\|reset|quota get", text), text
