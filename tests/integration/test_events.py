# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""The events of the plugin and their fields, as Dovecot exports them, and as they are documented."""

import os
import re

import pytest

import clock
import disasters
import events
import mailgen
import state_check
from conftest import running
from dovecot import Server
from polling import wait_for
from retention import fetch, fields

SESSION = "pop3_policy_session_finished"
DENIED = "pop3_policy_quota_denied"
THRESHOLD = "pop3_policy_quota_threshold"
EXPIRED = "pop3_policy_expired"
RECOVERED = "pop3_policy_uidl_recovered"
FAILED = "pop3_policy_state_failed"


@pytest.fixture(scope="module")
def exporting(memory_disk):
    with running(Server(extra=events.EXPORTER)) as server:
        yield server


@pytest.fixture
def make(exporting, make_user_on):
    exporting.clock.set(clock.quiet_noon())
    return make_user_on(exporting)


def wait_events(server, user, name, count=1):
    """The fields of the events of that name, once there are so many; each is as documented."""
    found = wait_for(lambda: (lambda found: found if len(found) >= count else None)(events.sent(server, user, name)),
                     "%d events %s of %s in:\n%s" % (count, name, user.name, server.log()))
    for event in found:
        check_documented(name, event)
    return found


def check_documented(name, event):
    """All documented fields are there, and no others; a field of few words has one of these."""
    expected = events.documented()[name]
    assert set(event) == set(expected), (name, event)
    for field, words in expected.items():
        if field != "device" and words:
            assert str(event[field]) in words, (name, field, event[field])
        elif field != "device":
            assert isinstance(event[field], int), (name, field, event[field])


def test_names_of_the_documentation_are_those_of_the_sources():
    names = re.findall(r'"(pop3_policy_\w+)"', events.read("src", "state", "policy-event.h"))
    assert sorted(names) == sorted(events.documented())
    assert len(names) == 6


def test_session(exporting, make):
    """What was sent in sessions that ended with QUIT, and in one that did not."""
    user = make(messages=3, size=2000)
    with user.session() as pop3:
        sent = [pop3.retr(1), pop3.retr(2), pop3.ok("TOP 3 0")]
        pop3.ok("DELE 1")
        exporting.clock.advance(minutes=2)
        pop3.quit()
    event, = wait_events(exporting, user, SESSION)
    assert event == {"outcome": "quit", "messages": 2, "bytes": sum(reply.wire_size for reply in sent), "deleted": 1,
                     "device": "none"}
    assert 120 <= events.exported(exporting, user)[0]["fields"]["duration"] / 1e6 < 600

    with user.session() as pop3:
        size = pop3.retr(1).wire_size
        pop3.ok("DELE 1")
    event = wait_events(exporting, user, SESSION, 2)[1]
    assert event == {"outcome": "dropped", "messages": 1, "bytes": size, "deleted": 0, "device": "none"}

    user.told()
    event = wait_events(exporting, user, SESSION, 3)[2]
    assert event == {"outcome": "quit", "messages": 0, "bytes": 0, "deleted": 0, "device": "none"}
    assert [name for name, _ in events.sent(exporting, user)] == [SESSION] * 3


def test_device(exporting, make):
    """Its name is in every event of its sessions."""
    user = make(messages=3, quota="2msg/day", pop3_policy_device="phone")
    with user.session() as pop3:
        assert [pop3.retr(number).ok for number in (1, 2, 3)] == [True, True, False]
        pop3.quit()
    wait_events(exporting, user, SESSION)
    found = events.sent(exporting, user)
    assert sorted(name for name, _ in found) == sorted([DENIED, THRESHOLD, SESSION])
    assert {event["device"] for _, event in found} == {"phone"}


