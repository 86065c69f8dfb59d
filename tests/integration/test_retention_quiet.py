# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Sessions that are to change nothing: those of a policy that only reports, and polls with nothing due."""

import pytest

import mailgen
import retention
from retention import each_format, fetch, fields, left, poll, said, taken
from test_poll import listing


@each_format
def test_report_only(server, new_user, form):
    user = new_user(form, messages=3, **fields(keep_downloaded="2d", report_only="yes", expire_action="move Archive"))
    fetch(user, 1, 2)
    server.clock.advance(days=2)
    poll(user)
    assert said(user) == ["retention would have taken 2 messages, %d bytes: 2 downloaded" %
                          (2 * len(mailgen.message(1)))]
    retention.days_of_polls(user, 20)
    assert left(user) == [1, 2, 3]
    assert not taken(user) and not taken(user, "moved")
    with retention.selected(user) as imap:
        assert not any(b"Archive" in name for name in imap.list()[1] if name)
    user.set_fields(**fields(report_only="no"))
    retention.days_of_polls(user, 8)
    assert left(user) == [3] and left(user, "Archive") == [1, 2]


@pytest.mark.parametrize("rule", [{"keep_downloaded": "2d"}, {"keep_max_messages": "1"}])
def test_reported_goes_as_soon_as_it_may(server, new_user, rule):
    """Not a day later, when there would be the next report."""
    user = new_user(messages=3, **fields(report_only="yes", **rule))
    fetch(user, 1, 2)
    server.clock.advance(days=2)
    poll(user)
    assert said(user)[-1].startswith("retention would have taken 2 messages, ")
    user.set_fields(**fields(report_only="no"))
    poll(user)
    assert left(user) == [3]


@pytest.mark.parametrize("rule", [{"keep_max_messages": "3"}, {"keep_max_size": "6k"}])
def test_report_of_too_much(server, new_user, rule):
    """There is too much for ever, and polls do not look at it each time."""
    retention.true_time(server)
    user = new_user(messages=6, **fields(report_only="yes", **rule))
    fetch(user, 1, 2, 3, 4)
    assert len(said(user)) == 1
    poll(user)
    before = listing(user.home)
    for _ in range(3):
        server.clock.advance(hours=7)
        poll(user)
        assert listing(user.home) == before
    assert len(said(user)) == 1
    server.clock.advance(hours=4)
    poll(user)
    assert len(said(user)) == 2


@each_format
def test_nothing_due_writes_nothing(server, new_user, form):
    retention.true_time(server)
    user = new_user(form, messages=6, **retention.all_rules())
    retention.mark(user, "3", "+FLAGS", r"(\Flagged)")
    fetch(user, 1, 2, 3)
    poll(user)
    before = listing(user.home)
    for _ in range(3):
        poll(user)
        assert listing(user.home) == before
        server.clock.advance(hours=7)
    assert not said(user)


@pytest.mark.parametrize("name, value", list(retention.RULES.items())[:4])
def test_one_rule_writes_nothing(server, new_user, name, value):
    retention.true_time(server)
    user = new_user(messages=6, **fields(**{name: value}))
    fetch(user, 1)
    poll(user)
    before = listing(user.home)
    for _ in range(5):
        server.clock.advance(days=1)
        poll(user)
        assert listing(user.home) == before
    assert not said(user)
