# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Each call of a session that changes a file is harmed, in every way that it can be: by a kill, by errors, by a write
that is short. Nothing is lost, nothing goes that no rule takes, UIDLs stay, what was sent is counted, and the sessions
after it are as always. Where Dovecot's own call is harmed, and stock Dovecot has the same trouble, it is not ours.

POP3_POLICY_FAULTS=all tries all of them; else it is a share that is the same each time."""

import os

import pytest

import harms
from lab import DOVECOTS, FORMATS
from scenarios import SCENARIOS, Stage

ALL = os.environ.get("POP3_POLICY_FAULTS") == "all"
# one of so many; they divide nothing that repeats itself
EACH_OF_OURS, EACH_OF_DOVECOTS = (1, 1) if ALL else (7, 31)


@pytest.fixture(scope="module", params=FORMATS)
def form(request):
    return request.param


@pytest.fixture(scope="module", params=SCENARIOS)
def stage(request, form, memory_disk):
    found = Stage(memory_disk, form, SCENARIOS[request.param])
    yield found
    found.home.remove()


def share(points, start):
    """Some of ours, and some of Dovecot's own."""
    for ours, step in ((True, EACH_OF_OURS), (False, EACH_OF_DOVECOTS)):
        yield from [point for point in points if (point.call.owner != DOVECOTS) == ours][start % step::step]


def test_crash_matrix(stage, form, fault_table):
    points = list(harms.points(stage.calls(), stage.calls(opens=True)))
    assert len([point for point in points if point.call.owner != DOVECOTS]) > 100
    harm = harms.Harm(stage, fault_table)
    start = FORMATS.index(form) + len(FORMATS) * list(SCENARIOS).index(stage.scenario.name)
    for point in share(points, start):
        harm.run(point)
    assert not harm.failures, "\n".join(harm.failures)
