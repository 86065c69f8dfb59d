# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""The check of all mail after each test finds what it is there for, and nothing else."""

import subprocess

import pytest

import disasters
import invariant
import mailgen
import retention
from conftest import FORMATS
from retention import fetch, fields, left, poll

each_format = pytest.mark.parametrize("form", FORMATS)


@pytest.fixture
def complaints(server, monkeypatch):
    """What the check says of a user, who is not checked again after the test."""
    monkeypatch.setattr(invariant, "LOG_DEADLINE", 0.2)
    start = server.log_size()

    def check(user):
        server.wait_idle()
        del server.people[user.name]
        return invariant.complaints(user, start)

    return check


def secretly(user, *args, data=None):
    """By a doveadm that the check does not know of."""
    subprocess.run(["doveadm", "-c", user.server.conf, args[0], "-u", user.name, *args[1:]], input=data, check=True,
                   stdout=subprocess.DEVNULL)


def take_away(user, number, mailbox="INBOX"):
    secretly(user, "expunge", "mailbox", mailbox, "header", "X-Number", str(number))


def give(user, number):
    secretly(user, "save", data=mailgen.message(number))


# -- lost mail


@each_format
def test_lost(new_user, complaints, form):
    user = new_user(form, messages=5)
    fetch(user, 2)
    take_away(user, 2)
    assert left(user) == [1, 3, 4, 5]
    found, = complaints(user)
    assert "1 messages are lost (1 x message 2)" in found


@each_format
def test_lost_in_another_mailbox(new_user, complaints, form):
    user = new_user(form, messages=3, **fields(keep_downloaded="0", expire_action="move Archive"))
    fetch(user, 1, 2)
    assert left(user, "Archive") == [1, 2]
    take_away(user, 2, "Archive")
    found, = complaints(user)
    assert "1 messages are lost (1 x message 2)" in found


@each_format
def test_one_of_two_copies_lost(new_user, complaints, form):
    user = new_user(form)
    user.append([mailgen.message(1)] * 2)
    secretly(user, "expunge", "mailbox", "INBOX", "1")
    found, = complaints(user)
    assert "1 messages are lost (1 x message 1)" in found


@pytest.mark.parametrize("known", [False, True])
@each_format
def test_lost_beside_a_deleted_one(new_user, complaints, form, known):
    """The check knows how many were deleted, and which ones of those that the client has downloaded."""
    user = new_user(form, messages=4)
    with user.session() as pop3:
        if known:
            pop3.retr(1)
        pop3.ok("DELE 1")
        pop3.quit()
    user.server.wait_idle()
    take_away(user, 3)
    found, = complaints(user)
    assert "lost" in found and "message 3" in found and ("message 1" in found) == (not known)


def test_lost_instead_of_a_deleted_one(new_user, complaints):
    user = new_user(messages=4)
    with user.session() as pop3:
        pop3.retr(1)
        pop3.ok("DELE 1")
        pop3.quit()
    user.server.wait_idle()
    give(user, 1)
    take_away(user, 3)
    found, = complaints(user)
    assert "1 messages are lost (1 x message 3)" in found


def test_deleted_in_a_session_without_quit(new_user, complaints):
    user = new_user(messages=2)
    with user.session() as pop3:
        pop3.retr(1)
        pop3.ok("DELE 1")
        pop3.cut()
    user.server.wait_idle()
    assert left(user) == [1, 2]
    take_away(user, 1)
    found, = complaints(user)
    assert "lost" in found


def test_reset_deletes_nothing(new_user, complaints):
    user = new_user(messages=2)
    with user.session() as pop3:
        pop3.retr(1)
        pop3.pipeline("DELE 1", "RSET")
        pop3.quit()
    user.server.wait_idle()
    take_away(user, 1)
    found, = complaints(user)
    assert "lost" in found


@each_format
def test_lost_beside_what_a_rule_has_taken(new_user, complaints, form):
    user = new_user(form, messages=4, **fields(keep_downloaded="0"))
    fetch(user, 1, 2)
    take_away(user, 3)
    found, = complaints(user)
    assert "3 messages are lost" in found and "2 by rules" in found


