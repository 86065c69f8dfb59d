# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""What the view hides is left alone by the rules for downloaded mail, and counts as all that is there."""

import os
import re

import pytest

import disasters
import mailgen
import retention
import retention_doveadm
from conftest import FORMATS
from retention import fetch, fields, left, poll, slow_run, taken
from view import JUNK, LARGE, junk, viewed

each_format = pytest.mark.parametrize("form", FORMATS)


def downloaded(new_user, count, form="maildir", undownloaded=0, large=()):
    """A user without rules, who has downloaded so many messages; some more were not."""
    user = new_user(form)
    user.append([mailgen.message(number, LARGE if number in large else 1500)
                 for number in range(1, count + undownloaded + 1)])
    fetch(user, *range(1, count + 1))
    return user


def session(user, _server):
    poll(user)


def doveadm(user, _server):
    retention_doveadm.run(user, "--force")


EACH_RUN = pytest.mark.parametrize("run", [session, doveadm])


@each_format
@EACH_RUN
def test_hidden_mail_stays(server, new_user, form, run):
    user = downloaded(new_user, 4, form)
    junk(user, "2,3")
    part = viewed(new_user, user, JUNK, **fields(keep_downloaded="0"))
    run(part, server)
    assert left(user) == [2, 3]
    retention.days_of_polls(part, 4)
    assert left(user) == [2, 3]
    junk(user, "1", is_junk=False)
    server.clock.advance(days=1)
    run(part, server)
    assert left(user) == [3]
    assert taken(part) == (3 if run is session else 0)


def test_flagged_and_hidden(new_user):
    """Each of both keeps a message, in whichever order they are asked."""
    user = downloaded(new_user, 6)
    retention.mark(user, "1,2", "+FLAGS", r"(\Flagged)")
    junk(user, "2,3")
    part = viewed(new_user, user, JUNK, **fields(keep_downloaded="0"))
    poll(part)
    assert left(user) == [1, 2, 3]


@each_format
@EACH_RUN
def test_hidden_mail_counts(server, new_user, form, run):
    """More is there than the client sees: of that it loses what is too much, and of the hidden mail nothing goes."""
    user = downloaded(new_user, 6, form, undownloaded=1)
    junk(user, "1,2,4")
    part = viewed(new_user, user, JUNK, **fields(keep_max_messages="5"))
    run(part, server)
    assert left(user) == [1, 2, 4, 6, 7]
    part = viewed(new_user, user, JUNK, **fields(keep_max_messages="2"))
    run(part, server)
    assert left(user) == [1, 2, 4, 7]


def test_size_that_is_shown_is_too_much(new_user):
    """That is known at once."""
    user = downloaded(new_user, 4, large=[3, 4])
    junk(user, "1")
    poll(viewed(new_user, user, JUNK, **fields(keep_max_size="1G")))
    assert left(user) == [1, 2, 3, 4]
    poll(viewed(new_user, user, JUNK, **fields(keep_max_size="%db" % (LARGE + 2000))))
    assert left(user) == [1, 4]


def test_size_that_is_hidden_is_too_much(server, new_user):
    """Nobody knows it without a look, which is made once a day."""
    user = downloaded(new_user, 4, large=[1])
    junk(user, "1")
    part = viewed(new_user, user, JUNK, **fields(keep_max_size="1G"))
    poll(part)
    part = viewed(new_user, user, JUNK, **fields(keep_max_size="%db" % (LARGE + 2000)))
    poll(part)
    assert left(user) == [1, 2, 3, 4]
    server.clock.advance(days=1)
    poll(part)
    assert left(user) == [1, 4]


