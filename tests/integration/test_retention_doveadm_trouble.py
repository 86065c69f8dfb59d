# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""doveadm pop3 retention for users that it cannot do, by clocks that are wrong, and beside others."""

import json
import os
import threading

import pytest

import disasters
import mailgen
import retention
import state_check
from retention import each_format, fetch, fields, left, poll
from retention_doveadm import PLACES, SIZE, doveadm, failure, run, says, took
from uidl_doveadm import state_files


# -- users that it cannot do


def test_user_that_is_not_known(server):
    for action in ("run", "status"):
        assert server.run_doveadm("pop3", "retention", action, "-u", "nobody-here", check=False).returncode == 67


@pytest.mark.parametrize("action", ["run", "status"])
def test_no_home(server, new_user, action):
    user = new_user(messages=2, **fields(keep_downloaded="1d"))
    fetch(user, 1)
    server.clock.advance(days=1)
    # the quota tells when the server knows it
    user.no_home(os.path.join(user.home, "Maildir"), pop3_policy_quota="1G/day")
    code, errors = failure(user, action)
    assert code == 75 and "home" in errors and "pop3_policy_state" in errors
    assert left(user) == [1, 2]


@pytest.mark.parametrize("name, value", [("keep_downloaded", "14 dogs"), ("exempt", "FLAGGED (")])
@PLACES
def test_bad_setting(server, new_user, name, value, socket):
    user = new_user(messages=2, **fields(keep_downloaded="1d"))
    fetch(user, 1)
    server.clock.advance(days=1)
    user.set_fields(**fields(**{name: value}))
    for action, option in (("run", None), ("run", "--force"), ("run", "--dry-run"), ("status", None)):
        code, errors = failure(user, action, *([option] if option else []), socket=socket)
        assert code == 75 and "pop3_policy_%s: " % name in errors and value in errors
    assert left(user) == [1, 2]


# -- clocks


@each_format
def test_clock_that_jumps(server, new_user, form):
    """It says what to do, and --force does it."""
    user = new_user(form, messages=4, **fields(keep_downloaded="14d"))
    fetch(user, 1, 2)
    server.clock.advance(days=40)
    result = doveadm(user, "status")
    assert "a run would wait" in result.stderr.decode() and "--force -u " + user.name in result.stderr.decode()
    assert json.loads(result.stdout)[0]["due"] == "2"
    for _ in range(2):
        code, errors = failure(user, "run")
        assert code == 75 and "40 days ago" in errors and "doveadm pop3 retention run --force" in errors
    assert left(user) == [1, 2, 3, 4]
    assert run(user, "--force") == took(downloaded=2, bytes=2 * SIZE)
    assert left(user) == [3, 4]
    fetch(user, 1)
    server.clock.advance(days=14)
    assert run(user) == took(downloaded=1, bytes=SIZE)
    assert doveadm(user, "status").stderr == b""


def test_clock_that_stays_where_it_is(server, new_user):
    """After a week of runs it is believed, as it is by sessions."""
    user = new_user(messages=2, **fields(keep_downloaded="14d"))
    fetch(user, 1)
    server.clock.advance(days=40)
    for _ in range(7):
        failure(user, "run")
        server.clock.advance(days=1)
    assert run(user) == took(downloaded=1, bytes=SIZE)


@pytest.mark.parametrize("option", [None, "--force", "--dry-run"])
def test_clock_that_goes_back(server, new_user, option):
    user = new_user(messages=3, **fields(keep_downloaded="1d", keep_max_messages="2"))
    poll(user)
    server.clock.advance(days=-20)
    fetch(user, 1)
    server.clock.advance(days=-5)
    assert run(user, *([option] if option else [])) == {}
    assert left(user) == [1, 2, 3]


# -- others at the same time


def test_run_during_the_run_of_a_session(server, new_user):
    retention.true_time(server)
    user = new_user(messages=3, **fields(keep_downloaded="0", expire_action="move Archive"))
    poll(user)
    with retention.slow_run(server, user):
        assert "left to a later run: another run is under way" in says(user)
        assert run(user, "--force") == {}
        assert left(user) == [1, 2, 3]
    assert left(user) == [2, 3] and left(user, "Archive") == [100, 1]


