# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""doveadm pop3 check: what it says of each kind of damage, and what --repair leaves."""

import glob
import itertools
import json
import os
import signal
import subprocess

import pytest

import damage
import disasters
import journal_damage
import mailgen
import state_check
from conftest import FORMATS, running
from dovecot import Server
from journal_damage import content_of, put
from retention_doveadm import EACH_FORM_ONE_SOCKET, PLACES, mail_and_state
from test_poll import listing
from test_retention_disk import disk, fill
from uidl_doveadm import download, target, told

NUMBERS = itertools.count(1)
JOURNAL, STATE = "messages.jsonl", "state.json"


@pytest.fixture(scope="module")
def plain_server(memory_disk):
    """Its clock is the real one: UIDVALIDITY is a time."""
    with running(Server(faked=False)) as found:
        yield found


@pytest.fixture
def make(plain_server):
    def make_user(form="maildir", messages=4, read=(1, 2), **fields):
        user = plain_server.user("check%d" % next(NUMBERS), form, pop3_policy_quota="99msg/day", **fields)
        user.append(mailgen.messages(messages))
        if read is not None:
            download(user, *read)
        return user
    return make_user


def run(user, *args, socket=False):
    """Exit code, and what it says: (file, problem, count, result)."""
    result = user.server.run_doveadm("-f", "json", "pop3", "check", *target(user, socket), *args, check=False)
    found = json.loads(result.stdout or "[]")
    assert all(row["text"] for row in found)
    return result.returncode, [(row["file"], row["problem"], row["count"], row["result"]) for row in found]


def check(user, **kwargs):
    """It changes nothing."""
    before = mail_and_state(user)
    found = run(user, **kwargs)
    assert mail_and_state(user) == before
    return found


def kept(user, name):
    """What was set aside."""
    return [content_of(path) for path in glob.glob(os.path.join(user.state_dir, name + ".corrupt-*"))]


def repair(user, *rows, **kwargs):
    """It mends these, and then there is nothing left to be mended."""
    mail = user.contents()
    assert run(user, "--repair", **kwargs) == (0, [(*row, "mended") for row in rows])
    before = mail_and_state(user)
    assert check(user) == (0, [])
    assert run(user, "--repair") == (0, [])
    assert mail_and_state(user) == before
    assert user.contents() == mail


# -- nothing is wrong


@EACH_FORM_ONE_SOCKET
def test_nothing_is_wrong(make, form, socket):
    user = make(form, read=None)
    before = listing(user.home)
    assert check(user, socket=socket) == (0, [])
    assert run(user, "--repair", socket=socket) == (0, [])
    assert not os.path.exists(user.state_dir) and set(before) <= set(listing(user.home))
    download(user, 1)
    assert check(user, socket=socket) == (0, [])
    user.append([mailgen.message(5)])
    assert check(user, socket=socket) == (0, [])
    assert run(user, "--repair", socket=socket) == (0, [])
    told(user)
    assert check(user, socket=socket) == (0, [])


def test_nothing_is_wrong_after_a_recovery(make):
    """UIDLs that are stored, and a line about a message that is gone."""
    user = make(messages=6)
    user.expunge(2)
    disasters.uidvalidity_changed(user)
    uidls = told(user)
    assert check(user) == (0, [])
    user.expunge(1)
    assert check(user) == (0, [(JOURNAL, "gone-lines", "1", "note")])
    assert told(user) == {number: uidls[str(int(number) + 1)] for number in told(user)}


# -- what can be mended


def mendable(*rows):
    return 65, [(*row, "mendable") for row in rows]


MENDED = {
    "torn": (journal_damage.tear, [(JOURNAL, "torn", "1")]),
    "cut": (journal_damage.cut,
            [(JOURNAL, "torn", "1"), (JOURNAL, "missing-lines", "1"), (JOURNAL, "lost-lines", "1")]),
    "bad line": (journal_damage.garble_line, [(JOURNAL, "damaged-lines", "1"), (JOURNAL, "lost-lines", "1")]),
    "lost line": (journal_damage.remove_line, [(JOURNAL, "missing-lines", "1"), (JOURNAL, "lost-lines", "1")]),
    "no journal": (journal_damage.remove_journal, [(JOURNAL, "missing", "1"), (JOURNAL, "lost-lines", "4")]),
    "empty": (journal_damage.no_journal_at_all, [(JOURNAL, "missing", "1"), (JOURNAL, "lost-lines", "4")]),
    "garbage": (journal_damage.garbage, [(JOURNAL, "missing", "1"), (JOURNAL, "lost-lines", "4")]),
    "line too early": (journal_damage.line_that_has_not_come, [(JOURNAL, "future-uids", "1")]),
}


