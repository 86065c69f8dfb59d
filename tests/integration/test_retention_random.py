# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Months of random histories: whatever happens, no message goes that no rule takes, and a run takes what is due.

POP3_POLICY_HISTORIES is how many histories there are; POP3_POLICY_SEED takes the one with that number, alone."""

import os

import pytest

import clock
from conftest import FORMATS, running
from dovecot import LIBEXEC, Server
from retention_history import History

HISTORIES = int(os.environ.get("POP3_POLICY_HISTORIES", "12"))
SEED = os.environ.get("POP3_POLICY_SEED")
STEPS = 60


@pytest.fixture
def mail_server(own_servers):
    """Mail is delivered by its clock, too."""
    server = Server()
    with open(server.conf, "a", encoding="utf-8") as file:
        file.write("service imap {\n  executable = %s\n}\n" % server.wrapper(
            "imap", [os.path.join(LIBEXEC, "imap")], True))
    return own_servers.enter_context(running(server))


def test_random_histories(mail_server, make_user_on):
    seeds = [int(SEED)] if SEED else range(HISTORIES)
    taken = 0
    for seed in seeds:
        mail_server.clock.set(clock.quiet_noon())
        history = History(seed, make_user_on(mail_server), FORMATS[seed % len(FORMATS)])
        history.play(STEPS)
        taken += history.taken
    # or all of this would show nothing
    assert SEED or taken > 5 * len(seeds), taken
