# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""pop3_policy_view: clients are shown a part of the mailbox, as if there was nothing else."""

import os
import re

import pytest

import disasters
import dovecot_conf
import expect
import mailgen
import retention
from conftest import FORMATS, running
from disasters import UIDL_FORMATS
from dovecot import Server
from polling import wait_for
from replica import Replica, folder
from view import JUNK, LARGE, SMALL, first_line, junk, look, only, shown, uidls_of, view, viewed

# in the configuration of 2.3 a dollar sign is that of a variable, unless it stands in quotes
QUOTED = '"%s"' % JUNK if dovecot_conf.LINE == "2.3" else JUNK
MAILBOX_GUID = "0123456789abcdef" * 2


def mixed(new_user, form="maildir", **fields):
    """Seven messages, of which 2, 5 and 6 are junk, and 4 is large; and the UIDL of each."""
    user = new_user(form, **fields)
    user.append([mailgen.message(number, LARGE if number == 4 else 1500) for number in range(1, 8)])
    junk(user, "2,5,6")
    return user, uidls_of(user)


@pytest.mark.parametrize("form, fast_polls", [(form, "yes") for form in FORMATS] + [("maildir", "no")])
def test_listings_agree(new_user, form, fast_polls):
    user, uidls = mixed(new_user, form, pop3_policy_fast_polls=fast_polls)
    for query, numbers in ((JUNK, [1, 3, 4, 7]), ("%s %s" % (JUNK, SMALL), [1, 3, 7]), ("NOT ALL", [])):
        part = viewed(new_user, user, query)
        for _ in range(2):
            assert shown(part) == only(uidls, *numbers), query
        assert not user.server.log_lines(part, "Error|Panic")
    assert shown(user) == only(uidls, 1, 2, 3, 4, 5, 6, 7)


QUERIES = [
    ("KEYWORD $Junk", [2, 5, 6]),
    ("NOT ( KEYWORD $Junk OR SEEN )", [1, 4, 7]),
    ('NOT SUBJECT "message 4" NOT KEYWORD $Junk', [1, 3, 7]),
    ("KEYWORD $Junk OR LARGER 5000", [2, 4, 5, 6]),
    ('BODY "of message 000003"', [3]),
    ("KEYWORD nobody-has-it", []),
    ("UNKEYWORD nobody-has-it", [1, 2, 3, 4, 5, 6, 7]),
    ("SENTSINCE 2020-09-02", []),
    ("ALL NOT KEYWORD $Junk", [1, 3, 4, 7]),
    # it is as if there was no such setting: a poll needs no search
    (" all ", [1, 2, 3, 4, 5, 6, 7]),
]


def test_queries(new_user):
    user, uidls = mixed(new_user)
    retention.mark(user, "3", "+FLAGS", r"(\Seen)")
    for query, numbers in QUERIES:
        assert shown(viewed(new_user, user, query)) == only(uidls, *numbers), query


BAD = ["NONSENSE", "KEYWORD", "NOT", '"', "1:5", "UID 5", "NOT UID 5:*", "KEYWORD $Junk OR UID 1", "INTHREAD REFS ALL",
       "MODSEQ 5", "MAILBOX INBOX", "NOT ( SEEN MAILBOX-GUID abc )", "X-REAL-UID 5", "OLDESTONLY SEEN", "$"]


def test_bad_queries(server, new_user):
    """Nobody knows what the client is to see, and it must not forget anything: the session is refused."""
    for query in BAD:
        user = new_user(**view(query))
        assert user.refused_login() == expect.MISCONFIGURED
        lines = server.wait_log(user, "Error: ")
        assert len(lines) == 1 and 'pop3_policy_view: bad search query "%s": ' % query in lines[0]
        assert "such as NOT KEYWORD $Junk, or ALL" in lines[0]
        assert not os.path.exists(user.state_dir)


# -- what is deleted


