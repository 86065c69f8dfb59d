# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""A session writes what it knows after another one has written of newer mail, which it has never seen: it may have been
idle for hours, or have waited for the lock."""

import contextlib
import os
import signal

import pytest

import mailgen
import retention
from conftest import FORMATS
from damage import held_lock
from polling import wait_for
from retention import fields, left, poll, taken

each_format = pytest.mark.parametrize("form", FORMATS)


def append(user, *numbers):
    user.append([mailgen.message(number) for number in numbers])


def deliver_copy(user, number):
    """A message whose X-UIDL header says "one"."""
    user.append([b"X-UIDL: one\r\n" + mailgen.message(number)])


@pytest.fixture
def user(server, new_user, form):
    """Message 4 came after the last session."""
    retention.true_time(server)
    found = new_user(form, messages=3)
    poll(found)
    append(found, 4)
    return found


def other_session(user, *numbers):
    """One that downloads these and ends while the first one goes on; returns the UIDLs."""
    with user.session() as pop3:
        told = list(pop3.uidl().values())
        assert all(pop3.retr(number).ok for number in numbers)
        assert pop3.quit().ok
    wait_for(lambda: len(user.server.children("pop3")) == 1, "the end of the other session")
    return told


@contextlib.contextmanager
def dropped(user):
    """A session whose line drops after all that is done meanwhile. It has news of its own."""
    with user.session() as pop3:
        assert pop3.uidl()
        yield pop3
        pop3.cut()
    user.server.wait_idle()


def state_of(process):
    """A letter, as ps tells it."""
    with open("/proc/%d/stat" % process, encoding="utf-8") as file:
        return file.read().rpartition(") ")[2][0]


@contextlib.contextmanager
def overtaken(server, pop3, user):
    """The session has ended with QUIT, and has yet to write what it knows."""
    process, = server.children("pop3")
    with held_lock(user):
        assert pop3.quit().ok
        with open("/proc/locks", encoding="ascii") as locks:
            wait_for(lambda: locks.seek(0) == 0 and "-> " in locks.read(), "the session to wait for the lock")
        os.kill(process, signal.SIGSTOP)
        wait_for(lambda: state_of(process) == "T", "the session to stop")
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)
    server.wait_idle()


def expire_downloaded(user):
    user.set_fields(**fields(keep_downloaded="0"))
    poll(user)


@each_format
def test_dropped_after_downloads_of_newer_mail(user):
    """What lies between these was never downloaded."""
    with dropped(user):
        append(user, 5, 6, 7)
        other_session(user, 4, 7)
    expire_downloaded(user)
    assert left(user) == [1, 2, 3, 5, 6] and taken(user) == 2


@each_format
def test_dropped_in_the_first_session(server, new_user, form):
    """Both have begun before anything was known."""
    retention.true_time(server)
    user = new_user(form, messages=4)
    with dropped(user):
        append(user, 5, 6, 7)
        other_session(user, 4, 7)
    expire_downloaded(user)
    assert left(user) == [1, 2, 3, 5, 6] and taken(user) == 2


@each_format
def test_download_of_a_session_that_was_overtaken(server, user):
    """It counts, as the others do."""
    with user.session() as pop3:
        assert pop3.retr(2).ok
        with overtaken(server, pop3, user):
            append(user, 5, 6, 7)
            other_session(user, 4, 7)
    expire_downloaded(user)
    assert left(user) == [1, 3, 5, 6] and taken(user) == 3


@each_format
def test_mailbox_is_still_known(server, user):
    """By its newest messages: nothing is recovered that was not lost."""
    with dropped(user):
        append(user, 5, 6, 7)
        told = other_session(user)
    assert user.state()["uidl"]["uidnext"] == 8 and user.state()["uidl"]["live"] == 7
    user.expunge(4)
    append(user, 8)
    assert poll(user)[:6] == told[:3] + told[4:]
    assert not server.log_lines(user, "recovered")


@pytest.fixture
def copies(new_user, form):
    """Message 1 has an X-UIDL header, and message 3 came after the last session."""
    found = new_user(form, pop3_reuse_xuidl="yes")
    deliver_copy(found, 1)
    append(found, 2)
    poll(found)
    append(found, 3)
    return found


@each_format
def test_name_of_a_newer_copy(server, copies):
    """It has one of its own, as it would have that of the first copy."""
    with dropped(copies):
        deliver_copy(copies, 4)
        told = other_session(copies)
    assert len(set(told)) == 4
    assert poll(copies) == told and poll(copies) == told
    assert not server.log_lines(copies, "recovered")


@each_format
def test_name_that_is_just_being_told(server, copies):
    """The other session goes on when the line of the first one drops."""
    first = copies.session()
    assert first.uidl()
    deliver_copy(copies, 4)
    append(copies, 5, 6)
    with copies.session() as other:
        told = list(other.uidl().values())
        first.cut()
        wait_for(lambda: len(server.children("pop3")) == 1, "the end of the first session")
        assert other.quit().ok
    server.wait_idle()
    assert len(set(told)) == 6
    assert poll(copies) == told and poll(copies) == told
    assert not server.log_lines(copies, "recovered")


@each_format
def test_lines_of_newer_mail(server, user):
    """To the session that was overtaken most lines seem to be of messages that are gone."""
    with user.session() as pop3:
        assert pop3.retr(2).ok
        with overtaken(server, pop3, user):
            append(user, *range(5, 90))
            other_session(user)
    journal = user.journal()
    assert set(journal) == set(user.uids()) and "downloaded" in journal[2]
