# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Who owns the home has set numbers of the state and of the journal to the largest ones that they may be: that is no reason
for a panic, and harms nobody else."""

import os

import pytest

import disasters
import journal_damage
import mailgen
import retention
import state_check
from retention import fields

MAX = 4_294_967_295


def header(user, **numbers):
    with journal_damage.journal_lines(user) as lines:
        lines[0].update(numbers)


def uidl(user, **members):
    with journal_damage.state(user) as found:
        found["uidl"].update(members)


def journal_of(user, **members):
    uidl(user, journal={**user.state()["uidl"]["journal"], **members})


def generation_without_a_state(user):
    header(user, generation=MAX)
    os.unlink(user.state_path)


def generation_of_a_damaged_mailbox(user):
    header(user, generation=MAX)
    journal_of(user, generation=MAX)
    disasters.uidvalidity_changed(user)


def generation_of_lost_lines(user):
    header(user, generation=MAX)
    journal_of(user, generation=MAX)
    journal_damage.spoil_first_message(user)


def generation_of_dead_lines(user):
    """The journal is written anew."""
    header(user, generation=MAX)
    journal_of(user, generation=MAX, lines=1000)


def generation_without_a_journal(user):
    journal_of(user, generation=MAX)
    os.unlink(user.journal_path)


def epoch(user):
    header(user, epoch=MAX)
    uidl(user, epoch=MAX)
    disasters.uidvalidity_changed(user)


def epoch_without_a_state(user):
    header(user, epoch=MAX)
    os.unlink(user.state_path)


def uids_of_the_state(user):
    uidl(user, recorded="1:%d" % MAX, downloaded="%d" % MAX, stored="2:%d" % MAX, devices={"phone": "1:%d" % MAX})


def next_uid(user):
    uidl(user, uidnext=MAX, told=[{"uidvalidity": MAX, "below": MAX}, {"uidvalidity": 0, "below": MAX}])


def counts(user):
    uidl(user, live=MAX, unsure={"below": MAX, "until": MAX})
    journal_of(user, lines=MAX, gone=MAX)


def line(user):
    with journal_damage.journal_lines(user) as lines:
        lines[1].update(size=2 ** 63 - 1)
        lines[2].update(uid=MAX, size=2 ** 63 - 1, downloaded=2 ** 63 - 1)


DAMAGES = [generation_without_a_state, generation_of_a_damaged_mailbox, generation_of_lost_lines,
           generation_of_dead_lines, generation_without_a_journal, epoch, epoch_without_a_state, uids_of_the_state,
           next_uid, counts, line]


@pytest.fixture(params=DAMAGES, ids=[damage.__name__ for damage in DAMAGES])
def user(server, new_user, request):
    retention.true_time(server)
    found = new_user(messages=4, **fields(keep_downloaded="30d", keep_max_size="1M", device="phone"))
    retention.fetch(found, 1)
    state_check.leave_alone(found.home)
    request.param(found)
    return found


def test_session(server, user):
    user.append([mailgen.message(5)])
    for _ in range(3):
        with user.session() as pop3:
            assert len(set(pop3.uidl().values())) == 5
            assert pop3.retr(5).message == mailgen.message(5)
            assert pop3.quit().ok
        server.wait_idle()
    assert {2, 3, 4} <= set(retention.left(user))
    assert not server.log_lines(user, "Panic: |Fatal: ")


def test_commands(server, user):
    """None ends before its time, and nothing goes that was never downloaded."""
    for args in (["uidl", "adopt"], ["retention", "run", "--force"], ["check", "--repair"], ["uidl", "verify"],
                 ["status", "--mailbox"], ["uidl", "adopt"]):
        found = server.run_doveadm("pop3", *args, "-u", user.name, check=False)
        assert found.returncode >= 0 and b"assertion failed" not in found.stderr, (args, found)
    assert {2, 3, 4} <= set(retention.left(user))
