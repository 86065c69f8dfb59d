# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Mail that comes in between polls, on every way that a server has: clients are told the same with and without fast
polls."""

import os
import smtplib
import subprocess

import pytest

import mailgen
import user as users
from conftest import FORMATS
from dovecot import LIBEXEC

ROUNDS = 3


def by_lmtp(user, message):
    with smtplib.LMTP(os.path.join(user.server.root, "lmtp")) as lmtp:
        lmtp.sendmail("sender@example.org", [user.name], message.decode())


def by_lda(user, message):
    user.mail.deliver([message])
    subprocess.run([os.path.join(LIBEXEC, "dovecot-lda"), "-c", user.server.conf, "-d", user.name], input=message,
                   env=user.server.environment(), check=True)


def by_imap(user, message):
    user.append([message])


def by_mta(user, message):
    """Straight into the maildir, as mail servers do that know nothing of Dovecot."""
    user.mail.deliver([message])
    number = mailgen.number_of(message)
    name = "17000000%02d.M1P%d.mta" % (number, number)
    path = os.path.join(user.home, "Maildir", "tmp", name)
    with open(path, "wb") as file:
        file.write(message)
    os.chown(path, users.UID, users.GID)
    # from then on a session may take it
    os.rename(path, os.path.join(user.home, "Maildir", "new", name))


WAYS = [by_lmtp, by_lda, by_imap]
CASES = [(form, way) for form in FORMATS for way in WAYS] + [("maildir", by_mta)]


def listing(user):
    with user.session() as pop3:
        said = [(reply.line, reply.rest) for reply in map(pop3.ok, ("STAT", "LIST 1", "UIDL 1", "LIST", "UIDL"))]
        pop3.quit()
    user.server.wait_idle()
    return said


def told_the_same(user):
    """By two fast polls, the second of which has learnt from the first, and by one that asks Dovecot."""
    found = [listing(user), listing(user)]
    user.set_fields(pop3_policy_fast_polls="no")
    found.append(listing(user))
    user.set_fields(pop3_policy_fast_polls="yes")
    return found


@pytest.mark.parametrize("form,way", CASES, ids=lambda value: getattr(value, "__name__", value))
def test_delivery_between_polls(new_user, form, way):
    user = new_user(form, messages=5)
    told_the_same(user)
    for number in range(6, 6 + ROUNDS):
        way(user, mailgen.message(number, 700 + number))
        first, second, slow = told_the_same(user)
        assert first == second == slow
        with user.session() as pop3:
            assert pop3.stat()[0] == number
            assert mailgen.number_of(pop3.retr(number).message) == number
            pop3.quit()
