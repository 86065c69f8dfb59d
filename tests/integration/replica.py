# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""One of several copies of a maildir to which the same things happen: what can be done to it by hand, and what of it
must be equal on all copies."""

import contextlib
import glob
import hashlib
import json
import os
import re
import shutil
import tempfile

import user as users
from standalone import APART, PLAIN, Programs

BORN = 1_600_000_000
UIDVALIDITY = BORN + 1
MAILBOX_GUID = "0123456789abcdef" * 2
# what Dovecot calls the files that it makes itself: a time, microseconds and a process id
MADE_NAME = re.compile(r"(\d+)\.M(\d+)P(\d+)\.[^\s,:/\"]+")
# of messages; it matters only that there is one, as the sessions of two copies are not in the same second
TIMES = ("downloaded", "gone")
# times, what is made of them, and windows of the quota that may end between the sessions of two copies
NOT_COMPARED = ("brief", "epoch", "listed", "retention", "start", "hour", "day", "week")
# Dovecot looks again into folders that were changed within the last second, the plugin at the contents of files that
# were changed within the last 30.
QUIET_TIME = 100


@contextlib.contextmanager
def folder(parent):
    """A new one for copies, which the user may look into."""
    path = tempfile.mkdtemp(prefix="copies-", dir=parent)
    os.chmod(path, 0o755)
    yield path
    shutil.rmtree(path)


class Replica:
    """The mail in the folder NAME of BASE, and the programs that serve it. POLICY are the settings of the plugin, None
    is stock Dovecot."""

    def __init__(self, base, name, settings, policy=None, layout=PLAIN):
        self.name = name
        self.base = os.path.join(base, name)
        self.home = os.path.join(self.base, "home")
        self.maildir = os.path.join(self.home, "Maildir")
        self.state_dir = os.path.join(self.home, "pop3-policy")
        self.control = os.path.join(self.home, "control" if layout == APART else "Maildir")
        self.index = os.path.join(self.home, "index" if layout == APART else "Maildir")
        for folder in ("cur", "new", "tmp"):
            os.makedirs(os.path.join(self.maildir, folder), mode=0o700)
        if layout == APART:
            # of INBOX; what is of all mailboxes is in the folders above
            self.control = os.path.join(self.control, ".INBOX")
            self.index = os.path.join(self.index, ".INBOX")
            os.makedirs(self.control)
            os.makedirs(self.index)
        self.names = {}
        self.seconds = 0
        self.write_control("dovecot-uidlist", "3 V%d N1 G%s\n" % (UIDVALIDITY, MAILBOX_GUID))
        # the next one is this plus one, not the time
        above = os.path.dirname(self.control) if layout == APART else self.control
        for end, text in (("", "%08x" % UIDVALIDITY), (".%08x" % UIDVALIDITY, "")):
            with open(os.path.join(above, "dovecot-uidvalidity" + end), "w", encoding="ascii") as file:
                file.write(text)
        users.chown_tree(self.base)
        self.programs = Programs(self.base, self.home, name, settings, policy, layout)
        # another server of the same mail, which has no plugin
        self.stock = self.programs
        if policy is not None:
            self.stock = Programs(self.base, self.home, "stock", settings, None, layout)

    def path(self, *names):
        return os.path.join(self.maildir, *names)

    @property
    def uidlist_path(self):
        return os.path.join(self.control, "dovecot-uidlist")

    # -- names

    def learn_names(self):
        """New files that Dovecot has named are numbered in the order in which it has made them."""
        found = {MADE_NAME.match(name) for sub in ("cur", "new") for name in os.listdir(self.path(sub))} - {None}
        for made in sorted(found, key=lambda made: [int(text) for text in made.groups()]):
            self.names.setdefault(made.group(), "made-%d" % (len(self.names) + 1))

    def same(self, text):
        """A text that Dovecot or the plugin has made, with the names that all copies have."""
        return MADE_NAME.sub(lambda made: self.names.get(made.group(), "unknown"), text)

    # -- files

    def write_control(self, name, text):
        with open(os.path.join(self.control, name), "w", encoding="latin-1") as file:
            file.write(text)
            os.fchown(file.fileno(), users.UID, users.GID)

    def deliver(self, name, data, sub="new"):
        """As a delivery agent does it."""
        with open(self.path("tmp", name), "wb") as file:
            file.write(data)
            os.fchown(file.fileno(), users.UID, users.GID)
        os.rename(self.path("tmp", name), self.path(sub, name))

    def messages(self):
        """(folder, name) of each message, in an order that is the same on all copies."""
        found = [(sub, name) for sub in ("cur", "new") for name in os.listdir(self.path(sub))]
        return sorted(found, key=lambda item: (self.same(item[1]), item[0]))

    def uidlist(self):
        """The lines of dovecot-uidlist without their ends; none if there is no such file."""
        try:
            with open(self.uidlist_path, encoding="latin-1") as file:
                return file.read().splitlines()
        except FileNotFoundError:
            return []

    def touch_uidlist(self):
        """As when its owner or mode is set anew, or a backup program has read it."""
        if os.path.exists(self.uidlist_path):
            info = os.stat(self.uidlist_path)
            os.utime(self.uidlist_path, ns=(info.st_atime_ns, info.st_mtime_ns))

    def indexes(self, pattern="dovecot.index*"):
        return sorted(glob.glob(os.path.join(self.index, pattern)))

    def rest(self):
        """Time goes by, as Dovecot and the plugin see it: no file was changed a moment ago."""
        for programs in (self.programs, self.stock):
            programs.seconds = self.seconds + QUIET_TIME
        self.seconds += QUIET_TIME

    # -- what is compared

    def files(self):
        """{(folder, name): digest of the content}"""
        found = {}
        for sub, name in self.messages():
            with open(self.path(sub, name), "rb") as file:
                found[sub, self.same(name)] = hashlib.sha256(file.read()).hexdigest()
        return found

    def uidlist_text(self):
        """The GUID of a mailbox that was lost is another random one on each copy."""
        lines = self.uidlist()
        if lines and MAILBOX_GUID not in lines[0]:
            lines[0] = re.sub(r"\bG[0-9a-f]{32}\b", "G", lines[0])
        return [self.same(line) for line in lines]

    def state(self):
        """What state.json and the journal say of UIDLs, without times."""
        found = []
        for name in ("state.json", "messages.jsonl"):
            path = os.path.join(self.state_dir, name)
            if os.path.exists(path):
                with open(path, encoding="utf-8") as file:
                    found += [without_times(json.loads(line)) for line in self.same(file.read()).splitlines()]
        return found


def is_time(value):
    """Not a count, or a list of UIDs."""
    return isinstance(value, int) and value > 10 ** 9


def without_times(value):
    if isinstance(value, dict):
        return {key: "a time" if key in TIMES and is_time(inner) else without_times(inner)
                for key, inner in value.items() if key not in NOT_COMPARED}
    return [without_times(inner) for inner in value] if isinstance(value, list) else value
