# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""doveadm pop3 retention run, against mailboxes that are known."""

import json
import os
import re

import pytest

import mailgen
import retention
from retention import DAY, each_format, fetch, fields, left, mark, poll
from retention_doveadm import PLACES, SIZE, doveadm, failure, journal_time, row, run, says, status, took
from test_poll import listing
from uidl_doveadm import target


@each_format
@PLACES
def test_run(server, new_user, form, socket):
    """Takes what a session would take, and no session is needed."""
    user = new_user(form, messages=5, **fields(keep_downloaded="14d"))
    fetch(user, 2, 4)
    uidls = poll(user)
    due = journal_time(user, 2) + 14 * DAY
    server.clock.set_epoch(due - 30)
    assert run(user, socket=socket) == {}
    server.clock.set_epoch(due + 60)
    assert run(user, socket=socket) == took(downloaded=2, bytes=2 * SIZE)
    assert left(user) == [1, 3, 5]
    assert run(user, socket=socket) == {}
    assert poll(user) == [uidls[0], uidls[2], uidls[4]]


def test_run_says_what_it_does(server, new_user):
    user = new_user(messages=3, **fields(keep_downloaded="0", expire_action="move Archive"))
    poll(user)
    user.set_fields(**fields(keep_downloaded="1d"))
    fetch(user, 1, 2)
    server.clock.advance(days=1)
    assert "retention moved 2 messages, %d bytes: 2 downloaded" % (2 * SIZE) in says(user)
    assert left(user) == [3] and left(user, "Archive") == [1, 2]
    assert says(user) == ""


@PLACES
def test_run_formats(server, new_user, socket):
    user = new_user(messages=9, **fields(keep_downloaded="2d"))
    names = ["downloaded", "undownloaded", "max_messages", "max_size", "bytes"]
    for number, options in ((1, ()), (2, ("-f", "table")), (3, ("-f", "tab")), (4, ("-f", "flow"))):
        fetch(user, 1)
        server.clock.advance(days=2)
        text = user.doveadm(*options, "pop3", "retention", "run", *target(user, socket))
        found = re.findall(r"[^\s=]+", text)
        if options == ("-f", "flow"):
            assert found == [word for name in names for word in (name, took(downloaded=1, bytes=SIZE)[name])]
        else:
            assert found == names + ["1", "0", "0", "0", str(SIZE)]
        assert left(user) == list(range(number + 1, 10))


def test_each_rule(server, new_user):
    retention.true_time(server)
    user = new_user(messages=10, **fields(keep_downloaded="100d"))
    fetch(user, 1, 2)
    server.clock.advance(days=10)
    fetch(user, 3, 4, 5)
    user.append([mailgen.message(11)])
    # 1 and 2 by their time, 3 as there are too many then, 4 as that is too much
    user.set_fields(**fields(keep_downloaded="5d", keep_max_messages="8", keep_max_size="%db" % (7.5 * SIZE)))
    assert run(user, "--dry-run") == took(downloaded=2, max_messages=1, max_size=1, bytes=4 * SIZE)
    assert run(user) == took(downloaded=2, max_messages=1, max_size=1, bytes=4 * SIZE)
    assert left(user) == [5, 6, 7, 8, 9, 10, 11]
    user.set_fields(**fields(keep_undownloaded="5d"))
    taken = run(user, "--force")
    assert int(taken["undownloaded"]) >= 5 and taken["downloaded"] == "0"
    assert left(user)[0] == 5


@each_format
@pytest.mark.parametrize("option", ["--dry-run", "-n"])
def test_dry_run(server, new_user, form, option):
    """Says what would go, and leaves no trace."""
    user = new_user(form, messages=5, **fields(keep_downloaded="14d", expire_action="move Archive"))
    fetch(user, 2, 4)
    server.clock.advance(days=13)
    poll(user)
    before = listing(user.home)
    assert run(user, option) == {}
    server.clock.advance(days=1)
    for _ in range(2):
        assert run(user, option) == took(downloaded=2, bytes=2 * SIZE)
    assert says(user, option) == ""
    assert listing(user.home) == before
    # nothing was noted either: the next run is not misled
    assert run(user) == took(downloaded=2, bytes=2 * SIZE)
    assert left(user) == [1, 3, 5]


