# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Disasters that take more than one thing to go wrong, or a mailbox that nobody has touched for long."""

import os
import shutil
import time

import pytest

import disasters
import expect
import mailgen
from polling import wait_for
from test_state_lock import held_lock


@pytest.fixture
def recoveries(server):
    """The log lines of recoveries of a user."""
    return lambda user: server.log_lines(user, "UIDLs recovered")


def copy_mail(user, folder):
    shutil.copytree(os.path.join(user.home, "Maildir"), folder, symlinks=True)


def put_back(user, folder):
    user.mail.lose("what came since the copy")
    shutil.rmtree(os.path.join(user.home, "Maildir"))
    copy = os.path.join(user.home, "Maildir")
    shutil.copytree(folder, copy, symlinks=True)
    user.own_home()


def make_old(user):
    """As if the mailbox had been quiet for long: Dovecot does not look into such folders."""
    for sub in ("cur", "new"):
        os.utime(os.path.join(user.home, "Maildir", sub), (1_500_000_000, 1_500_000_000))


def test_uidlist_of_a_quiet_mailbox_deleted(new_user, recoveries):
    """The index still has the messages, under UIDs that none of them has any more; again when UIDLs are stored."""
    user = new_user(messages=8)
    before = user.told()
    for count in (1, 2, 3):
        make_old(user)
        user.told()
        disasters.await_next_second(user)
        os.unlink(os.path.join(user.home, "Maildir", "dovecot-uidlist"))
        assert user.told() == before
        assert user.told() == before
        assert len(recoveries(user)) == count


def test_uids_of_deleted_messages_are_used_again(new_user, tmp_path):
    """A client may still know the UIDLs of what it has deleted in its last session."""
    user = new_user(messages=6)
    user.told()
    copy_mail(user, tmp_path / "backup")
    user.append(mailgen.messages(3))
    with user.session() as pop3:
        known = pop3.uidl()
        for number in (7, 8, 9):
            assert pop3.retr(number).ok
            pop3.ok("DELE %d" % number)
        pop3.quit()
    user.server.wait_idle()
    put_back(user, tmp_path / "backup")
    user.append([mailgen.message(number) for number in (21, 22, 23, 24)])
    found = user.told()
    assert found[:6] == list(known.values())[:6]
    assert not set(found[6:]) & set(known.values())
    assert user.told() == found


def test_as_many_messages_as_before(new_user, tmp_path):
    """An older mailbox is put back, gets as much new mail as it lacks, and an IMAP client deletes some: numbers alone
    would not tell."""
    user = new_user(messages=12)
    user.told()
    copy_mail(user, tmp_path / "backup")
    user.append(mailgen.messages(4))
    with user.session() as pop3:
        known = pop3.uidl()
        for number in (13, 14, 15, 16):
            pop3.ok("DELE %d" % number)
        pop3.quit()
    user.server.wait_idle()
    put_back(user, tmp_path / "backup")
    user.append([mailgen.message(number) for number in (31, 32, 33, 34)])
    user.expunge(1, 2, 3, 4)
    found = user.told()
    assert found[:8] == list(known.values())[4:12]
    assert not set(found[8:]) & set(known.values())


def test_deleting_by_imap_is_no_disaster(new_user, recoveries):
    """Whoever reads mail elsewhere and deletes the newest, or all of it, gets no recovery."""
    user = new_user(messages=12)
    before = user.told()
    user.expunge(11, 12)
    user.append([mailgen.message(41)])
    found = user.told()
    assert found[:10] == before[:10] and len(found) == 11
    user.expunge(*range(4, 12))
    user.append([mailgen.message(43)])
    found = user.told()
    assert found[:3] == before[:3] and len(found) == 4
    user.expunge(*range(1, 5))
    user.append([mailgen.message(42)])
    assert len(user.told()) == 1
    assert not recoveries(user)


