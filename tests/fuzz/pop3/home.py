# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Homes with the same mail, as earlier sessions have left them."""

import os
import re
import shutil

import mailgen
import user as users

FLAGGED = (3, 8)


def messages():
    """Ordinary ones, and all that are special; none has a line that looks like a reply of a server."""
    found = [mailgen.message(number, size) for number, size in enumerate((300, 1500, 700, 5000, 400), 1)]
    special = mailgen.special()
    found += [special[name] for name in sorted(special) if len(special[name]) < 5000]
    found.append(mailgen.message(99, 12000))
    return found


def fill(home):
    """A maildir whose files have the same names each time."""
    for folder in ("cur", "new", "tmp"):
        os.makedirs(os.path.join(home, "Maildir", folder))
    found = messages()
    for number, data in enumerate(found, 1):
        name = "%d.M%dP1.host:2,%s" % (1700000000 + number, number, "F" if number in FLAGGED else "")
        path = os.path.join(home, "Maildir", "cur", name)
        with open(path, "wb") as file:
            file.write(data)
        os.utime(path, (1700000000, 1700000000))
    users.chown_tree(home)
    return len(found)


def copy(source, dest):
    """Messages are not written by anybody: links will do."""
    shutil.rmtree(dest, ignore_errors=True)
    for folder, _, names in os.walk(source):
        there = os.path.normpath(os.path.join(dest, os.path.relpath(folder, source)))
        os.mkdir(there)
        shutil.copystat(folder, there)
        os.chown(there, users.UID, users.GID)
        for name in names:
            path = os.path.join(there, name)
            if os.path.basename(folder) in ("cur", "new"):
                os.link(os.path.join(folder, name), path)
            else:
                shutil.copy2(os.path.join(folder, name), path)
                os.chown(path, users.UID, users.GID)


def files(home):
    """The messages that are there, by what does not change of their names."""
    found = set()
    for folder in ("cur", "new"):
        for name in os.listdir(os.path.join(home, "Maildir", folder)):
            found.add(name.split(":")[0])
    return found


def lose_uidlist(home):
    """The mailbox becomes another one, in which the same mail has other UIDLs."""
    for folder, _, names in os.walk(os.path.join(home, "Maildir")):
        for name in names:
            if name.startswith("dovecot") and re.match(r"dovecot(-uidlist|-uidvalidity|\.index|\.list)", name):
                os.unlink(os.path.join(folder, name))


def remove_flagged(home):
    folder = os.path.join(home, "Maildir", "cur")
    for name in os.listdir(folder):
        if name.endswith("F"):
            os.unlink(os.path.join(folder, name))


def make_empty(path):
    os.mkdir(path)
    os.chown(path, users.UID, users.GID)
