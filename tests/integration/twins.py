# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""The same user with the same mailbox on another server."""

import os
import shutil

import user as users


def twin(user, server):
    """Copies the home as it is now, times of files included."""
    user.server.wait_idle()
    home = os.path.join(server.home_root, user.name)
    shutil.copytree(user.home, home)
    users.chown_tree(home)
    found = server.user(user.name, user.form, **user.fields)
    found.mail.copy_of(user.mail)
    return found


def move(user, server):
    """The user lives on the other server from now on, with the same home."""
    user.server.wait_idle()
    os.rename(user.home, os.path.join(server.home_root, user.name))
    found = server.user(user.name, user.form, **user.fields)
    found.mail.copy_of(user.mail)
    user.mail.lose("it has moved")
    return found
