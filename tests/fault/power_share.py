# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Which of the states that a power loss may leave are tried.

With POP3_POLICY_FAULTS=N it is one of N, of all formats and sessions; else some of each kind, which POP3_POLICY_SEED
chooses."""

import os
import random

STEP = int(os.environ.get("POP3_POLICY_FAULTS", "0"))
SEED = os.environ.get("POP3_POLICY_SEED", "1")
# of each kind, at the most, and of those that are a matter of ours alone
SHARE, SHARE_OF_OURS = 3, 20


def share(states, each=SHARE):
    """EACH of each kind; the order in which they come up is kept."""
    if STEP:
        return states[::STEP]
    chance = random.Random(SEED)
    chosen = set()
    for kind in sorted({(state.order, state.data) for state in states}):
        numbers = [number for number, state in enumerate(states) if (state.order, state.data) == kind]
        chosen.update(chance.sample(numbers, min(each, len(numbers))))
    return [states[number] for number in sorted(chosen)]
