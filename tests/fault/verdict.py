# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""What must hold for a session that was harmed, for those after it, and for all mail of the user."""

import collections
import os
import re

import jsonschema

import lab
import state_check
from scenarios import ALL, ARCHIVE, OLD

# what a complaint is about
HANGS, CRASHES, REFUSED, LOST, TAKEN, TWICE, BROKEN, UIDL, COUNT, STATE, LEFT = (
    "hangs", "crashes", "refused", "lost", "taken", "twice", "broken", "UIDL", "count", "state", "left")
# a disk that is full, and stays so
FULL = "full"
KILLS = ("before", "after", "half")
# that a later session needs to find the mailbox whole again
SESSIONS = 3
SCHEMA = state_check.schema_validator("state")
MAILBOX = re.compile(rb"\{(\d+)\}\r\n")


def contents(programs, *mailboxes):
    """Numbers of the messages in each mailbox, None if there is none."""
    lines = [line % name for name in mailboxes for line in ("S SELECT %s", "F%.0s FETCH 1:* BODY.PEEK[]")]
    done = programs.session([*lines, "L LOGOUT"], program="imap")
    found = []
    for reply in re.split(rb"^S ", done.reply + b"S NO", flags=re.M)[1:]:
        # what comes after the reply to SELECT is about that mailbox
        found.append(messages(reply) if reply.startswith(b"OK") else None)
    return (found + [None] * len(mailboxes))[:len(mailboxes)]


def messages(reply):
    found = [reply[literal.end():literal.end() + int(literal.group(1))] for literal in MAILBOX.finditer(reply)]
    # an mbox has nothing to tell where a copy would have ended that was killed
    return [number for data in found for number in lab.numbers_of(data)]


