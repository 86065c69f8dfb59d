# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Devices that must all have downloaded a message before it counts as downloaded, and journals that have lost when."""

import json
import os
import re

import pytest

import disasters
import expect
import invariant
import mailgen
import retention
from conftest import FORMATS
from polling import wait_for
from retention import DAY, fetch, fields, left, poll, said

each_format = pytest.mark.parametrize("form", FORMATS)


def login(user, new_user, device, **more):
    """Another login of the same user: the mail and the state are the same."""
    other = new_user(user.form)
    other.home = user.home
    invariant.share(user, other)
    other.set_fields(**{**user.fields, **fields(device=device), **more})
    return other


def make_logins(new_user, names, form="maildir", messages=3, **rules):
    """One login for each name, "none" for one that has no device."""
    first = new_user(form, messages=messages, **fields(**rules))
    return [login(first, new_user, name) for name in names]


def devices_of(user, uid=1):
    return user.journal()[uid].get("devices", {})


def test_download_of_the_last_device_during_a_run(server, new_user):
    """The other device had it already, so that it is no first download."""
    retention.true_time(server)
    phone, laptop = make_logins(new_user, ["phone", "laptop"], messages=4, keep_downloaded="0",
                                keep_devices="phone laptop", expire_action="move Archive")
    fetch(phone, 1, 2)
    assert left(phone) == [1, 2, 3, 4]
    other = laptop.session()
    with retention.slow_run(server, laptop):
        assert other.retr(2).ok
        assert other.quit().ok
        wait_for(lambda: len(server.children("pop3")) == 1, "the end of the other session")
    assert left(phone) == [3, 4]


# -- who has downloaded it


@each_format
@pytest.mark.parametrize("order", ["phone-laptop", "laptop-phone"])
def test_both_must_have_it(server, new_user, form, order):
    """It counts from the download of the last of them, whatever a third one does."""
    names = order.split("-")
    first, second, third, plain = make_logins(new_user, names + ["tablet", "none"], form, keep_downloaded="7d",
                                              keep_devices="phone laptop")
    fetch(first, 1, 2)
    fetch(third, 1, 2, 3)
    fetch(plain, 1, 2, 3)
    retention.days_of_polls(first, 20, step=5)
    assert left(first) == [1, 2, 3] and not said(first)
    fetch(second, 1)
    seen = devices_of(first)
    assert set(seen) == {"phone", "laptop", "tablet"} and seen[names[1]] >= seen[names[0]] + 20 * DAY
    server.clock.set_epoch(seen[names[1]] + 7 * DAY - 15)
    poll(first)
    fetch(third, 1)
    assert left(first) == [1, 2, 3]
    server.clock.set_epoch(seen[names[1]] + 7 * DAY)
    poll(plain)
    assert left(first) == [2, 3]


@each_format
def test_at_once(new_user, form):
    phone, laptop = make_logins(new_user, ["phone", "laptop"], form, keep_downloaded="0", keep_devices="laptop,phone")
    fetch(phone, 1, 2)
    assert left(phone) == [1, 2, 3]
    fetch(laptop, 2, 3)
    assert left(phone) == [1, 3]
    fetch(laptop, 1)
    assert left(phone) == [3]
    fetch(phone, 1)
    assert left(phone) == []


def test_first_download_counts_without_names(server, new_user):
    """What a second client has not fetched yet is not special, also if it has a name."""
    phone, laptop = make_logins(new_user, ["phone", "laptop"], keep_downloaded="7d")
    fetch(phone, 1)
    server.clock.advance(days=4)
    fetch(laptop, 1, 2)
    server.clock.advance(days=3, seconds=10)
    poll(laptop)
    assert left(phone) == [2, 3]


def test_only_named_ones_count(server, new_user):
    """A third one that comes later makes nothing stay longer."""
    phone, laptop, tablet = make_logins(new_user, ["phone", "laptop", "tablet"], keep_downloaded="7d",
                                        keep_devices="phone laptop")
    fetch(phone, 1)
    fetch(laptop, 1)
    server.clock.advance(days=4)
    fetch(tablet, 1)
    server.clock.advance(days=3, seconds=10)
    poll(tablet)
    assert left(phone) == [2, 3]


@pytest.mark.parametrize("how", retention.NO_DOWNLOAD)
def test_no_download_by_the_second(new_user, how):
    phone, laptop = make_logins(new_user, ["phone", "laptop"], messages=0, keep_downloaded="0",
                                keep_devices="phone laptop")
    phone.append([mailgen.message(1, retention.BIG)])
    fetch(phone, 1)
    retention.NO_DOWNLOAD[how](laptop)
    laptop.server.wait_idle()
    assert left(phone) == [1] and set(devices_of(phone)) == {"phone"}
    fetch(laptop, 1)
    assert left(phone) == []