def test_dry_run_before_any_run(server, new_user):
    """As an admin tries rules that no session has met yet."""
    user = new_user(messages=3)
    fetch(user, 1, 2)
    server.clock.advance(days=2)
    poll(user)
    user.set_fields(**fields(keep_downloaded="1d"))
    before = listing(user.home)
    assert run(user, "--dry-run") == took(downloaded=2, bytes=2 * SIZE)
    assert listing(user.home) == before


def test_force(server, new_user):
    """It looks, although there should be nothing to be found."""
    user = new_user(messages=3, **fields(keep_downloaded="1d"))
    mark(user, "2", "+FLAGS", r"(\Flagged)")
    fetch(user, 1, 2)
    server.clock.advance(days=1)
    assert run(user) == took(downloaded=1, bytes=SIZE)
    mark(user, "1", "-FLAGS", r"(\Flagged)")
    # what was exempt is looked at once a day
    assert run(user) == {}
    assert run(user, "--force") == took(downloaded=1, bytes=SIZE)
    assert run(user, "--force") == {}
    assert left(user) == [3]


def test_force_takes_no_more_than_rules_do(server, new_user):
    retention.true_time(server)
    user = new_user(messages=4, **retention.all_rules())
    mark(user, "3", "+FLAGS", r"(\Flagged)")
    fetch(user, 1, 3)
    server.clock.advance(days=13)
    assert run(user, "--force") == {}
    assert left(user) == [1, 2, 3, 4]


@each_format
def test_report_only(server, new_user, form):
    user = new_user(form, messages=3, **fields(keep_downloaded="2d", report_only="yes"))
    fetch(user, 1, 2)
    server.clock.advance(days=2)
    result = doveadm(user, "run")
    assert json.loads(result.stdout) == [took(downloaded=2, bytes=2 * SIZE)]
    assert b"retention would have taken 2 messages" in result.stderr
    assert left(user) == [1, 2, 3]
    assert status(user) == {"downloaded": row(2, status(user)["downloaded"]["next"], 2)}


def test_reported_goes_as_soon_as_it_may(server, new_user):
    """Not a day later, when there would be the next report."""
    user = new_user(messages=3, **fields(keep_downloaded="2d", report_only="yes"))
    fetch(user, 1, 2)
    server.clock.advance(days=2)
    would_go = run(user, "--dry-run")
    assert would_go["bytes"] == str(2 * SIZE)
    assert run(user) == would_go
    assert left(user) == [1, 2, 3]
    # about once a day
    assert run(user) == {}
    user.set_fields(**fields(report_only="no"))
    assert run(user) == would_go
    assert left(user) == [3]


@pytest.mark.parametrize("option", [None, "--force", "--dry-run"])
def test_no_rules(new_user, option):
    user = new_user(messages=2)
    fetch(user, 1)
    before = listing(user.home)
    assert run(user, *([option] if option else [])) == {}
    assert listing(user.home) == before


@pytest.mark.parametrize("option", [None, "--force", "--dry-run"])
def test_no_pop3(server, new_user, option):
    """Mail of users who do not use POP3 is left alone: not even the mailbox is made."""
    user = new_user(**fields(keep_downloaded="0", keep_undownloaded="1d", keep_max_messages="1"))
    options = [option] if option else []
    assert run(user, *options) == {} and says(user, *options) == ""
    assert os.listdir(user.home) == []
    user.append([mailgen.message(1), mailgen.message(2)])
    before = listing(user.home)
    server.clock.advance(days=100)
    assert run(user, *options) == {} and says(user, *options) == ""
    assert listing(user.home) == before


def test_usage(server):
    result = server.run_doveadm("pop3", "retention", check=False)
    assert re.search(rb"retention +run\|status", result.stdout + result.stderr)


def test_bad_usage(server, new_user):
    """Somebody who means a format does not get a run without questions."""
    user = new_user(messages=2, **fields(keep_downloaded="1d"))
    fetch(user, 1)
    server.clock.advance(days=40)
    for args in (["-f", "tab"], ["something"], ["--nonsense"]):
        assert failure(user, "run", *args)[0] == 64
    assert left(user) == [1, 2]
