# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""What pop3_policy_exempt protects."""

import pytest

import expect
import retention
from retention import each_format, fetch, fields, left, poll, taken


@each_format
def test_flagged(server, new_user, form):
    user = new_user(form, messages=3, **fields(keep_downloaded="2d"))
    retention.mark(user, "1", "+FLAGS", r"(\Flagged)")
    fetch(user, 1, 2)
    server.clock.advance(days=2)
    poll(user)
    assert left(user) == [1, 3]
    retention.days_of_polls(user, 20)
    assert left(user) == [1, 3] and taken(user) == 1
    retention.mark(user, "1", "-FLAGS", r"(\Flagged)")
    server.clock.advance(days=1)
    poll(user)
    assert left(user) == [3]


@pytest.mark.parametrize("rule", ["keep_max_messages", "keep_max_size"])
def test_flagged_counts(server, new_user, rule):
    """What is exempt counts in what there is, and does not go for it."""
    user = new_user(messages=4, **fields(**{rule: "1"}))
    retention.mark(user, "1,2", "+FLAGS", r"(\Flagged)")
    fetch(user, 1, 3)
    assert left(user) == [1, 2, 4]
    retention.mark(user, "1", "-FLAGS", r"(\Flagged)")
    server.clock.advance(days=1)
    poll(user)
    assert left(user) == [2, 4]


QUERIES = [
    ("KEYWORD keep", [2]),
    ("FLAGGED OR KEYWORD keep", [1, 2]),
    ("NOT FLAGGED", [2, 3, 4]),
    ('SUBJECT "message 3"', [3]),
    ("UID 4:*", [4]),
    ("ALL", [1, 2, 3, 4]),
]


@pytest.mark.parametrize("query, expected", QUERIES, ids=[query for query, _ in QUERIES])
def test_query(new_user, query, expected):
    user = new_user(messages=4, **fields(keep_downloaded="0", exempt=query))
    retention.mark(user, "1", "+FLAGS", r"(\Flagged)")
    retention.mark(user, "2", "+FLAGS", "(keep)")
    fetch(user, 1, 2, 3, 4)
    assert left(user) == expected


@pytest.mark.parametrize("query", ["NONSENSE", "FLAGGED (", "KEYWORD", "SINCE never", "OR", "NOT", 'SUBJECT "x'])
def test_bad_query(server, new_user, query):
    """Nobody knows what it was to protect."""
    user = new_user(messages=2, **fields(keep_downloaded="0", exempt=query))
    assert user.refused_login() == expect.MISCONFIGURED
    lines = server.wait_log(user, "Error: ")
    assert len(lines) == 1 and 'pop3_policy_exempt: bad search query "%s": ' % query in lines[0]
    user.set_fields(**fields(exempt="FLAGGED"))
    fetch(user, 1, 2)
    assert left(user) == []


def test_bad_query_without_rules(new_user):
    """It is not asked for, and a poll does not pay for it."""
    user = new_user(messages=2, **fields(exempt="NONSENSE"))
    fetch(user, 1, 2)
    assert left(user) == [1, 2]


def test_no_query(new_user):
    user = new_user(messages=2, **fields(keep_downloaded="0", exempt="none"))
    retention.mark(user, "1", "+FLAGS", r"(\Flagged)")
    fetch(user, 1, 2)
    assert left(user) == []