def test_second_download_of_a_device_does_not_count(server, new_user):
    phone, laptop = make_logins(new_user, ["phone", "laptop"], keep_downloaded="7d", keep_devices="phone laptop")
    fetch(phone, 1)
    fetch(laptop, 1)
    lines = len(phone.journal_lines())
    server.clock.advance(days=4)
    fetch(phone, 1)
    fetch(laptop, 1)
    assert len(phone.journal_lines()) == lines
    server.clock.advance(days=3, seconds=10)
    poll(phone)
    assert left(phone) == [2, 3]


# -- devices that do not come


@each_format
def test_device_that_never_comes(server, new_user, form):
    """Then nothing was downloaded, and only the rule for that takes it."""
    retention.true_time(server)
    phone, laptop = make_logins(new_user, ["phone", "laptop"], form, keep_downloaded="0", keep_max_messages="1",
                                keep_max_size="1k", keep_devices="phone laptop")
    fetch(phone, 1, 2, 3)
    retention.days_of_polls(phone, 200, step=20)
    assert left(phone) == [1, 2, 3] and not said(phone)
    for user in (phone, laptop):
        user.set_fields(**fields(keep_max_messages=None, keep_max_size=None, keep_undownloaded="300d"))
    poll(phone)
    assert left(phone) == [1, 2, 3]
    retention.days_of_polls(phone, 110, step=10)
    assert left(phone) == []
    assert [line.rpartition(": ")[2] for line in said(phone)] == ["3 undownloaded"]


def test_names_that_change(server, new_user):
    """What a device has downloaded before it was named counts."""
    phone, laptop = make_logins(new_user, ["phone", "laptop"], keep_downloaded="forever")
    fetch(phone, 1)
    fetch(laptop, 1, 2)
    for user in (phone, laptop):
        user.set_fields(**fields(keep_devices="phone laptop", keep_downloaded="0"))
    poll(phone)
    assert left(phone) == [2, 3]
    laptop.set_fields(**fields(keep_devices="none"))
    # what counts now is seen at the next look
    server.clock.advance(days=7)
    poll(laptop)
    assert left(phone) == [3]


def test_states_without_devices(new_user):
    """They are what they always were."""
    user = new_user(messages=3, **fields(keep_downloaded="7d"))
    fetch(user, 1)
    with open(user.state_path, encoding="utf-8") as file:
        assert "devices" not in file.read()
    assert "devices" not in json.dumps(user.journal_lines())


def test_a_poll_writes_nothing(new_user):
    """Nor does a device that has downloaded all before."""
    phone, laptop = make_logins(new_user, ["phone", "laptop"], keep_downloaded="7d", keep_devices="phone laptop")
    fetch(phone, 1, 2, 3)
    fetch(laptop, 1, 2, 3)
    poll(phone)

    def stamps():
        return [os.stat(path).st_mtime_ns for path in (phone.state_path, phone.journal_path)] + \
            [os.stat(path).st_ino for path in (phone.state_path, phone.journal_path)]

    before = stamps()
    poll(phone)
    poll(laptop)
    fetch(phone, 1, 2, 3)
    fetch(laptop, 2)
    assert stamps() == before


def test_too_many_devices(new_user):
    """The sets of 16 are kept; the lines know as many."""
    first = new_user(messages=2, **fields(keep_downloaded="7d"))
    many = [login(first, new_user, "d%d" % number) for number in range(18)]
    for number, user in enumerate(many):
        fetch(user, *([2] if number == 3 else [1, 2]))
    known = first.state()["uidl"]["devices"]
    assert len(known) == 16 and "d3" not in known and "d17" in known
    # both are full, which is no damage
    assert first.doveadm("-f", "tab", "pop3", "check", "-u", first.name).splitlines()[1:] == []
    poll(first)
    assert left(first) == [1, 2]


@pytest.mark.parametrize("name", ["T\u00e9l\u00e9phone", "a:b\\c", "phone" * 12 + "1234", "yes", "{`}"])
def test_names(new_user, name):
    user, = make_logins(new_user, [name], keep_downloaded="0", keep_devices=name)
    fetch(user, 2)
    assert left(user) == [1, 3]


BAD = {"pop3_policy_device": ["a b", "a,b", "x" * 65, 'a"b', "\u00a0"],
       "pop3_policy_keep_devices": ["phone phone", "none phone", " ".join(map(str, range(17))), "x" * 65, "it's"]}


