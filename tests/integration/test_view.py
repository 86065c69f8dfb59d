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
from conftest import running
from disasters import UIDL_FORMATS
from dovecot import Server
from polling import wait_for
from replica import Replica, folder
from view import JUNK, LARGE, SMALL, first_line, junk, known, look, only, shown, view

# in the configuration of 2.3 a dollar sign is that of a variable, unless it stands in quotes
QUOTED = '"%s"' % JUNK if dovecot_conf.LINE == "2.3" else JUNK
EACH_WAY = pytest.mark.parametrize("fast_polls", ["yes", "no"])


def mixed(new_user, form="maildir", **fields):
    """Seven messages, of which 2, 5 and 6 are junk, and 4 is large; and the UIDL of each."""
    user = new_user(form, **fields)
    user.append([mailgen.message(number, LARGE if number == 4 else 1500) for number in range(1, 8)])
    junk(user, "2,5,6")
    return user, known(user)


@retention.each_format
@EACH_WAY
def test_listings_agree(new_user, form, fast_polls):
    user, uidls = mixed(new_user, form, pop3_policy_fast_polls=fast_polls)
    for query, numbers in ((JUNK, [1, 3, 4, 7]), ("%s %s" % (JUNK, SMALL), [1, 3, 7]), ("KEYWORD $Junk", [2, 5, 6]),
                           ("NOT ALL", []), ("ALL", [1, 2, 3, 4, 5, 6, 7])):
        user.set_fields(**view(query))
        for _ in range(2):
            assert shown(user) == only(uidls, *numbers), query
    assert not user.server.log_lines(user, "Error|Panic")


QUERIES = [
    ("SEEN", [3]),
    ("NOT SEEN", [1, 2, 4, 5, 6, 7]),
    ("NOT ( KEYWORD $Junk OR SEEN )", [1, 4, 7]),
    ('SUBJECT "message 4"', [4]),
    ('NOT SUBJECT "message 4" NOT KEYWORD $Junk', [1, 3, 7]),
    ("KEYWORD $Junk OR LARGER 5000", [2, 4, 5, 6]),
    ('HEADER X-Number 1', [1]),
    ('TEXT "sender6@example.org"', [6]),
    ('BODY "of message 000003"', [3]),
    ("KEYWORD nobody-has-it", []),
    ("UNKEYWORD nobody-has-it", [1, 2, 3, 4, 5, 6, 7]),
    ("SENTSINCE 2020-09-02", []),
    ("SENTSINCE 2020-08-31", [1, 2, 3, 4, 5, 6, 7]),
    ("ALL NOT KEYWORD $Junk", [1, 3, 4, 7]),
]


def test_queries(new_user):
    user, uidls = mixed(new_user)
    retention.mark(user, "3", "+FLAGS", r"(\Seen)")
    for query, numbers in QUERIES:
        user.set_fields(**view(query))
        assert shown(user) == only(uidls, *numbers), query


@pytest.mark.parametrize("text", ["ALL", " all "])
def test_everything(new_user, text):
    """It is as if there was no such setting: a poll needs no search."""
    user, uidls = mixed(new_user)
    user.set_fields(**view(text))
    assert shown(user) == only(uidls, *range(1, 8))


BAD = ["NONSENSE", "KEYWORD", "NOT", '"', "1:5", "UID 5", "NOT UID 5:*", "KEYWORD $Junk OR UID 1", "INTHREAD REFS ALL",
       "MODSEQ 5", "MAILBOX INBOX", "NOT ( SEEN MAILBOX-GUID abc )", "X-REAL-UID 5", "OLDESTONLY SEEN", "$"]


@pytest.mark.parametrize("query", BAD)
def test_bad_query(server, new_user, query):
    """Nobody knows what the client is to see, and it must not forget anything: the session is refused."""
    user = new_user(messages=2, **view(query))
    assert user.refused_login() == expect.MISCONFIGURED
    lines = server.wait_log(user, "Error: ")
    assert len(lines) == 1 and 'pop3_policy_view: bad search query "%s": ' % query in lines[0]
    assert "such as NOT KEYWORD $Junk, or ALL" in lines[0]
    assert not os.path.exists(user.state_dir)
    user.set_fields(**view("SEEN"))
    assert shown(user).numbers == []


# -- what is deleted


@retention.each_format
def test_delete_by_shown_number(new_user, form):
    user, uidls = mixed(new_user, form, **view(JUNK))
    with user.session() as pop3:
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
    assert retention.left(user) == [1, 2, 4, 5, 6]
    assert shown(user) == only(uidls, 1, 4)
    user.set_fields(**view("ALL"))
    assert shown(user) == only(uidls, 1, 2, 4, 5, 6)


