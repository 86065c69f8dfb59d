# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""What the tests of the login delay share: a user with a delay of an hour, which no test lasts, and the stamp."""

import json
import os
import re

import user as users

DELAY = 3600
REPLY = re.compile(r"-ERR \[LOGIN-DELAY\] Minimum time between logins is 3600 seconds, try again in (\d+) seconds\.")


def fields(burst=None, **more):
    found = {"pop3_policy_login_delay": "1h", **more}
    if burst is not None:
        found["pop3_policy_login_burst"] = str(burst)
    return found


def make_folder(user):
    os.mkdir(user.state_dir, 0o700)
    os.chown(user.state_dir, users.UID, users.GID)


def write_stamp(user, data):
    """Puts a file there as the user would own it."""
    if not os.path.isdir(user.state_dir):
        make_folder(user)
    with open(stamp_path(user), "wb") as file:
        file.write(data)
    os.chmod(stamp_path(user), 0o600)
    os.chown(stamp_path(user), users.UID, users.GID)


def stamp_path(user):
    return os.path.join(user.state_dir, "login.json")


def stamp(user):
    """The number that the last login left, None if there is none."""
    if not os.path.exists(stamp_path(user)):
        return None
    with open(stamp_path(user), encoding="ascii") as file:
        return json.load(file)["next"]


def print_of(path):
    """Changes with each write of the file, also of what was there before."""
    info = os.lstat(path)
    return info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns


def log_in(user):
    """A session that does nothing."""
    with user.session() as pop3:
        assert pop3.quit().ok


def wait_of(reply):
    """Seconds that a refused login is told to wait."""
    found = REPLY.fullmatch(reply)
    assert found, reply
    return int(found.group(1))


def refused(user):
    """A login that is refused for the delay; returns how long it must wait."""
    return wait_of(user.refused_login())


def try_login(user):
    """Whether the user may log in."""
    with user.connect() as pop3:
        reply = pop3.login(user.name, user.password)
        if reply.ok:
            assert pop3.quit().ok
        else:
            wait_of(reply.text)
        return reply.ok
