# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Each call of a session that changes a file is harmed, in every way that it can be: by a kill, by errors, by a write
that is short. Nothing is lost, nothing goes that no rule takes, UIDLs stay, what was sent is counted, and the sessions
after it are as always. Where Dovecot's own call is harmed, and stock Dovecot has the same trouble, it is not ours.

POP3_POLICY_FAULTS=1 tries all of them; else it is a share that is the same each time."""

import pytest

import harms
from lab import FORMATS
from scenarios import SCENARIOS, Stage

@pytest.fixture(scope="module", params=FORMATS)
def form(request):
    return request.param


@pytest.fixture(scope="module", params=SCENARIOS)
def stage(request, form, memory_disk):
    found = Stage(memory_disk, form, SCENARIOS[request.param])
    yield found
    found.home.remove()


def test_crash_matrix(stage, form, fault_table):
    points = list(harms.points(stage.calls(), stage.calls(opens=True)))
    assert len([point for point in points if point.call.owner == "state"]) > 100
    harm = harms.Harm(stage, fault_table)
    points = list(harms.share(points, form + stage.scenario.name))
    for point in points:
        harm.run(point)
    harm.check_found(points)
    assert not harm.failures, "\n".join(harm.failures)