@pytest.mark.parametrize("name", BAD)
def test_bad_names(server, new_user, name):
    for value in BAD[name]:
        user = new_user(messages=1, **{name: value})
        assert user.refused_login() == expect.MISCONFIGURED
        lines = server.wait_log(user, "Error: pop3_policy: ")
        assert len(lines) == 1 and re.search(name + ": .*expected ", lines[0]), lines


# -- what becomes of it


@pytest.mark.parametrize("form, disaster", [
    ("maildir", disasters.indexes_deleted), ("maildir", disasters.uidlist_deleted),
    ("maildir", disasters.uidvalidity_changed), ("sdbox", disasters.uidvalidity_changed),
    ("mdbox", disasters.uidvalidity_changed), ("mbox", disasters.uidvalidity_changed),
])
def test_recovery_keeps_devices(server, new_user, form, disaster):
    phone, laptop = make_logins(new_user, ["phone", "laptop"], form, keep_downloaded="7d", keep_devices="phone laptop")
    fetch(phone, 1, 2)
    fetch(laptop, 2)
    epoch = phone.state()["uidl"]["epoch"]
    seen = [record.get("devices") for record in phone.journal().values()]
    server.clock.advance(days=3)
    disaster(phone)
    poll(phone)
    assert phone.state()["uidl"]["epoch"] > epoch or disaster is disasters.indexes_deleted
    assert [record.get("devices") for record in phone.journal().values()] == seen
    known = phone.state()["uidl"]["devices"]
    fetch(phone, 1, 2)
    assert phone.state()["uidl"]["devices"] == known
    server.clock.advance(days=4, seconds=10)
    poll(phone)
    assert left(phone) == [1, 3]
    fetch(laptop, 1)
    server.clock.advance(days=7, seconds=10)
    poll(phone)
    assert left(phone) == [3]


# -- journals that have lost lines


def rewrite(user, change):
    with open(user.journal_path, encoding="utf-8") as file:
        lines = file.read().splitlines(keepends=True)
    with open(user.journal_path, "w", encoding="utf-8") as file:
        file.write("".join(change(lines)))


def missing(user):
    os.remove(user.journal_path)


def of_another_epoch(user):
    rewrite(user, lambda lines: [lines[0].replace('"generation":', '"generation":9')] + lines[1:])


def without_first_line(user):
    rewrite(user, lambda lines: ["x\n"] + lines[1:])


def torn(user):
    def tear(lines):
        last = max(number for number, line in enumerate(lines) if "downloaded" in line)
        return lines[:last] + [lines[last][:-20]]

    rewrite(user, tear)


def cut_to_the_first_line(user):
    rewrite(user, lambda lines: lines[:1])


def without_downloads(user):
    rewrite(user, lambda lines: [line for line in lines if "downloaded" not in line])


def unreadable_in_the_middle(user):
    rewrite(user, lambda lines: [line.replace('"uid":2,', '"uid":-2,') for line in lines])


def unreadable_downloads(user):
    rewrite(user, lambda lines: [line.replace('"downloaded":', '"downloaded":-') for line in lines])


def all_unreadable(user):
    rewrite(user, lambda lines: lines[:1] + ["\0" * len(line[1:]) + "\n" for line in lines[1:]])


DAMAGES = [missing, of_another_epoch, without_first_line, torn, cut_to_the_first_line, without_downloads,
           unreadable_in_the_middle, unreadable_downloads, all_unreadable]
each_damage = pytest.mark.parametrize("damage", DAMAGES, ids=[damage.__name__ for damage in DAMAGES])


def mendings(user):
    return user.server.log_lines(user, "Warning.*messages.jsonl had lost")


@each_damage
def test_mended_once(server, new_user, damage):
    """Nothing goes early, and all of it goes after the full time from then on."""
    retention.true_time(server)
    user = new_user(messages=4, **fields(keep_downloaded="14d", keep_undownloaded="40d"))
    fetch(user, 1, 2, 3)
    uidls = poll(user)
    server.clock.advance(days=13)
    damage(user)
    at, generation = server.clock.now(), user.state()["uidl"]["journal"]["generation"]
    # makes it look
    server.clock.advance(days=2)
    poll(user)
    before = left(user)
    # others, whose lines are not lost, are due
    kept = [number for number in before if number != 4]
    assert (3 if damage is torn else 2) in kept, before
    times = {uidls.index(record["uidl"]) + 1: record.get("downloaded", 0) for record in user.journal().values()}
    assert all(times[number] >= at for number in kept), times
    assert len(mendings(user)) == 1 and user.state()["uidl"]["journal"]["generation"] == generation + 1
    for _ in range(2):
        server.clock.advance(days=6)
        poll(user)
        assert left(user) == before
    assert len(mendings(user)) == 1 and not [line for line in said(user) if "has to wait" in line]
    server.clock.advance(days=2, seconds=20)
    poll(user)
    assert left(user) == [4]


