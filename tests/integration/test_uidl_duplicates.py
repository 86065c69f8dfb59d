# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""A copy comes whose UIDL would be that of another message, when the journal, which knows their names, has lost lines."""

import pytest

import disasters
import journal_damage
import state_check
from conftest import FORMATS

DAMAGES = [journal_damage.remove_journal, journal_damage.no_journal_at_all, journal_damage.other_generation,
           journal_damage.tear, journal_damage.cut, journal_damage.cut_in_half, journal_damage.spoil_first_message]
each_damage = pytest.mark.parametrize("damage", DAMAGES, ids=[damage.__name__ for damage in DAMAGES])
# what copies have in common
UIDLS = {form: disasters.UIDL_FORMATS["md5" if form == "mbox" else "guid"] for form in FORMATS}
each_format = pytest.mark.parametrize("form", FORMATS)


@pytest.fixture
def copies(new_user):
    """Makes a user with three copies of one message, of which the first one has Dovecot's UIDL, and the others not."""
    def make(form):
        user = new_user(form, pop3_uidl_duplicates="rename", pop3_uidl_format=UIDLS[form])
        disasters.only_copies(user)
        told = user.told()
        assert told == [told[0], told[0] + "-2", told[0] + "-3"]
        return user, told
    return make


@each_damage
@each_format
def test_copy_comes(copies, form, damage):
    """All keep their names, and it gets one of its own."""
    user, told = copies(form)
    state_check.leave_alone(user.home)
    damage(user)
    disasters.add_copies(user, 1)
    now = user.told()
    assert now[:3] == told and now[3] not in told
    assert user.told() == now


@each_damage
@each_format
def test_copies_come_and_go(copies, form, damage):
    """What is lost is written down again."""
    user, told = copies(form)
    state_check.leave_alone(user.home)
    damage(user)
    for _ in range(3):
        disasters.add_copies(user, 1)
        now = user.told()
        assert now[:-1] == told and now[-1] not in told
        user.expunge(1)
        told = now[1:]
        assert user.told() == told
    disasters.cache_deleted(user)
    assert user.told() == told


@each_format
def test_first_copies_of_an_empty_maildrop(new_user, form):
    """There is no journal any more, though the state names one without lines."""
    user = new_user(form, messages=1, pop3_uidl_format=UIDLS[form])
    user.told()
    user.expunge(1)
    disasters.uidvalidity_changed(user)
    user.told()
    state_check.leave_alone(user.home)
    journal_damage.remove_journal(user)
    disasters.only_copies(user)
    told = user.told()
    assert len(set(told)) == 3
    assert user.told() == told
