# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""A disk that is full, or nearly so, when messages are due: they stay or go, and none is lost. When there is room again
the next session does what is left."""

import collections
import contextlib
import os
import subprocess

import pytest

import mailgen
import retention
import state_check
import user as users
from conftest import FORMATS
from prey import remove_stale_locks
from retention import fetch, fields, left, poll

MOVE = "move Archive"
SIZE = 20000
# 1 is never downloaded
KEPT, DUE = [1], [2, 3, 4, 5]
# less than a message, of which a maildir needs none for a copy; less than all, and more
ROOMS = [0, 4096, 8192, 24576, 81920]
each_format = pytest.mark.parametrize("form", FORMATS)
each_room = pytest.mark.parametrize("room", ROOMS)


def fill(folder, room):
    """Leaves so many bytes in a file system."""
    with open(os.path.join(folder, "full"), "wb", buffering=0) as file:
        with contextlib.suppress(OSError):
            while True:
                file.write(b"x" * 4096)
        file.truncate(max(file.tell() - room, 0))


@contextlib.contextmanager
def disk(user, folder, size="4m"):
    """A file system of its own for a folder of the user."""
    os.makedirs(folder, exist_ok=True)
    options = "mode=0700,size=%s,uid=%d,gid=%d" % (size, users.UID, users.GID)
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", folder], check=True)
    try:
        yield
    finally:
        user.server.wait_idle()
        if folder != user.state_dir:
            user.mail.lose("its file system goes")
        subprocess.run(["umount", "--lazy", folder], check=True)
        # else it looks like one that Dovecot has made
        os.rmdir(folder)


def make_due(user):
    """Puts the messages there; what was downloaded of them is due at the end of the next session."""
    user.append([mailgen.message(number, SIZE) for number in KEPT + DUE])
    fetch(user, *DUE)
    assert left(user) == KEPT + DUE
    user.server.clock.advance(days=1)


def nothing_lost(user, action):
    """Returns what is in INBOX and how often each message is in the target."""
    inbox = left(user)
    target = left(user, "Archive") if retention.mailbox_exists(user, "Archive") else []
    assert inbox == sorted(set(inbox)) and set(KEPT) <= set(inbox)
    if action == MOVE:
        assert set(inbox) | set(target) == set(KEPT + DUE)
    return inbox, collections.Counter(target)


def goes_on(user, action, full):
    """Sessions on the full disk, and one when there is room again."""
    for _ in range(3):
        with user.connect() as pop3:
            # it may be refused
            pop3.login(user.name, user.password)
            pop3.command("QUIT")
        user.server.wait_idle()
    os.unlink(full)
    # stock Dovecot may have died of it
    remove_stale_locks(user)
    inbox, target = nothing_lost(user, action)
    if action != MOVE:
        assert inbox in (KEPT, KEPT + DUE)
    poll(user)
    inbox, target = nothing_lost(user, action)
    assert inbox == KEPT
    assert max(target.values(), default=0) <= 1
    assert not [name for name in os.listdir(user.state_dir) if "corrupt" in name]
    state_check.check_home(user.home)


@pytest.mark.parametrize("action", ["expunge", MOVE])
@each_room
@each_format
def test_home(new_user, form, action, room):
    """All there is is on it."""
    user = new_user(form, **fields(keep_downloaded="1d", expire_action=action))
    with disk(user, user.home):
        make_due(user)
        fill(user.home, room)
        goes_on(user, action, os.path.join(user.home, "full"))


@pytest.mark.parametrize("action", ["expunge", MOVE])
@pytest.mark.parametrize("room", [0, 4096])
@each_format
def test_state_folder(new_user, form, action, room):
    user = new_user(form, **fields(keep_downloaded="1d", expire_action=action))
    with disk(user, user.state_dir, "64k"):
        make_due(user)
        fill(user.state_dir, room)
        goes_on(user, action, os.path.join(user.state_dir, "full"))


PLACES = {"maildir": "Maildir/.Archive", "sdbox": "sdbox/mailboxes/Archive"}


@pytest.mark.parametrize("room", [0, 24576, 49152, 81920, 98304])
@pytest.mark.parametrize("form", PLACES)
def test_target(new_user, form, room):
    """All copies or none."""
    user = new_user(form, **fields(keep_downloaded="1d", expire_action=MOVE))
    poll(user)
    with disk(user, os.path.join(user.home, PLACES[form])):
        user.doveadm("mailbox", "create", "-u", user.name, "Archive", check=False)
        make_due(user)
        full = os.path.join(user.home, PLACES[form], "full")
        fill(os.path.dirname(full), room)
        goes_on(user, MOVE, full)
        assert left(user, "Archive") == DUE