@pytest.mark.parametrize("name", MENDED)
@pytest.mark.parametrize("form", ["maildir", "mbox"])
def test_journal(make, name, form):
    """It is written anew; UIDLs and downloads stay what they were, and what could not be read is kept."""
    break_it, rows = MENDED[name]
    user = make(form)
    uidls, before = told(user), user.journal()
    break_it(user)
    broken = content_of(user.journal_path) if os.path.exists(user.journal_path) else None
    assert check(user) == mendable(*rows)
    repair(user, *rows)
    assert kept(user, JOURNAL) == ([] if broken is None else [broken])
    now = user.journal()
    assert {uid: line["uidl"] for uid, line in now.items()} == {uid: line["uidl"] for uid, line in before.items()}
    assert {uid for uid, line in now.items() if "downloaded" in line} == {1, 2}
    # one that was lost counts as downloaded now, and no other one does
    assert all(line["downloaded"] >= before[uid]["downloaded"] for uid, line in now.items() if "downloaded" in line)
    assert told(user) == uidls


@PLACES
def test_places(make, socket):
    user = make()
    journal_damage.remove_line(user)
    rows = MENDED["lost line"][1]
    assert check(user, socket=socket) == mendable(*rows)
    repair(user, *rows, socket=socket)


@pytest.mark.parametrize("form", FORMATS)
def test_another_uidvalidity(make, form):
    """Recovers as the next session does."""
    user = make(form)
    uidls = told(user)
    disasters.uidvalidity_changed(user)
    row = (STATE, "other-mailbox", "1")
    assert check(user) == mendable(row)
    repair(user, row)
    assert told(user) == uidls
    assert {uid for uid, line in user.journal().items() if "downloaded" in line} == {1, 2}


def test_lost_state(make):
    user = make()
    uidls = told(user)
    journal_damage.lose_state(user)
    row = (STATE, "other-mailbox", "1")
    assert check(user) == mendable(row)
    repair(user, row)
    assert told(user) == uidls


def test_lost_state_with_settings_of_sessions(make):
    """Whether an X-UIDL header counts is known to POP3 sessions only."""
    user = make()
    user.append([b"X-UIDL: of-another-server\r\n" + mailgen.message(9)])
    told(user)
    journal_damage.lose_state(user)
    before = mail_and_state(user)
    assert run(user, "--repair") == (75, [(STATE, "other-mailbox", "1", "left")])
    assert mail_and_state(user) == before
    told(user)
    assert check(user) == (0, [])


def test_corrupt_state(make):
    """It is set aside, and UIDLs come from the journal."""
    user = make()
    uidls = told(user)
    journal_damage.corrupt_state(user)
    broken = content_of(user.state_path)
    assert check(user) == mendable((STATE, "corrupt", "1"))
    repair(user, (STATE, "corrupt", "1"), (STATE, "other-mailbox", "1"))
    assert kept(user, STATE) == [broken]
    assert told(user) == uidls


def test_uids_of_the_future(make):
    """A message that comes later does not pass for one that was downloaded."""
    user = make(pop3_policy_device="phone")
    told(user)
    journal_damage.uids_of_the_future(user)
    row = (STATE, "future-uids", "10")
    assert check(user) == mendable(row)
    # the journal did not say that the phone has not
    repair(user, row)
    found = user.state()["uidl"]
    assert (found["recorded"], found["downloaded"], found["devices"]) == ("1:4", "1:2", {"phone": "2"})
    assert "stored" not in found
    user.append(mailgen.messages(3))
    told(user)
    assert user.state()["uidl"]["downloaded"] == "1:2"


def test_several(make):
    """What hid behind the first damage is mended as well."""
    user = make()
    uidls = told(user)
    journal_damage.uids_of_the_future(user)
    journal_damage.tear(user)
    code, rows = run(user, "--repair")
    assert code == 0 and {row[3] for row in rows} == {"mended"}
    assert {(row[0], row[1]) for row in rows} == {(STATE, "future-uids"), (JOURNAL, "torn"), (JOURNAL, "lost-lines")}
    assert check(user) == (0, [])
    assert told(user) == uidls


