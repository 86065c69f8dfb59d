# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Which sessions have downloaded a message, and what clients find when the server takes mail away."""

import datetime
import os

import pytest

import clock
import mailgen
import retention
from clients import CLIENTS
from conftest import FORMATS
from retention import each_format, fetch, fields, left, poll, said, taken


@pytest.mark.parametrize("how", retention.NO_DOWNLOAD)
@each_format
def test_no_download(server, new_user, form, how):
    """P2: what a client may not have does not go, however long it takes."""
    user = new_user(form, **fields(keep_downloaded="0", keep_max_messages="1", keep_max_size="1k"))
    user.append([mailgen.message(1, retention.BIG), mailgen.message(2)])
    uidls = poll(user)
    for _ in range(2):
        retention.NO_DOWNLOAD[how](user)
        server.wait_idle()
        assert left(user) == [1, 2]
    retention.days_of_polls(user, 150, step=15)
    retention.NO_DOWNLOAD[how](user)
    server.wait_idle()
    assert left(user) == [1, 2] and not said(user)
    assert poll(user) == uidls
    fetch(user, 1)
    assert left(user) == [2]


def test_refused_by_the_quota(server, new_user):
    """Not downloaded, though the client did ask for it."""
    user = new_user(messages=4, quota="2msg/day", **fields(keep_downloaded="0"))
    with user.session() as pop3:
        assert [pop3.retr(number).ok for number in (1, 2, 3, 4)] == [True, True, False, False]
        assert pop3.quit().ok
    server.wait_idle()
    assert left(user) == [3, 4]


DAILY = [("mpop", form) for form in FORMATS] + [("getmail6", "maildir"), ("fetchmail", "maildir")]


@pytest.mark.parametrize("name, form", DAILY, ids=["%s-%s" % case for case in DAILY])
def test_daily_client(server, new_user, form, name):
    """It leaves mail on the server, gets each message once, and each goes a week later."""
    user = new_user(form, **fields(keep_downloaded="7d"))
    client = CLIENTS[name](user, os.path.join(server.root, "client-" + user.name), True)
    begin = clock.quiet_noon()
    have = []
    last = 70 if form == "maildir" else 12
    for day in range(1, last + 9):
        # some minutes later each day: a second less than a week is not a week
        server.clock.set(begin + datetime.timedelta(days=day, minutes=day))
        if day <= last:
            user.append([mailgen.message(day)])
        have += client.fetch()
        server.wait_idle()
        assert left(user) == list(range(max(day - 6, 1), min(day, last) + 1))
    assert sorted(mailgen.number_of(data) for data in have) == list(range(1, last + 1))
    assert left(user) == [] and taken(user) == last


def test_daily_fetchmail(server, new_user):
    """When it is to keep mail it gets it by TOP with more lines than any message has: that is a download."""
    user = new_user(messages=10, **fields(keep_downloaded="7d"))
    client = CLIENTS["fetchmail"](user, os.path.join(server.root, "client-" + user.name), True)
    assert len(client.fetch()) == 10
    # the time of a download is that at the end of its session
    server.wait_idle()
    for _ in range(6):
        server.clock.advance(days=1)
        assert client.fetch() == []
    server.wait_idle()
    assert left(user) == list(range(1, 11)) and not said(user)
    server.clock.advance(days=1)
    assert client.fetch() == []
    server.wait_idle()
    assert left(user) == [] and taken(user) == 10


@pytest.mark.parametrize("lines, goes", [("1000", False), ("999999", False), ("1000000", True), ("99999999", True),
                                         ("18446744073709551615", False)])
def test_top_of_many_lines(server, new_user, lines, goes):
    """A look at a message is no download, even if it shows all of it."""
    user = new_user(messages=2, **fields(keep_downloaded="0"))
    with user.session() as pop3:
        pop3.ok("TOP 1 " + lines)
        assert pop3.quit().ok
    server.wait_idle()
    assert left(user) == ([2] if goes else [1, 2])


def test_top_cut_off(server, new_user):
    """The whole message was not sent, or there was no QUIT."""
    user = new_user(messages=1, size=retention.BIG, **fields(keep_downloaded="0"))
    with user.connect(receive_buffer=4096) as pop3:
        assert pop3.login(user.name, user.password).ok
        pop3.send(b"TOP 1 99999999\r\nQUIT\r\n")
        pop3.read_exactly(5000)
        pop3.cut()
    with user.session() as pop3:
        pop3.ok("TOP 1 99999999")
        pop3.cut()
    server.wait_idle()
    poll(user)
    assert left(user) == [1]


def test_deleted_by_the_client(new_user):
    """DELE is as always, and no rule takes what is gone."""
    user = new_user(messages=4, **fields(keep_downloaded="0"))
    with user.session() as pop3:
        pop3.retr(1)
        pop3.retr(2)
        pop3.ok("DELE 1")
        pop3.ok("DELE 3")
        assert pop3.quit().ok
    user.server.wait_idle()
    assert left(user) == [4]
    assert taken(user) == 1


@each_format
def test_uidls_stay(server, new_user, form):
    user = new_user(form, messages=12, **fields(keep_downloaded="2d", keep_max_messages="8"))
    with user.session() as pop3:
        before = pop3.uidl()
        sizes = pop3.ok("LIST").lines
        pop3.quit()
    fetch(user, 3, 1, 9)
    # 2 is the first one now
    fetch(user, 1)
    retention.days_of_polls(user, 3)
    with user.session() as pop3:
        after = pop3.uidl()
        assert len(pop3.ok("LIST").lines) == len(sizes) - 4
        pop3.quit()
    assert list(after.values()) == [before[str(number)] for number in (4, 5, 6, 7, 8, 10, 11, 12)]
    assert left(user) == [4, 5, 6, 7, 8, 10, 11, 12]