@pytest.mark.parametrize("form", FORMATS)
def test_delete_by_shown_number(new_user, form):
    user, uidls = mixed(new_user, form)
    part = viewed(new_user, user, JUNK)
    with part.session() as pop3:
        assert mailgen.number_of(pop3.retr(2).message) == 3
        before = pop3.stat()
        pop3.ok("DELE 2")
        pop3.ok("DELE 4")
        count, total = pop3.stat()
        assert count == 2 and 0 < total < before[1]
        assert [line.split()[0] for line in pop3.ok("LIST").lines] == ["1", "3"]
        assert pop3.uidl() == {"1": uidls[1], "3": uidls[4]}
        for command in ("RETR 2", "TOP 4 0", "LIST 2", "UIDL 4", "DELE 4"):
            assert first_line(pop3, command).startswith("-ERR")
        assert pop3.quit().ok
    user.server.wait_idle()
    assert shown(part) == only(uidls, 1, 4)
    assert shown(user) == only(uidls, 1, 2, 4, 5, 6)


def test_delete_all_that_is_shown(new_user):
    user, _ = mixed(new_user)
    part = viewed(new_user, user, JUNK)
    with part.session() as pop3:
        for number in range(1, 5):
            pop3.ok("DELE %d" % number)
        assert pop3.stat() == (0, 0)
        assert pop3.quit().ok
    user.server.wait_idle()
    assert shown(user).numbers == [2, 5, 6]
    assert shown(part).numbers == []


@pytest.mark.parametrize("end", ["RSET", "cut"])
def test_nothing_is_deleted(new_user, end):
    user, uidls = mixed(new_user)
    with viewed(new_user, user, JUNK).session() as pop3:
        pop3.ok("DELE 1")
        pop3.ok("DELE 3")
        if end == "RSET":
            pop3.ok("RSET")
            assert look(pop3) == only(uidls, 1, 3, 4, 7)
            assert pop3.quit().ok
        else:
            pop3.cut()
    user.server.wait_idle()
    assert retention.left(user) == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize("form", ["maildir", "sdbox", "mdbox"])
def test_mailbox_changes_meanwhile(new_user, form):
    """What a session shows is what it began with, also when messages come, go, and change sides. An mbox cannot be
    changed before the session has ended."""
    user, uidls = mixed(new_user, form)
    part = viewed(new_user, user, JUNK)
    with part.session() as pop3:
        first = pop3.pipeline("STAT", "LIST", "UIDL")
        junk(user, "1,7")
        junk(user, "5", is_junk=False)
        user.expunge(2)
        user.append([mailgen.message(8)])
        assert [reply.line + reply.rest for reply in pop3.pipeline("STAT", "LIST", "UIDL")] == \
            [reply.line + reply.rest for reply in first]
        assert [mailgen.number_of(pop3.retr(number).message) for number in (1, 2, 3, 4)] == [1, 3, 4, 7]
        pop3.ok("DELE 2")
        pop3.ok("DELE 4")
        assert pop3.quit().ok
    user.server.wait_idle()
    assert retention.left(user) == [1, 4, 5, 6, 8]
    found = shown(part)
    assert found.numbers == [4, 5, 8] and found.uidls[:2] == [uidls[4], uidls[5]]


def test_seen_and_last(start_server, make_user_on):
    """LAST is a number among what is shown, RETR marks the message that it shows, and RSET takes marks from shown ones
    only."""
    server = start_server(extra="protocol pop3 {\n  pop3_enable_last = yes\n}\n")
    new_user = make_user_on(server)
    user, uidls = mixed(new_user)
    part = viewed(new_user, user, JUNK)
    retention.mark(user, "5,6", "+FLAGS", r"(\Seen)")

    def seen():
        return [number for number, (flags, _) in enumerate(retention.labels(user), 1) if rb"\Seen" in flags]

    def last(*commands):
        with part.session() as pop3:
            replies = [reply.text for reply in pop3.pipeline(*commands, "LAST")]
            assert pop3.quit().ok
        server.wait_idle()
        return replies[-1]

    assert last() == "+OK 0"
    assert last("RETR 2") == "+OK 2"
    assert seen() == [3, 5, 6] and last() == "+OK 2"
    assert last("RETR 4") == "+OK 4"
    assert seen() == [3, 5, 6, 7] and last() == "+OK 4"
    assert last("RSET") == "+OK 0"
    assert seen() == [5, 6]
    assert shown(part) == only(uidls, 1, 3, 4, 7)


