# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Some sessions, one after the other, in one process under valgrind: it sees each octet that a session leaves behind."""

import glob
import os
import random
import re
import smtplib

from dovecot import LIBEXEC
from polling import wait_for
from soak import Soak

PLANS = ["poll", "fetch", "fetch", "fetch_and_delete", "babble", "cut", "wrong_password"]
OURS = "pop3_policy_plugin"


def command(root):
    return ["/usr/bin/valgrind", "--tool=memcheck", "--leak-check=full", "--show-leak-kinds=definite,indirect,possible",
            "--errors-for-leak-kinds=none", "--vgdb=no", "--num-callers=30", "--keep-debuginfo=yes",
            "--log-file=%s/valgrind.%%p" % root, os.path.join(LIBEXEC, "pop3")]


def report(root):
    """What valgrind says of the process in the end."""
    path, = wait_for(lambda: glob.glob(os.path.join(root, "valgrind.*")), "the report of valgrind")

    def read():
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read()
        return text if "ERROR SUMMARY" in text else None

    return wait_for(read, "the end of the report of valgrind")


def leaks(text):
    """(blocks, record) of each leak that the plugin has a part in."""
    for record in re.split(r"\n==\d+== *\n", text):
        found = re.search(r"in ([\d,]+) blocks are (definitely|possibly|indirectly) lost", record)
        if found and OURS in record:
            yield int(found.group(1).replace(",", "")), record


def run(users, seed, sessions):
    """Complaints."""
    soak = Soak(users, seed, pop3_command=command, processes=1)
    chance = random.Random(seed)
    try:
        soak.server.start()
        with smtplib.LMTP(os.path.join(soak.server.root, "lmtp")) as lmtp:
            for _ in range(sessions):
                visitor = chance.choice(soak.visitors)
                visitor.deliver(lmtp)
                getattr(visitor, chance.choice(PLANS))()
        soak.server.stop()
        text = report(soak.server.root)
        said = list(soak.complaints)
    finally:
        soak.close()
    if "ERROR SUMMARY: 0 errors" not in text:
        said.append("valgrind found errors:\n" + text)
    said += ["leaked %d blocks in %d sessions:\n%s" % (blocks, sessions, record) for blocks, record in leaks(text)]
    return said
