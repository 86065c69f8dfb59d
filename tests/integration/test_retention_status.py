# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""doveadm pop3 retention status, against mailboxes that are known."""

import os

import mailgen
import retention
from retention import DAY, each_format, fetch, fields, left, mark, poll
from retention_doveadm import PLACES, SIZE, journal_time, mail_and_state, row, run, seconds, status, took
from test_poll import listing
from uidl_doveadm import target


@each_format
@PLACES
def test_status(server, new_user, form, socket):
    """Each rule that is set has a row with what it may take some time, and what it would take now."""
    retention.true_time(server)
    user = new_user(form, messages=6, **retention.all_rules(keep_max_messages="100"))
    mark(user, "6", "+FLAGS", r"(\Flagged)")
    fetch(user, 1, 2, 6)
    first = journal_time(user, 1) + 14 * DAY
    server.clock.advance(days=3)
    fetch(user, 3)
    before = mail_and_state(user)
    found = status(user, socket=socket)
    next_times = {name: each["next"] for name, each in found.items()}
    assert seconds(next_times["downloaded"]) == first
    # mbox tells local times, but not of which zone
    assert abs(seconds(next_times["undownloaded"]) - server.clock.now() - 87 * DAY) < (7800 if form == "mbox" else 600)
    assert found == {"downloaded": row(3, next_times["downloaded"]), "undownloaded": row(2, next_times["undownloaded"]),
                     "max_messages": row(3), "max_size": row(3)}
    server.clock.set_epoch(first + 60)
    found = status(user, socket=socket)
    assert found["downloaded"] == row(3, next_times["downloaded"], 2)
    assert found["max_messages"] == row(3)
    assert mail_and_state(user) == before
    assert run(user, socket=socket) == took(downloaded=2, bytes=2 * SIZE)
    found = status(user)
    assert found["downloaded"] == row(1, found["downloaded"]["next"])
    assert abs(seconds(found["downloaded"]["next"]) - first - 3 * DAY) < 600


def test_status_of_limits(new_user):
    user = new_user(messages=6)
    fetch(user, 1, 2, 3)
    mark(user, "1", "+FLAGS", r"(\Flagged)")
    user.set_fields(**fields(keep_max_messages="5", keep_max_size="%d" % (4 * SIZE)))
    assert status(user) == {"max_messages": row(2, due=1), "max_size": row(2, due=1)}
    assert run(user) == took(max_messages=1, max_size=1, bytes=2 * SIZE)
    assert status(user) == {"max_messages": row(0), "max_size": row(0)}
    assert left(user) == [1, 4, 5, 6]


def test_status_of_one_rule(server, new_user):
    retention.true_time(server)
    for name, value in list(retention.RULES.items())[:4]:
        user = new_user(messages=2, **fields(**{name: value}))
        fetch(user, 1)
        assert [(rule, each["messages"]) for rule, each in status(user).items()] == [
            (name.replace("keep_", ""), "1")]


def test_status_of_an_empty_mailbox(new_user):
    user = new_user(**retention.all_rules())
    poll(user)
    before = listing(user.home)
    assert status(user) == {rule: row(0) for rule in ("downloaded", "undownloaded", "max_messages", "max_size")}
    assert listing(user.home) == before


def test_status_without_rules(new_user):
    user = new_user(messages=2, **fields(exempt="NONSENSE"))
    assert status(user) == {}
    fetch(user, 1)
    assert status(user) == {}


def test_status_without_pop3(new_user):
    """The rules are seen, and have nothing; nothing is made either."""
    user = new_user(**fields(keep_downloaded="14d", keep_undownloaded="90d"))
    assert status(user) == {"downloaded": row(0), "undownloaded": row(0)}
    assert os.listdir(user.home) == []
    user.append([mailgen.message(1)])
    before = listing(user.home)
    assert status(user) == {"downloaded": row(0), "undownloaded": row(0)}
    assert listing(user.home) == before


@PLACES
def test_status_formats(new_user, socket):
    user = new_user(messages=3, **fields(keep_max_messages="3"))
    fetch(user, 1)
    options = target(user, socket)
    words = ["max_messages", "1", str(SIZE), "-", "0", "0"]
    lines = user.doveadm("pop3", "retention", "status", *options).splitlines()
    assert lines[0].split() == "Rule Messages Bytes Next due Due Due bytes".split()
    assert [line.split() for line in lines[1:]] == [words]
    lines = user.doveadm("-f", "tab", "pop3", "retention", "status", *options).splitlines()
    assert [line.split("\t") for line in lines[1:]] == [words]
