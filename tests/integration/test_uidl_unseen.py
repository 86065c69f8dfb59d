# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""A maildir whose uidlist was lost before something was delivered: until cur/ changes, stock Dovecot shows sessions nothing
but what is new, and a client that has left its mail there takes the rest for deleted, and later for new."""

import os
import smtplib
import time

import pytest

import disasters
import mailgen


@pytest.fixture
def lmtp(server):
    with smtplib.LMTP(os.path.join(server.root, "lmtp")) as found:
        yield found


def settled(user, told):
    """Dovecot has looked into cur/, and takes it for one that does not change."""
    past = time.time() - 100
    os.utime(os.path.join(user.home, "Maildir/cur"), (past, past))
    assert user.told() == told


def deliver(lmtp, user, number):
    lmtp.sendmail("sender@example.org", [user.name], mailgen.message(number))


def lose_uidlist(user):
    for path in disasters.files(user, "dovecot-uidlist"):
        os.unlink(path)


def changed(user):
    """As by an IMAP client: Dovecot looks into cur/ the next time."""
    os.utime(os.path.join(user.home, "Maildir/cur"))


def sees_all(user, told, news):
    """Those that were told, and as many new ones, now and once Dovecot has surely looked."""
    now = user.told()
    assert set(told) < set(now) and len(now) == len(told) + news
    changed(user)
    assert sorted(user.told()) == sorted(now)


# 30 look like the mailbox of another user, 200 fill the journal
@pytest.mark.parametrize("known", [6, 30, 200])
def test_delivery_after_the_loss(server, new_user, lmtp, known):
    user = new_user(messages=known)
    told = user.told()
    settled(user, told)
    lose_uidlist(user)
    deliver(lmtp, user, known + 1)
    sees_all(user, told, 1)


def test_delivery_before_the_loss(server, new_user, lmtp):
    user = new_user(messages=6)
    told = user.told()
    settled(user, told)
    deliver(lmtp, user, 7)
    lose_uidlist(user)
    sees_all(user, told, 1)


def test_deliveries_around_the_loss(server, new_user, lmtp):
    user = new_user(messages=6)
    told = user.told()
    settled(user, told)
    for number in (7, 8, 9):
        deliver(lmtp, user, number)
        lose_uidlist(user)
    deliver(lmtp, user, 10)
    sees_all(user, told, 4)


def test_all_deleted(server, new_user, lmtp):
    """Who deletes all by IMAP, and gets new mail, has none of it back."""
    user = new_user(messages=6)
    user.told()
    server.run_doveadm("expunge", "-u", user.name, "mailbox", "INBOX", "all")
    deliver(lmtp, user, 7)
    assert len(user.told()) == 1
    assert not server.log_lines(user, "recovered")
