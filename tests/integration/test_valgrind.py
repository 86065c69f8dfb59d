# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Typical sessions under valgrind: no error, and no leak that stock Dovecot does not have too."""

import contextlib
import glob
import os
import re

import pytest

import mailgen
import state_check
from conftest import running
from dovecot import LIBEXEC, Server
from polling import wait_for

pytestmark = pytest.mark.native

BIG = 3_000_000
ERROR_EXIT = 99


def command(log):
    return ["/usr/bin/valgrind", "--tool=memcheck", "--leak-check=full", "--errors-for-leak-kinds=none",
            "--show-leak-kinds=definite", "--error-exitcode=%d" % ERROR_EXIT, "--vgdb=no", "--num-callers=30",
            "--log-file=%s" % log, os.path.join(LIBEXEC, "pop3")]


class Checked:
    """A server whose pop3 processes run under valgrind, each with a report of its own."""

    def __init__(self, server):
        self.server = server

    def paths(self):
        return glob.glob(os.path.join(self.server.root, "valgrind.*"))

    def report(self):
        """The one report that there is, once it is complete."""
        path, = wait_for(self.paths, "the report of valgrind")

        def read():
            with open(path, encoding="utf-8", errors="replace") as file:
                text = file.read()
            return text if "ERROR SUMMARY" in text else None

        text = wait_for(read, "the end of the report of valgrind")
        os.unlink(path)
        return text


@pytest.fixture(scope="module")
def checked(memory_disk):
    with contextlib.ExitStack() as stack:
        yield {name: Checked(stack.enter_context(running(
            Server(plugin=plugin, faked=False, pop3_command=lambda root: command(root + "/valgrind.%p")))))
            for name, plugin in (("stock", False), ("plugin", True))}


def poll(user):
    with user.session() as pop3:
        pop3.stat()
        pop3.uidl()
        pop3.ok("LIST")
        pop3.ok("CAPA")
        pop3.quit()


def download(user):
    """Into the quota and beyond it, with TOP, pipelined, and with deletions."""
    with user.session() as pop3:
        for number in range(1, 7):
            pop3.retr(number)
            pop3.command("TOP %d 3" % number)
            pop3.command("TOP %d 100000" % number)
        pop3.pipeline("RETR 1", "RETR 5", "CAPA", "TOP 5 0", "RETR 99", "FOO", "RETR 5", "CAPA", "UIDL", "DELE 2")
        pop3.quit()


def broken_line(user):
    with user.session(receive_buffer=65536) as pop3:
        pop3.send(b"CAPA\r\nRETR 7\r\nCAPA\r\n")
        pop3.read_exactly(500_000)
        pop3.cut()


def broken_line_in_lists(user):
    """With more than all buffers hold."""
    with user.session(receive_buffer=4096) as pop3:
        pop3.send(b"CAPA\r\nUIDL\r\nLIST\r\n" * 20000)
        pop3.read_exactly(20_000)
        pop3.cut()


def slowed(user):
    """Within the quota at first, and the line breaks where the message has to wait."""
    with user.session() as pop3:
        pop3.pipeline("RETR 1", "RETR 2", "TOP 3 100000", "CAPA", "UIDL")
        pop3.send(b"RETR 7\r\n")
        pop3.read_exactly(300_000)
        pop3.cut()


def refused_login(user):
    with user.connect() as pop3:
        pop3.login(user.name, user.password)
        if user.server.plugins:
            assert pop3.drain() == b""
        else:
            pop3.quit()


def quick_login(user):
    """Refused when it is not the first one."""
    with user.connect() as pop3:
        if pop3.login(user.name, user.password).ok:
            pop3.ok("CAPA")
            pop3.quit()
        else:
            assert pop3.drain() == b""


def definitely_lost(report):
    found = re.search(r"definitely lost: ([\d,]+) bytes in", report)
    return int(found.group(1).replace(",", "")) if found else 0


SESSIONS = {
    "poll": (poll, "4msg/day"), "download": (download, "4msg/day 2M/week"), "broken-line": (broken_line, "100M/day"),
    "broken-line-in-lists": (broken_line_in_lists, None),
    "slowed": (slowed, "1msg/day"),
    "no-quota": (download, None), "bad-setting": (refused_login, "4msg/dya"),
    "bad-state": (refused_login, "4msg/day"), "view": (download, None), "bad-view": (refused_login, None),
    "too-soon": (quick_login, None),
}
FIELDS = {
    "slowed": {"pop3_policy_quota_action": "throttle 512k/s"},
    "view": {"pop3_policy_view": "SMALLER 1M NOT SUBJECT x", "pop3_policy_keep_max_messages": "5"},
    "bad-view": {"pop3_policy_view": "NOT SEEN UID 5"},
}


def reports_of(variant, make_user_on, name):
    session, quota = SESSIONS[name]
    plugin = bool(variant.server.plugins)
    user = make_user_on(variant.server)(messages=6, quota=quota if plugin else None, **FIELDS.get(name, {}))
    user.append([mailgen.message(7, BIG)])
    if name == "too-soon" and plugin:
        user.set_fields(pop3_policy_login_delay="1h")
    if name == "bad-state":
        user.write_state({"version": 2})
        state_check.leave_alone(user.home)
    reports = []
    # the second one finds the state of the first
    for _ in range(2 if plugin else 1):
        session(user)
        reports.append(variant.report())
    return reports


@pytest.mark.parametrize("name", SESSIONS)
def test_no_errors_and_no_leaks(checked, make_user_on, name):
    reports = {variant: reports_of(server, make_user_on, name) for variant, server in checked.items()}
    for report in reports["stock"] + reports["plugin"]:
        assert re.search(r"ERROR SUMMARY: 0 errors", report), report
    lost = {variant: max(definitely_lost(report) for report in found) for variant, found in reports.items()}
    assert lost["plugin"] <= lost["stock"], "\n".join(reports["plugin"])