class Verdict:
    """COMPLAINTS are pairs: what it is about, and how it is. PROGRAMS is what was harmed, and QUIET what looks
    afterwards."""

    def __init__(self, home, known, programs, quiet):
        self.home = home
        self.known = known
        self.programs = programs
        self.quiet = quiet
        self.complaints = []
        self.uidls = None
        self.goodbye = False
        self.got = []

    def say(self, kind, text):
        self.complaints.append((kind, text))

    @property
    def kinds(self):
        return {kind for kind, _ in self.complaints}

    # -- the session itself

    def ended(self, done, what):
        """A session that nobody has killed ends by itself."""
        if done.hangs:
            self.say(HANGS, what + " waits in vain")
        elif done.status != 0 or done.trouble:
            self.say(CRASHES, "%s ended with %d: %s" % (what, done.status, done.trouble))

    def look_at(self, done, fault):
        if not (fault in KILLS and done.was_killed):
            self.ended(done, "it")
        self.uidls = lab.told_uidls(done.reply)
        self.got = lab.told_messages(done.reply)
        self.goodbye = lab.said_goodbye(done.reply)
        for number, uidl in self.known.items():
            if self.uidls is not None and self.uidls.get(number) != uidl:
                self.say(UIDL, "told %s for %d, known is %s" % (self.uidls.get(number), number, uidl))

    def counted(self, before):
        """What was sent is counted, also when the session is dead."""
        sent = sum(octets for _, octets in self.got)
        try:
            counted = self.home.bytes_today() - before
        except ValueError as error:
            self.say(STATE, str(error))
            return
        if counted < sent:
            self.say(COUNT, "sent %d octets, counted %d" % (sent, counted))

    def state(self):
        """Files of the state are whole, or are not there."""
        try:
            names = os.listdir(self.home.state_dir)
        except FileNotFoundError:
            return
        if any("corrupt" in name for name in names):
            self.say(STATE, " ".join(names))
        try:
            state = self.home.read_state()
        except ValueError as error:
            self.say(STATE, str(error))
            return
        for error in SCHEMA.iter_errors(state) if state else ():
            self.say(STATE, error.message)

    def state_in_the_end(self):
        """Nothing is left of the fault."""
        try:
            state_check.check_home(self.home.home)
        except (AssertionError, ValueError, jsonschema.ValidationError) as error:
            self.say(STATE, "in the end: %s" % error)

    # -- those after it

    def later(self):
        """The mail as a session finds it that nobody harms: {number: UIDL}."""
        self.home.unlock()
        for attempt in range(SESSIONS):
            done = self.quiet.session(["UIDL", *map("RETR %d".__mod__, range(1, 12)), "QUIT"])
            self.ended(done, "the next session")
            uidls = lab.told_uidls(done.reply)
            if uidls is not None:
                break
            self.say(REFUSED, "session %d: %r %s" % (attempt + 1, done.reply[-100:], done.log[-200:]))
        else:
            return {}
        got = [numbers for numbers, _ in lab.told_messages(done.reply)]
        there = [number for numbers in got for number in numbers]
        if any(len(numbers) != 1 for numbers in got):
            self.say(BROKEN, "messages are %s" % got)
        elif len(there) != len(uidls):
            self.say(LOST, "%d UIDLs, %d messages" % (len(uidls), len(there)))
        if len(set(there)) != len(there) or len(set(uidls.values())) != len(uidls):
            self.say(TWICE, "%s %s" % (there, uidls))
        return dict(zip(there, uidls.values()))

    def same_uidls(self, found):
        told = {**(self.uidls or {}), **self.known}
        for number, uidl in found.items():
            if told.get(number, uidl) != uidl:
                self.say(UIDL, "message %d has %s, it was %s" % (number, uidl, told[number]))
            if uidl in set(told.values()) - {told.get(number)}:
                self.say(UIDL, "message %d has the UIDL of another one" % number)

    def mail(self, found, may_go, target):
        """Each message is there, or has gone as it should: MAY_GO at the end of a session that has said goodbye, to
        TARGET or for good."""
        moved = []
        if target is not None:
            moved = [number for number in contents(self.quiet, target)[0] or [] if number != OLD]
        lost = ALL - set(found) - set(moved) - (may_go if target is None and self.goodbye else set())
        if lost:
            self.say(LOST, "%s are nowhere" % sorted(lost))
        taken = ALL - set(found) - (may_go if self.goodbye else set())
        if taken - lost:
            self.say(TAKEN, "%s are not in INBOX" % sorted(taken))
        # of a message that moves there are two for a moment, and the next one to move it finds it in both places
        if max(collections.Counter(moved).values(), default=0) > 2:
            self.say(TWICE, "%s are in %s" % (moved, target))

    def works_again(self, goes, target):
        """All that was downloaded by now leaves at the end of a session, if it GOES at all."""
        wanted, mailboxes = set() if goes else ALL, ["INBOX"] + ([target] if target else [])
        # what was under way when somebody was killed takes one more
        for _ in range(2):
            self.ended(self.programs.session(["QUIT"]), "a later session")
            inbox, *moved = contents(self.quiet, *mailboxes)
            if inbox is not None and set(inbox) == wanted:
                break
        else:
            inbox, *moved = self.run_now(mailboxes)
        if set(inbox or []) != wanted:
            self.say(LEFT, "INBOX has %s in the end" % inbox)
        if target and not ALL <= set(moved[0] or []):
            self.say(LOST, "%s in the end has %s" % (target, moved[0]))

    def run_now(self, mailboxes):
        """What could not be removed is left alone for a day, unless somebody asks for it; a damaged mdbox has to be
        mended first, or Dovecot removes nothing from it at all."""
        for mend in (False, True):
            if mend and self.home.form == "mdbox":
                self.programs.doveadm("force-resync", "INBOX", check=False)
            self.programs.doveadm("pop3 retention run", "--force", check=False)
            found = contents(self.quiet, *mailboxes)
            if not found[0]:
                break
        return found


def judge(stage, fault, done):
    """The verdict on a session of a scenario that was harmed."""
    scenario = stage.scenario
    found = Verdict(stage.home, stage.known, stage.programs, stage.quiet)
    target = ARCHIVE if scenario.moves else None
    found.look_at(done, fault)
    if fault != FULL:
        # who cannot write counts in memory
        found.counted(stage.counted)
    found.state()
    mail = found.later()
    found.same_uidls(mail)
    downloaded = scenario.downloaded | {number for numbers, _ in found.got for number in numbers}
    found.mail(mail, downloaded if scenario.goes else set(), target)
    found.works_again(scenario.goes, target)
    found.state_in_the_end()
    return found
