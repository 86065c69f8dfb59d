# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Retention while the clock is wrong."""

import retention
from retention import DAY, each_format, fetch, fields, left, poll, said, taken


@each_format
def test_clock_that_goes_back(server, new_user, form):
    retention.true_time(server)
    server.clock.advance(days=1)
    user = new_user(form, messages=4, **retention.all_rules(keep_max_messages="4"))
    fetch(user, 1, 2)
    begin = server.clock.now()
    server.clock.advance(days=-365)
    retention.days_of_polls(user, 200, step=10)
    assert left(user) == [1, 2, 3, 4] and not said(user)
    server.clock.set_epoch(begin + DAY)
    poll(user)
    assert left(user) == [1, 2, 3, 4] and not said(user)
    server.clock.set_epoch(begin + 14 * DAY)
    poll(user)
    assert left(user) == [3, 4]


def test_download_while_the_clock_is_back(server, new_user):
    """Its time is not true, but it does not go before its days are over."""
    user = new_user(messages=3, **fields(keep_downloaded="14d"))
    fetch(user, 1)
    begin = server.clock.now()
    server.clock.advance(days=-365)
    fetch(user, 2)
    server.clock.set_epoch(begin + DAY)
    poll(user)
    assert left(user) == [1, 2, 3] and not said(user)


def test_too_many_while_the_clock_is_back(server, new_user):
    user = new_user(messages=3, **fields(keep_downloaded="0"))
    poll(user)
    server.clock.advance(days=-365)
    fetch(user, 1)
    assert left(user) == [1, 2, 3] and not said(user)


@each_format
def test_clock_that_jumps(server, new_user, form):
    """The first look after a month may be by a clock that is wrong."""
    user = new_user(form, messages=4, **fields(keep_downloaded="14d"))
    fetch(user, 1, 2)
    begin = server.clock.now()
    server.clock.set_epoch(begin + 40 * DAY)
    poll(user)
    assert left(user) == [1, 2, 3, 4]
    assert len(server.wait_log(user, "Warning: .*retention waits for a confirmation: .* 40 days ago")) == 1
    for day in range(1, 7):
        server.clock.set_epoch(begin + (40 + day) * DAY)
        poll(user)
        assert left(user) == [1, 2, 3, 4]
    assert len(server.wait_log(user, "Warning: .*retention waits", 7)) == 7
    server.clock.set_epoch(begin + 47 * DAY + 60)
    poll(user)
    assert left(user) == [3, 4] and taken(user) == 2
    # and that was that
    fetch(user, 1)
    retention.days_of_polls(user, 14)
    assert left(user) == [4]
    assert len(server.log_lines(user, "Warning: pop3_policy: ")) == 7


def test_clock_that_jumps_and_comes_back(server, new_user):
    user = new_user(messages=2, **fields(keep_downloaded="14d"))
    fetch(user, 1)
    begin = server.clock.now()
    server.clock.set_epoch(begin + 365 * DAY)
    poll(user)
    server.clock.set_epoch(begin + 13 * DAY)
    poll(user)
    assert left(user) == [1, 2]
    # the jump is forgotten: a later one has its own week
    server.clock.set_epoch(begin + 14 * DAY + 60)
    poll(user)
    assert left(user) == [2]
    fetch(user, 1)
    server.clock.set_epoch(begin + 60 * DAY)
    poll(user)
    assert left(user) == [2]
    assert len(server.wait_log(user, "Warning: pop3_policy: ", 2)) == 2


def test_stale_jump_confirms_nothing(server, new_user):
    """A jump of days ago that was taken back does not stand for the next one."""
    user = new_user(messages=2, **fields(keep_downloaded="35d"))
    fetch(user, 1)
    begin = server.clock.now()
    server.clock.set_epoch(begin + 32 * DAY)
    poll(user)
    assert len(server.wait_log(user, "Warning: pop3_policy: ")) == 1
    server.clock.set_epoch(begin + DAY)
    poll(user)
    server.clock.set_epoch(begin + 400 * DAY)
    poll(user)
    assert left(user) == [1, 2]


def test_download_at_a_clock_that_jumped(server, new_user):
    """The clock has to come back before it counts."""
    user = new_user(messages=3, **fields(keep_downloaded="1d", keep_max_messages="1"))
    poll(user)
    begin = server.clock.now()
    server.clock.advance(days=365)
    fetch(user, 1)
    server.clock.set_epoch(begin + DAY)
    retention.days_of_polls(user, 20)
    assert left(user) == [1, 2, 3]