def test_session_during_a_run(server, new_user):
    """It does not notice, and what it has seen stays for it."""
    user = new_user(messages=3, **fields(keep_downloaded="2d"))
    fetch(user, 1)
    server.clock.advance(days=2)
    with user.session() as pop3:
        uidls = pop3.uidl()
        assert run(user) == took(downloaded=1, bytes=SIZE)
        assert pop3.uidl() == uidls
        assert pop3.retr(2).message == mailgen.message(2)
        assert pop3.quit().ok
    server.wait_idle()
    assert left(user) == [2, 3]
    assert not server.log_lines(user, "Error: ")


@each_format
def test_two_runs(server, new_user, form):
    """Each message goes once, and is counted once."""
    retention.true_time(server)
    user = new_user(form, messages=40, **fields(keep_downloaded="1d", expire_action="move Archive"))
    fetch(user, *range(1, 40))
    server.clock.advance(days=1)
    results = []
    threads = [threading.Thread(target=lambda: results.append(doveadm(user, "run", check=False))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [result.returncode for result in results] == [0] * 4, results
    counts = [each["downloaded"] for result in results for each in json.loads(result.stdout or "[]")]
    assert sum(map(int, counts)) == 39
    assert left(user) == [40] and left(user, "Archive") == list(range(1, 40))


# -- files that are lost, mailboxes that are not what they were


@pytest.mark.parametrize("option", [None, "--force", "--dry-run"])
@each_format
def test_uidvalidity_changed(server, new_user, form, option):
    """To recover UIDLs is work of a session; until then nothing goes."""
    options = [option] if option else []
    user = new_user(form, messages=3, **fields(keep_downloaded="2d"))
    fetch(user, 1)
    disasters.uidvalidity_changed(user)
    server.clock.advance(days=2)
    before = state_files(user)
    text = says(user, *options)
    assert "left to a later run" in text and "UIDVALIDITY changed" in text and "log in by POP3 once" in text
    code, errors = failure(user, "status")
    assert code == 75 and "UIDVALIDITY changed" in errors and "log in by POP3 once" in errors
    assert left(user) == [1, 2, 3]
    if option == "--dry-run":
        assert state_files(user) == before
    poll(user)
    retention.days_of_polls(user, 2)
    assert left(user) == [2, 3]


@pytest.mark.parametrize("option", [None, "--force", "--dry-run"])
def test_state_that_is_corrupt(server, new_user, option):
    options = [option] if option else []
    user = new_user(messages=3, **fields(keep_downloaded="2d"))
    fetch(user, 1)
    server.clock.advance(days=2)
    user.write_state(b"{")
    text = says(user, *options)
    assert "state.json is corrupt" in text
    if option:
        assert "left to a later run" in text and "the state was lost" in text and "log in by POP3 once" in text
    assert "the state was lost" in failure(user, "status")[1]
    assert left(user) == [1, 2, 3]
    poll(user)
    retention.days_of_polls(user, 3)
    assert left(user) == [2, 3]
    state_check.leave_alone(user.home)


def test_journal_that_is_lost(server, new_user):
    """Who only looks says so, a run mends it: what was downloaded counts from then on."""
    user = new_user(messages=3, **fields(keep_downloaded="2d"))
    fetch(user, 1)
    server.clock.advance(days=2)
    os.unlink(user.journal_path)
    code, errors = failure(user, "status")
    assert code == 75 and "messages.jsonl has lost what was known of UID 1" in errors
    assert "messages.jsonl had lost the lines of 3 messages" in says(user)
    assert left(user) == [1, 2, 3]
    server.clock.advance(days=2)
    doveadm(user, "run")
    assert left(user) == [2, 3]


@each_format
def test_no_journal_is_needed(server, new_user, form):
    """Who deletes what was downloaded has none, and new mail is not known yet."""
    user = new_user(form, messages=1)
    with user.session() as pop3:
        assert pop3.retr(1).ok
        pop3.ok("DELE 1")
        assert pop3.quit().ok
    server.wait_idle()
    assert not os.path.exists(user.journal_path)
    user.append([mailgen.message(2)])
    user.set_fields(**fields(keep_downloaded="1d"))
    for action in ("status", "run"):
        assert b"Error: " not in doveadm(user, action).stderr
    assert left(user) == [2]