def test_quota(exporting, make):
    """80 and 100 percent once in a window for all sessions; a refusal once a session."""
    user = make(messages=7, quota="5msg/day 1T/month")
    for numbers, told in (((1, 2, 3), []), ((4,), [80]), ((5, 6, 7), [80, 100]), ((6,), [80, 100])):
        with user.session() as pop3:
            for number in numbers:
                pop3.retr(number)
            pop3.quit()
        exporting.wait_idle()
        wait_for(lambda: [event["percent"] for event in events.sent(exporting, user, THRESHOLD)] == told, told)
    first, second = wait_events(exporting, user, THRESHOLD, 2)
    assert first == {"percent": 80, "window": "day", "resource": "messages", "used": 4, "limit": 5, "device": "none"}
    assert second == {"percent": 100, "window": "day", "resource": "messages", "used": 5, "limit": 5, "device": "none"}
    denied = wait_events(exporting, user, DENIED, 2)
    assert denied == [{"window": "day", "resource": "messages", "action": "deny", "left": 0, "device": "none"}] * 2
    assert user.window("day")["warned_messages"] == 5
    assert "warned_bytes" not in user.window("day") and "warned_messages" not in user.window("month")

    user.doveadm("pop3", "quota", "reset", "-u", user.name)
    assert "warned_messages" not in user.window("day")
    fetch(user, 1, 2, 3, 4)
    assert wait_events(exporting, user, THRESHOLD, 3)[2] == first


def test_parallel_sessions_warn_once(exporting, make):
    user = make(messages=8, quota="20msg/day")
    sessions = [user.session() for _ in range(4)]
    for number in range(1, 5):
        for pop3 in sessions:
            assert pop3.retr(number).ok
    for pop3 in sessions:
        pop3.quit()
        pop3.close()
    exporting.wait_idle()
    with user.session() as pop3:
        assert [pop3.retr(number).ok for number in range(1, 6)] == [True] * 4 + [False]
        pop3.quit()
    exporting.wait_idle()
    found = wait_events(exporting, user, THRESHOLD, 2)
    assert [event["percent"] for event in found] == [80, 100]


@pytest.mark.parametrize("who", ["session", "doveadm"])
def test_expired(exporting, make, who):
    rules = fields(keep_downloaded="0", expire_action="move Archive")
    user = make(messages=4, **(rules if who == "session" else {}))
    fetch(user, 1, 2)
    if who == "doveadm":
        user.set_fields(**rules)
        user.doveadm("pop3", "retention", "run", "-u", user.name)
    event, = wait_events(exporting, user, EXPIRED)
    assert event == {"rule": "downloaded", "action": "move", "count": 2, "bytes": 2 * len(mailgen.message(1)),
                     "device": "none"}


def test_recovered(exporting, make):
    user = make(messages=5)
    before = user.told()
    disasters.uidvalidity_changed(user)
    user.append([mailgen.message(6)])
    assert user.told()[:5] == before
    event, = wait_events(exporting, user, RECOVERED)
    assert event == {"kept": 5, "new": 1, "ambiguous": 0, "gone": 0, "device": "none"}


def spoil_corrupt(user):
    user.write_state(b"{")


def spoil_link(user):
    os.rename(user.state_path, user.state_path + ".away")
    os.symlink(user.state_path + ".away", user.state_path)
    state_check.leave_alone(user.home)


def spoil_mail(user):
    """All mail is gone, and there is some that nobody has seen."""
    user.server.clock.advance(minutes=1)
    user.mail.lose("on purpose")
    disasters.remove(disasters.mail_paths(user))
    user.append([mailgen.message(101)])


@pytest.mark.parametrize("spoil, on_error, reason, effect, sessions", [
    (spoil_corrupt, "fail", "corrupt", "continued", ["quit", "quit"]),
    (spoil_link, "fail", "unavailable", "refused", ["quit"]),
    # what runs without policy is no session of ours
    (spoil_link, "ignore", "unavailable", "ignored", ["quit"]),
    (spoil_mail, "fail", "alarm", "refused", ["quit", "refused"]),
], ids=["corrupt", "refused", "ignored", "alarm"])
def test_failed(exporting, make, spoil, on_error, reason, effect, sessions):
    user = make(messages=25, pop3_policy_on_error=on_error)
    user.told()
    wait_events(exporting, user, SESSION)
    spoil(user)
    with user.connect() as pop3:
        pop3.pipeline("USER " + user.name)
        pop3.send(b"PASS %s\r\nQUIT\r\n" % user.password.encode())
        pop3.drain()
    exporting.wait_idle()
    event, = wait_events(exporting, user, FAILED)
    assert event == {"reason": reason, "effect": effect, "device": "none"}
    found = wait_events(exporting, user, SESSION, len(sessions))
    assert [event["outcome"] for event in found] == sessions
