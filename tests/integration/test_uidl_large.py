# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""A mailbox that was large before the plugin came: a session takes in 2000 of its messages, and others do the rest."""

import pytest

import disasters
import mailgen
import retention
from conftest import FORMATS

COUNT = 2100


@pytest.fixture
def user(server, new_user, form):
    """After one session."""
    retention.true_time(server)
    found = new_user(form)
    found.import_maildir(mailgen.messages(COUNT, 400))
    # not in the second in which they are listed
    server.clock.advance(hours=1)
    found.uidls = found.told()
    assert len(found.uidls) == COUNT and len(found.journal()) == 2000
    return found


def expunge(user, first):
    """The newest ones; then one comes, after which Dovecot looks again."""
    user.doveadm("expunge", "-u", user.name, "mailbox", "INBOX", "uid", "%d:%d" % (first, COUNT))
    user.append([mailgen.message(COUNT + 1)])


def all_stay(user, count):
    """Of those that are left."""
    for _ in range(2):
        uidls = user.told()
        assert uidls[:count] == user.uidls[:count] and len(uidls) == len(set(uidls)) == count + 1


@pytest.mark.parametrize("form", FORMATS)
def test_newest_are_deleted(server, user):
    expunge(user, COUNT - 1)
    all_stay(user, COUNT - 2)
    assert not server.log_lines(user, "recovered")


# an mbox does not know when they came
@pytest.mark.parametrize("form", ["maildir", "sdbox", "mdbox"])
def test_all_are_deleted_that_are_known(user):
    expunge(user, COUNT - 2000)
    all_stay(user, COUNT - 2001)


def test_copies(server, new_user):
    """They are found again in the order of their UIDs, not in that in which they were taken in."""
    retention.true_time(server)
    user = new_user()
    user.import_maildir(mailgen.messages(COUNT - 1, 400))
    with user.imap() as imap:
        assert imap.copy("50", "INBOX")[0] == "OK"
    user.mail.deliver([mailgen.message(50, 400)])
    uidls = user.told()
    assert user.told() == uidls and len(user.journal()) == COUNT
    # each of the others gets another UID
    user.expunge(1)
    disasters.uidlist_deleted(user)
    assert user.told() == uidls[1:]
