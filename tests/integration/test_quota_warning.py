# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""pop3_policy_quota_warning: a script of Dovecot's service "script" that is run when much of a quota is used."""

import os

import pytest

import mailgen
from conftest import running
from dovecot import Server
from polling import wait_for

SOCKET = "pop3-policy-warning"
SERVICE = """
service %(name)s {
  executable = script -e USER %(script)s first
  user = nobody
  unix_listener %(name)s {
    mode = %(mode)s
  }
}
"""
# one line for each run, whole; then it waits for that file
SCRIPT = """#!/bin/sh
line="$USER"
for word; do line="$line|$word"; done
echo "$line" >> %s
until [ -e %s ]; do sleep 0.1; done
exit 7
"""


class WarningServer(Server):
    def __init__(self, **settings):
        super().__init__(settings={"pop3_policy_quota_warning": SOCKET, **settings})
        out = os.path.join(self.root, "out")
        os.mkdir(out)
        os.chmod(out, 0o777)
        self.lines_path = os.path.join(out, "lines")
        text = ""
        self.slow_end = os.path.join(out, "end")
        for name, mode, end in ((SOCKET, "0666", "/"), ("slow-warning", "0666", self.slow_end),
                                ("closed-warning", "0600", "/")):
            script = os.path.join(self.root, name + ".sh")
            with open(script, "w", encoding="utf-8") as file:
                file.write(SCRIPT % (self.lines_path, end))
            os.chmod(script, 0o755)
            text += SERVICE % {"name": name, "script": script, "mode": mode}
        with open(self.conf, encoding="utf-8") as file:
            self.write_conf(file.read() + text)

    def runs(self, user):
        """The arguments of each run for USER, when all sessions have ended."""
        if not os.path.exists(self.lines_path):
            return []
        with open(self.lines_path, encoding="utf-8") as file:
            lines = [line.rstrip("\n").split("|") for line in file]
        assert all(line[0] == line[3] for line in lines), "USER is the second argument"
        return [line[1:] for line in lines if line[0] == user.name]

    def wait_runs(self, user, count):
        return wait_for(lambda: (lambda found: found if len(found) >= count else None)(self.runs(user)),
                        "%d runs of the script for %s in:\n%s" % (count, user.name, self.log()))


@pytest.fixture(scope="module")
def warning_server(memory_disk):
    with running(WarningServer()) as server:
        yield server


@pytest.fixture
def make(warning_server, make_user_on):
    return make_user_on(warning_server)


def get(user, *numbers):
    with user.session() as pop3:
        replies = [pop3.retr(number) for number in numbers]
        pop3.quit()
    user.server.wait_idle()
    return [reply.ok for reply in replies]


def test_script(warning_server, make):
    """It gets percent and user first, as a script for quota_warning does; and once in a window."""
    user = make(messages=6, quota="5msg/day")
    get(user, 1, 2, 3)
    assert warning_server.runs(user) == []
    get(user, 4)
    assert warning_server.wait_runs(user, 1) == [["first", "80", user.name, "day", "messages", "4", "5"]]
    assert get(user, 5, 6) == [True, False]
    get(user, 6)
    early, full = warning_server.wait_runs(user, 2)
    assert early[1] == "80" and full == ["first", "100", user.name, "day", "messages", "5", "5"]
    # what would come now comes after what was asked for before
    warning_server.clock.advance(days=1)
    get(user, 1, 2, 3, 4)
    assert [run[1] for run in warning_server.wait_runs(user, 3)] == ["80", "100", "80"]


def test_several_limits_in_parallel_sessions(warning_server, make):
    user = make(messages=8, quota="10msg/day 1G/day 12msg/month")
    sessions = [user.session() for _ in range(3)]
    for number in (1, 2, 3):
        for pop3 in sessions:
            assert pop3.retr(number).ok
    for pop3 in sessions:
        pop3.quit()
    warning_server.wait_idle()
    assert get(user, 1, 2) == [True, False]
    runs = warning_server.wait_runs(user, 3)
    assert sorted((run[3], run[1]) for run in runs) == [("day", "100"), ("day", "80"), ("month", "80")]


def test_slow_script_holds_nobody_up(warning_server, make):
    user = make(messages=5, quota="5msg/day", pop3_policy_quota_warning="slow-warning")
    try:
        assert get(user, 1, 2, 3, 4) == [True] * 4
        warning_server.wait_runs(user, 1)
        assert get(user, 5, 1) == [True, False]
        assert len(warning_server.wait_runs(user, 2)) == 2
    finally:
        with open(warning_server.slow_end, "w", encoding="ascii"):
            pass


@pytest.mark.parametrize("socket", ["no-such-socket", "closed-warning", "/no/such/folder/socket"])
def test_script_that_cannot_be_started(warning_server, make, socket):
    """Dovecot says so, once; mail is served, and the state knows that somebody was to be told."""
    user = make(messages=5, quota="5msg/day", pop3_policy_quota_warning=socket)
    assert get(user, 1, 2, 3, 4) == [True] * 4
    line, = warning_server.wait_log(user, "Error: ")
    assert socket in line
    get(user, 1)
    assert user.window("day")["warned_messages"] == 5
    assert len(warning_server.wait_log(user, "Error: ", 2)) == 2
    assert warning_server.runs(user) == []


def test_no_script(warning_server, make):
    user = make(messages=5, quota="5msg/day", pop3_policy_quota_warning="none")
    assert get(user, 1, 2, 3, 4, 5, 1) == [True] * 5 + [False]
    assert warning_server.runs(user) == []
    assert not warning_server.log_lines(user, "Error: ")


def test_script_for_top(warning_server, make):
    """Bytes of TOP count, and reach a threshold in the middle of a session."""
    user = make(quota="1M/day")
    user.append([mailgen.message(1, 900 << 10)])
    with user.session() as pop3:
        assert pop3.ok("TOP 1 100000")
        assert pop3.ok("TOP 1 0")
        run, = warning_server.wait_runs(user, 1)
        assert run[1] == "80" and run[3:5] == ["day", "bytes"] and run[6] == str(1 << 20)
        pop3.quit()