def test_deleting_by_pop3_is_no_disaster(new_user, recoveries):
    """A client that deletes all but the oldest, and comes again for new mail."""
    user = new_user(messages=12)
    for first in (81, 91):
        with user.session() as pop3:
            known = list(pop3.uidl().values())
            for number in range(4, len(known) + 1):
                pop3.ok("DELE %d" % number)
            pop3.quit()
        user.server.wait_idle()
        user.append([mailgen.message(first + number) for number in range(6)])
        found = user.told()
        assert found[:3] == known[:3] and len(found) == 9
    assert not recoveries(user)


def test_two_sessions_wait_for_the_lock_with_a_disaster(new_user, recoveries):
    """Both have seen it; who comes second finds it done."""
    user = new_user(messages=8)
    before = user.told()
    disasters.await_next_second(user)
    disasters.unlink(disasters.files(user, r"dovecot-uidlist|dovecot\.index.*"))
    with held_lock(user) as holder:
        sessions = [user.session(), user.session()]
        wait_for(lambda: waiting(user) == 2, "both sessions to wait for the lock")
        holder.stdin.close()
        assert [list(pop3.uidl().values()) for pop3 in sessions] == [before, before]
        for pop3 in sessions:
            pop3.quit()
    user.server.wait_idle()
    assert len(recoveries(user)) == 1
    assert user.told() == before


def test_lock_is_not_had_in_time(new_user, server):
    """No UIDL is told that may be wrong."""
    user = new_user(messages=5)
    before = user.told()
    disasters.await_next_second(user)
    os.unlink(os.path.join(user.home, "Maildir", "dovecot-uidlist"))
    with held_lock(user):
        with user.session() as pop3:
            assert pop3.command("UIDL").text == expect.NO_UIDLS
            assert pop3.drain() == b""
        wait_for(lambda: server.log_lines(user, "Error: pop3_policy: session is refused"), "the reason in the log")
    assert user.told() == before


def waiting(user):
    """How many processes wait for the lock of a user's state."""
    inode = os.stat(os.path.join(user.state_dir, "state.lock")).st_ino
    with open("/proc/locks", encoding="ascii") as locks:
        return sum(1 for line in locks if "->" in line and ":%d " % inode in line)


def test_the_journal_is_taken_away(new_user):
    """Messages get their lines again; UIDLs stay what they are, and survive the next disaster."""
    user = new_user(messages=8)
    before = user.told()
    os.unlink(user.journal_path)
    user.append([mailgen.message(51)])
    before = user.told()
    assert before == user.told()
    assert len(user.journal()) == 9
    disasters.await_next_second(user)
    os.unlink(os.path.join(user.home, "Maildir", "dovecot-uidlist"))
    user.append([mailgen.message(52)])
    assert user.told()[:9] == before


def test_clock_far_ahead_and_back(server, new_user):
    """Epochs are numbered by the time; one that was wrong takes nothing away."""
    user = new_user(messages=5)
    before = user.told()
    server.clock.advance(days=4000)
    for _ in range(2):
        time.sleep(1.1)
        os.unlink(os.path.join(user.home, "Maildir", "dovecot-uidlist"))
        user.append([mailgen.message(61)])
        assert user.told()[:5] == before
        server.clock.advance(days=-4000)


def await_time_of_epoch(user):
    """Epochs that follow each other within a second have numbers that are ahead of the time: one that knows nothing of
    them could have the same number."""
    number = user.state()["uidl"]["epoch"]
    wait_for(lambda: int(user.server.clock.now()) >= number, "the time of the epoch")


def test_what_the_cache_remembers_of_a_lost_state(new_user):
    """The index cache has UIDLs of an epoch that nobody knows of any more; a later one must not take them for its own."""
    user = new_user(messages=5)
    old = user.told()
    disasters.await_next_second(user)
    os.unlink(os.path.join(user.home, "Maildir", "dovecot-uidlist"))
    assert user.told() == old
    await_time_of_epoch(user)
    shutil.rmtree(user.state_dir)
    stock = user.told()
    assert not set(stock) & set(old)
    user.set_fields(pop3_uidl_format=disasters.UIDL_FORMATS["uidvalidity-uid"])
    assert user.told() == stock
