# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Several hosts that serve one user at once, with states in one dict: what they count, write and tell fits together."""

import contextlib
import os
import random
import signal
import threading
import time

import pytest

import dicts
import dovecot_conf
import mailgen
from conftest import running
from polling import wait_for
from test_quota_parallel import Worker

SESSIONS = 5
ROUNDS = 8


@pytest.fixture(scope="module")
def hosts(program, dict_server):
    """Two that keep their states in one dict."""
    with running(dicts.host(program, "host-b", dict_server.clock)) as host_b:
        yield dict_server, host_b


NUMBERS = iter(range(1, 1000))


@pytest.fixture
def name():
    return "on-two-hosts.%d" % next(NUMBERS)


def same_mail(user):
    """Fields of a user of another host who has the same mail, in a home of his own there."""
    path = os.path.join(user.home, "Maildir")
    return {"mail": "maildir:" + path} if dovecot_conf.LINE == "2.3" else {"mail_path": path}


@pytest.fixture
def shared(hosts, name):
    """A user with one mailbox, as each of two hosts sees him."""
    host_a, host_b = hosts
    first = host_a.user(name, pop3_policy_quota="1000msg/day")
    second = host_b.user(name, pop3_policy_quota="1000msg/day", **same_mail(first))
    second.mail = first.mail
    return first, second


def run_at_once(workers):
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    errors = [worker.error for worker in workers if worker.error is not None]
    assert not errors, errors


def used(program, user, resource):
    start = program.state(user)["quota"]["windows"]["day"]["start"]
    return program.number(user, "quota/day/%d/%s" % (start, resource))


def test_one_login_delay(hosts, name):
    """Who has logged in here must wait there, too."""
    first, second = [host.user(name, pop3_policy_login_delay="1h", pop3_policy_login_burst="1") for host in hosts]
    for user, refused in ((first, False), (second, False), (first, True), (second, True)):
        with user.connect() as pop3:
            reply = pop3.login(user.name, user.password)
            assert reply.ok is not refused and ("[LOGIN-DELAY]" in reply.text) is refused, reply.text


def test_one_quota(program, hosts, name):
    """All sessions of both hosts together get what the quota says, and all of that can be had."""
    check_one_quota(program, hosts, name, "60msg/day", 60)


@dicts.REDIS_ONLY
def test_one_quota_of_bytes(program, hosts, name):
    check_one_quota(program, hosts, name, "100k/day", 1000)


def check_one_quota(program, hosts, name, quota, most):
    users = [host.user(name, pop3_policy_quota=quota) for host in hosts]
    for user in users:
        user.append(mailgen.messages(15, 3000))
    barrier = threading.Barrier(SESSIONS * len(users))
    workers = [Worker(user, 15, barrier) for user in users for _ in range(SESSIONS)]
    run_at_once(workers)
    for host in hosts:
        host.wait_idle()
    wire = sum(worker.wire for worker in workers)
    messages = sum(worker.messages for worker in workers)
    assert 0 < messages <= most
    assert wire <= 100 * 1024 + 3000 or quota.endswith("msg/day")
    assert (used(program, users[0], "bytes"), used(program, users[0], "messages")) == (wire, messages)
    with users[1].session() as pop3:
        rest = [pop3.retr(1).ok for _ in range(61)]
        pop3.quit()
    hosts[1].wait_idle()
    if quota.endswith("msg/day"):
        assert messages + sum(rest) == 60
    assert used(program, users[0], "messages") == messages + sum(rest)


def test_one_state(shared):
    """What one host has written down the other one knows."""
    first, second = shared
    first.append(mailgen.messages(3))
    told = first.told()
    assert second.told() == told
    first.doveadm("mailbox", "update", "-u", first.name, "--uid-validity", "77", "INBOX")
    assert second.told() == told
    assert first.told() == told
    assert not first.server.log_lines(first, "recovered")
    assert len(second.server.log_lines(second, "recovered")) == 1


