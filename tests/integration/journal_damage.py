# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""What may happen to state and journal: each function breaks one thing."""

import contextlib
import json
import os

import user as users

# 2099
FUTURE = 4_085_000_000


def content_of(path):
    with open(path, "rb") as file:
        return file.read()


def put(user, path, content):
    """Writes a file as the user would own it."""
    with open(path, "wb") as file:
        file.write(content)
    os.chmod(path, 0o600)
    os.chown(path, users.UID, users.GID)


@contextlib.contextmanager
def journal_lines(user):
    """The lines, to be changed: the first one is not about a message."""
    lines = [json.loads(line) for line in content_of(user.journal_path).splitlines()]
    yield lines
    put(user, user.journal_path, b"".join(json.dumps(line, separators=(",", ":")).encode() + b"\n" for line in lines))


@contextlib.contextmanager
def state(user):
    found = user.state()
    # it does not fit any more
    found.pop("brief", None)
    yield found
    user.write_state(found)


# -- journal


def garble_line(user):
    with open(user.journal_path, "r+b") as file:
        lines = file.read().split(b"\n")
        file.seek(len(lines[0]) + 1 + len(lines[1]) + 1)
        file.write(b"#")


def change_uidl(user):
    with open(user.journal_path, "r+b") as file:
        text = file.read()
        at = text.rindex(b'"uidl":"') + len(b'"uidl":"')
        file.seek(at)
        file.write(b"x")


def remove_journal(user):
    os.unlink(user.journal_path)


def remove_line(user):
    with open(user.journal_path, "rb") as file:
        lines = file.read().splitlines(True)
    with open(user.journal_path, "wb") as file:
        file.writelines(lines[:-1])


def tear(user):
    """As a crash does in the middle of a write."""
    put(user, user.journal_path, content_of(user.journal_path) + b'{"uid":9,"si')


def cut(user):
    put(user, user.journal_path, content_of(user.journal_path)[:-10])


def cut_in_half(user):
    os.truncate(user.journal_path, os.path.getsize(user.journal_path) // 2)


def spoil_first_message(user):
    with open(user.journal_path, "r+b") as file:
        file.seek(len(file.readline()))
        file.write(b"\xff" * 20)


def other_generation(user):
    with journal_lines(user) as lines:
        lines[0]["generation"] += 50


def garbage(user):
    put(user, user.journal_path, bytes(range(256)) * 40)


def no_journal_at_all(user):
    put(user, user.journal_path, b"")


def line_that_has_not_come(user):
    with journal_lines(user) as lines:
        lines.append({**lines[1], "uid": 90, "uidl": "not-yet", "guid": "not-yet", "downloaded": 1_700_000_000})


def line_of_another_message(user):
    with journal_lines(user) as lines:
        lines[1].update(guid="another", hash="another")


def uidl_twice(user):
    with journal_lines(user) as lines:
        lines[2]["uidl"] = lines[1]["uidl"]


def downloaded_in_the_future(user):
    with journal_lines(user) as lines:
        for line in lines[1:]:
            if "downloaded" in line:
                line["downloaded"] = FUTURE


def journal_is_link(user):
    os.rename(user.journal_path, os.path.join(user.home, "elsewhere"))
    os.symlink(os.path.join(user.home, "elsewhere"), user.journal_path)


def journal_is_folder(user):
    os.unlink(user.journal_path)
    os.mkdir(user.journal_path, 0o700)
    os.chown(user.journal_path, users.UID, users.GID)


def journal_has_mode_000(user):
    os.chmod(user.journal_path, 0)


def journal_of_a_later_version(user):
    with journal_lines(user) as lines:
        lines[0]["version"] = 2


# -- state


def corrupt_state(user):
    user.write_state(b'{"version": 1, "uidl": {"epoch": "soon"}}')


def counters_of_the_future(user):
    with state(user) as found:
        for window in found["quota"]["windows"].values():
            window["start"] = FUTURE


def retention_of_the_future(user):
    with state(user) as found:
        found["uidl"].setdefault("retention", {})["checked"] = FUTURE


def uids_of_the_future(user):
    with state(user) as found:
        found["uidl"].update(recorded="1:9", downloaded="1:2,6:7", stored="8")
        found["uidl"]["devices"] = {"phone": "2,5:6"}


def lose_state(user):
    os.unlink(user.state_path)


def leave_new_state(user):
    put(user, user.state_path + ".tmp", b"{")
