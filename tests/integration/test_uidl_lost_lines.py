# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Lines of the journal are lost, and the newest messages, by which the mailbox is known again, are gone as well."""

import os
import time

import pytest

import disasters
import mailgen
import state_check
from conftest import FORMATS
from damage import held_lock
from journal_damage import cut_in_half, remove_journal, spoil_first_message
from polling import wait_for
from retention import fields, left
from uidl_doveadm import rows

LOSSES = {"none-left": remove_journal, "half-left": cut_in_half, "bad-line": spoil_first_message}
# these know when a message was saved, whatever is done to its flags
DBOX = ["sdbox", "mdbox"]


@pytest.fixture
def damaged(server, new_user):
    def make(form, loss):
        user = new_user(form, messages=8)
        told = user.told()
        server.wait_idle()
        state_check.leave_alone(user.home)
        LOSSES[loss](user)
        return user, told
    return make


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("form", DBOX)
def test_others_keep_their_uidls(damaged, form, loss):
    user, told = damaged(form, loss)
    user.expunge(4, 5, 6, 7, 8)
    user.append([mailgen.message(9)])
    for _ in range(2):
        now = user.told()
        assert now[:3] == told[:3] and now[3] not in told


# of a line in the middle nobody knows before the journal is read
@pytest.mark.parametrize("loss", ["none-left", "half-left"])
@pytest.mark.parametrize("form", FORMATS)
def test_one_session_is_enough(server, damaged, form, loss):
    """Whatever is next finds lines for all that is there."""
    user, told = damaged(form, loss)
    user.append([mailgen.message(9)])
    assert user.told()[:8] == told
    server.wait_idle()
    assert set(user.journal()) == set(map(int, user.uids()))


@pytest.mark.parametrize("has_news", [False, True], ids=["at-once", "after-news"])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("form", FORMATS)
def test_import(server, new_user, form, loss, has_news):
    """All but those that are imported are what they were, also if only the index cache knows them."""
    server.clock.set_epoch(time.time())
    user = new_user(form, messages=8)
    user.told()
    disasters.uidvalidity_changed(user)
    told = user.told()
    # none is in the cache before it is asked for
    assert user.told() == told
    state_check.leave_alone(user.home)
    LOSSES[loss](user)
    if has_news:
        user.append([mailgen.message(9)])
        assert user.told()[:8] == told
    rows(user, "import", "--format=msgno", data=b"5 imported\n")
    told[4] = "imported"
    for _ in range(2):
        assert user.told()[:8] == told


def is_waited_for(path):
    """Whether a process waits for the lock of a file that another one has."""
    with open("/proc/locks", encoding="ascii") as locks:
        return any(" -> " in line and line.split()[-3].endswith(":%d" % os.stat(path).st_ino) for line in locks)


@pytest.mark.parametrize("lose", [cut_in_half, remove_journal])
@pytest.mark.parametrize("form", FORMATS)
def test_delivery_before_retention_looks(server, new_user, form, lose):
    """The client was not told the UIDL of what comes when it is gone already, though the lines are written after that."""
    server.clock.set_epoch(time.time())
    user = new_user(form, messages=6, **fields(keep_downloaded="0"))
    told = user.told()
    lose(user)
    with user.session() as pop3:
        assert pop3.retr(1).ok
        with held_lock(user):
            assert pop3.quit().ok
            wait_for(lambda: is_waited_for(os.path.join(user.home, "pop3-policy/state.lock")),
                     "the session to wait for the lock")
            user.append([mailgen.message(7)])
    server.wait_idle()
    assert left(user) == [2, 3, 4, 5, 6, 7]
    now = user.told()
    assert now[:5] == told[1:] and len(now) == 6
    assert user.told() == now
    assert not server.log_lines(user, "recovered")


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("form", FORMATS)
def test_used_a_second_time(server, new_user, form, loss):
    """An older mailbox was restored, and new messages have UIDs that were told: they get other UIDLs. Those that had the
    UIDs by which the mailbox is known again are gone."""
    server.clock.set_epoch(time.time())
    user = new_user(form, messages=4)
    user.told()
    disasters.make_backup(user)
    user.append([mailgen.message(number) for number in (5, 6, 7)])
    told = user.told()
    server.wait_idle()
    state_check.leave_alone(user.home)
    LOSSES[loss](user)
    # what comes now may come in the second of the last listing
    disasters.backup_restored(user)
    user.append([mailgen.message(number) for number in (8, 9, 10, 11)])
    user.expunge(6, 7)
    now = user.told()
    assert len(now) == 6 and not set(now[4:]) & set(told)
