# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""The disk with the mail is full for a while. Stock Dovecot then gives old mail of a maildir new UIDs, in the same
UIDVALIDITY: it cannot write the list of them."""

import contextlib
import os
import subprocess

import pytest

import damage
import mailgen
import retention
import user as users
from polling import unmount, wait_for
from pop3 import LineClosed


@contextlib.contextmanager
def small_disk(user):
    """The home is a disk of its own."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0700,uid=%d,gid=%d,size=4m" % (users.UID, users.GID), "none",
                    user.home], check=True)
    try:
        yield
    finally:
        user.server.wait_idle()
        user.mail.lose("the test has looked at it, and its disk goes")
        unmount(user.home)


def told(user):
    """{message: UIDL}, and nothing is downloaded."""
    with user.session() as pop3:
        uidls = pop3.uidl()
        found = {mailgen.number_of(pop3.ok("TOP %s 0" % number).message): uidl for number, uidl in uidls.items()}
        assert pop3.quit().ok
    user.server.wait_idle()
    return found


def try_session(user, *commands):
    """One that may be refused."""
    with user.connect() as pop3, contextlib.suppress(LineClosed, OSError):
        if pop3.login(user.name, user.password).ok:
            pop3.pipeline(*commands, "QUIT")
    user.server.wait_idle()


@pytest.mark.parametrize("polls", [0, 1, 3])
@pytest.mark.parametrize("form", ["maildir", "mdbox"])
def test_uidls_last(stock_and_plugin, make_user_on, form, polls):
    user = make_user_on(stock_and_plugin["plugin"])(form)
    with small_disk(user):
        user.append(mailgen.messages(6))
        known = told(user)
        assert len(known) == 6
        user.append([mailgen.message(7)])
        damage.fill(user.home)
        try_session(user, "UIDL", "RETR 2", "RETR 7", "DELE 2")
        for _ in range(polls):
            try_session(user, "STAT", "UIDL")
        os.unlink(os.path.join(user.home, "full"))
        wait_for(lambda: user.try_append(mailgen.message(8)), "the delivery of a message")
        # Dovecot may need a second look
        told(user)
        after = told(user)
        assert set(after) | {2} == set(range(1, 9))
        assert {number: uidl for number, uidl in after.items() if number in known} == \
            {number: uidl for number, uidl in known.items() if number in after}
        assert len(set(after.values()) | set(known.values())) == 8
        assert sorted(after) == sorted(retention.left(user))
