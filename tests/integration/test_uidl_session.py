# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""UIDLs of single sessions: the plugin changes none as long as nothing happens to the mailbox, and keeps those that
were told when something does."""

import os
import re
import threading

import pytest

import disasters
import expect
import mailgen
import state_check
import user as users
from conftest import FORMATS
from damage import Place, snapshot
from disasters import UIDL_FORMATS
from journal_damage import content_of, put, remove_journal
from twins import twin

RECOVERED = (r"pop3_policy: UIDLs recovered \((.+)\): (\d+) kept by GUID, (\d+) kept by fingerprint, (\d+) new, "
             r"(\d+) ambiguous, (\d+) gone")


def octets(uidl):
    return uidl.encode("utf-8", "surrogateescape")


def listing(user, retrieve=()):
    """The UIDLs, once what the session leaves is written."""
    with user.session() as pop3:
        uidls = pop3.uidl()
        for number in retrieve:
            assert pop3.retr(number).ok
        assert pop3.uidl() == uidls
        for number, uidl in uidls.items():
            assert pop3.ok("UIDL " + number).line == b"+OK %s %s\r\n" % (number.encode(), octets(uidl))
        pop3.quit()
    user.server.wait_idle()
    return uidls


def recoveries(user):
    """What each recovery of the user logged: its reason and its five numbers."""
    found = [re.search(RECOVERED, line) for line in user.server.log_lines(user, "UIDLs recovered")]
    assert all(found)
    return [(match.group(1), *map(int, match.groups()[1:])) for match in found]


@pytest.fixture
def plugin_user(stock_and_plugin, make_user_on):
    """Makes users of the server that has the plugin and a true clock."""
    return make_user_on(stock_and_plugin["plugin"])


# -- the plugin changes no UIDL


def with_xuidl(number, value):
    return b"X-UIDL: " + value + b"\r\n" + mailgen.message(number)


MAIL = {
    "ordinary": mailgen.messages(6),
    "copies": [mailgen.message(number) for number in (1, 2, 1, 1, 3, 2)],
    "xuidl": [with_xuidl(1, b"one"), with_xuidl(2, b"two"), with_xuidl(3, b"one"), with_xuidl(4, b"x" * 100),
              with_xuidl(5, b"with space"), with_xuidl(6, b""), with_xuidl(7, b"\xe4\xf6"), mailgen.message(8),
              with_xuidl(9, b"one-2"), with_xuidl(10, b".")],
}
SAME = [(form, name, "ordinary", {"pop3_uidl_format": text}) for form in FORMATS
        for name, text in UIDL_FORMATS.items() if name != "md5" or form == "mbox"]
for choice in ("allow", "rename"):
    SAME += [(form, "guid-" + choice, "copies", {"pop3_uidl_format": UIDL_FORMATS["guid"],
                                                "pop3_uidl_duplicates": choice}) for form in FORMATS]
    SAME += [(form, "xuidl-" + choice, "xuidl", {"pop3_reuse_xuidl": "yes", "pop3_uidl_duplicates": choice})
             for form in FORMATS]
    SAME.append(("mbox", "md5-" + choice, "copies", {"pop3_uidl_format": UIDL_FORMATS["md5"],
                                                    "pop3_uidl_duplicates": choice}))
SAME += [(form, "save", "copies", {"pop3_save_uidl": "yes", "pop3_uidl_duplicates": "rename",
                                   "pop3_uidl_format": UIDL_FORMATS["guid"]}) for form in FORMATS]


def deliver(user, mail):
    """To an mbox as another program does it: else Dovecot makes each header another one."""
    if user.form == "mbox":
        disasters.write_to_mbox(user, mail)
        # UIDs are given once, so that the copies have the same ones
        user.doveadm("mailbox", "status", "-u", user.name, "messages", "INBOX")
        return
    user.append(mail)


@pytest.mark.parametrize("form, name, mail, fields", SAME, ids=["%s-%s" % case[:2] for case in SAME])
def test_plugin_changes_no_uidl(stock_and_plugin, make_user_on, form, name, mail, fields):
    stock = make_user_on(stock_and_plugin["stock"])(form, **fields)
    deliver(stock, MAIL[mail])
    if form == "maildir" and mail == "copies":
        # copies that have the same GUID, as COPY makes them
        disasters.add_copies(stock, 2)
    plugin = twin(stock, stock_and_plugin["plugin"])
    count = len(stock.uids())
    assert count >= len(MAIL[mail])
    for retrieve in ((), range(1, count + 1), (), (1,)):
        expected = listing(stock, retrieve)
        assert len(expected) == count
        assert listing(plugin, retrieve) == expected
    assert recoveries(plugin) == []


def store_uidls(user, uidls):
    """Writes UIDLs into dovecot-uidlist, as pop3_save_uidl and programs that move mail do: {uid: UIDL}."""
    path, = disasters.files(user, "dovecot-uidlist")
    with open(path, encoding="ascii") as file:
        header, *lines = file.read().splitlines()
    for uid, uidl in uidls.items():
        lines = [re.sub(r"^%d " % uid, "%d P%s " % (uid, uidl), line) for line in lines]
    assert all(" P%s " % uidl in "".join(lines) for uidl in uidls.values())
    with open(path, "w", encoding="ascii") as file:
        file.write("\n".join([header, *lines, ""]))


@pytest.mark.parametrize("choice", ["allow", "rename"])
def test_stored_uidls(stock_and_plugin, make_user_on, choice):
    stock = make_user_on(stock_and_plugin["stock"])("maildir", messages=6, pop3_uidl_duplicates=choice)
    store_uidls(stock, {2: "stored-two", 3: "same", 5: "same"})
    plugin = twin(stock, stock_and_plugin["plugin"])
    for retrieve in ((), range(1, 7), (), (3,)):
        expected = listing(stock, retrieve)
        assert (expected["2"], expected["3"]) == ("stored-two", "same")
        assert listing(plugin, retrieve) == expected
    assert recoveries(plugin) == []


def test_stored_uidls_survive(plugin_user):
    user = plugin_user("maildir", messages=6)
    store_uidls(user, {2: "stored-two", 3: "stored-three"})
    uidls = listing(user)
    disasters.uidlist_deleted(user)
    assert listing(user) == uidls
    assert uidls["2"] == "stored-two" and len(recoveries(user)) == 1


def test_new_mail_has_the_uidl_of_stock(stock_and_plugin, make_user_on):
    stock = make_user_on(stock_and_plugin["stock"])(messages=3)
    plugin = twin(stock, stock_and_plugin["plugin"])
    for number in range(4, 8):
        assert listing(plugin) == listing(stock)
        stock.append([mailgen.message(number)])
        plugin.append([mailgen.message(number)])
    assert listing(plugin) == listing(stock)


# -- the state cannot be read


@pytest.mark.parametrize("obstacle", ["state_is_directory", "folder_without_access", "journal_is_directory"])
def test_unreadable_state(stock_and_plugin, plugin_user, obstacle):
    """Refused before anything is listed, also without a quota."""
    user = plugin_user(messages=2)
    if obstacle == "state_is_directory":
        Place(user).state_is_directory()
        users.chown_tree(user.home)
    else:
        listing(user)
        if obstacle == "folder_without_access":
            os.chmod(user.state_dir, 0)
        else:
            os.unlink(user.journal_path)
            os.mkdir(user.journal_path)
            disasters.uidvalidity_changed(user)
    state_check.leave_alone(user.home)
    if obstacle == "journal_is_directory":
        assert b"-ERR [SYS/TEMP] " in refused_session(user)
    else:
        assert user.refused_login() == expect.NO_STATE
    assert stock_and_plugin["plugin"].wait_log(user, "Error: pop3_policy: ")


# -- alarm: most of the known mail is not there


def refused_session(user):
    """What a session gets after its login; it asks for something and must be told nothing."""
    with user.session(timeout=20) as pop3:
        try:
            pop3.send(b"STAT\r\nUIDL\r\n")
        except OSError:
            # it has ended already
            pass
        answer = pop3.drain()
    user.server.wait_idle()
    return answer


def other_mailbox(user):
    """All mail is gone, and there is some that nobody has seen."""
    disasters.make_backup(user)
    disasters.await_next_second(user)
    user.mail.lose("on purpose")
    disasters.remove(disasters.mail_paths(user))
    user.append([mailgen.message(number) for number in range(101, 106)])


def assert_refused(user):
    before = snapshot(user.state_dir)
    answer = refused_session(user)
    assert answer.startswith(b"-ERR [SYS/TEMP] ") and answer.count(b"\r\n") == 1, answer
    assert snapshot(user.state_dir) == before


@pytest.mark.parametrize("form", FORMATS)
def test_alarm(plugin_user, form):
    user = plugin_user(form, messages=30)
    uidls = listing(user, range(1, 11))
    other_mailbox(user)
    assert_refused(user)
    line, = user.server.wait_log(user, "Error: pop3_policy: .*pop3_policy_uidl_alarm")
    assert "doveadm pop3 uidl accept -u " + user.name in line
    assert_refused(user)
    assert recoveries(user) == []
    user.doveadm("pop3", "uidl", "accept", "-u", user.name)
    after = listing(user, range(1, 6))
    assert len(after) == 5 and not set(after.values()) & set(uidls.values())
    assert listing(user) == after


def keep_two_lines(user):
    """And the first one, which is about none."""
    lines = content_of(user.journal_path).splitlines(True)
    put(user, user.journal_path, b"".join(lines[:3]))


@pytest.mark.parametrize("lose_lines", [remove_journal, keep_two_lines], ids=["all", "most"])
@pytest.mark.parametrize("form", FORMATS)
def test_alarm_without_the_lines(plugin_user, form, lose_lines):
    """The state knows how many messages there were."""
    user = plugin_user(form, messages=30)
    uidls = listing(user, range(1, 31))
    other_mailbox(user)
    state_check.leave_alone(user.home)
    journal = content_of(user.journal_path)
    lose_lines(user)
    assert_refused(user)
    put(user, user.journal_path, journal)
    disasters.backup_restored(user)
    assert listing(user) == uidls


@pytest.mark.parametrize("form", FORMATS)
def test_alarm_and_the_mail_comes_back(plugin_user, form):
    user = plugin_user(form, messages=30)
    uidls = listing(user, range(1, 31))
    other_mailbox(user)
    assert_refused(user)
    disasters.backup_restored(user)
    assert listing(user) == uidls


def test_mail_comes_back_after_accept(plugin_user):
    """A message that was gone for some time is still the same one."""
    user = plugin_user(messages=30)
    uidls = listing(user, range(1, 31))
    other_mailbox(user)
    user.doveadm("pop3", "uidl", "accept", "-u", user.name)
    assert len(listing(user)) == 5
    disasters.backup_restored(user)
    assert listing(user) == uidls


def test_no_alarm_if_it_is_turned_off(plugin_user):
    user = plugin_user(messages=30, pop3_policy_uidl_alarm="100")
    uidls = listing(user)
    other_mailbox(user)
    assert not set(listing(user).values()) & set(uidls.values())
    (_, *numbers), = recoveries(user)
    assert numbers == [0, 0, 5, 0, 30]


def test_no_alarm_for_few_messages(plugin_user):
    user = plugin_user(messages=19)
    listing(user)
    other_mailbox(user)
    assert len(listing(user)) == 5


def test_no_alarm_when_all_is_deleted(plugin_user):
    """By their owner, in the mailbox as it was."""
    user = plugin_user(messages=30)
    uidls = listing(user)
    user.expunge(*range(1, 31))
    user.append([mailgen.message(101)])
    assert not set(listing(user).values()) & set(uidls.values())
    assert listing(user) and recoveries(user) == []


# -- recovery


@pytest.mark.parametrize("form", FORMATS)
def test_what_the_log_says(plugin_user, form):
    user = plugin_user(form, messages=8)
    uidls = listing(user)
    user.expunge(2)
    user.append([mailgen.message(101), mailgen.message(102)])
    disasters.uidvalidity_changed(user)
    after = listing(user)
    assert list(after.values())[:7] == [uidl for number, uidl in uidls.items() if number != "2"]
    (reason, by_guid, by_hash, *others), = recoveries(user)
    assert "UIDVALIDITY" in reason
    assert (by_guid, by_hash) == ((0, 7) if form == "mbox" else (7, 0))
    assert others == [2, 0, 1]
    listing(user)
    assert len(recoveries(user)) == 1


@pytest.mark.parametrize("form", FORMATS)
def test_two_sessions_recover_once(plugin_user, form):
    user = plugin_user(form, messages=30)
    uidls = listing(user, range(1, 31))
    user.append([mailgen.message(101)])
    disasters.uidvalidity_changed(user)
    barrier = threading.Barrier(4)
    found = []

    def work():
        with user.connect() as pop3:
            pop3.ok("USER " + user.name)
            barrier.wait(20)
            pop3.ok("PASS " + user.password)
            found.append(pop3.uidl())
            pop3.quit()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    user.server.wait_idle()
    assert len(found) == 4 and all(told == found[0] for told in found)
    assert {number: found[0][number] for number in uidls} == uidls and len(found[0]) == 31
    assert len(recoveries(user)) == 1
    assert listing(user) == found[0]


def test_uidls_are_unique_after_a_recovery(plugin_user):
    """Copies that cannot be told apart have one UIDL each, that of before where there are as many of them."""
    user = plugin_user("mbox")
    deliver(user, MAIL["copies"])
    uidls = listing(user, range(1, 7))
    assert len(set(uidls.values())) == 6
    disasters.re_appended(user)
    after = listing(user)
    assert sorted(after.values()) == sorted(uidls.values())


@pytest.mark.parametrize("form", FORMATS)
def test_copy_after_a_recovery(plugin_user, form):
    """Dovecot copies what its index cache knows of a message with it: the copy must not get the UIDL of the other one,
    now or after the next disaster."""
    user = plugin_user(form, messages=5)
    uidls = listing(user)
    disasters.uidvalidity_changed(user)
    assert listing(user) == uidls
    with user.imap() as imap:
        assert imap.copy("1:2", "INBOX")[0] == "OK"
        assert imap.create("Other")[0] == imap.copy("3", "Other")[0] == imap.select("Other")[0] == "OK"
        assert imap.copy("1", "INBOX")[0] == "OK"
    after = listing(user)
    assert {number: after[number] for number in uidls} == uidls and len(set(after.values())) == len(after) == 8
    assert listing(user) == after
    for strike in (disasters.uidvalidity_changed, disasters.uidl_format_changed):
        strike(user)
        assert listing(user) == after


# -- a suffix of a duplicate sticks


@pytest.mark.parametrize("form", FORMATS)
def test_suffix_of_a_duplicate_sticks(plugin_user, form):
    setting = UIDL_FORMATS["md5" if form == "mbox" else "guid"]
    user = plugin_user(form, pop3_uidl_duplicates="rename", pop3_uidl_format=setting)
    disasters.only_copies(user)
    uidls = listing(user, range(1, 4))
    first = uidls["1"]
    assert list(uidls.values()) == [first, first + "-2", first + "-3"]
    assert listing(user) == uidls
    user.expunge(1)
    for _ in range(2):
        assert list(listing(user).values()) == [first + "-2", first + "-3"]
    disasters.add_copies(user, 1)
    after = list(listing(user).values())
    assert after[:2] == [first + "-2", first + "-3"] and after[2] not in uidls.values()
    assert list(listing(user).values()) == after
    user.expunge(1, 2)
    assert list(listing(user).values()) == after[2:]


def test_state_is_lost_after_a_recovery(plugin_user):
    """After a recovery, so that no UIDL is Dovecot's own: the journal alone is enough."""
    user = plugin_user("mdbox", messages=10)
    uidls = listing(user, range(1, 11))
    disasters.uidvalidity_changed(user)
    assert listing(user) == uidls
    os.unlink(user.state_path)
    assert listing(user) == uidls
    disasters.cache_deleted(user)
    assert listing(user) == uidls
    disasters.uidvalidity_changed(user)
    assert listing(user) == uidls
