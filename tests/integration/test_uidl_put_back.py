# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""A message was deleted over IMAP, and an admin puts its file back: an sdbox has it under its old UID again."""

import os
import shutil

import pytest

import disasters
import mailgen
import retention
from journal_damage import journal_lines
from retention import fetch, fields, left, poll, taken


def append(user, *numbers):
    user.append([mailgen.message(number) for number in numbers])


class Kept:
    """The files of messages, to be put back."""

    def __init__(self, user, *uids):
        self.user = user
        self.paths, = [[path for path in disasters.files(user, r"u\.\d+") if int(path.rpartition(".")[2]) in uids]]
        assert len(self.paths) == len(uids)
        self.copies = [shutil.copy2(path, os.path.join(user.home, os.path.basename(path))) for path in self.paths]

    def put_back(self):
        for copy, path in zip(self.copies, self.paths):
            assert not os.path.exists(path)
            shutil.move(copy, path)
        self.user.own_home()
        before = self.user.uids()
        self.user.doveadm("force-resync", "-u", self.user.name, "INBOX")
        uids = [int(path.rpartition(".")[2]) for path in self.paths]
        assert self.user.uids() == sorted(before + uids)


def expire_by_session(user):
    user.set_fields(**fields(keep_downloaded="0"))
    poll(user)


def expire_by_command(user):
    user.set_fields(**fields(keep_downloaded="0"))
    user.doveadm("pop3", "retention", "run", "-u", user.name, "--force")


both_ways = pytest.mark.parametrize("expire", [expire_by_session, expire_by_command], ids=["session", "command"])


@pytest.fixture
def user(server, new_user):
    retention.true_time(server)
    return new_user("sdbox", messages=3)


@pytest.mark.parametrize("device", [None, "phone"], ids=["no-device", "device"])
@both_ways
def test_message_that_was_never_downloaded(user, expire, device):
    """It stays, though those before and after it were."""
    user.set_fields(pop3_policy_device=device, pop3_policy_keep_devices=device)
    fetch(user, 1, 3)
    kept = Kept(user, 2)
    user.expunge(2)
    append(user, 4)
    poll(user)
    kept.put_back()
    expire(user)
    assert left(user) == [2, 4]
    # and then as any other
    fetch(user, 1)
    assert left(user) == [4]


@both_ways
def test_message_among_many_gaps(user, expire):
    """The state has no room to tell where they are, but the journal has."""
    append(user, *range(4, 61))
    fetch(user, *range(1, 61, 2))
    kept = Kept(user, 2)
    user.expunge(*range(2, 61, 2))
    append(user, 61)
    poll(user)
    assert len(user.state()["uidl"]["downloaded"].split(",")) == 18
    kept.put_back()
    expire(user)
    assert left(user) == [2, 61]
    fetch(user, 1)
    assert left(user) == [61]


@both_ways
def test_message_without_a_line(user, expire):
    """It was deleted before a session has seen it, or its line when the journal was written anew."""
    poll(user)
    append(user, 4)
    kept = Kept(user, 2, 4)
    user.expunge(4)
    append(user, *range(101, 251))
    fetch(user, 1, 3)
    user.expunge(2, *range(4, 154))
    append(user, 251)
    poll(user)
    assert set(user.journal()) == {1, 3, 155}
    kept.put_back()
    expire(user)
    assert left(user) == [2, 4, 251]
    append(user, 252)
    told = poll(user)
    assert set(user.uids()) <= set(user.journal())
    disasters.uidvalidity_changed(user)
    assert poll(user) == told


def test_uidl_of_a_message_without_a_line(user):
    """Also without retention."""
    poll(user)
    append(user, 4, 5)
    kept = Kept(user, 4)
    user.expunge(4)
    poll(user)
    kept.put_back()
    told = poll(user)
    assert set(user.journal()) == {1, 2, 3, 4, 5}
    disasters.uidvalidity_changed(user)
    assert poll(user) == told


@both_ways
def test_lines_are_lost(user, expire):
    """Then the state is believed, and what was downloaded goes."""
    fetch(user, 1, 3)
    kept = Kept(user, 2)
    user.expunge(2)
    append(user, 4)
    poll(user)
    with journal_lines(user) as lines:
        lines[:] = [line for line in lines if "downloaded" not in line]
    kept.put_back()
    expire(user)
    assert left(user) == [2, 4]
