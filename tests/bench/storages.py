# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Mailboxes that are no maildirs: mbox, and by way of a maildir those that only Dovecot can write."""

import os
import shutil

import maildir
import session

MBOX_FROM = "From sender@example.net Tue Nov 14 22:13:20 2023\n"


def fill_mbox(side, count, size):
    os.mkdir(os.path.join(side.home, "mbox"))
    with open(os.path.join(side.home, "inbox"), "w", encoding="ascii") as out:
        message = MBOX_FROM + "Status: RO\n" + maildir.message(size) + "\n"
        for _ in range(count):
            out.write(message)
    side.configure()


def fill_by_import(side, count, size):
    """The plugin does not see how the mail comes."""
    maildir.fill(side.home, count, size)
    side.configure(with_plugin=False)
    source = os.path.join(side.home, "Maildir")
    session.run(["doveadm", "-c", side.conf, "-o", "mail_fsync=never", "import", *side.dovecot.own_user,
                 f"maildir:{source}", "", "ALL"], side.home, None)
    shutil.rmtree(source)
    side.configure()


FILLS = {"mbox": fill_mbox, "mdbox": fill_by_import, "sdbox": fill_by_import}


def fill(side, driver, count, size):
    side.driver = driver
    os.makedirs(side.home)
    FILLS[driver](side, count, size)