@pytest.mark.parametrize("delete_type", ["flag", "expunge"])
def test_deleted_flag(start_server, make_user_on, delete_type):
    """What a client has deleted is hidden by a flag, and so is what the view hides."""
    server = start_server(extra="protocol pop3 {\n  pop3_deleted_flag = POP3Deleted\n  pop3_delete_type = %s\n}\n"
                          % delete_type)
    new_user = make_user_on(server)
    user, uidls = mixed(new_user)
    parts = [viewed(new_user, user, JUNK, pop3_policy_fast_polls=value) for value in ("yes", "no")]
    retention.mark(user, "3,6", "+FLAGS", "(POP3Deleted)")
    assert shown(parts[0]) == shown(parts[1]) == only(uidls, 1, 4, 7)
    with parts[0].session() as pop3:
        pop3.ok("DELE 2")
        assert pop3.quit().ok
    server.wait_idle()
    assert shown(parts[0]) == shown(parts[1]) == only(uidls, 1, 7)
    assert shown(user) == only(uidls, 1, 2, 5, 7)
    assert retention.left(user) == ([1, 2, 3, 4, 5, 6, 7] if delete_type == "flag" else [1, 2, 3, 5, 6, 7])


# -- UIDLs


CELLS = [("indexes deleted", "sdbox"), ("UIDVALIDITY changed", "maildir"), ("pop3_uidl_format changed", "mdbox"),
         ("backup restored", "mbox"), ("backup restored", "mdbox"), ("re-appended by IMAP", "maildir"),
         ("converted to mdbox", "maildir"), ("converted to maildir", "sdbox")]


@pytest.mark.parametrize("name, form", CELLS)
def test_uidls_after_a_disaster(stock_and_plugin, make_user_on, name, form):
    """UIDLs are found again in a session that shows a part. What comes into view later has its own of before, too."""
    disaster, new_user = disasters.DISASTERS[name], make_user_on(stock_and_plugin["plugin"])
    user = new_user(form, **disaster.fields)
    user.append([mailgen.message(number, LARGE if number in (1, 4, 5) else 1500) for number in range(1, 8)])
    uidls = uidls_of(user)
    if disaster.before_last is not None:
        disaster.before_last(user)
    disaster.strike(user)
    # dbox without its index makes a new one when it stumbles over a message
    wait_for(lambda: user.try_append(mailgen.message(8, LARGE)), "the delivery of a message")
    part = viewed(new_user, user, SMALL)
    found = shown(part)
    assert dict(zip(*found)) == {number: uidls[number] for number in (2, 3, 6, 7)}
    assert shown(part) == found
    after = uidls_of(user)
    assert after.pop(8) not in uidls.values()
    assert after == uidls


def test_first_sight_is_of_a_part(new_user):
    """Also what was never shown keeps the UIDL that it will be shown with."""
    user = new_user()
    user.append([mailgen.message(number, LARGE if number % 2 else 1500) for number in range(1, 8)])
    part = viewed(new_user, user, SMALL)
    first = shown(part)
    assert first.numbers == [2, 4, 6]
    disasters.uidvalidity_changed(user)
    assert shown(part) == first
    after = uidls_of(user)
    assert len(set(after.values())) == 7
    assert only(after, 2, 4, 6) == first
    disasters.uidvalidity_changed(user)
    assert uidls_of(user) == after


@pytest.mark.parametrize("hidden", ["1", "2", "1,2"])
def test_renamed_duplicates(new_user, hidden):
    """Copies have the numbers of the whole mailbox, whichever of them are hidden: no client gets one for another."""
    user = new_user(pop3_uidl_duplicates="rename", pop3_uidl_format=UIDL_FORMATS["guid"])
    disasters.only_copies(user)
    junk(user, hidden)
    gone = [int(number) for number in hidden.split(",")]
    view_ = viewed(new_user, user, JUNK)
    part = view_.told()
    whole = user.told()
    assert len(set(whole)) == 3 and whole[1:] == [whole[0] + "-2", whole[0] + "-3"]
    assert part == [uidl for number, uidl in enumerate(whole, 1) if number not in gone]
    assert view_.told() == part
    junk(user, "1:3", is_junk=False)
    assert view_.told() == whole


# -- POP3 orders, which only a list written by a migration has


