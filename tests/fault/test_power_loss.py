# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""The power fails in the middle of a session. Whatever of it is on the disk then, no mail is lost, nothing goes that no
rule takes, UIDLs stay, what was sent is counted, and nothing of ours is broken. Where the mail itself is damaged, what
is left is what stock Dovecot shows.

POP3_POLICY_FAULTS and POP3_POLICY_SEED: see power_share.py."""

import collections
import itertools

import pytest

from lab import FORMATS
from power_check import After
from power_share import SEED, SHARE, SHARE_OF_OURS, STEP, share
from power_victim import LOGIN_DELAY, Victim
from scenarios import SCENARIOS

# the first one is of the most calls
RECOVERY, *OTHERS = [*SCENARIOS.values(), LOGIN_DELAY]
CASES = list(itertools.product(FORMATS, [RECOVERY, *OTHERS])) if STEP else [
    *((form, RECOVERY) for form in FORMATS), *zip(itertools.cycle(["mdbox", "maildir", "sdbox"]), OTHERS)]


@pytest.fixture(scope="module", params=CASES, ids=lambda case: "%s-%s" % (case[0], case[1].name))
def victim(request, memory_disk):
    found = Victim(memory_disk, *request.param)
    yield found
    found.place.remove()


@pytest.fixture(scope="module")
def power_table(request):
    """How many states there were, and how many were tried, for the end."""
    rows = []
    yield rows
    write = request.config.pluginmanager.get_plugin("terminalreporter").write
    write("\n\n| format | session | states | of | tried | bad | as bad as stock |\n| --- | --- | --- | --- | --- | --- | --- |\n")
    for row in rows:
        write("| %s |\n" % " | ".join(map(str, row)))


def try_states(victim, name, states, table, each=SHARE):
    """Fails with sentences on what does not hold; returns how often mail was as with stock Dovecot."""
    chosen = share(states, each)
    found, excused = [], collections.Counter()
    bad = 0
    for state in chosen:
        after = After(victim, state)
        complaints = after.complaints()
        bad += bool(complaints)
        excused[bool(after.excused)] += 1
        found += ["%s: %s" % (state, complaint) for complaint in complaints]
    table.append((victim.place.form, victim.scenario.name, name, len(states), len(chosen), bad, excused[True]))
    assert not found, "seed %s, %d of %d states:\n%s" % (SEED, bad, len(chosen), "\n".join(found))
    return excused[True]


def test_model_is_true(victim):
    """When all calls are played, there is what is there."""
    assert victim.disk.now().files() == victim.after.files()
    assert victim.states[-1].told_last == len(victim.reply)


def test_state_folder(victim, power_table):
    """Nothing that a file system may do to our own files has any excuse."""
    each = SHARE_OF_OURS if victim.place.form == "sdbox" else SHARE
    assert try_states(victim, "our folder", list(victim.states_of_ours()), power_table, each) == 0


def test_usual(victim, power_table):
    """Names in order, and no zeros: only an mbox, which is written in place, may be damaged."""
    states = [state for state in victim.states if state.is_usual]
    excused = try_states(victim, "all, ordered", states, power_table)
    assert excused == 0 or victim.place.form == "mbox"


def test_unusual(victim, power_table):
    """What may be worse than any disk of today: the mail is what stock Dovecot makes of it."""
    try_states(victim, "all, loose or zeros", [state for state in victim.states if not state.is_usual], power_table)
