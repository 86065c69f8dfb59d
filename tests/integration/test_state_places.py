# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Other things than a file in the place of a state file: left alone, never followed, never deleted."""

import os

import pytest

import expect
import state_check
import user as users
from damage import OWNED, PLACES, QUOTA, Place, download, snapshot, without_lock


@pytest.fixture(params=PLACES)
def place(request, new_user):
    user = new_user(messages=2, quota=QUOTA)
    obstacle = Place(user)
    getattr(obstacle, request.param)()
    if request.param in OWNED:
        os.chown(user.state_path, users.UID, users.GID)
    state_check.leave_alone(user.home)
    return user


def test_refused_and_left_alone(server, place):
    before = snapshot(place.home)
    assert place.refused_login() == expect.NO_STATE
    assert snapshot(place.home) == before
    assert len(server.wait_log(place, "Error: pop3_policy: ")) == 1


def test_ignored_and_left_alone(server, place):
    """pop3_policy_on_error = ignore: as stock, with an error in the log."""
    place.set_fields(pop3_policy_on_error="ignore", pop3_policy_quota="1msg/day")
    before = snapshot(place.home)
    assert download(place, 2) == [True, True]
    assert snapshot(place.home) == before
    assert server.wait_log(place, "Error: pop3_policy: ")


def test_doveadm_leaves_it_alone(place):
    before = snapshot(place.home)
    for action in ("get", "reset"):
        result = place.server.run_doveadm("pop3", "quota", action, "-u", place.name, check=False)
        assert result.returncode != 0
        assert b"Error" in result.stderr
    assert without_lock(place, snapshot(place.home)) == without_lock(place, before)


@pytest.mark.parametrize("kind", ["file", "link", "dangling-link", "fifo", "other-owner"])
def test_left_over_temporary_file(new_user, kind):
    """As a process may leave it that was killed; whatever it is, it is not followed."""
    user = new_user(messages=1, quota=QUOTA)
    obstacle = Place(user)
    obstacle.folder()
    temporary = user.state_path + ".tmp"
    if kind == "link":
        os.symlink(obstacle.victim, temporary)
    elif kind == "dangling-link":
        os.symlink(os.path.join(user.home, "made-by-us"), temporary)
    elif kind == "fifo":
        os.mkfifo(temporary)
    else:
        with open(temporary, "wb") as file:
            file.write(b"half a sta")
        os.chown(temporary, users.UID + (kind == "other-owner"), users.GID)
    with open(obstacle.victim, "rb") as file:
        before = file.read()
    assert download(user) == [True]
    assert user.used()[1] == 1
    assert not os.path.lexists(temporary)
    with open(obstacle.victim, "rb") as file:
        assert file.read() == before
    assert not os.path.exists(os.path.join(user.home, "made-by-us"))


@pytest.mark.parametrize("kind", ["link", "fifo", "directory", "other-owner"])
def test_strange_lock_file(new_user, kind):
    """Nothing is served on a lock that is not ours; polls need none."""
    user = new_user(messages=1, quota=QUOTA)
    obstacle = Place(user)
    obstacle.folder()
    state_check.leave_alone(user.home)
    path = os.path.join(user.state_dir, "state.lock")
    if kind == "link":
        os.symlink(obstacle.victim, path)
    elif kind == "fifo":
        os.mkfifo(path)
        os.chown(path, users.UID, users.GID)
    elif kind == "directory":
        os.mkdir(path)
    else:
        with open(path, "wb"):
            pass
        os.chmod(path, 0o666)
    before = snapshot(user.home)
    with user.session() as pop3:
        assert pop3.stat()[0] == 1
        assert pop3.retr(1).text == expect.NO_STATE
        assert pop3.stat()[0] == 1
        pop3.quit()
    assert snapshot(user.home) == before
