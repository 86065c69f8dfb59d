# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""What stock Dovecot makes of the same fault at the same call, in sessions that take the same messages away."""

import dataclasses

import lab
from scenarios import ALL, ARCHIVE, COMMANDS, FIRST, NOW
from verdict import BROKEN, FULL, LEFT, LOST, TAKEN, TWICE, UIDL, Verdict

# when Dovecot has broken a mailbox, messages in it are others than they were
BREAKS = {BROKEN, LOST, TWICE}
BROKEN_MAIL = {*BREAKS, LEFT, TAKEN, UIDL}
WRITES = {"write", "pwrite", "writev", "sendfile"}
# calls that need space
SPACE = WRITES | {"create", "mkdir", "link", "rename", "renameat", "symlink", "fsync", "fdatasync", "ftruncate",
                  "posix_fallocate"}
GOES = sorted({*FIRST, *NOW})


class Control:
    """Sessions of stock Dovecot in the home of a stage: POP3 with DELE, and IMAP with MOVE."""

    def __init__(self, stage):
        self.stage = stage
        self.programs = stage.home.lab("stock")
        self.found = {}
        self.uidls = None

    def pop3(self, variables):
        return self.deleting(GOES, variables)

    def pop3_first(self, variables):
        return self.deleting(GOES[:1], variables)

    def deleting(self, numbers, variables):
        return self.programs.session([*COMMANDS[:-1], *map("DELE %d".__mod__, numbers), "QUIT"], variables)

    def imap(self, variables):
        """Retention tries one message before the others."""
        lines = ["1 CREATE " + ARCHIVE, "2 SELECT INBOX", "F UID FETCH %s BODY[]" % ",".join(map(str, NOW)),
                 "3 UID MOVE %d %s" % (GOES[0], ARCHIVE),
                 "4 UID MOVE %d:%d %s" % (GOES[1], GOES[-1], ARCHIVE), "5 LOGOUT"]
        return self.programs.session(lines, variables, program="imap")

    def points(self, run, point):
        """Variables for each at which the same may happen: at calls of the same name with a file of the same name; on a
        disk that stays full, at any."""
        more = {"open": 1} if point.fault == "EMFILE" else {}
        home = self.stage.home.home
        calls = [call for call in self.stage.home.recorded(run, **more) if call.counts]
        for call in calls:
            if point.fault == FULL and call.name in SPACE or call.key(home) == point.call.key(home):
                yield dataclasses.replace(point, call=call).variables_among(calls, home)

    def known(self):
        """The UIDLs of stock Dovecot."""
        if self.uidls is None:
            self.stage.home.again()
            self.uidls = lab.told_uidls(self.programs.session(["UIDL", "QUIT"]).reply)
        return self.uidls

    def has(self, point, kinds):
        """Whether stock Dovecot may be blamed for all of that."""
        key = point.fault, point.call.key(self.stage.home.home) if point.fault != FULL else None
        if key not in self.found:
            self.found[key] = set()
            for run, target in ((self.pop3, None), (self.pop3_first, None), (self.imap, ARCHIVE)):
                for variables in self.points(run, point):
                    done = self.stage.home.harmed(run, variables)
                    if done is not None:
                        self.found[key] |= self.judge(point, done, target)
            if self.found[key] & BREAKS:
                self.found[key] |= BROKEN_MAIL
        return kinds <= self.found[key]

    def judge(self, point, done, target):
        found = Verdict(self.stage.home, self.known(), self.programs, self.programs)
        found.look_at(done, point.fault)
        if target is not None:
            # IMAP tells no UIDLs, and says goodbye in another way
            found.goodbye = b"3 OK" in done.reply or b"4 OK" in done.reply
        mail = found.later()
        found.same_uidls(mail)
        found.mail(mail, set(GOES) if target is None or found.goodbye else ALL, target)
        return found.kinds
