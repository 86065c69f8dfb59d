# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Random mailboxes with random histories. With stock Dovecot, with the plugin, and with its fast polls, clients get the
same bytes and find the same mail afterwards.

POP3_POLICY_HISTORIES is how many histories there are; POP3_POLICY_SEED takes the one with that number, alone."""

import concurrent.futures
import os

import pytest

import histories
from dovecot import Server
from replica import folder

HISTORIES = int(os.environ.get("POP3_POLICY_HISTORIES", "300"))
SEED = os.environ.get("POP3_POLICY_SEED")
AT_ONCE = 2 * os.cpu_count()


@pytest.fixture
def base(memory_disk):
    with folder(Server.base) as path:
        yield path


def test_random_histories(base):
    seeds = [int(SEED)] if SEED else range(HISTORIES)
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        futures = [pool.submit(histories.play, seed, base) for seed in seeds]
        try:
            found = [future.result() for future in futures]
        finally:
            pool.shutdown(cancel_futures=True)
    fast = [was_fast for was_fast in found if was_fast is not None]
    # or all of this would show nothing
    assert SEED or sum(fast) > 0.6 * len(fast) > 0, "%d of %d polls were fast" % (sum(fast), len(fast))