def test_stored_uidls_without_a_journal(make):
    """They are taken from the index cache; without that nothing knows them, and few messages raise no alarm."""
    user = make(messages=30)
    disasters.uidvalidity_changed(user)
    uidls = told(user)
    journal_damage.remove_journal(user)
    repair(user, (JOURNAL, "missing", "1"), (JOURNAL, "lost-lines", "30"))
    assert told(user) == uidls
    journal_damage.remove_journal(user)
    disasters.cache_deleted(user)
    before = mail_and_state(user)
    row = (STATE, "other-mailbox", "1")
    assert check(user) == mendable(row)
    # the alarm: UIDLs would be lost
    assert run(user, "--repair") == (75, [(*row, "left")])
    assert mail_and_state(user) == before
    state_check.leave_alone(user.home)


def test_sessions_meanwhile(make):
    """What an open session has downloaded is written to the journal that was written anew."""
    user = make(read=(1,))
    with user.session() as pop3:
        assert pop3.retr(2).ok
        journal_damage.remove_line(user)
        repair(user, *MENDED["lost line"][1])
        pop3.quit()
    user.server.wait_idle()
    assert check(user) == (0, [])
    assert {uid for uid, line in user.journal().items() if "downloaded" in line} == {1, 2}


@pytest.mark.parametrize("room", [0, 4096, 8192])
def test_full_disk(make, room):
    """What cannot be written is not mended, and is as it was; with room again it is."""
    user = make(read=None)
    with disk(user, user.state_dir):
        uidls = download(user, 1, 2)
        journal_damage.garble_line(user)
        before = content_of(user.journal_path), content_of(user.state_path)
        fill(user.state_dir, room)
        rows = MENDED["bad line"][1]
        assert run(user, "--repair") == (75, [(*row, "left") for row in rows])
        assert (content_of(user.journal_path), content_of(user.state_path)) == before
        os.unlink(os.path.join(user.state_dir, "full"))
        repair(user, *rows)
        assert told(user) == uidls


