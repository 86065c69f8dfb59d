# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""What the journal ~/pop3-policy/messages.jsonl holds after sessions of every kind."""

import json
import os
import threading

import pytest

import disasters
import mailgen
from conftest import FORMATS
from test_poll import listing, poll
from twins import move

MAX_LINE = 200
# lines of messages that are gone, which are not worth the work of writing the journal anew
SPARE_LINES = 64


def session(user, *commands):
    """Runs the commands and QUIT; returns the UIDLs by number, once what the session leaves is written."""
    with user.session() as pop3:
        uidls = {int(number): uidl for number, uidl in pop3.uidl().items()}
        for command in commands:
            pop3.ok(command)
        pop3.quit()
    user.server.wait_idle()
    return uidls


def download_all(user, count, then=()):
    return session(user, *["RETR %d" % number for number in range(1, count + 1)], *then)


def guids(user):
    table = user.doveadm("-f", "tab", "fetch", "-u", user.name, "uid guid", "mailbox", "INBOX")
    return {int(uid): guid for uid, guid in (row.split("\t") for row in table.splitlines()[1:])}


@pytest.mark.parametrize("form", FORMATS)
def test_a_line_for_each_message(server, new_user, form):
    user = new_user(form, messages=5)
    before = int(server.clock.now())
    uidls = download_all(user, 5)
    after = int(server.clock.now())
    with open(user.journal_path, "rb") as file:
        first, *lines = file.read().splitlines(keepends=True)
    assert set(json.loads(first)) == {"version", "epoch", "generation"}
    assert all(len(line) <= MAX_LINE for line in lines), lines
    entries = [json.loads(line) for line in lines]
    uids = user.uids()
    assert [entry["uid"] for entry in entries] == uids and len(uids) == 5
    known = guids(user)
    for number, entry in enumerate(entries, 1):
        assert entry["uidl"] == uidls[number]
        assert entry["size"] == len(mailgen.message(number))
        assert before - 1 <= entry["downloaded"] <= after + 1
        # a maildir file may lose the sizes in its name; an mbox has no GUIDs, but makes some of headers
        expected = known[entry["uid"]].split(",S=")[0] if form != "mbox" else None
        assert entry.get("guid") == expected
        assert "gone" not in entry
    assert len({entry["hash"] for entry in entries}) == 5
    assert user.state()["uidl"]


def test_equal_messages_have_equal_hashes(new_user):
    user = new_user()
    user.append([mailgen.message(1), mailgen.message(2), mailgen.message(1), mailgen.without_message_id(1)])
    download_all(user, 4)
    hashes = [entry["hash"] for entry in user.journal_lines()]
    assert hashes[0] == hashes[2] and len(set(hashes)) == 3


@pytest.mark.parametrize("form", FORMATS)
def test_top_is_not_a_download(new_user, form):
    user = new_user(form, messages=3)
    uidls = session(user, "TOP 1 0", "TOP 2 100000", "RETR 3")
    journal = user.journal()
    first, second, third = (journal[uid] for uid in user.uids())
    assert "downloaded" not in first and "downloaded" not in second and "downloaded" in third
    assert [first["uidl"], second["uidl"]] == [uidls[1], uidls[2]]
    session(user, "RETR 1")
    journal = user.journal()
    first, second, _ = (journal[uid] for uid in user.uids())
    assert "downloaded" in first and "downloaded" not in second and first["uidl"] == uidls[1]


@pytest.mark.parametrize("form", FORMATS)
def test_download_and_delete_leaves_no_line(new_user, form):
    user = new_user(form, messages=5)
    download_all(user, 5, ["DELE %d" % number for number in range(1, 6)])
    assert user.uids() == [] and user.journal_lines() == []


def test_what_is_not_deleted_is_recorded(new_user):
    user = new_user(messages=5)
    uidls = download_all(user, 5, ["DELE 2", "DELE 4"])
    uids = user.uids()
    assert {uid: entry["uidl"] for uid, entry in user.journal().items()} == dict(
        zip(uids, (uidls[number] for number in (1, 3, 5))))


@pytest.mark.parametrize("cut", [False, True], ids=["closed", "cut"])
def test_session_without_quit(new_user, cut):
    """The client may know the UIDLs, but may have lost the messages; they are not deleted either."""
    user = new_user(messages=3)
    with user.session() as pop3:
        uidls = pop3.uidl()
        assert pop3.retr(1).ok and pop3.retr(2).ok
        pop3.ok("DELE 1")
        if cut:
            pop3.cut()
    user.server.wait_idle()
    uids = user.uids()
    assert len(uids) == 3
    journal = user.journal()
    assert [journal[uid]["uidl"] for uid in uids[:2]] == [uidls["1"], uidls["2"]]
    assert not any("downloaded" in entry for entry in journal.values())
    download_all(user, 2)
    assert ["downloaded" in user.journal()[uid] for uid in uids] == [True, True, False]


