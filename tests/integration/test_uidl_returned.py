# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Messages that were gone and come back under new UIDs in a mailbox that is the same one: a power failure undoes the
unlinking of files, or a damaged index has shown an empty mailbox for a while. They have their old UIDLs."""

import os
import shutil

import pytest

import disasters
import mailgen
from polling import wait_for

DBOX = ("sdbox", "mdbox")


@pytest.fixture
def recoveries(server):
    """The log lines of recoveries of a user."""
    return lambda user: server.log_lines(user, "UIDLs recovered")


def message_files(user, *numbers):
    files = disasters.message_files(user)
    return [files[number - 1] for number in numbers]


def undo_unlinking(user, numbers, expunge):
    """The index knows that messages are gone, and their files are there again."""
    kept = [(path, path + ".kept") for path in message_files(user, *numbers)]
    for path, copy in kept:
        os.link(path, os.path.join(user.home, os.path.basename(copy)))
    expunge()
    user.server.wait_idle()
    for path, copy in kept:
        os.rename(os.path.join(user.home, os.path.basename(copy)), path)
    user.own_home()


def told_after_scan(user):
    """Dovecot shows them one after another, each when it looks into the folder again."""
    os.utime(os.path.join(user.home, "Maildir", "cur"))
    user.doveadm("force-resync", "-u", user.name, "INBOX")
    return user.told()


def all_of(uidls, count):
    assert len(uidls) == len(set(uidls))
    return uidls if len(uidls) == count else None


def number_shown(user):
    """None if the session gets no mailbox."""
    with user.session() as pop3:
        reply = pop3.command("STAT")
        return int(reply.text.split()[1]) if reply.ok else None


@pytest.mark.parametrize("numbers", [(1, 2, 3), (2,), (4, 5), (1, 2, 3, 4, 5)], ids=str)
@pytest.mark.parametrize("new", [0, 2])
def test_files_of_expunged_messages_are_back(new_user, recoveries, numbers, new):
    user = new_user(messages=5)
    before = user.told()
    undo_unlinking(user, numbers, lambda: user.expunge(*numbers))
    user.append([mailgen.message(31 + number) for number in range(new)])
    found = wait_for(lambda: all_of(told_after_scan(user), 5 + new), "the messages to be back")
    assert set(before) <= set(found)
    assert user.told() == found
    assert recoveries(user)


def test_messages_that_a_client_has_deleted_are_back(new_user):
    """Deleted in the session that has downloaded them, after another one had seen them."""
    user = new_user(messages=5)
    before = user.told()

    def delete():
        with user.session() as pop3:
            for number in (2, 3):
                assert pop3.retr(number).ok
                pop3.ok("DELE %d" % number)
            pop3.quit()
    undo_unlinking(user, (2, 3), delete)
    assert wait_for(lambda: sorted(told_after_scan(user)) == sorted(before), "the messages to be back")


def test_messages_that_retention_has_removed_are_back(new_user):
    """They are known, so that they go again."""
    user = new_user(messages=5)
    before = user.told()
    user.set_fields(pop3_policy_keep_downloaded="0")

    def download():
        with user.session() as pop3:
            assert pop3.retr(1).ok and pop3.retr(2).ok
            pop3.quit()
    undo_unlinking(user, (1, 2), download)
    with user.session() as pop3:
        found = set(pop3.uidl().values())
        pop3.quit()
    assert set(before[2:]) < found <= set(before)
    user.server.wait_idle()
    assert sorted(wait_for(lambda: all_of(told_after_scan(user), 3), "them to go again")) == sorted(before[2:])


@pytest.mark.parametrize("form", DBOX)
def test_mailbox_that_looked_empty(new_user, form):
    """Damage to the log of the index: Dovecot shows an empty mailbox, until it is put right by hand."""
    user = new_user(form, messages=5)
    before = user.told()
    log, = [path for path in disasters.files(user, r"dovecot\.index\.log") if "INBOX" in path]
    with open(log, "ab") as file:
        file.write(bytes(100))
    wait_for(lambda: number_shown(user) == 0, "an empty mailbox")
    user.doveadm("force-resync", "-u", user.name, "INBOX")
    assert user.told() == before


def test_old_mail_that_is_new_is_no_disaster(new_user, recoveries):
    """Messages that were received long ago and come by IMAP, while others of the journal are gone."""
    user = new_user(messages=5)
    user.told()
    user.expunge(2, 3)
    with user.imap() as imap:
        for number in (61, 62):
            imap.append("INBOX", None, '" 1-Jan-2020 00:00:00 +0000"', mailgen.message(number))
    assert len(set(user.told())) == 5
    assert not recoveries(user)
