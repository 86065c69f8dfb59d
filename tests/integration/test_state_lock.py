# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""The lock of a state, and file systems that take no writes."""

import fcntl
import os
import subprocess

import pytest

import expect
import mailgen
from damage import QUOTA, download, fill, held_lock, mounted
from polling import wait_for


def test_lock_held_by_another_process(server, new_user):
    """Only who has to write waits for it, and not forever."""
    user = new_user(messages=3, quota=QUOTA)
    assert download(user) == [True]
    with held_lock(user):
        with user.session() as pop3:
            assert pop3.stat()[0] == 3
            assert len(pop3.uidl()) == 3
            assert pop3.retr(2).text == expect.NO_STATE
            # and not another ten seconds for each message
            replies = pop3.pipeline("RETR 3", "RETR 2", "NOOP")
            assert [reply.text for reply in replies] == [expect.NO_STATE] * 2 + ["+OK"]
            pop3.ok("DELE 3")
            assert pop3.quit().ok
    assert len(server.log_lines(user, "Error: pop3_policy: ")) == 1
    assert len(user.flags()) == 2
    assert user.used()[1] == 1
    assert download(user, 2) == [True, True]


def test_lock_that_is_let_go(new_user):
    user = new_user(messages=1, quota=QUOTA)
    assert download(user) == [True]
    with held_lock(user) as holder, user.session() as pop3:
        pop3.send(b"RETR 1\r\n")
        with open("/proc/locks", encoding="ascii") as locks:
            wait_for(lambda: locks.seek(0) == 0 and "->" in locks.read(), "the session to wait for the lock")
        holder.stdin.close()
        holder.wait(10)
        assert pop3.read_reply(True).message == mailgen.message(1)
        pop3.quit()
    assert user.used()[1] == 2


def test_lock_of_a_dead_process(new_user):
    """The lock is the kernel's: a file that is left over means nothing."""
    user = new_user(messages=1, quota=QUOTA)
    assert download(user) == [True]
    path = os.path.join(user.state_dir, "state.lock")
    assert os.path.exists(path)
    with open(path, "r+b") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
    assert download(user) == [True]


@pytest.mark.parametrize("kind", ["read-only", "full", "no-inodes"])
def test_no_room_for_the_first_state(server, new_user, kind):
    """The session goes on and counts for itself."""
    user = new_user(messages=5, quota=QUOTA)
    with mounted(user, {"full": "size=16k", "no-inodes": "nr_inodes=1", "read-only": "ro"}[kind]):
        if kind == "full":
            fill(user.state_dir)
        assert download(user, 5) == [True, True, True, False, False]
        assert len(server.wait_log(user, "Error: pop3_policy: ")) == 1
        assert not os.path.exists(user.state_path)
        assert not os.path.exists(user.state_path + ".tmp")


@pytest.mark.parametrize("kind", ["read-only", "full"])
def test_no_room_for_the_next_state(server, new_user, kind):
    """What is known still holds."""
    user = new_user(messages=5, quota=QUOTA)
    with mounted(user, "size=64k"):
        assert download(user) == [True]
        before = user.state()
        if kind == "full":
            fill(user.state_dir)
        else:
            subprocess.run(["mount", "-o", "remount,ro", user.state_dir], check=True)
        assert download(user, 5) == [True, True, False, False, False]
        assert user.state() == before
        assert sorted(os.listdir(user.state_dir)) == sorted({"messages.jsonl", "state.json", "state.lock"} | (
            {"full"} if kind == "full" else set()))
        assert len(server.wait_log(user, "Error: pop3_policy: ")) == 1


def test_home_that_cannot_be_written(server, new_user):
    """The mail may lie elsewhere; then only the state has no place."""
    user = new_user(messages=5, quota=QUOTA)
    with mounted(user, "ro"):
        with user.session() as pop3:
            assert len(pop3.uidl()) == 5
            pop3.quit()
        assert not server.log_lines(user, "Error:")