def test_delete_all_that_is_shown(new_user):
    user, _ = mixed(new_user, **view(JUNK))
    with user.session() as pop3:
        for number in range(1, 5):
            pop3.ok("DELE %d" % number)
        assert pop3.stat() == (0, 0)
        assert pop3.quit().ok
    user.server.wait_idle()
    assert retention.left(user) == [2, 5, 6]
    assert shown(user).numbers == []


@pytest.mark.parametrize("end", ["RSET", "cut"])
def test_nothing_is_deleted(new_user, end):
    user, uidls = mixed(new_user, **view(JUNK))
    with user.session() as pop3:
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
    user, uidls = mixed(new_user, form, **view(JUNK))
    with user.session() as pop3:
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
    found = shown(user)
    assert found.numbers == [4, 5, 8] and found.uidls[:2] == [uidls[4], uidls[5]]


def test_seen_and_last(start_server, make_user_on):
    """LAST is a number among what is shown, RETR marks the message that it shows, and RSET takes marks from shown ones
    only."""
    server = start_server(extra="protocol pop3 {\n  pop3_enable_last = yes\n}\n")
    user, uidls = mixed(make_user_on(server), **view(JUNK))
    retention.mark(user, "5,6", "+FLAGS", r"(\Seen)")

    def seen():
        return [number for number, (flags, _) in enumerate(retention.labels(user), 1) if rb"\Seen" in flags]

    def last(*commands):
        with user.session() as pop3:
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
    assert shown(user) == only(uidls, 1, 3, 4, 7)


@pytest.mark.parametrize("fast_polls", ["yes", "no"])
@pytest.mark.parametrize("delete_type", ["flag", "expunge"])
def test_deleted_flag(start_server, make_user_on, delete_type, fast_polls):
    """What a client has deleted is hidden by a flag, and so is what the view hides."""
    server = start_server(extra="protocol pop3 {\n  pop3_deleted_flag = POP3Deleted\n  pop3_delete_type = %s\n}\n"
                          % delete_type)
    user, uidls = mixed(make_user_on(server), pop3_policy_fast_polls=fast_polls, **view(JUNK))
    retention.mark(user, "3,6", "+FLAGS", "(POP3Deleted)")
    assert shown(user) == only(uidls, 1, 4, 7)
    with user.session() as pop3:
        pop3.ok("DELE 2")
        assert pop3.quit().ok
    server.wait_idle()
    assert shown(user) == only(uidls, 1, 7)
    user.set_fields(**view("ALL"))
    assert shown(user) == only(uidls, 1, 2, 5, 7)
    assert retention.left(user) == ([1, 2, 3, 4, 5, 6, 7] if delete_type == "flag" else [1, 2, 3, 5, 6, 7])


# -- UIDLs


STABLE = ["indexes deleted", "UIDVALIDITY changed", "pop3_uidl_format changed", "backup restored",
          "re-appended by IMAP", "converted to mdbox", "converted to maildir"]
CELLS = [(name, form) for number, name in enumerate(STABLE) for form in disasters.DISASTERS[name].forms]


@pytest.mark.parametrize("name, form", CELLS[::2])
def test_uidls_after_a_disaster(stock_and_plugin, make_user_on, name, form):
    """It strikes while a part is hidden, in whichever session UIDLs are found again; what comes into view then has its
    own of before."""
    server = stock_and_plugin["plugin"]
    disaster = disasters.DISASTERS[name]
    user = make_user_on(server)(form, **disaster.fields)
    user.append([mailgen.message(number, LARGE if number in (1, 4, 5) else 1500) for number in range(1, 8)])
    uidls = known(user)
    user.set_fields(**view(SMALL))
    if disaster.before_last is not None:
        disaster.before_last(user)
    assert shown(user) == only(uidls, 2, 3, 6, 7)
    disaster.strike(user)
    # dbox without its index makes a new one when it stumbles over a message
    wait_for(lambda: user.try_append(mailgen.message(8, LARGE)), "the delivery of a message")
    found = shown(user)
    assert dict(zip(*found)) == {number: uidls[number] for number in (2, 3, 6, 7)}
    assert shown(user) == found
    after = known(user)
    assert after.pop(8) not in uidls.values()
    assert after == uidls


