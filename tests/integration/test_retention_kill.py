# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""The run at the end of a session is killed at each call of it that changes a file: no message is lost, none goes that
no rule takes, and the next sessions do what is left to do."""

import collections
import contextlib
import imaplib
import os
import re
import shutil
import subprocess

import pytest

import mailgen
import retention
from conftest import FORMATS
from pop3 import LineClosed
from prey import ALL_CALLS, ONE_WAITS, Prey, remove_stale_locks
from retention import fields

pytestmark = pytest.mark.native

# 2 is never downloaded, and 3 is flagged
DUE, KEPT = [1, 4, 5], [2, 3]
# was in the target before
OLD = 100
# the kill comes before the call: what a call cannot change need not be asked about
CHANGE = re.compile(r"rename|ftruncate|p?write|unlink|link|mkdir|sendfile|openat\(.*O_CREAT")
# locks, and what Dovecot could do without
NO_MAIL = re.compile(r'\.lock[^/"]*[">]|list\.index')
ACTIONS = {"expunge": ("expunge", []), "move": ("move Archive", [OLD]), "move-to-new": ("move Archive", [])}


class Victim:
    """A user whose runs are killed, each time with the same mail."""

    def __init__(self, user, moves, old):
        self.user = user
        self.moves = moves
        self.old = old
        self.copy = os.path.join(user.server.root, "copy-of-" + user.name)
        self.uidls = None
        # one of a run that was killed before it expunged, and in a damaged mdbox one of each session that cannot
        self.most_copies = 4 if user.form == "mdbox" else 2

    def prepare(self):
        self.user.append([mailgen.message(number) for number in sorted(DUE + KEPT)])
        retention.mark(self.user, "3", "+FLAGS", r"(\Flagged)")
        if self.old:
            with retention.selected(self.user) as imap:
                imap.create("Archive")
                imap.append("Archive", None, None, mailgen.message(OLD))
        self.poll()
        # a format that looks at the times of its folders looks twice at a time that is of now
        for path, _, _ in os.walk(self.user.home):
            os.utime(path, (self.user.server.stamp, self.user.server.stamp))
        self.uidls = self.poll()
        subprocess.run(["cp", "-a", self.user.home, self.copy], check=True)

    def begin_again(self):
        shutil.rmtree(self.user.home)
        subprocess.run(["cp", "-a", self.copy, self.user.home], check=True)

    def session(self, prey):
        """Downloads what is due and what is flagged; may be killed from QUIT on."""
        with self.user.session() as pop3:
            assert all(reply.ok for reply in pop3.pipeline("RETR 1", "RETR 3", "RETR 4", "RETR 5"))
            with contextlib.suppress(LineClosed):
                pop3.command("QUIT")
        prey.wait_gone()

    def poll(self):
        """A session that nobody kills, and that downloads nothing."""
        prey = Prey(self.user.server)
        with self.user.session() as pop3:
            uidls = list(pop3.uidl().values())
            assert pop3.quit().ok
        prey.wait_gone()
        return uidls

    def finish(self):
        """A session or two. An mdbox may be damaged since the kill. Then what cannot be expunged is left alone for a day,
        unless somebody asks for it; and some damage, with which an IMAP client cannot expunge these messages either, the
        administrator has to mend first."""
        for _ in range(2):
            self.poll()
            if self.have("INBOX") == KEPT:
                return
        if self.user.form == "mdbox" and not self.run_now():
            assert "refcount too low" in self.user.server.log()
            self.user.doveadm("force-resync", "-u", self.user.name, "INBOX")
            assert self.run_now()

    def run_now(self):
        self.user.server.run_doveadm("pop3", "retention", "run", "-u", self.user.name, "--force", check=False)
        return self.have("INBOX") == KEPT

    def check(self):
        """Nothing is lost, and nothing is there too often; returns what is in INBOX and what has moved."""
        inbox, target = self.have("INBOX"), self.have("Archive")
        assert inbox == sorted(set(inbox)) and set(KEPT) <= set(inbox) <= set(KEPT + DUE)
        assert target[:len(self.old)] == self.old
        moved = target[len(self.old):]
        assert set(moved) <= set(DUE) and max(collections.Counter(moved).values(), default=0) <= self.most_copies
        if self.moves:
            assert set(inbox) | set(moved) == set(KEPT + DUE)
        else:
            assert not moved
        assert not [name for name in os.listdir(self.user.state_dir) if "corrupt" in name]
        return inbox, moved

    def have(self, mailbox):
        try:
            contents = retention.contents(self.user, mailbox)
        except imaplib.IMAP4.abort:
            # stock Dovecot has repaired an mdbox after the kill, and wants its clients to begin again
            assert self.user.form == "mdbox"
            contents = retention.contents(self.user, mailbox)
        except AssertionError:
            assert mailbox != "INBOX"
            contents = []
        if self.user.form == "mbox" and mailbox != "INBOX":
            # nothing marks where a copy would have ended that was killed
            contents = [data for data in contents if data in map(mailgen.message, DUE + [OLD])]
        numbers = [mailgen.number_of(data) for data in contents]
        assert contents == [mailgen.message(number) for number in numbers]
        return numbers


@pytest.fixture
def victim(start_server, make_user_on, form, action):
    server = start_server(**ONE_WAITS)
    expire_action, old = ACTIONS[action]
    user = make_user_on(server)(form, **fields(keep_downloaded="0", expire_action=expire_action))
    found = Victim(user, expire_action != "expunge", old)
    found.prepare()
    yield found
    # a process always waits, so that the server would never be idle
    server.stop()


def without_rewrites(points):
    """Dovecot writes what is behind a message that goes in the file of an mbox to its place: who kills it then has lost
    mail to stock Dovecot, too. The first of such calls is left, as the kill comes before it."""
    inside = ["/inbox>" in line for _, _, line in points]
    assert any(inside)
    return [point for point, now, before in zip(points, inside, [False] + inside) if not (now and before)]


def points_of_run(victim):
    """(call, the how manieth of a session it is) for each call of a run that changes something."""
    victim.begin_again()
    prey = Prey(victim.user.server)
    prey.trace()
    victim.session(prey)
    counts = collections.Counter()
    points, under_way = [], False
    for line in prey.calls():
        call = line.split("(")[0]
        counts[call] += 1
        under_way |= "retention.lock" in line
        if under_way and CHANGE.match(line) and not NO_MAIL.search(line):
            points.append((call, counts[call], line))
    assert victim.check() == (KEPT, DUE if victim.moves else [])
    return without_rewrites(points) if victim.user.form == "mbox" else points


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("form", FORMATS)
def test_killed_in_a_run(victim):
    seen, missed = set(), 0
    for call, number, line in points_of_run(victim):
        victim.begin_again()
        prey = Prey(victim.user.server)
        assert prey.kill_at(call, number, ALL_CALLS)
        victim.session(prey)
        point = "killed at %s %d: %s" % (call, number, line)
        if not prey.was_killed():
            # not each session has written as much
            missed += 1
            assert victim.check()[0] == KEPT, point
            continue
        assert any("retention.lock" in line for line in prey.calls()), point
        remove_stale_locks(victim.user)
        inbox, moved = victim.check()
        seen.add((len(inbox), len(moved)))
        victim.finish()
        inbox, moved = victim.check()
        assert inbox == KEPT, point
        assert victim.poll() == [victim.uidls[number - 1] for number in KEPT], point
    assert missed <= 3
    # killed before anything was done, and when all was done but what is written down of it
    assert {(len(KEPT + DUE), 0), (len(KEPT), len(DUE) if victim.moves else 0)} <= seen
    # and between them: one is tried before the others
    assert not victim.moves or {(len(KEPT + DUE), 1), (len(KEPT + DUE) - 1, len(DUE))} <= seen
