# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""A session that recovers UIDLs, or records new ones, is killed at each call that changes a file or tells something:
the next session tells all UIDLs as before."""

import re
import time

import pytest

import disasters
import mailgen
from conftest import FORMATS
from pop3 import LineClosed
from prey import CALLS, ONE_WAITS, Prey, remove_stale_locks

pytestmark = pytest.mark.native

SECONDS = 45


def session(user):
    """The UIDLs, or None if the session was killed before it told them all."""
    uidls = None
    try:
        with user.session() as pop3:
            uidls = pop3.uidl()
            pop3.quit()
    except (LineClosed, ConnectionError, AssertionError):
        # killed
        pass
    return uidls


def change_uidvalidity(user):
    """By hand where that can be, as this happens very often."""
    if user.form != "maildir":
        disasters.uidvalidity_changed(user)
        return
    path, = disasters.files(user, "dovecot-uidlist")
    with open(path, encoding="ascii") as file:
        text = file.read()
    with open(path, "w", encoding="ascii") as file:
        file.write(re.sub(r" V(\d+)", lambda match: " V%d" % (int(match.group(1)) + 1), text, count=1))


@pytest.fixture
def user(start_server, make_user_on, form):
    server = start_server(**ONE_WAITS)
    yield make_user_on(server)(form, messages=8)
    # a process always waits, so that the server would never be idle
    server.stop()


def whole_session(user):
    """One that nobody kills, once its process is gone."""
    prey = Prey(user.server)
    uidls = session(user)
    prey.wait_gone()
    assert uidls is not None
    return uidls


def each_kill(user, prepare):
    """Yields (name of the point, the UIDLs if they were told) for each session that was killed after PREPARE."""
    end = time.monotonic() + SECONDS
    for call in CALLS:
        killed, number = True, 0
        while killed and time.monotonic() < end:
            number += 1
            prepare()
            prey = Prey(user.server)
            if not prey.kill_at(call, number):
                break
            told = session(user)
            prey.wait_gone()
            killed = prey.was_killed()
            remove_stale_locks(user)
            if killed:
                yield "%s %d" % (call, number), told


@pytest.mark.parametrize("form", FORMATS)
def test_killed_in_a_recovery(user):
    whole_session(user)
    user.append([mailgen.message(101)])
    uidls = whole_session(user)
    points = []
    for point, told in each_kill(user, lambda: change_uidvalidity(user)):
        assert whole_session(user) == uidls, "killed at " + point
        assert told in (None, uidls), "killed at " + point
        points.append(point)
    assert len(points) > 20, points
    # new mail after all of that
    user.append([mailgen.message(102)])
    after = whole_session(user)
    assert {number: after[number] for number in uidls} == uidls and len(set(after.values())) == 10


@pytest.mark.parametrize("form", ["maildir", "mdbox"])
def test_killed_when_it_records(user):
    """A message whose UIDL was told, and then lost, would come out of the next disaster with another one."""
    uidls = whole_session(user)
    points = []
    for point, told in each_kill(user, lambda: user.append([mailgen.message(len(points) + 100)])):
        after = whole_session(user)
        known = told or uidls
        assert {number: after[number] for number in known} == known, "killed at " + point
        uidls = after
        if len(points) % 4 == 0:
            change_uidvalidity(user)
            assert whole_session(user) == uidls, "killed at " + point
        points.append(point)
    assert len(points) > 20, points