@pytest.mark.parametrize("action", ["expunge", "move Archive"])
@EACH_RUN
def test_never_downloaded(server, new_user, action, run):
    """That rule takes also what is hidden, or junk would stay for ever."""
    user = downloaded(new_user, 2, undownloaded=3)
    junk(user, "2,4")
    part = viewed(new_user, user, JUNK, **fields(keep_downloaded="50d", keep_undownloaded="10d", expire_action=action))
    poll(part)
    server.clock.advance(days=11)
    run(part, server)
    assert left(user) == [1, 2]
    server.clock.advance(days=11)
    run(part, server)
    server.clock.advance(days=29)
    run(part, server)
    assert left(user) == [2]
    if action != "expunge":
        assert sorted(left(user, "Archive")) == [1, 3, 4, 5]


def test_hidden_while_it_is_moved(server, new_user):
    """A batch is looked at again before it goes."""
    retention.true_time(server)
    user = downloaded(new_user, 4, undownloaded=1)
    part = viewed(new_user, user, JUNK, **fields(keep_downloaded="0", expire_action="move Archive"))
    with slow_run(server, part):
        junk(user, "2,4")
    assert left(user) == [2, 4, 5]
    assert sorted(left(user, "Archive")) == [1, 3, 100]


def test_dry_run_and_report(server, new_user):
    user = downloaded(new_user, 4)
    junk(user, "2,3")
    part = viewed(new_user, user, JUNK, **fields(keep_downloaded="0"))
    assert retention_doveadm.run(part, "--dry-run")["downloaded"] == "2"
    report = viewed(new_user, user, JUNK, **fields(keep_downloaded="0", report_only="yes"))
    poll(report)
    assert "2 messages" in server.wait_log(report, "retention would have taken")[0]
    assert left(user) == [1, 2, 3, 4]


def test_status(server, new_user):
    """Hidden mail is not what a rule holds; it has a line of its own."""
    user = downloaded(new_user, 5, undownloaded=2)
    junk(user, "2,3,4,6")
    retention.mark(user, "4", "+FLAGS", r"(\Flagged)")
    rules = fields(keep_downloaded="1d", keep_undownloaded="90d", keep_max_messages="2")
    part = viewed(new_user, user, JUNK, **rules)
    server.clock.advance(days=2)
    found = retention_doveadm.status(part)
    assert list(found) == ["downloaded", "undownloaded", "max_messages", "hidden"]
    assert found["downloaded"]["messages"] == found["downloaded"]["due"] == "2"
    assert found["undownloaded"]["messages"] == "2"
    assert found["hidden"] == retention_doveadm.row(2)
    assert "hidden" not in retention_doveadm.status(viewed(new_user, user, "ALL", **rules))
    assert retention_doveadm.status(viewed(new_user, user, JUNK)) == {}
    assert retention_doveadm.status(new_user(**fields(keep_downloaded="1d"), pop3_policy_view=JUNK)) == {
        name: retention_doveadm.row(0) for name in ("downloaded", "hidden")}
    assert left(user) == [1, 2, 3, 4, 5, 6, 7]


def test_bad_query(new_user):
    """Nobody knows what it hides, so nothing goes."""
    user = downloaded(new_user, 2)
    part = viewed(new_user, user, "UID 1", **fields(keep_downloaded="0"))
    for action in ("run", "status"):
        code, errors = retention_doveadm.failure(part, action, *(["--force"] if action == "run" else []))
        assert code == 75 and 'pop3_policy_view: bad search query "UID 1": ' in errors
    assert left(user) == [1, 2]


def test_message_that_cannot_be_read(new_user):
    """It is not known whether it is hidden."""
    user = downloaded(new_user, 3)
    part = viewed(new_user, user, 'NOT BODY "of message 000002"', **fields(keep_downloaded="0"))
    path = disasters.message_files(user)[0]
    os.chmod(path, 0)
    code, _ = retention_doveadm.failure(part, "run", "--force")
    assert code == 75
    path, = disasters.files(user, re.escape(os.path.basename(path)) + ".*")
    os.chmod(path, 0o600)
    assert left(user) == [1, 2, 3]
    assert retention_doveadm.run(part, "--force")["downloaded"] == "2"
    assert left(user) == [2]