@each_damage
def test_downloaded_is_not_forgotten(server, new_user, damage):
    """The rule for mail that was never downloaded takes nothing that was."""
    retention.true_time(server)
    user = new_user(messages=3, **fields(keep_undownloaded="20d"))
    fetch(user, 1, 2)
    server.clock.advance(days=12)
    damage(user)
    retention.days_of_polls(user, 60, step=6)
    assert left(user) == [1, 2]
    assert len(mendings(user)) == 1


@each_damage
def test_devices_are_not_forgotten(server, new_user, damage):
    retention.true_time(server)
    phone, laptop = make_logins(new_user, ["phone", "laptop"], keep_downloaded="14d", keep_undownloaded="40d",
                                keep_devices="phone laptop")
    fetch(phone, 1, 2)
    fetch(laptop, 1, 2)
    server.clock.advance(days=10)
    damage(phone)
    server.clock.advance(days=5)
    poll(phone)
    before = left(phone)
    assert 2 in before
    retention.days_of_polls(phone, 12, step=3)
    assert left(phone) == before
    server.clock.advance(days=2, seconds=20)
    poll(phone)
    assert left(phone) == [3]


def test_lines_that_say_nothing(server, new_user):
    """What is not known to be lost goes when it is due, but the line may have been about anything."""
    user = new_user(messages=3, **fields(keep_downloaded="14d"))
    fetch(user, 1, 2)
    rewrite(user, lambda lines: lines[:2] + ["{}\n", "\0\xff\n"] + lines[2:])
    server.clock.advance(days=14, seconds=10)
    poll(user)
    assert left(user) == [3]
    warning, = mendings(user)
    assert "lines of 0 messages (2 lines could not be read)" in warning
    assert [line["uid"] for line in user.journal_lines()] == [1, 2, 3]


def test_session_with_news_keeps_what_was_downloaded(server, new_user):
    """A session that finds the journal gone writes it anew at its end."""
    retention.true_time(server)
    user = new_user(messages=3, **fields(keep_undownloaded="20d"))
    fetch(user, 1, 2)
    missing(user)
    user.append([mailgen.message(4)])
    fetch(user, 4)
    assert user.state()["uidl"]["downloaded"] in ("1:2,4", "1:4")
    poll(user)
    assert {uid for uid, record in user.journal().items() if "downloaded" in record} == {1, 2, 4}
    assert not mendings(user)
    retention.days_of_polls(user, 30, step=6)
    assert left(user) == [1, 2, 4]


def test_torn_news_about_a_message(new_user):
    """The older line, which knows nothing of the download, does not pass for all there was."""
    phone, = make_logins(new_user, ["phone"])
    poll(phone)
    fetch(phone, 2)
    torn(phone)
    phone.append([mailgen.message(4)])
    poll(phone)
    poll(phone)
    record = phone.journal()[2]
    assert record["devices"]["phone"] == record["downloaded"] and set(phone.journal()) == {1, 2, 3, 4}
    lines = len(phone.journal_lines())
    poll(phone)
    assert len(phone.journal_lines()) == lines


def test_mended_after_news(server, new_user):
    """The session that finds the journal gone mends it, too, if it has to look: then nothing is left to do."""
    user = new_user(messages=3, **fields(keep_downloaded="30d"))
    fetch(user, 1, 2)
    missing(user)
    user.append([mailgen.message(4)])
    server.clock.advance(days=8)
    fetch(user, 4)
    assert len(mendings(user)) == 1
    lines = user.journal_lines()
    assert sorted(line["uid"] for line in lines) in ([1, 2, 4], [1, 2, 3, 4])
    poll(user)
    poll(user)
    lines = user.journal_lines()
    assert sorted(line["uid"] for line in lines) == [1, 2, 3, 4]
    assert len(mendings(user)) == 1


@pytest.mark.parametrize("damage", [unreadable_downloads, without_downloads],
                         ids=["unreadable_downloads", "without_downloads"])
def test_recovery_after_damage(server, new_user, damage):
    """A new epoch with the same UIDs: what the state knew is not lost with the lines."""
    retention.true_time(server)
    user = new_user(messages=4, **fields(keep_undownloaded="20d"))
    poll(user)
    fetch(user, 1, 2)
    damage(user)
    epoch = user.state()["uidl"]["epoch"]
    disasters.uidl_format_changed(user)
    poll(user)
    assert user.state()["uidl"]["epoch"] > epoch
    poll(user)
    assert [uid for uid, record in user.journal().items() if "downloaded" in record] == [1, 2]
    retention.days_of_polls(user, 30, step=6)
    assert left(user) == [1, 2] and not mendings(user)