@pytest.fixture
def ordered(memory_disk):
    """Six messages whose order is 4, 2, 1, 6, 3, 5; some are junk. Returns the session with these commands."""
    with folder(Server.base) as base:
        def make(marked, fast_polls, settings=None):
            policy = {"pop3_policy_view": QUOTED, "pop3_policy_fast_polls": fast_polls}
            copy = Replica(base, "copy", settings or {}, policy)
            lines = ["3 V1600000001 N7 G" + MAILBOX_GUID]
            for number, order in enumerate([3, 2, 5, 1, 6, 4], 1):
                name = "165000000%d.H%d.test" % (number, number)
                copy.deliver(name + ":2," + "a" * (number in marked), mailgen.message(number, 300 * number), "cur")
                lines.append("%d O%d Puidl-%d :%s" % (number, order, number, name))
            copy.write_control("dovecot-uidlist", "".join(line + "\n" for line in lines))
            copy.write_control("dovecot-keywords", "0 $Junk\n")
            return copy
        yield make


@pytest.mark.parametrize("fast_polls", ["yes", "no"])
@pytest.mark.parametrize("marked, order", [([4], [2, 1, 6, 3, 5]), ([5], [4, 2, 1, 6, 3]),
                                           ([1, 2, 3], [4, 6, 5]), ([2, 4, 5, 6], [1, 3])])
def test_stored_orders(ordered, marked, order, fast_polls):
    copy = ordered(marked, fast_polls)
    last = len(order)
    commands = ["STAT", "LIST", "UIDL", *["TOP %d 0" % number for number in range(1, last + 1)], "UIDL %d" % last,
                "RETR 1", "DELE %d" % last, "QUIT"]
    for _ in range(2):
        done = copy.programs.pop3(commands[:-2] + ["QUIT"])
        text = done.reply.decode()
        assert "+OK %d " % last in text and not done.complaints
        sizes = text.split("\r\n.\r\n")[0].split("\r\n")[-last:]
        uidls = text.split("\r\n.\r\n")[1].split("\r\n")[-last:]
        assert uidls == ["%d uidl-%d" % pair for pair in enumerate(order, 1)]
        assert [int(line.split()[1]) for line in sizes] == [len(mailgen.message(number, 300 * number))
                                                          for number in order]
        heads = [part for part in text.split("\r\n.\r\n") if "X-Number" in part]
        assert [mailgen.number_of(part.encode()) for part in heads] == order + order[:1]
        copy.rest()
    assert not copy.programs.pop3(commands).complaints
    there = sorted(int(name.split(".H")[1].split(".")[0]) for _, name in copy.messages())
    assert there == sorted(set(range(1, 7)) - {order[-1]})


# -- what goes wrong


def test_message_cannot_be_read(new_user):
    """A list without it would be shorter, and the client would forget: the session is refused."""
    user = new_user(messages=3, **view('BODY "of message 000002"'))
    path = disasters.message_files(user)[1]
    os.chmod(path, 0)
    with user.connect() as pop3:
        pop3.login(user.name, user.password)
        assert pop3.drain().startswith(b"-ERR [") or pop3.received.splitlines()[-1].startswith(b"-ERR [")
    user.server.wait_idle()
    path, = disasters.files(user, re.escape(os.path.basename(path)) + ".*")
    os.chmod(path, 0o600)
    assert shown(user).numbers == [2]


def test_quota_is_about_what_is_downloaded(new_user):
    user, _ = mixed(new_user)
    part = viewed(new_user, user, JUNK, pop3_policy_quota="2msg/day")
    with part.session() as pop3:
        assert [pop3.retr(number).ok for number in (2, 4, 1)] == [True, True, False]
        assert pop3.quit().ok
    user.server.wait_idle()
    assert part.counted() == 2


def test_global_setting(memory_disk, make_user_on):
    """A userdb field overrides it."""
    with running(Server(settings={"pop3_policy_view": QUOTED})) as server:
        new_user = make_user_on(server)
        user = new_user(messages=4)
        junk(user, "3")
        assert shown(user).numbers == [1, 2, 4]
        assert shown(viewed(new_user, user, "ALL")).numbers == [1, 2, 3, 4]