def killed_repair(user, call, number):
    """True if the repair was killed when it made such a call for the NUMBERth time."""
    command = ["doveadm", "-c", user.server.conf, "pop3", "check", "--repair", *target(user)]
    result = subprocess.run(["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=" + call, "-e",
                             "inject=%s:signal=KILL:when=%d" % (call, number), *command],
                            env=user.server.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    return result.returncode in (-signal.SIGKILL, 128 + signal.SIGKILL)


# where the plugin puts files in their place: the copy of the journal, the new one, the state
@pytest.mark.parametrize("call", ["fdatasync", "renameat", "unlinkat"])
def test_killed_repair(make, call):
    """UIDLs are what they were, whatever was done by then, and the next repair ends well."""
    user = make(messages=25)
    disasters.uidvalidity_changed(user)
    uidls = told(user)
    kills = 0
    for number in itertools.count(1):
        journal_damage.garble_line(user)
        if not killed_repair(user, call, number):
            break
        kills += 1
        assert told(user) == uidls
        code, rows = run(user, "--repair")
        assert code == 0, rows
        assert told(user) == uidls
        assert check(user) == (0, [])
    assert kills >= 1
    assert told(user) == uidls


# -- what is left as it is


LEFT = {
    "counters of the future": (journal_damage.counters_of_the_future, (STATE, "future-counters", "4")),
    "retention of the future": (journal_damage.retention_of_the_future, (STATE, "future-retention", "1")),
    "downloads of the future": (journal_damage.downloaded_in_the_future, (JOURNAL, "future-downloads", "2")),
    "line of another message": (journal_damage.line_of_another_message, (JOURNAL, "foreign-lines", "1")),
    "one UIDL twice": (journal_damage.uidl_twice, (JOURNAL, "other-uidls", "1")),
    "another UIDL": (journal_damage.change_uidl, (JOURNAL, "other-uidls", "1")),
    "journal is a link": (journal_damage.journal_is_link, (JOURNAL, "unreadable", "1")),
    "journal is a folder": (journal_damage.journal_is_folder, (JOURNAL, "unreadable", "1")),
    "journal has mode 000": (journal_damage.journal_has_mode_000, (JOURNAL, "unreadable", "1")),
    "journal of a later version": (journal_damage.journal_of_a_later_version, (JOURNAL, "unreadable", "1")),
}


@pytest.mark.parametrize("name", LEFT)
def test_left(make, name):
    """What would not be safe to mend is only told."""
    break_it, row = LEFT[name]
    user = make()
    told(user)
    break_it(user)
    state_check.leave_alone(user.home)
    before = mail_and_state(user)
    for args in ((), ("--repair",), ("-r",)):
        assert run(user, *args) == (65, [(*row, "left")])
        assert mail_and_state(user) == before


@pytest.mark.parametrize("place", damage.PLACES)
def test_state_cannot_be_read(make, place):
    """Also if it is no file at all, or a link: nothing is touched."""
    user = make(read=None)
    getattr(damage.Place(user), place)()
    if place in damage.OWNED:
        user.own_home()
    state_check.leave_alone(user.home)
    before = mail_and_state(user)
    for args in ((), ("--repair",)):
        assert run(user, *args) == (65, [(STATE, "unreadable", "1", "left")])
        assert mail_and_state(user) == before


def test_another_journal(make):
    """The admin has to say which of both is right, by moving the other one away."""
    user = make()
    uidls = told(user)
    journal_damage.other_generation(user)
    broken = content_of(user.journal_path)
    rows = [(JOURNAL, "other-journal", "1", "left"), (JOURNAL, "lost-lines", "4", "left")]
    assert check(user) == run(user, "--repair") == (65, rows)
    assert content_of(user.journal_path) == broken
    state = content_of(user.state_path)
    journal_damage.lose_state(user)
    repair(user, (STATE, "other-mailbox", "1"))
    assert told(user) == uidls
    put(user, user.state_path, state)
    journal_damage.remove_journal(user)
    repair(user, *MENDED["no journal"][1])
    assert told(user) == uidls


def test_duplicate_uidls(make):
    """Two messages have one UIDL, and nobody can know which of them clients have."""
    user = make()
    disasters.uidvalidity_changed(user)
    told(user)
    journal_damage.uidl_twice(user)
    disasters.cache_deleted(user)
    assert check(user) == run(user, "--repair") == (65, [("INBOX", "duplicate-uidls", "1", "left")])


def test_duplicates_by_the_rules(make):
    """With such a format that is no fault."""
    same = mailgen.message(1)
    user = make(read=None, pop3_uidl_format=disasters.UIDL_FORMATS["md5"])
    user.append([same, same])
    assert check(user) == (0, [])
    state_check.leave_alone(user.home)


def test_gone_messages(make):
    """Lines about them are no fault."""
    user = make()
    user.expunge(1, 3)
    row = (JOURNAL, "gone-lines", "2", "note")
    assert check(user) == run(user, "--repair") == (0, [row])
    assert set(user.journal()) == {1, 2, 3, 4}
    journal_damage.tear(user)
    assert run(user, "--repair") == (0, [(JOURNAL, "torn", "1", "mended")])
    assert set(user.journal()) == {2, 4}


def test_leftover(make):
    user = make()
    journal_damage.leave_new_state(user)
    row = ("state.json.tmp", "leftover", "1")
    assert check(user) == (0, [(*row, "note")])
    repair(user, row)
    # of no generation that the state has ever named
    put(user, user.journal_path + ".new", b'{"version":1,"epoch":7,"generation":7}\n')
    row = ("messages.jsonl.new", "leftover", "1", "note")
    assert check(user) == run(user, "--repair") == (0, [row])
    journal_damage.tear(user)
    code, rows = run(user, "--repair")
    assert (code, sorted(rows)) == (0, sorted([(JOURNAL, "torn", "1", "mended"), (*row[:3], "mended")]))


def test_leftover_without_uidls(make):
    user = make(messages=1, read=None)
    user.write_state(damage.healthy())
    journal_damage.leave_new_state(user)
    repair(user, ("state.json.tmp", "leftover", "1"))


def test_all_users(make):
    """One that is broken is told with its name, and the others go on."""
    good, bad, new = make(), make(), make(messages=0, read=None)
    put(bad, bad.state_path, b"")
    users = os.path.join(bad.server.root, "some-users")
    put(bad, users, "".join(user.name + "\n" for user in (good, bad, new)).encode())
    result = bad.server.run_doveadm("-f", "json", "pop3", "check", "-F", users, check=False)
    assert result.returncode == 65
    found = json.loads(result.stdout)
    # it has no mailbox, and gets none
    assert os.listdir(new.home) == []
    assert [(row["username"], row["problem"]) for row in found] == [(bad.name, "corrupt")]
    repair(bad, (STATE, "corrupt", "1"), (STATE, "other-mailbox", "1"))


def test_wrong_settings(make):
    user = make()
    user.set_fields(pop3_policy_keep_downloaded="soon")
    assert run(user) == run(user, "--repair") == (75, [])
