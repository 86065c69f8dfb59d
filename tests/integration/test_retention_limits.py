# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""What goes because there is too much."""

import os
import subprocess

import pytest

import mailgen
import retention
from retention import each_format, fetch, fields, left, poll, said, taken


@each_format
def test_too_many(server, new_user, form):
    """Those downloaded first go first, and the others never."""
    user = new_user(form, messages=10, **fields(keep_max_messages="7"))
    poll(user)
    assert left(user) == list(range(1, 11)) and not said(user)
    fetch(user, 5, 6)
    assert left(user) == [1, 2, 3, 4, 7, 8, 9, 10]
    server.clock.advance(hours=1)
    fetch(user, 2, 1)
    assert left(user) == [2, 3, 4, 7, 8, 9, 10]
    user.set_fields(**fields(keep_max_messages="3"))
    server.clock.advance(days=1)
    poll(user)
    assert left(user) == [3, 4, 7, 8, 9, 10]
    assert taken(user) == 4
    retention.days_of_polls(user, 60, step=10)
    assert left(user) == [3, 4, 7, 8, 9, 10]
    assert all(line.endswith(" max_messages") for line in said(user))


@each_format
def test_too_much(server, new_user, form):
    size = len(mailgen.message(1))
    user = new_user(form, messages=6, **fields(keep_max_size="%db" % (4 * size)))
    poll(user)
    fetch(user, 4)
    assert left(user) == [1, 2, 3, 5, 6]
    server.clock.advance(hours=1)
    fetch(user, 1)
    assert left(user) == [2, 3, 5, 6]
    retention.days_of_polls(user, 60, step=10)
    assert left(user) == [2, 3, 5, 6]
    fetch(user, 2)
    retention.days_of_polls(user, 2)
    assert left(user) == [2, 3, 5, 6]
    user.append([mailgen.message(7)])
    retention.days_of_polls(user, 1)
    assert left(user) == [2, 5, 6, 7]
    assert all(line.endswith(" max_size") for line in said(user))


def test_time_goes_first(server, new_user):
    """What the times take makes room."""
    user = new_user(messages=5, **fields(keep_downloaded="5d"))
    fetch(user, 1, 2)
    server.clock.advance(days=4)
    fetch(user, 3)
    server.clock.advance(days=1)
    user.set_fields(**fields(keep_max_messages="3"))
    poll(user)
    assert left(user) == [3, 4, 5]
    assert said(user)[-1].endswith(": 2 downloaded")


@pytest.mark.parametrize("delete_type", ["flag", "expunge"])
def test_deleted_flag(start_server, make_user_on, delete_type):
    """What clients have deleted and are not shown is in the mailbox still, and counts."""
    server = start_server(extra="protocol pop3 {\n  pop3_deleted_flag = POP3Deleted\n  pop3_delete_type = %s\n}\n"
                          % delete_type)
    user = make_user_on(server)(messages=5, **fields(keep_max_messages="5"))
    retention.mark(user, "4,5", "+FLAGS", "(POP3Deleted)")
    fetch(user, 1)
    assert left(user) == [1, 2, 3, 4, 5]
    user.append([mailgen.message(6)])
    with user.session() as pop3:
        assert pop3.stat()[0] == 4
        assert pop3.quit().ok
    server.wait_idle()
    assert left(user) == [2, 3, 4, 5, 6]


def processor_seconds(server, *args):
    """Of a command of doveadm, without those of others."""
    with subprocess.Popen(["doveadm", "-c", server.conf, *args], env=server.environment()) as process:
        _pid, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_utime + usage.ru_stime


@pytest.mark.native
def test_many_that_stay(server, new_user):
    """A limit that most of the mail is exempt from costs about as much as one that takes all of it."""
    count, others = 2000, 50
    user = new_user(messages=count, **fields(keep_max_messages="1"))
    retention.mark(user, "1:%d" % (count - others), "+FLAGS", r"(\Flagged)")
    user.set_fields(**fields(report_only="yes"))
    with user.session() as pop3:
        assert all(reply.ok for reply in pop3.pipeline(*["RETR %d" % number for number in range(1, count + 1)]))
        assert pop3.quit().ok
    server.wait_idle()
    run = ("pop3", "retention", "run", "--dry-run", "-u", user.name)
    at_once = min(processor_seconds(server, *run) for _ in range(3))
    user.set_fields(**fields(keep_max_messages=str(count - 1)))
    in_rounds = min(processor_seconds(server, *run) for _ in range(3))
    assert in_rounds < 2.5 * at_once, (in_rounds, at_once)