def test_recovery_on_both_hosts_at_once(program, shared):
    """One of them makes it, and new messages have one UIDL on both."""
    first, second = shared
    first.append(mailgen.messages(20))
    known = first.told()
    for round_number in range(3):
        first.append([mailgen.message(100 + round_number)])
        first.doveadm("mailbox", "update", "-u", first.name, "--uid-validity", str(5000 - round_number), "INBOX")
        found = {}
        threads = [threading.Thread(target=lambda user=user, key=key: found.update({(user, key): user.told()}))
                   for user in shared for key in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 4
        told, = {tuple(uidls) for uidls in found.values()}
        assert list(told[:len(known)]) == known and len(set(told)) == len(known) + 1
        known = list(told)
    assert program.state(first)["uidl"]["journal"]["generation"] > 1


def test_killed_sessions(program, shared):
    """Whenever a session is killed, the next one on either host goes on, on the same host at once, and what was
    sent counts."""
    first, second = shared
    first.append(mailgen.messages(6, 5000))
    chance = random.Random(7)
    wire = 0
    for _ in range(ROUNDS):
        with first.session() as pop3:
            wire += pop3.retr(1).wire_size
            pop3.send(b"RETR 2\r\nQUIT\r\n")
            time.sleep(chance.random() * 0.02)
            for pid in first.server.children("pop3"):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            pop3.drain()
        first.server.wait_idle()
    with first.session() as pop3:
        wire += pop3.retr(3).wire_size
        pop3.quit()
    first.server.wait_idle()
    with second.session() as pop3:
        wire += pop3.retr(3).wire_size
        pop3.quit()
    second.server.wait_idle()
    assert used(program, first, "bytes") >= wire
    left = {key for key in program.all(first) if "lock" in key or "owner" in key}
    assert left == {"num/lock/%s/0" % program.number(first, "version")}
    assert not first.server.log_lines(first, "never given back") and not second.server.log_lines(
        second, "never given back")


def hold_lock(program, user, owner_time, host_name):
    """As a process leaves the lock that is killed while it has it."""
    found = program.all(user)
    version = found["num/version"]
    program.set(user, "num/lock/%s/0" % version, "1")
    program.set(user, "doc/owner", "%s 0 %d %s" % (version, owner_time, host_name))
    return version


def fetch_next(user, number):
    with user.session() as pop3:
        ok = pop3.retr(number).ok
        pop3.quit()
    user.server.wait_idle()
    return ok


def place(user, host_name):
    info = os.stat(user.state_dir)
    return "%s:%x:%x" % (host_name, info.st_dev, info.st_ino)


def test_dead_owner_of_the_same_host(program, shared):
    first, _ = shared
    first.append(mailgen.messages(3))
    assert fetch_next(first, 1)
    version = hold_lock(program, first, first.server.clock.now(), "host-a")
    program.set(first, "doc/lock/" + place(first, "host-a"), version + " 0")
    assert fetch_next(first, 2)
    assert first.server.log_lines(first, "that had or wanted the lock of version %s: gave it back" % version)
    locks = {key: value for key, value in program.all(first).items() if "lock" in key or "owner" in key}
    assert locks == {"num/lock/%s/0" % program.number(first, "version"): "0"}


def test_dead_owner_of_another_host(program, shared):
    first, second = shared
    first.append(mailgen.messages(3))
    assert fetch_next(first, 1)
    hold_lock(program, first, second.server.clock.now() - 1000, "host-a")
    assert fetch_next(second, 2)
    assert second.server.log_lines(second, "was never given back")


def test_waits_for_the_other_host(program, shared):
    first, second = shared
    first.append(mailgen.messages(3))
    assert fetch_next(first, 1)
    version = hold_lock(program, first, second.server.clock.now(), "host-a")
    with second.session() as pop3:
        pop3.send(b"RETR 2\r\n")
        # it adds and takes back
        wait_for(lambda: program.number(first, "lock/%s/0" % version) == 2, "the second host to look")
        program.unset(first, "doc/owner")
        program.add(first, "num/lock/%s/0" % version, -1)
        line = pop3.read_line()
        assert line.startswith(b"+OK"), line
        pop3.cut()
    second.server.wait_idle()
