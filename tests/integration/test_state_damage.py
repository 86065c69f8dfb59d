# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""State files and folders as nobody should leave them. What cannot be read is set aside or left alone, never followed,
never deleted; mail is never lost."""

import contextlib
import fcntl
import json
import os
import stat
import subprocess

import pytest

import expect
import mailgen
import state_check
import user as users
from polling import wait_for

QUOTA = "3msg/day"


def healthy(used=0, start=None):
    counter = {"start": 1_700_000_000 if start is None else start, "bytes": used * 1000, "messages": used}
    return {"version": 1, "quota": {"windows": {name: dict(counter) for name in ("hour", "day", "week", "month")}}}


def text(**replaced):
    """A state as text, with its day counter changed: values are JSON text, which may be what no encoder prints."""
    data = json.dumps(healthy())
    for name, value in replaced.items():
        data = data.replace('"%s": %s' % (name, json.dumps(healthy()["quota"]["windows"]["day"][name])),
                            '"%s": %s' % (name, value), 1)
    return data.encode()


def version(value):
    return json.dumps(healthy()).replace('"version": 1', '"version": ' + value).encode()


def contents():
    """name -> bytes that are no state."""
    whole = json.dumps(healthy(), indent=1).encode()
    found = {"empty": b"", "space": b" \n\n", "nul": b"\0", "nuls": b"\0" * 4096, "word": b"state", "array": b"[]",
             "number": b"1", "null": b"null", "string": b'"x"', "empty-object": b"{}", "two": whole + whole,
             "tail": whole + b"x", "nul-at-the-end": whole + b"\0", "bom": b"\xef\xbb\xbf" + whole,
             "utf-16": whole.decode().encode("utf-16"), "single-quotes": whole.replace(b'"', b"'"),
             "invalid-utf-8": whole.replace(b'"version"', b'"x": "\xff\xfe", "version"'),
             "overlong-utf-8": whole.replace(b'"version"', b'"x": "\xc0\xaf", "version"'),
             "lone-surrogate": whole.replace(b'"version"', b'"x": "\\ud800", "version"'),
             "duplicate-key": whole.replace(b'"version"', b'"version": 1, "version"'),
             "duplicate-counter": whole.replace(b'"messages"', b'"messages": 0, "messages"'),
             "deep": b"[" * 10_000 + b"]" * 10_000,
             "deep-member": whole.replace(b'"version"', b'"x": ' + b'{"x":' * 10_000 + b"1" + b"}" * 10_000 +
                                          b', "version"'),
             "million": b'{"version": 1, "x": [' + b"0," * 1_000_000 + b"0]}",
             "huge": b'{"version": 1, "x": "' + b"x" * 20_000_000 + b'"}',
             "quota-array": b'{"version": 1, "quota": []}', "quota-null": b'{"version": 1, "quota": null}',
             "windows-string": b'{"version": 1, "quota": {"windows": "x"}}',
             "day-number": b'{"version": 1, "quota": {"windows": {"day": 5}}}',
             "day-empty": b'{"version": 1, "quota": {"windows": {"day": {}}}}'}
    for name in ("start", "bytes", "messages"):
        for label, value in (("nan", "NaN"), ("infinity", "Infinity"), ("1e999", "1e999"), ("negative", "-1"),
                             ("2-63", "9223372036854775808"), ("2-64", "18446744073709551616"), ("real", "1.5"),
                             ("string", '"1"'), ("null", "null"), ("true", "true"), ("array", "[]"), ("octal", "01"),
                             ("minus-2-63", "-9223372036854775809")):
            found["%s-%s" % (name, label)] = text(**{name: value})
    for label, value in (("0", "0"), ("negative", "-1"), ("string", '"1"'), ("null", "null"), ("real", "1.0")):
        found["version-" + label] = version(value)
    return found


CONTENTS = contents()


def set_aside(user):
    return sorted(name for name in os.listdir(user.state_dir) if name.startswith("state.json.corrupt-"))


def download(user, count=1):
    with user.session() as pop3:
        replies = [pop3.retr(number) for number in range(1, count + 1)]
        pop3.quit()
    return [reply.ok for reply in replies]


@pytest.mark.parametrize("name", sorted(CONTENTS))
def test_corrupt_content_is_set_aside(server, new_user, name):
    user = new_user(messages=1, quota=QUOTA)
    user.write_state(CONTENTS[name])
    assert download(user) == [True]
    aside = set_aside(user)
    assert len(aside) == 1 and len(aside[0]) == len("state.json.corrupt-20281115T110500Z")
    with open(os.path.join(user.state_dir, aside[0]), "rb") as file:
        assert file.read() == CONTENTS[name]
    assert user.used()[1] == 1
    lines = server.wait_log(user, "Error: pop3_policy: ")
    assert len(lines) == 1 and aside[0] in lines[0], lines
    assert download(user) == [True]
    assert user.used()[1] == 2 and len(set_aside(user)) == 1


def test_cut_at_any_byte(new_user):
    user = new_user(messages=1, quota=QUOTA)
    whole = json.dumps(healthy()).encode()
    for size in range(0, len(whole), 7):
        user.write_state(whole[:size])
        assert download(user) == [True], size
        assert user.used()[1] == 1, size
        for name in set_aside(user):
            os.unlink(os.path.join(user.state_dir, name))


def test_corrupt_files_in_one_second(new_user):
    """None takes the place of another. Six sessions take less than five seconds."""
    user = new_user(messages=1, quota=QUOTA)
    broken = [b"broken %d" % number for number in range(6)]
    for content in broken:
        user.write_state(content)
        assert download(user) == [True]
    found = set()
    for name in set_aside(user):
        with open(os.path.join(user.state_dir, name), "rb") as file:
            found.add(file.read())
    assert found == set(broken)


@pytest.mark.parametrize("start, used", [(2 ** 63 - 1, 3), (2 ** 40, 3), (2 ** 31 - 1, 3), (0, 3), (0, 2 ** 63 - 1),
                                         (2 ** 63 - 1, 2 ** 63 - 1)])
def test_absurd_but_whole_numbers(server, new_user, start, used):
    """Times that no clock shows and counts that nothing reaches: counted on, without a crash."""
    user = new_user(messages=1, quota=QUOTA + " 1G/week")
    state = healthy(start=start)
    for counter in state["quota"]["windows"].values():
        counter.update(bytes=used, messages=used)
    user.write_state(state)
    with user.session() as pop3:
        reply = pop3.retr(1)
        assert reply.ok or "[SYS/TEMP]" in reply.text
        assert reply.ok == (start == 0)
        pop3.quit()
    user.quota()
    assert not server.log_lines(user, "(Fatal|Panic)")
    assert not set_aside(user)


def test_start_in_the_future_ends(server, new_user):
    """A clock that was once wrong by ten years does not lock a user out for as long."""
    user = new_user(messages=1, quota=QUOTA)
    user.write_state(healthy(used=3, start=int(server.clock.now()) + 10 * 365 * 24 * 3600))
    assert download(user) == [False]
    server.clock.advance(days=1)
    assert download(user) == [True]


def test_unknown_members_are_kept(new_user):
    user = new_user(messages=1, quota=QUOTA)
    state = healthy()
    extra = {"deep": [1, 2.5, None, True, {"x": "ä€\U0001f600\u0001"}], "big": 2 ** 62}
    for part in (state, state["quota"], state["quota"]["windows"], state["quota"]["windows"]["day"]):
        part["later"] = extra
    state["journal"] = {"generation": 7}
    user.write_state(state)
    assert download(user) == [True]
    after = user.state()
    for part in (after, after["quota"], after["quota"]["windows"], after["quota"]["windows"]["day"]):
        assert part["later"] == extra
    assert after["journal"] == {"generation": 7}
    assert user.used()[1] == 1


def test_missing_members_are_made(new_user):
    for state in ({"version": 1}, {"version": 1, "quota": {}}, {"version": 1, "quota": {"windows": {}}}):
        user = new_user(messages=1, quota=QUOTA)
        user.write_state(state)
        assert download(user) == [True]
        assert user.used()[1] == 1 and not set_aside(user)


# -- what is not ours to read

class Place:
    """Puts something in the way of a user; then nothing of it may have changed."""

    def __init__(self, user):
        self.user = user
        self.victim = os.path.join(user.home, "victim")
        with open(self.victim, "wb") as file:
            file.write(json.dumps(healthy()).encode())
        os.chmod(self.victim, 0o600)
        users.chown_tree(user.home)

    def folder(self):
        os.mkdir(self.user.state_dir, 0o700)
        os.chown(self.user.state_dir, users.UID, users.GID)

    def state_is_directory(self):
        self.folder()
        os.mkdir(self.user.state_path, 0o700)

    def state_is_fifo(self):
        self.folder()
        os.mkfifo(self.user.state_path, 0o600)

    def state_is_link(self):
        self.folder()
        os.symlink(self.victim, self.user.state_path)

    def state_is_dangling_link(self):
        self.folder()
        os.symlink(os.path.join(self.user.home, "nothing"), self.user.state_path)

    def state_is_device(self):
        self.folder()
        os.mknod(self.user.state_path, 0o600 | stat.S_IFCHR, os.makedev(1, 3))

    def state_is_socket(self):
        self.folder()
        os.mknod(self.user.state_path, 0o600 | stat.S_IFSOCK)

    def state_has_mode_000(self):
        self.user.write_state(healthy())
        os.chmod(self.user.state_path, 0)

    def state_is_of_another_owner(self):
        self.user.write_state(healthy())
        os.chown(self.user.state_path, users.UID + 1, users.GID)
        os.chmod(self.user.state_path, 0o666)

    def state_of_a_later_version(self):
        self.user.write_state({**healthy(), "version": 2})

    def folder_is_link(self):
        target = os.path.join(self.user.home, "target")
        os.mkdir(target, 0o700)
        os.symlink(target, self.user.state_dir)

    def folder_is_file(self):
        with open(self.user.state_dir, "wb"):
            pass

    def folder_is_of_another_owner(self):
        self.folder()
        os.chown(self.user.state_dir, users.UID + 1, users.GID)
        os.chmod(self.user.state_dir, 0o777)

    def folder_lets_others_write(self):
        self.folder()
        os.chmod(self.user.state_dir, 0o777)


PLACES = ["state_is_directory", "state_is_fifo", "state_is_link", "state_is_dangling_link", "state_is_device",
          "state_is_socket", "state_has_mode_000", "state_is_of_another_owner", "state_of_a_later_version",
          "folder_is_link", "folder_is_file", "folder_is_of_another_owner", "folder_lets_others_write"]
OWNED = {"state_is_directory", "state_is_fifo", "state_is_device", "state_is_socket"}


def snapshot(folder):
    """Everything below a folder but its mailbox."""
    found = {}
    for path, folders, files in os.walk(folder):
        for name in folders + files:
            full = os.path.join(path, name)
            if "/Maildir" in full:
                continue
            info = os.lstat(full)
            content = None
            if stat.S_ISREG(info.st_mode):
                with open(full, "rb") as file:
                    content = file.read()
            found[full] = (info.st_ino, info.st_mode, info.st_uid, info.st_mtime_ns, content)
    return found


def without_lock(user, found):
    """A lock file says nothing; but it makes the folder newer."""
    found = dict(found)
    found.pop(os.path.join(user.state_dir, "state.lock"), None)
    folder = found.pop(user.state_dir)
    return folder[:3], found


@pytest.fixture(params=PLACES)
def place(request, new_user):
    user = new_user(messages=2, quota=QUOTA)
    obstacle = Place(user)
    getattr(obstacle, request.param)()
    if request.param in OWNED:
        os.chown(user.state_path, users.UID, users.GID)
    state_check.leave_alone(user.home)
    return user


def test_refused_and_left_alone(server, place):
    before = snapshot(place.home)
    assert place.refused_login() == expect.NO_STATE
    assert snapshot(place.home) == before
    assert len(server.wait_log(place, "Error: pop3_policy: ")) == 1


def test_ignored_and_left_alone(server, place):
    """pop3_policy_on_error = ignore: as stock, with an error in the log."""
    place.set_fields(pop3_policy_on_error="ignore", pop3_policy_quota="1msg/day")
    before = snapshot(place.home)
    assert download(place, 2) == [True, True]
    assert snapshot(place.home) == before
    assert server.wait_log(place, "Error: pop3_policy: ")


def test_doveadm_leaves_it_alone(place):
    before = snapshot(place.home)
    for action in ("get", "reset"):
        result = place.server.run_doveadm("pop3", "quota", action, "-u", place.name, check=False)
        assert result.returncode != 0
        assert b"Error" in result.stderr
    assert without_lock(place, snapshot(place.home)) == without_lock(place, before)


@pytest.mark.parametrize("kind", ["file", "link", "dangling-link", "fifo", "other-owner"])
def test_left_over_temporary_file(new_user, kind):
    """As a process may leave it that was killed; whatever it is, it is not followed."""
    user = new_user(messages=1, quota=QUOTA)
    obstacle = Place(user)
    obstacle.folder()
    temporary = user.state_path + ".tmp"
    if kind == "link":
        os.symlink(obstacle.victim, temporary)
    elif kind == "dangling-link":
        os.symlink(os.path.join(user.home, "made-by-us"), temporary)
    elif kind == "fifo":
        os.mkfifo(temporary)
    else:
        with open(temporary, "wb") as file:
            file.write(b"half a sta")
        os.chown(temporary, users.UID + (kind == "other-owner"), users.GID)
    with open(obstacle.victim, "rb") as file:
        before = file.read()
    assert download(user) == [True]
    assert user.used()[1] == 1
    assert not os.path.lexists(temporary)
    with open(obstacle.victim, "rb") as file:
        assert file.read() == before
    assert not os.path.exists(os.path.join(user.home, "made-by-us"))


@pytest.mark.parametrize("kind", ["link", "fifo", "directory", "other-owner"])
def test_strange_lock_file(new_user, kind):
    """Nothing is served on a lock that is not ours; polls need none."""
    user = new_user(messages=1, quota=QUOTA)
    obstacle = Place(user)
    obstacle.folder()
    state_check.leave_alone(user.home)
    path = os.path.join(user.state_dir, "state.lock")
    if kind == "link":
        os.symlink(obstacle.victim, path)
    elif kind == "fifo":
        os.mkfifo(path)
        os.chown(path, users.UID, users.GID)
    elif kind == "directory":
        os.mkdir(path)
    else:
        with open(path, "wb"):
            pass
        os.chmod(path, 0o666)
    before = snapshot(user.home)
    with user.session() as pop3:
        assert pop3.stat()[0] == 1
        assert pop3.retr(1).text == expect.NO_STATE
        assert pop3.stat()[0] == 1
        pop3.quit()
    assert snapshot(user.home) == before


# -- the lock

HOLDER = """
import fcntl, os, sys
file = open(sys.argv[1], "a")
fcntl.lockf(file, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def held_lock(user):
    """Another process holds the lock, until told to let go."""
    path = os.path.join(user.state_dir, "state.lock")
    process = subprocess.Popen(["python3", "-c", HOLDER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline() == b"held\n"
        yield process
    finally:
        process.stdin.close()
        process.wait(10)
        process.stdout.close()


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
            assert [reply.text for reply in pop3.pipeline("RETR 3", "RETR 2", "NOOP")] == [expect.NO_STATE] * 2 + ["+OK"]
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


# -- file systems that take no writes

@contextlib.contextmanager
def mounted(user, options):
    """The state folder of a user on a file system of its own."""
    os.mkdir(user.state_dir, 0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0700,uid=%d,gid=%d,%s" % (users.UID, users.GID, options), "none",
                    user.state_dir], check=True)
    try:
        yield
    finally:
        user.server.wait_idle()
        subprocess.run(["umount", user.state_dir], check=True)
        os.rmdir(user.state_dir)


def fill(folder):
    with open(os.path.join(folder, "full"), "wb", buffering=0) as file:
        with contextlib.suppress(OSError):
            while True:
                file.write(b"x" * 512)


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
        assert sorted(os.listdir(user.state_dir)) == sorted({"state.json", "state.lock"} | (
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
