# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""What goes when its time is over, at the end of a session, and above all what does not."""

import mailgen
import retention
from retention import DAY, each_format, fetch, fields, left, poll, said, taken


def downloaded_at(user):
    """When the first message was downloaded, as it is written down."""
    return min(line["downloaded"] for line in user.journal().values() if "downloaded" in line)


@each_format
def test_to_the_second(server, new_user, form):
    user = new_user(form, messages=4, **fields(keep_downloaded="14d"))
    fetch(user, 2)
    uidls = poll(user)
    due = downloaded_at(user) + 14 * DAY
    for seconds in (-7 * DAY, -DAY, -15):
        server.clock.set_epoch(due + seconds)
        assert poll(user) == uidls
        assert server.clock.now() < due, "the machine is too slow for this test"
    assert left(user) == [1, 2, 3, 4] and not said(user)
    server.clock.set_epoch(due)
    poll(user)
    assert left(user) == [1, 3, 4]
    size = len(mailgen.message(2))
    assert said(user) == ["retention expunged 1 message, %d bytes: 1 downloaded" % size]
    assert poll(user) == [uidls[0], uidls[2], uidls[3]]


@each_format
def test_second_download_does_not_count(server, new_user, form):
    """Only the first one does, also if a later one is nearer."""
    user = new_user(form, messages=2, **fields(keep_downloaded="14d"))
    fetch(user, 1)
    for _ in range(2):
        server.clock.advance(days=6)
        fetch(user, 1)
    server.clock.advance(days=2)
    poll(user)
    assert left(user) == [2]


@each_format
def test_at_once(new_user, form):
    user = new_user(form, messages=5, **fields(keep_downloaded="0"))
    uidls = poll(user)
    fetch(user, 4, 1)
    assert left(user) == [2, 3, 5]
    assert said(user) == ["retention expunged 2 messages, %d bytes: 2 downloaded" %
                          (2 * len(mailgen.message(1)))]
    assert poll(user) == [uidls[1], uidls[2], uidls[4]]
    fetch(user, 1, 2, 3)
    assert left(user) == []


@each_format
def test_forever(server, new_user, form):
    user = new_user(form, messages=3)
    fetch(user, 1, 2)
    retention.days_of_polls(user, 400, step=20)
    assert left(user) == [1, 2, 3] and not said(user)
    assert "retention" not in user.state()["uidl"] or "checked" not in user.state()["uidl"]["retention"]


def test_time_that_changes(server, new_user):
    """What was downloaded before there was a rule counts from then."""
    user = new_user(messages=3)
    fetch(user, 1)
    server.clock.advance(days=5)
    fetch(user, 2)
    user.set_fields(**fields(keep_downloaded="7d"))
    poll(user)
    assert left(user) == [1, 2, 3]
    user.set_fields(**fields(keep_downloaded="4d"))
    poll(user)
    assert left(user) == [2, 3]
    user.set_fields(**fields(keep_downloaded="forever"))
    retention.days_of_polls(user, 30, step=10)
    assert left(user) == [2, 3]


@each_format
def test_never_downloaded(server, new_user, form):
    retention.true_time(server)
    user = new_user(form, messages=3, **fields(keep_undownloaded="90d"))
    fetch(user, 2)
    begin = server.clock.now()
    retention.days_of_polls(user, 80, step=8)
    retention.days_of_polls(user, 9)
    assert left(user) == [1, 2, 3] and not said(user)
    server.clock.set_epoch(begin + 91 * DAY)
    poll(user)
    # a format that does not store times of delivery may know them from the first look only
    if form == "mbox" and left(user) == [1, 2, 3]:
        retention.days_of_polls(user, 8)
    assert left(user) == [2]
    assert said(user) == ["retention expunged 2 messages, %d bytes: 2 undownloaded" % (2 * len(mailgen.message(1)))]


@each_format
def test_delivered_between_looks(server, new_user, form):
    """Each message has its own time."""
    retention.true_time(server)
    user = new_user(form, messages=1, **fields(keep_undownloaded="10d", keep_downloaded="3d"))
    poll(user)
    fetch(user, 1)
    server.clock.advance(days=2)
    poll(user)
    assert left(user) == [1]
    server.clock.advance(days=1)
    poll(user)
    assert left(user) == []
    assert taken(user) == 1


def test_old_mail_that_moves_in(server, new_user):
    """The time of its header or of its first delivery is not that of its delivery here."""
    retention.true_time(server)
    user = new_user(**fields(keep_undownloaded="10d"))
    with retention.selected(user) as imap:
        imap.append("INBOX", None, '"01-Jan-2020 00:00:00 +0000"', mailgen.message(1))
    poll(user)
    server.clock.advance(days=9)
    poll(user)
    assert left(user) == [1]
    server.clock.advance(days=1)
    poll(user)
    assert left(user) == []
