# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Every call of a session with every fault that it can have."""

import collections
import dataclasses
import os
import zlib

import lab
from stock import SPACE, WRITES, Control
from verdict import FULL, judge

OPENS = {"create", "empty", "open"}
# the calls that can have a fault; None is all that change something
FAULTS = {"before": None, "after": None, "half": WRITES, "short": WRITES, "ENOSPC": SPACE, FULL: SPACE, "EDQUOT": SPACE,
          "EIO": None, "EROFS": None, "EMFILE": OPENS}


@dataclasses.dataclass(frozen=True)
class Point:
    """One call of a session with one fault."""

    call: lab.Call
    fault: str

    def variables(self):
        do = "ENOSPC" if self.fault == FULL else self.fault
        more = {"sticky": 1} if self.fault == FULL else {"open": 1} if self.fault == "EMFILE" else {}
        return lab.fault(do, self.call.number, **more)

    def variables_among(self, calls, home):
        """For another run below HOME than that of CALLS, which are all that it has made."""
        return {**self.variables(), **self.call.among(calls, home)}

    @property
    def site(self):
        return "%s: %s" % (self.call.owner, self.call.name)


def points(calls, calls_with_opens):
    """All points of a session. Nothing tears a write to a local file that is shorter than a page, so that only ours are
    torn: what Dovecot's own files then do to a mailbox is not about us."""
    for fault, names in FAULTS.items():
        for call in calls_with_opens if fault == "EMFILE" else calls:
            if (names is None or call.name in names) and (fault != "half" or call.owner != lab.DOVECOTS):
                yield Point(call, fault)


# one of so many points are tried, numbers that divide nothing which repeats itself; POP3_POLICY_FAULTS=N tries all of
# ours, and one of N of Dovecot's
EACH_OF_OURS, EACH_OF_DOVECOTS = 17, 67
GIVEN = os.environ.get("POP3_POLICY_FAULTS")
if GIVEN:
    EACH_OF_OURS, EACH_OF_DOVECOTS = 1, int(GIVEN)


def share(points, name):
    """Those that are tried, which are the same each time for what has this name."""
    for is_dovecots, step in ((False, EACH_OF_OURS), (True, EACH_OF_DOVECOTS)):
        those = [point for point in points if (point.call.owner == lab.DOVECOTS) == is_dovecots]
        yield from those[zlib.crc32(name.encode()) % step::step]


class Table:
    """How many points of each call had each fault, and what came of it."""

    def __init__(self):
        self.runs = collections.Counter()
        self.bad = collections.Counter()
        self.stock = collections.Counter()

    def add(self, point, bad, like_stock):
        key = point.site, point.fault
        self.runs[key] += 1
        self.bad[key] += bad
        self.stock[key] += like_stock

    def cell(self, site, fault):
        key = site, fault
        text = str(self.runs[key]) if self.runs[key] else ""
        text += " (%d as stock)" % self.stock[key] if self.stock[key] else ""
        return text + (" **%d BAD**" % self.bad[key] if self.bad[key] else "")

    def markdown(self, title):
        sites = sorted({site for site, _ in self.runs}, key=lambda site: (site.startswith(lab.DOVECOTS), site))
        rows = [["call", *FAULTS]] + [[site] + [self.cell(site, fault) for fault in FAULTS] for site in sites]
        widths = [max(map(len, column)) for column in zip(*rows)]
        lines = ["| %s |" % " | ".join(word.ljust(width) for word, width in zip(row, widths)) for row in rows]
        rule = "|%s|" % "|".join("-" * (width + 2) for width in widths)
        total = "%d runs, %d violations; %d times stock Dovecot does the same" % (
            self.runs.total(), self.bad.total(), self.stock.total())
        return "\n".join([title, "", lines[0], rule, *lines[1:], "", total]) + "\n"


class Harm:
    """Runs points of a stage."""

    def __init__(self, stage, table):
        self.stage = stage
        self.table = table
        self.control = Control(stage)
        self.failures = []
        self.missed = []

    def harmed(self, point):
        """The session, harmed at that call; None if it did not make that call again."""
        home = self.stage.home
        known = self.stage.calls(opens=point.fault == "EMFILE")
        done = home.harmed(self.stage.run, point.variables_among(known, home.home))
        if done is None:
            self.missed.append(point)
        return done

    def check_found(self, points):
        """All of them were harmed, but for a few: Dovecot makes some calls only if a file has just changed."""
        assert len(self.missed) <= 1 + len(points) // 100, "%d of %d points were never reached: %s" % (
            len(self.missed), len(points), self.missed)

    def run(self, point):
        done = self.harmed(point)
        if done is None:
            return
        found = judge(self.stage, point.fault, done)
        # a disk that stays full meets Dovecot's own calls, too
        like_stock = bool(found.kinds) and (point.call.owner == lab.DOVECOTS or point.fault == FULL) and \
            self.control.has(point, found.kinds)
        if found.kinds and not like_stock:
            self.failures.append("%s, %s, %s at call %d, %s: %s (it ended with %d, its last words were %r)" % (
                self.stage.form, self.stage.scenario.name, point.fault, point.call.number,
                " ".join(point.call.key(self.stage.home.home)), "; ".join("%s: %s" % pair for pair in found.complaints),
                done.status, done.reply[-60:]))
        self.table.add(point, bool(found.kinds) and not like_stock, like_stock)
