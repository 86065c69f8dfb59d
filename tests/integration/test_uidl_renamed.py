# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""A session that gives a new message a name of its own, as its UIDL would be that of another one, has written the line of
it, and cannot write the state: it is killed there, or the disk is full."""

import contextlib
import os

import pytest

import disasters
import mailgen
from conftest import FORMATS
from pop3 import LineClosed
from prey import ONE_WAITS, Prey, remove_stale_locks
from uidl_doveadm import rows

pytestmark = pytest.mark.native

ENDS = {"killed": "signal=KILL", "full-disk": "error=ENOSPC"}
each_end = pytest.mark.parametrize("end", ENDS)


@pytest.fixture
def make(start_server, make_user_on):
    server = start_server(**ONE_WAITS)
    yield make_user_on(server)
    # a process always waits, so that the server would never be idle
    server.stop()


def deliver(user, number, xuidl):
    user.append([b"X-UIDL: " + xuidl + b"\r\n" + mailgen.message(number)])


def told(user):
    """The UIDLs, once the process is gone."""
    prey = Prey(user.server)
    with user.session() as pop3:
        found = list(pop3.uidl().values())
        pop3.quit()
    prey.wait_gone()
    return found


def broken_session(user, end):
    """One that asks for the UIDLs, and cannot write the state."""
    prey = Prey(user.server)
    assert prey.attach("-P", os.path.join(user.state_dir, "state.json.tmp"), "-e", "trace=write",
                       "-e", "inject=write:%s:when=1" % ENDS[end])
    with contextlib.suppress(LineClosed, ConnectionError, AssertionError), user.session() as pop3:
        pop3.uidl()
        pop3.quit()
    prey.wait_gone()
    assert any("write(" in line for line in prey.calls())
    remove_stale_locks(user)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(os.path.join(user.state_dir, "state.json.tmp"))


def stays(user, uidls):
    """Now, and after the next disaster."""
    assert told(user) == uidls
    user.append([mailgen.message(99)])
    assert told(user)[:len(uidls)] == uidls
    disasters.uidvalidity_changed(user)
    assert told(user)[:len(uidls)] == uidls


@each_end
@pytest.mark.parametrize("form", FORMATS)
def test_new_copy(make, form, end):
    user = make(form, pop3_reuse_xuidl="yes")
    deliver(user, 1, b"one")
    deliver(user, 2, b"two")
    assert told(user) == ["one", "two"]
    deliver(user, 3, b"one")
    broken_session(user, end)
    assert 3 in user.journal()
    uidls = told(user)
    assert uidls[:2] == ["one", "two"] and len(set(uidls)) == 3
    deliver(user, 4, b"one")
    uidls = told(user)
    assert uidls[:2] == ["one", "two"] and len(set(uidls)) == 4
    stays(user, uidls)


@each_end
@pytest.mark.parametrize("form", ["maildir", "sdbox"])
def test_import(make, form, end):
    """Of the UIDL that Dovecot makes up for the message that comes next."""
    user = make(form, messages=2)
    uidls = told(user)
    uidls[0] = uidls[1].replace("00000002", "00000003", 1)
    rows(user, "import", "--format=msgno", data=b"1 %s\n" % uidls[0].encode())
    assert told(user) == uidls
    user.append([mailgen.message(3)])
    broken_session(user, end)
    now = told(user)
    assert now[:2] == uidls and len(set(now)) == 3
    stays(user, now)


@each_end
@pytest.mark.parametrize("form", FORMATS)
def test_told_before(make, form, end):
    """A session that has told them, and given none another name, cannot write the state at its end: they stay what they
    are, and none of them is given to a copy, also when the message is gone."""
    user = make(form, pop3_reuse_xuidl="yes")
    deliver(user, 1, b"one")
    assert told(user) == ["one"]
    deliver(user, 2, b"two")
    deliver(user, 3, b"three")
    broken_session(user, end)
    assert {2, 3} <= set(user.journal())
    deliver(user, 4, b"two")
    user.expunge(3)
    deliver(user, 5, b"three")
    uidls = told(user)
    assert uidls[:2] == ["one", "two"] and "three" not in uidls and len(set(uidls)) == 4
    stays(user, uidls)
