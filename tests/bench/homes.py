# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""All that is in the home of a user: mail, what Dovecot knows of it, and the plugin's state."""

import os
import shutil

STATE = "pop3-policy"


def copy_file(source, target):
    """Messages of a maildir do not change, and so can be links."""
    if os.path.basename(os.path.dirname(source)) == "cur":
        os.link(source, target)
    else:
        shutil.copy2(source, target)


def copy_mail(source_home, home):
    """The same mail, and Dovecot knows as much of it, times of change included."""
    shutil.copytree(source_home, home, copy_function=copy_file, ignore=shutil.ignore_patterns(STATE))


def snapshot(home):
    """What would change if anything were written: {path: (inode, size, mtime, ctime)}."""
    seen = {}
    for folder, _, names in os.walk(home):
        for path in [folder] + [os.path.join(folder, name) for name in names]:
            stat = os.lstat(path)
            seen[path] = (stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
    return seen
