# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Retention that moves mail while the other mailbox cannot be written: no message goes before its copy is there, whatever
Dovecot says of it. (It says that all was copied to an mbox whose last octets did not fit.)"""

import pytest

import harms
from scenarios import SCENARIOS, Stage
from verdict import LOST, judge

FAULTS = ("ENOSPC", "EIO", "short")


@pytest.fixture(scope="module", params=[name for name in SCENARIOS if "move" in name])
def stage(request, memory_disk):
    found = Stage(memory_disk, "mbox", SCENARIOS[request.param])
    yield found
    found.home.remove()


@pytest.mark.parametrize("fault", FAULTS)
def test_no_message_goes_without_a_copy(stage, fault):
    harm = harms.Harm(stage, harms.Table())
    points = [point for point in harms.points(stage.calls(), []) if point.fault == fault
              and point.call.key(stage.home.home)[1].endswith("mail/Archive")]
    assert len(points) > 4
    lost = [(point.call.number, found.complaints) for point in points if (done := harm.harmed(point)) is not None
            and LOST in (found := judge(stage, point.fault, done)).kinds]
    harm.check_found(points)
    assert not lost