def test_first_sight_is_of_a_part(new_user):
    """Also what was never shown keeps the UIDL that it will be shown with."""
    user = new_user(**view(SMALL))
    user.append([mailgen.message(number, LARGE if number % 2 else 1500) for number in range(1, 8)])
    first = shown(user)
    assert first.numbers == [2, 4, 6]
    disasters.uidvalidity_changed(user)
    assert shown(user) == first
    after = known(user)
    assert len(set(after.values())) == 7
    assert only(after, 2, 4, 6) == first
    disasters.uidvalidity_changed(user)
    assert known(user) == after


@pytest.mark.parametrize("hidden", ["1", "2", "1,2"])
def test_renamed_duplicates(new_user, hidden):
    """Copies have the numbers of the whole mailbox, whichever of them are hidden: no client gets one for another."""
    user = new_user(pop3_uidl_duplicates="rename", pop3_uidl_format=UIDL_FORMATS["guid"], **view(JUNK))
    disasters.only_copies(user)
    junk(user, hidden)
    gone = [int(number) for number in hidden.split(",")]
    part = user.told()
    user.set_fields(**view("ALL"))
    whole = user.told()
    assert len(set(whole)) == 3 and whole[1:] == [whole[0] + "-2", whole[0] + "-3"]
    assert part == [uidl for number, uidl in enumerate(whole, 1) if number not in gone]
    user.set_fields(**view(JUNK))
    assert user.told() == part
    junk(user, "1:3", is_junk=False)
    assert user.told() == whole


# -- POP3 orders, which only a list written by a migration has


@pytest.fixture
def ordered(memory_disk):
    """Six messages whose order is 4, 2, 1, 6, 3, 5; some are junk. Returns the session with these commands."""
    with folder(Server.base) as base:
        def make(marked, fast_polls, settings=None):
            policy = {"pop3_policy_view": QUOTED, "pop3_policy_fast_polls": fast_polls}
            copy = Replica(base, "copy", settings or {}, policy)
            lines = ["3 V1600000001 N7 G%s" % ("0123456789abcdef" * 2)]
            for number, order in enumerate([3, 2, 5, 1, 6, 4], 1):
                name = "165000000%d.H%d.test" % (number, number)
                copy.deliver(name + ":2," + "a" * (number in marked), mailgen.message(number, 300 * number), "cur")
                lines.append("%d O%d Puidl-%d :%s" % (number, order, number, name))
            copy.write_control("dovecot-uidlist", "".join(line + "\n" for line in lines))
            copy.write_control("dovecot-keywords", "0 $Junk\n")
            return copy
        yield make


@pytest.mark.parametrize("fast_polls", ["yes", "no"])
@pytest.mark.parametrize("marked, order", [([], [4, 2, 1, 6, 3, 5]), ([4], [2, 1, 6, 3, 5]), ([5], [4, 2, 1, 6, 3]),
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
    path = disasters.files(user, r"\d+\.M.*")[1]
    os.chmod(path, 0)
    with user.connect() as pop3:
        pop3.login(user.name, user.password)
        assert pop3.drain().startswith(b"-ERR [") or pop3.received.splitlines()[-1].startswith(b"-ERR [")
    user.server.wait_idle()
    path, = disasters.files(user, re.escape(os.path.basename(path)) + ".*")
    os.chmod(path, 0o600)
    assert shown(user).numbers == [2]


def test_quota_is_about_what_is_downloaded(new_user):
    user, _ = mixed(new_user, **view(JUNK))
    user.set_fields(pop3_policy_quota="2msg/day")
    before = user.counted()
    with user.session() as pop3:
        assert [pop3.retr(number).ok for number in (2, 4, 1)] == [True, True, False]
        assert pop3.quit().ok
    user.server.wait_idle()
    assert user.counted() == before + 2


def test_for_one_device(new_user):
    """Two logins of one user see different parts, under the same UIDLs."""
    user, uidls = mixed(new_user)
    for _ in range(2):
        user.set_fields(**view(SMALL))
        assert shown(user) == only(uidls, 1, 2, 3, 5, 6, 7)
        user.set_fields(**view(JUNK))
        assert shown(user) == only(uidls, 1, 3, 4, 7)


def test_global_setting(memory_disk, make_user_on):
    """A userdb field overrides it."""
    with running(Server(settings={"pop3_policy_view": QUOTED})) as server:
        user = make_user_on(server)()
        user.append(mailgen.messages(4))
        junk(user, "3")
        assert shown(user).numbers == [1, 2, 4]
        user.set_fields(**view("ALL"))
        assert shown(user).numbers == [1, 2, 3, 4]