@each_format
def test_taken_without_a_download(server, new_user, complaints, form):
    """As if a rule had taken the wrong one: the number alone would do."""
    user = new_user(form, messages=3, **fields(keep_downloaded="0"))
    fetch(user, 1)
    assert left(user) == [2, 3]
    give(user, 1)
    take_away(user, 2)
    found, = complaints(user)
    assert "1 messages were taken that nobody had downloaded (1 x message 2)" in found


# -- mail of others


@each_format
def test_mail_of_another_one(new_user, complaints, form):
    first, second = new_user(form), new_user(form)
    first.append([mailgen.message(1)])
    second.append([mailgen.message(2)])
    give(second, 1)
    found, = complaints(second)
    assert "has mail of %s (message 1)" % first.name in found
    assert complaints(first) == []


@each_format
def test_mail_that_both_have(new_user, complaints, form):
    first, second = new_user(form, messages=2), new_user(form, messages=2)
    give(second, 1)
    found, = complaints(second)
    assert "more copies than were delivered (1 x message 1)" in found
    assert complaints(first) == []


def test_mail_of_another_test(new_user, complaints):
    first, second = new_user(messages=1), new_user()
    data = mailgen.message(1)
    mailgen.new_test()
    second.append([mailgen.message(1)])
    secretly(second, "save", data=data)
    found, = complaints(second)
    assert "has mail of %s (message 1)" % first.name in found


def test_mail_of_another_one_was_shown(new_user, complaints):
    """Though it is not there any more."""
    first, second = new_user(), new_user()
    first.append([mailgen.message(1)])
    give(second, 1)
    with second.session() as pop3:
        pop3.retr(1)
        pop3.cut()
    take_away(second, 1)
    found, = complaints(second)
    assert "was shown mail of %s (message 1)" % first.name in found


# -- mail that has gone as it should


@each_format
def test_explained(server, new_user, complaints, form):
    """By POP3, by IMAP, by doveadm, and by rules of all kinds."""
    retention.true_time(server)
    user = new_user(form, messages=12)
    with user.session() as pop3:
        pop3.retr(1)
        pop3.ok("DELE 1")
        pop3.ok("DELE 2")
        pop3.quit()
    user.server.wait_idle()
    user.expunge(1, 2)
    user.doveadm("expunge", "-u", user.name, "mailbox", "INBOX", "header", "X-Number", "5")
    assert left(user) == [6, 7, 8, 9, 10, 11, 12]
    user.set_fields(**fields(keep_downloaded="0"))
    fetch(user, 1)
    user.set_fields(**fields(keep_downloaded="5d", expire_action="move Archive"))
    fetch(user, 1, 2)
    retention.days_of_polls(user, 5)
    assert left(user, "Archive") == [7, 8]
    user.set_fields(**fields(keep_downloaded="forever", keep_undownloaded="10d", expire_action="expunge"))
    retention.days_of_polls(user, 20)
    assert left(user) == []
    assert complaints(user) == []


@pytest.mark.parametrize("style", ["tab", "json", "table"])
def test_explained_by_doveadm(server, new_user, complaints, style):
    user = new_user(messages=3, **fields(keep_downloaded="2d"))
    fetch(user, 1, 2)
    poll(user)
    server.clock.advance(days=3)
    user.doveadm("-f", style, "pop3", "retention", "run", "-u", user.name)
    assert left(user) == [3]
    assert complaints(user) == []


@each_format
def test_said_by_the_test(new_user, complaints, form):
    user = new_user(form, messages=3)
    user.mail.explain(1, "it is taken away")
    take_away(user, 2)
    assert complaints(user) == []


@each_format
def test_lost_after_a_disaster(new_user, complaints, form):
    """What comes after it is not excused."""
    user = new_user(form, messages=3)
    disasters.re_appended(user)
    take_away(user, 2)
    assert "message 2" in complaints(user)[0]


@each_format
def test_copies(new_user, complaints, form):
    """One message is enough to be there, wherever, and a copy is nobody's else."""
    first, second = new_user(form, messages=3), new_user(form, messages=3)
    with retention.selected(first) as imap:
        imap.create("Other")
        assert imap.copy("1:2", "Other")[0] == "OK"
    first.expunge(1)
    assert complaints(first) == [] and complaints(second) == []
