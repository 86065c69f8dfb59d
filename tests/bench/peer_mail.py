# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""The same mailboxes for each of the servers."""

import os

import maildir

MAIL_ID = 23111
COUNT, SIZE = 1000, 5000
LARGE_COUNT, LARGE_SIZE = 100000, 1000
USERS = [f"c{number}" for number in range(32)]
LARGE = "large"
BOXES = {**{user: (COUNT, SIZE) for user in USERS}, LARGE: (LARGE_COUNT, LARGE_SIZE)}


def give_away(folder, uid=MAIL_ID, gid=MAIL_ID):
    for path, _, names in os.walk(folder):
        for name in [".", *names]:
            os.chown(os.path.join(path, name), uid, gid)


def fill_maildirs(root):
    """A home for each user, with a maildir; those that are there stay as they are."""
    os.makedirs(root, exist_ok=True)
    for user, (count, size) in BOXES.items():
        home = os.path.join(root, user)
        if not os.path.exists(home):
            maildir.fill(home + ".new", count, size)
            give_away(home + ".new")
            os.rename(home + ".new", home)


def fill_numbered(folder, count, size, uid, gid):
    """Files "1." and so on, with the line ends of the wire, as Cyrus has them."""
    text = maildir.message(size).replace("\n", "\r\n").encode("ascii")
    for name in os.listdir(folder):
        # a filling that was broken off
        if name[:-1].isdigit():
            os.unlink(os.path.join(folder, name))
    for number in range(count):
        path = os.path.join(folder, f"{number + 1}.")
        if number % maildir.LINKS == 0:
            master = path
            with open(path, "wb") as out:
                out.write(text)
            os.chown(path, uid, gid)
            os.chmod(path, 0o600)
        else:
            os.link(master, path)
