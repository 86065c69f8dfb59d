# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Random histories of maildrops in all formats: whatever happens, what is left, told and counted is what the model says.

The seeds are the same each time, so that a failure after a change is one of the change. `tests/model/run` plays as many
new ones as one likes."""

import concurrent.futures
import os

import pytest

import lab
import playing

# those that have found something are among them
SEEDS = [*range(1, 28), 412, 1029]
AT_ONCE = os.cpu_count()


@pytest.fixture(scope="module", name="base")
def memory_disk():
    assert os.geteuid() == 0, "these tests run mail programs as another user and must be run as root"
    with lab.memory_disk() as path:
        yield path


def play_all(seeds, base):
    print("seeds:", *seeds)
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        results = list(pool.map(lambda seed: playing.play(seed, playing.STEPS, base), seeds))
    reports = [result.report for result in results if result.report]
    assert not reports, "\n".join(reports)
    return {name: sum(result.counts[name] for result in results) for name in results[0].counts}


def test_same_histories(base):
    counts = play_all(SEEDS, base)
    # or all of this would show nothing
    assert min(counts.values()) > len(SEEDS) / 2, counts
