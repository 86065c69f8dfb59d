# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""A poll that finds nothing new writes nothing, and needs no state."""

import os

import pytest

from conftest import FORMATS


DAY = 24 * 3600


def listing(folder):
    """Everything below a folder, so that any write shows; but not Maildir/tmp, to which stock Dovecot gives a new time
    in each session when its clock is faked."""
    found = {}
    for path, folders, files in os.walk(folder):
        for name in folders + files:
            info = os.lstat(os.path.join(path, name))
            found[os.path.relpath(os.path.join(path, name), folder)] = (
                info.st_ino, info.st_mode, info.st_size, info.st_mtime_ns)
    found.pop("Maildir/tmp", None)
    return found


def poll(user):
    with user.session() as pop3:
        pop3.stat()
        pop3.uidl()
        pop3.ok("LIST")
        pop3.quit()
    user.server.wait_idle()


@pytest.mark.parametrize("form", FORMATS)
def test_idle_poll_writes_nothing(new_user, form):
    user = new_user(form, messages=20, quota="10msg/day 1G/month")
    poll(user)
    before = listing(user.home)
    poll(user)
    assert listing(user.home) == before
    assert user.counted() == 0


@pytest.mark.parametrize("used", [3, 10], ids=["within", "over-quota"])
@pytest.mark.parametrize("form", FORMATS)
def test_idle_poll_with_a_state(new_user, form, used):
    user = new_user(form, messages=20, quota="10msg/day 1G/month")
    with user.session() as pop3:
        for number in range(1, used + 1):
            pop3.retr(number)
        pop3.quit()
    poll(user)
    before = listing(user.home)
    assert "pop3-policy/state.json" in before
    poll(user)
    assert listing(user.home) == before


def test_poll_in_a_new_window_writes_nothing(new_user):
    user = new_user(messages=5, quota="2msg/day")
    with user.session() as pop3:
        pop3.retr(1)
        pop3.quit()
    user.server.wait_idle()
    state = user.state()
    for counter in state["quota"]["windows"].values():
        counter["start"] -= 40 * DAY
    user.write_state(state)
    poll(user)
    before = listing(user.home)
    poll(user)
    assert listing(user.home) == before
    assert user.state() == state
