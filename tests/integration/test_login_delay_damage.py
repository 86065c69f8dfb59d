# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""The stamp of the login delay, DIR/login.json, in a home that belongs to the user, and on a disk that takes no
writes."""

import json
import os
import stat
import subprocess

import pytest

import expect
import state_check
import user as users
from damage import fill, held_lock, mounted, snapshot
from login_delay import (DELAY, fields, log_in, make_folder, print_of, refused, stamp, stamp_path,
                         write_stamp)
from polling import wait_for

QUOTA = "1msg/day"


# -- disks that take no writes


@pytest.mark.parametrize("kind", ["read-only", "full", "no-inodes"])
def test_no_room_for_the_first_stamp(server, new_user, kind):
    """The user may log in, each time with one warning."""
    user = new_user(messages=1, **fields())
    with mounted(user, {"full": "size=16k", "no-inodes": "nr_inodes=1", "read-only": "ro"}[kind]):
        if kind == "full":
            fill(user.state_dir)
        for count in (1, 2):
            log_in(user)
            lines = server.wait_log(user, "pop3_policy: login is not counted", count)
            assert len(lines) == count and "Warning: " in lines[0]
            server.wait_idle()


def test_read_only_disk_with_a_stamp(server, new_user):
    """What is known still holds."""
    user = new_user(messages=1, **fields())
    with mounted(user, "size=64k"):
        log_in(user)
        server.wait_idle()
        subprocess.run(["mount", "-o", "remount,ro", user.state_dir], check=True)
        assert refused(user)
        server.clock.advance(seconds=DELAY)
        log_in(user)
        assert len(server.wait_log(user, "Warning: pop3_policy: login is not counted: .*Read-only file system")) == 1


def test_full_disk_with_a_stamp(server, new_user):
    """There is room for a number in the place of another one."""
    user = new_user(messages=1, **fields())
    with mounted(user, "size=64k"):
        log_in(user)
        server.wait_idle()
        fill(user.state_dir)
        server.clock.advance(seconds=DELAY)
        with user.session() as pop3:
            pop3.quit()
        assert refused(user)
        assert not server.log_lines(user, "login is not counted")


# -- what is no stamp


BROKEN = {"word": b"stamp", "array": b"[]", "half": b'{"version":1,"next":   17954', "nul": b"\0" * 45,
          "no-number": b'{"version":1}', "negative": b'{"version":1,"next":-1}', "deep": b"[" * 900,
          "real": b'{"version":1,"next":1e300}', "twice": b'{"version":1,"next":1,"next":1}',
          "large": b'{"version":1,"next":1}' + b" " * 5000}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_stamp(server, new_user, name):
    """As good as none, said once."""
    user = new_user(messages=1, **fields())
    write_stamp(user, BROKEN[name])
    log_in(user)
    assert refused(user)
    server.wait_idle()
    lines = server.wait_log(user, "Error: pop3_policy: ")
    assert len(lines) == 1 and "login.json: " in lines[0] and "went on without it" in lines[0]
    assert stamp(user) > server.clock.now()


@pytest.mark.parametrize("data", [b"", b'{"next":1,"version":1,"later":[]}',
                                  b'{"version":1,"next":9223372036854775807}'])
def test_odd_but_whole_stamp(server, new_user, data):
    """An empty file, members of others, a time that no login has left."""
    user = new_user(messages=1, **fields())
    write_stamp(user, data)
    log_in(user)
    assert refused(user)
    assert 0 < stamp(user) - server.clock.now() <= DELAY
    assert not server.log_lines(user, "Error: pop3_policy: ")


def test_huge_stamp(server, new_user):
    """A file of a terabyte is neither read nor kept."""
    user = new_user(messages=1, **fields())
    write_stamp(user, b"")
    os.truncate(stamp_path(user), 1 << 40)
    log_in(user)
    assert refused(user)
    assert os.path.getsize(stamp_path(user)) < 100
    assert len(server.wait_log(user, "Error: pop3_policy: .*more than 1024 octets")) == 1


def is_link(user, path):
    victim = os.path.join(user.home, "victim")
    with open(victim, "wb") as file:
        file.write(b'{"version":1,"next":1}')
    os.chown(victim, users.UID, users.GID)
    os.symlink(victim, path)


def is_dangling_link(user, path):
    os.symlink(os.path.join(user.home, "nothing"), path)


def is_fifo(_, path):
    os.mkfifo(path, 0o600)
    os.chown(path, users.UID, users.GID)


def is_socket(_, path):
    os.mknod(path, 0o600 | stat.S_IFSOCK)
    os.chown(path, users.UID, users.GID)


def is_device(_, path):
    os.mknod(path, 0o600 | stat.S_IFCHR, os.makedev(1, 3))
    os.chown(path, users.UID, users.GID)


def is_folder(_, path):
    os.mkdir(path, 0o700)
    os.chown(path, users.UID, users.GID)


def is_of_another_owner(user, path):
    write_stamp(user, b'{"version":1,"next":1}')
    os.chown(path, users.UID + 1, users.GID)
    os.chmod(path, 0o666)


def has_mode_000(user, path):
    write_stamp(user, b'{"version":1,"next":1}')
    os.chmod(path, 0)


def is_of_a_later_version(user, _):
    write_stamp(user, b'{"version":2,"next":1}')


PLACES = [is_link, is_dangling_link, is_fifo, is_socket, is_device, is_folder, is_of_another_owner, has_mode_000,
          is_of_a_later_version]


@pytest.fixture(params=PLACES, ids=lambda place: place.__name__)
def strange(request, new_user):
    """A user with something else in the place of the stamp."""
    user = new_user(messages=2, quota=QUOTA, **fields())
    make_folder(user)
    request.param(user, stamp_path(user))
    state_check.leave_alone(user.home)
    return user


def test_strange_stamp(server, strange):
    """Refused and left alone."""
    before = snapshot(strange.home)
    assert strange.refused_login() == expect.NO_STATE
    assert snapshot(strange.home) == before
    assert len(server.wait_log(strange, "Error: pop3_policy: session is refused: .*login.json")) == 1


def test_strange_stamp_is_ignored(server, strange):
    """pop3_policy_on_error = ignore: there is no delay then, but all the rest, with an error in the log."""
    strange.set_fields(pop3_policy_on_error="ignore")
    path = stamp_path(strange)
    before = snapshot(strange.home)[path]
    for allowed in ([True, False], [False, False]):
        with strange.session() as pop3:
            assert [pop3.retr(number).ok for number in (1, 2)] == allowed
            pop3.quit()
    server.wait_idle()
    assert snapshot(strange.home)[path] == before
    lines = server.wait_log(strange, "Error: pop3_policy: ")
    assert len(lines) == 2
    assert all("login delay is not known, went on without it: " in line and "login.json" in line for line in lines)


# -- the lock


def test_lock_that_is_let_go(new_user):
    """A login waits for another one of the user that is just written down; who must wait anyway does not."""
    user = new_user(messages=1, **fields(burst=1))
    log_in(user)
    user.server.wait_idle()
    with held_lock(user, "login.json") as holder, user.connect() as pop3:
        pop3.send(("USER %s\r\nPASS %s\r\n" % (user.name, user.password)).encode())
        assert pop3.read_line().startswith(b"+OK")
        with open("/proc/locks", encoding="ascii") as locks:
            wait_for(lambda: locks.seek(0) == 0 and "->" in locks.read(), "the login to wait for the lock")
        holder.stdin.close()
        holder.wait(10)
        assert pop3.read_line().startswith(b"+OK")
        pop3.quit()
    user.server.wait_idle()
    before = print_of(stamp_path(user))
    with held_lock(user, "login.json"):
        assert refused(user)
    assert print_of(stamp_path(user)) == before


def test_schema_knows_a_bad_stamp():
    """What the checks after each test would find."""
    validator = state_check.schema_validator("login")
    assert validator.is_valid({"version": 1, "next": 1795446060})
    for bad in ([], {}, {"version": 1}, {"next": 1}, {"version": 2, "next": 1}, {"version": 1, "next": -1},
                {"version": 1, "next": "1"}, {"version": 1, "next": 1.5}):
        assert not validator.is_valid(bad), json.dumps(bad)
