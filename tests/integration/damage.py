# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""What the tests of damaged states share."""

import contextlib
import json
import os
import stat
import subprocess

import user as users
from polling import unmount

QUOTA = "3msg/day"


def healthy(used=0, start=None):
    counter = {"start": 1_700_000_000 if start is None else start, "bytes": used * 1000, "messages": used}
    return {"version": 1, "quota": {"windows": {name: dict(counter) for name in ("hour", "day", "week", "month")}}}


def download(user, count=1):
    with user.session() as pop3:
        replies = [pop3.retr(number) for number in range(1, count + 1)]
        pop3.quit()
    # what is written after the client is gone
    user.server.wait_idle()
    return [reply.ok for reply in replies]


HOLDER = """
import fcntl, os, sys
file = open(sys.argv[1], "a")
fcntl.lockf(file, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def held_lock(user, name="state.lock"):
    """Another process holds the lock, until told to let go."""
    path = os.path.join(user.state_dir, name)
    process = subprocess.Popen(["python3", "-c", HOLDER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline() == b"held\n"
        yield process
    finally:
        process.stdin.close()
        process.wait(10)
        process.stdout.close()


@contextlib.contextmanager
def mounted(user, options):
    """The state folder of a user on a file system of its own."""
    os.mkdir(user.state_dir, 0o700)
    options = "mode=0700,uid=%d,gid=%d,%s" % (users.UID, users.GID, options)
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", user.state_dir], check=True)
    try:
        yield
    finally:
        user.server.wait_idle()
        unmount(user.state_dir)
        os.rmdir(user.state_dir)


def fill(folder):
    with open(os.path.join(folder, "full"), "wb", buffering=0) as file:
        with contextlib.suppress(OSError):
            while True:
                file.write(b"x" * 512)


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
# made by root, but the user's own
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