@pytest.mark.parametrize("form", FORMATS)
def test_poll_without_news_writes_nothing(new_user, form):
    user = new_user(form, messages=10)
    download_all(user, 6)
    before = listing(user.home)
    poll(user)
    poll(user)
    assert listing(user.home) == before


def test_first_poll_of_an_empty_mailbox_writes_nothing(new_user):
    user = new_user()
    poll(user)
    before = listing(user.home)
    poll(user)
    assert listing(user.home) == before and not os.path.exists(user.journal_path)


@pytest.mark.parametrize("form", FORMATS)
def test_poll_after_a_recovery_writes_nothing(stock_and_plugin, make_user_on, form):
    user = make_user_on(stock_and_plugin["plugin"])(form, messages=10)
    uidls = download_all(user, 10)
    disasters.uidvalidity_changed(user)
    assert session(user) == uidls
    before = listing(user.home)
    assert session(user) == uidls
    assert session(user) == uidls
    after = listing(user.home)
    # stock Dovecot takes a lock in the maildir for each session from then on
    for found in (before, after):
        found.pop("Maildir", None)
    assert after == before


def test_download_of_what_is_known_writes_nothing_of_ours(new_user):
    user = new_user(messages=3)
    download_all(user, 3)
    before = listing(user.state_dir)
    download_all(user, 3)
    assert listing(user.state_dir) == before


def test_first_download_stands(server, new_user):
    user = new_user(messages=3)
    session(user, "RETR 1")
    first = user.journal()[user.uids()[0]]["downloaded"]
    server.clock.advance(hours=5)
    download_all(user, 3)
    times = [user.journal()[uid]["downloaded"] for uid in user.uids()]
    assert times[0] == first and min(times[1:]) >= first + 5 * 3600
    assert len(user.journal_lines()) <= 5


@pytest.mark.parametrize("form", FORMATS)
def test_mail_from_before_the_plugin(stock_and_plugin, make_user_on, form):
    """It is taken in after the first session, so that it can be recovered although nobody downloads it again."""
    old = make_user_on(stock_and_plugin["stock"])(form, messages=20)
    uidls = download_all(old, 20)
    user = move(old, stock_and_plugin["plugin"])
    assert session(user) == uidls
    journal = user.journal()
    assert [journal[uid]["uidl"] for uid in user.uids()] == list(uidls.values())
    assert not any("downloaded" in entry for entry in journal.values())
    disasters.uidvalidity_changed(user)
    assert session(user) == uidls


@pytest.mark.parametrize("form", FORMATS)
def test_two_sessions_at_once(new_user, form):
    user = new_user(form, messages=20)
    with user.session() as first, user.session() as second:
        for number in range(1, 21):
            assert first.retr(number).ok and second.retr(number).ok
        threads = [threading.Thread(target=pop3.quit) for pop3 in (first, second)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    user.server.wait_idle()
    lines = user.journal_lines()
    assert [line["uid"] for line in lines] == user.uids() and len(lines) == 20
    assert all("downloaded" in line for line in lines)


def test_mail_that_comes_during_a_session(new_user):
    """The client was not shown it."""
    user = new_user(messages=2)
    with user.session() as pop3:
        pop3.retr(1)
        user.append([mailgen.message(3)])
        pop3.quit()
    user.server.wait_idle()
    uids = user.uids()
    assert len(uids) == 3 and set(user.journal()) == set(uids[:2])
    session(user, "RETR 3")
    assert set(user.journal()) == set(uids)


@pytest.mark.parametrize("form", ["maildir", "mdbox"])
def test_journal_shrinks(new_user, form):
    """A client that keeps a few messages and deletes the others later."""
    user = new_user(form, messages=5)
    kept = download_all(user, 5)
    sizes = []
    for first in range(100, 900, 100):
        user.append([mailgen.message(number, 300) for number in range(first, first + 40)])
        download_all(user, 45)
        sizes.append(os.path.getsize(user.journal_path))
        session(user, *["DELE %d" % number for number in range(6, 46)])
    user.append([mailgen.message(6)])
    uidls = session(user, "RETR 6")
    assert {number: uidls[number] for number in kept} == kept
    assert len(user.journal_lines()) <= 2 * 6 + SPARE_LINES
    assert max(sizes) <= (2 * 45 + SPARE_LINES + 40 + 1) * MAX_LINE
    assert {entry["uidl"] for entry in user.journal().values()} >= set(uidls.values())


def test_whole_state_is_lost(stock_and_plugin, make_user_on):
    """UIDLs are Dovecot's own then, which they were before."""
    user = make_user_on(stock_and_plugin["plugin"])(messages=5)
    uidls = download_all(user, 5)
    disasters.state_folder_deleted(user)
    assert session(user) == uidls
    assert {entry["uidl"] for entry in user.journal().values()} == set(uidls.values())
