# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Random histories: whatever is hidden and shown again, commands of POP3 are about what is shown, UIDLs stay, and
nothing goes but by a DELE, or by a rule from what is shown.

POP3_POLICY_HISTORIES is how many histories there are; POP3_POLICY_SEED takes the one with that number, alone."""

import os

import clock
from conftest import FORMATS
from view_history import History

HISTORIES = int(os.environ.get("POP3_POLICY_HISTORIES", "8"))
SEED = os.environ.get("POP3_POLICY_SEED")
STEPS = 25


def test_random_histories(server, new_user):
    seeds = [int(SEED)] if SEED else range(HISTORIES)
    counts = {}
    for seed in seeds:
        server.clock.set(clock.quiet_noon())
        history = History(seed, new_user, FORMATS[seed % len(FORMATS)])
        history.play(STEPS)
        for name, count in history.counts.items():
            counts[name] = counts.get(name, 0) + count
    # or all of this would show nothing
    assert SEED or min(counts.values()) > len(seeds), counts
