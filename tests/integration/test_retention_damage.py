# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Retention after files of the policy were lost or damaged."""

import pytest

import disasters
import mailgen
import retention
import state_check
from journal_damage import cut_in_half, lose_state, remove_journal, spoil_first_message
from retention import fetch, fields, left, poll, said


def spoil_state(user):
    user.write_state(b"{")


def remove_both(user):
    lose_state(user)
    remove_journal(user)


def lose(user, loss):
    state_check.leave_alone(user.home)
    LOSSES[loss](user)


LOSSES = {"no-journal": remove_journal, "half-a-journal": cut_in_half, "bad-line": spoil_first_message,
          "no-state": lose_state, "bad-state": spoil_state, "nothing": remove_both}


def days_after(user, days, step=1):
    """Polls that the policy may refuse."""
    for _ in range(0, days, step):
        user.server.clock.advance(days=step)
        with user.connect() as pop3:
            pop3.login(user.name, user.password)
            pop3.command("QUIT")
        user.server.wait_idle()


# mbox has no GUIDs
two_formats = pytest.mark.parametrize("form", ["maildir", "mbox"])


@pytest.mark.parametrize("loss", LOSSES)
@two_formats
def test_lost_files(server, new_user, form, loss):
    """What was never downloaded stays, and what was does not go before its time."""
    user = new_user(form, messages=6, **fields(keep_downloaded="10d"))
    fetch(user, 1, 2)
    server.clock.advance(days=3)
    poll(user)
    lose(user, loss)
    days_after(user, 6)
    assert left(user) == [1, 2, 3, 4, 5, 6]
    days_after(user, 40, step=4)
    assert left(user)[-4:] == [3, 4, 5, 6]


@pytest.mark.parametrize("loss", LOSSES)
def test_too_many_and_lost_files(server, new_user, loss):
    user = new_user(messages=6, **fields(keep_max_messages="6"))
    fetch(user, 1, 2)
    poll(user)
    lose(user, loss)
    user.append([mailgen.message(7)])
    days_after(user, 20, step=4)
    assert left(user)[-5:] == [3, 4, 5, 6, 7] and len(left(user)) >= 6


# without both nobody can know
@pytest.mark.parametrize("loss", [loss for loss in LOSSES if loss != "nothing"])
@two_formats
def test_lost_downloads(server, new_user, form, loss):
    """What was downloaded, and is to stay forever, is not taken for what never was."""
    retention.true_time(server)
    user = new_user(form, messages=3, **fields(keep_undownloaded="10d"))
    fetch(user, 1, 3)
    poll(user)
    lose(user, loss)
    days_after(user, 9, step=3)
    assert left(user) == [1, 2, 3]
    days_after(user, 20, step=4)
    assert {1, 3} <= set(left(user)), said(user)


LOST_JOURNALS = ["no-journal", "half-a-journal", "bad-line"]


@pytest.fixture
def of_another_mailbox(server, new_user):
    """A user of six messages, of which the first two and the last one were downloaded: then lines of the journal are
    lost, and the UIDVALIDITY is another one."""
    retention.true_time(server)

    def make(form, loss, **rules):
        user = new_user(form, messages=6, **fields(**rules))
        fetch(user, 1, 2, 6)
        poll(user)
        lose(user, loss)
        disasters.uidvalidity_changed(user)
        poll(user)
        assert user.server.log_lines(user, "Warning: pop3_policy: messages.jsonl had lost lines: it is not known which "
                                           "messages below UID 7 were downloaded")
        return user
    return make


@pytest.mark.parametrize("loss", LOST_JOURNALS)
@two_formats
def test_downloads_of_another_mailbox(of_another_mailbox, form, loss):
    """Nobody knows which messages were downloaded, and those have to stay."""
    user = of_another_mailbox(form, loss, keep_undownloaded="10d")
    days_after(user, 20, step=4)
    user.server.run_doveadm("pop3", "retention", "run", "-u", user.name, "--force")
    assert {1, 2, 6} <= set(left(user)), said(user)
    # what came later is sure
    user.append([mailgen.message(7)])
    days_after(user, 14, step=7)
    assert 7 not in left(user) and {1, 2, 6} <= set(left(user))


@pytest.mark.parametrize("loss", LOST_JOURNALS)
@two_formats
def test_others_of_another_mailbox(of_another_mailbox, form, loss):
    """Nor which ones were not: what may go as soon as it was downloaded stays, too."""
    user = of_another_mailbox(form, loss, keep_downloaded="1d")
    days_after(user, 20, step=4)
    assert {3, 4, 5} <= set(left(user)), said(user)


@pytest.mark.parametrize("loss", LOST_JOURNALS)
@two_formats
def test_other_mailbox_goes(of_another_mailbox, form, loss):
    """With both rules all of it goes when both let it, also after one more disaster."""
    user = of_another_mailbox(form, loss, keep_undownloaded="10d", keep_downloaded="20d")
    disasters.uidvalidity_changed(user)
    days_after(user, 18, step=6)
    assert left(user) == [1, 2, 3, 4, 5, 6]
    days_after(user, 6, step=3)
    assert left(user) == []


@pytest.mark.parametrize("loss", LOST_JOURNALS)
@two_formats
def test_news_before_another_mailbox(server, new_user, form, loss):
    """The session that takes in new mail has written a line for that, and not yet those that were lost."""
    retention.true_time(server)
    user = new_user(form, messages=6, **fields(keep_undownloaded="10d"))
    fetch(user, 1, 2, 6)
    poll(user)
    lose(user, loss)
    user.append([mailgen.message(7)])
    poll(user)
    disasters.uidvalidity_changed(user)
    poll(user)
    days_after(user, 20, step=4)
    user.server.run_doveadm("pop3", "retention", "run", "-u", user.name, "--force")
    assert {1, 2, 6} <= set(left(user)), said(user)


def test_downloaded_once_more(of_another_mailbox):
    """Then it is known again."""
    user = of_another_mailbox("maildir", "no-journal", keep_undownloaded="10d", keep_downloaded="1d")
    user.set_fields(**fields(keep_downloaded="1d"))
    fetch(user, 3)
    days_after(user, 3)
    assert 3 not in left(user) and {4, 5} <= set(left(user))
