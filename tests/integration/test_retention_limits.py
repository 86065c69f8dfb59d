# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""What goes because there is too much."""

import mailgen
import retention
from retention import each_format, fetch, fields, left, poll, said, taken


@each_format
def test_too_many(server, new_user, form):
    """Those downloaded first go first, and the others never."""
    user = new_user(form, messages=10, **fields(keep_max_messages="7"))
    poll(user)
    assert left(user) == list(range(1, 11)) and not said(user)
    fetch(user, 5, 6)
    assert left(user) == [1, 2, 3, 4, 7, 8, 9, 10]
    server.clock.advance(hours=1)
    fetch(user, 2, 1)
    assert left(user) == [2, 3, 4, 7, 8, 9, 10]
    user.set_fields(**fields(keep_max_messages="3"))
    server.clock.advance(days=1)
    poll(user)
    assert left(user) == [3, 4, 7, 8, 9, 10]
    assert taken(user) == 4
    retention.days_of_polls(user, 60, step=10)
    assert left(user) == [3, 4, 7, 8, 9, 10]
    assert all(line.endswith(" max_messages") for line in said(user))


@each_format
def test_too_much(server, new_user, form):
    size = len(mailgen.message(1))
    user = new_user(form, messages=6, **fields(keep_max_size="%db" % (4 * size)))
    poll(user)
    fetch(user, 4)
    assert left(user) == [1, 2, 3, 5, 6]
    server.clock.advance(hours=1)
    fetch(user, 1)
    assert left(user) == [2, 3, 5, 6]
    retention.days_of_polls(user, 60, step=10)
    assert left(user) == [2, 3, 5, 6]
    fetch(user, 2)
    retention.days_of_polls(user, 2)
    assert left(user) == [2, 3, 5, 6]
    user.append([mailgen.message(7)])
    retention.days_of_polls(user, 1)
    assert left(user) == [2, 5, 6, 7]
    assert all(line.endswith(" max_size") for line in said(user))


def test_time_goes_first(server, new_user):
    """What the times take makes room."""
    user = new_user(messages=5, **fields(keep_downloaded="5d"))
    fetch(user, 1, 2)
    server.clock.advance(days=4)
    fetch(user, 3)
    server.clock.advance(days=1)
    user.set_fields(**fields(keep_max_messages="3"))
    poll(user)
    assert left(user) == [3, 4, 5]
    assert said(user)[-1].endswith(": 2 downloaded")
