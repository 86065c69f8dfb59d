# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""A real maildrop and the model of it side by side, and where they are different."""

import re

from counters import Counters
from lab import Lab
from maildrop import Maildrop

IMAP_FLAGS = {"flagged": r"\Flagged", "junk": "$Junk", "keep": "keep", "seen": r"\Seen"}
ROW = re.compile(rb"FETCH \(UID (\d+) FLAGS \(([^)]*)\) RFC822\.SIZE (\d+) "
                 rb"BODY\[HEADER\.FIELDS \(X-NUMBER\)\] \{\d+\}\r\nX-Number: (\d+)", re.I)


class Difference(AssertionError):
    pass


class Comparison:
    """What steps do to both; each of them is a method of a class that is made of this one."""

    def __init__(self, plan, base):
        self.plan = plan
        self.lab = Lab(base, plan.form)
        self.lab.now = plan.first
        self.drop = Maildrop()
        self.counters = Counters()
        self.settings = dict(plan.settings)
        self.rules_args = None
        self.number = 0
        self.log = []
        self.began = plan.first
        # a session has to find out first what the mailbox is now
        self.needs_session = False
        # UIDLs may have been stored that are not those of Dovecot
        self.is_stored = False
        # the journal was lost, and not written anew
        self.has_no_journal = False
        self.is_damaged = False
        self.has_lost_lines = self.was_damaged = False
        self.saved = None
        # so that nobody believes a test that has tested nothing
        self.counts = {"sessions": 0, "taken": 0, "refused": 0, "told": 0, "hidden": 0, "disasters": 0}

    def do(self, step, number):
        self.began = self.lab.now
        self.log.append("%s. %d %s" % (number, self.began, step))
        getattr(self, "do_" + step.name)(step.parts, **step.args)

    def note(self, *words):
        self.log[-1] += " " + " ".join(map(str, words))

    def check(self, is_true, *words):
        if not is_true:
            there = ["%d: %s" % (key, {name: value for name, value in vars(message).items() if name != "data"})
                     for key, message in self.drop.messages.items()]
            raise Difference("\n".join([*self.log, *there, str(self.drop.rules), "high %s seen %s" % (
                self.drop.high, self.drop.seen), "WRONG: " + " ".join(map(str, words))]))

    def span(self):
        return self.began, self.lab.now

    def choose(self, places, among):
        """Different ones, in their order."""
        return sorted({int(place * len(among)) for place in places}) if among else []

    def keys(self, places):
        there = list(self.drop.messages)
        return [there[place] for place in self.choose(places, there)]

    def imap(self, *commands):
        reply = self.lab.imap(*commands)
        bad = re.findall(rb"^\d+ (?:NO|BAD).*", reply, re.M)
        self.check(not bad, commands, bad)
        return reply

    # -- what there is

    def rows(self, mailbox, is_settled=True):
        """(uid, flags, size, number of the mail) of each message, as stock Dovecot has it."""
        reply = self.imap("STATUS %s (MESSAGES)" % mailbox, "EXAMINE " + mailbox,
                          "UID FETCH 1:* (UID FLAGS RFC822.SIZE BODY.PEEK[HEADER.FIELDS (X-NUMBER)])")
        found = [(int(uid), {name for name, flag in IMAP_FLAGS.items() if flag.encode().lower() in flags.lower().split()},
                  int(size), int(number)) for uid, flags, size, number in ROW.findall(reply)]
        count = int(re.search(rb"STATUS \"?%s\"? \(MESSAGES (\d+)\)" % mailbox.encode(), reply).group(1))
        self.check(count == len(found) or not is_settled, "%d of %d messages of" % (len(found), count), mailbox, reply)
        return found

    def gone(self):
        """Who is not there any more."""
        there = self.drop.messages
        by_uid = {message.uid: key for key, message in there.items() if message.uid is not None}
        free = [key for key, message in there.items() if message.uid is None]
        found = []
        for uid, flags, size, mail in self.rows("INBOX"):
            key = by_uid.get(uid)
            if key is None:
                key = next((key for key in free if there[key].mail == mail), None)
                self.check(key is not None, "message %d (UID %d) should not be there" % (mail, uid))
                free.remove(key)
            message = there[key]
            self.check((message.mail, message.size) == (mail, size), "UID", uid, "is", mail, "of", size, message)
            self.check(message.flags - {"seen"} == flags - {"seen"}, "flags of", mail, "are", flags)
            message.uid = uid
            found.append(key)
        self.check(found == [key for key in there if key in found], "the order is", found)
        return [key for key in there if key not in found]

    def look(self):
        gone = self.gone()
        self.check(not gone, "lost is", gone)

    def judge_rules(self, actor, must, count=None, is_forced=False):
        span, drop = self.span(), self.drop
        drop.look_as(actor, span[1])
        gone = self.gone()
        self.counts["taken"] += len(gone)
        mails = [drop.known[key].mail for key in gone]
        self.note("went", mails)
        if drop.rules.move and gone:
            drop.archive += mails
            found = [mail for _, _, _, mail in self.rows("Archive")]
            self.check(sorted(found) == sorted(drop.archive), "Archive has", found, "and not", drop.archive)
        if count is not None and not drop.rules.report_only:
            self.check(count == len(gone), "doveadm says", count)
        reason = drop.complain(gone, span, is_forced)
        self.check(reason is None, reason)
        if must:
            reason = drop.overdue(self.began, is_forced)
            self.check(reason is None, reason)

    # -- what is another one now

    def becomes_another(self):
        """What was not written down is not known any more."""
        self.counts["disasters"] += 1
        self.needs_session = True
        self.drop.forget_uidls(only_unrecorded=not self.has_no_journal)
        self.drop.forget_copies()
        for message in self.drop.messages.values():
            message.perhaps_downloaded |= self.has_lost_lines

    def relearn(self):
        """The order of messages is another one, and flags may be lost; some may be there that were removed."""
        drop, order = self.drop, []
        free = list(drop.messages)
        for uid, flags, size, mail in self.settled_rows():
            key = next((key for key in free if drop.known[key].mail == mail), None)
            if key is None:
                key = self.come_back(mail)
            else:
                free.remove(key)
            message = drop.known[key]
            self.check(message.size == size, mail, "has", size)
            message.uid = uid
            if message.flags != flags:
                message.flags, message.unsettled = set(flags), self.lab.now
            order.append(key)
        if self.lab.form == "mdbox":
            # of copies that share their storage it finds one
            free = [key for key in free if drop.known[key].mail not in {drop.known[other].mail for other in order}]
        self.check(not free, "lost in a disaster is", [drop.known[key].mail for key in free])
        drop.reorder(order)
        for key in order:
            message = drop.known[key]
            copies = [other for other in order if drop.known[other].mail == message.mail]
            if len(copies) > 1:
                # nobody can tell which is which
                message.uidl = None
                message.doubtful = True
        drop.saved = [mail for _, _, _, mail in self.rows("Saved")] if drop.saved else []
        if drop.archive:
            drop.archive = [mail for _, _, _, mail in self.rows("Archive")]

    def settled_rows(self):
        """Stock Dovecot may need some sessions to notice what has happened."""
        wanted = {message.mail for message in self.drop.messages.values()}
        for _ in range(5):
            self.imap()
            self.lab.now += 5
            rows = self.rows("INBOX", is_settled=False)
            if wanted <= {mail for _, _, _, mail in rows}:
                break
        return self.rows("INBOX")

    def come_back(self, mail):
        """A message that was removed."""
        found = [key for key, message in self.drop.known.items() if message.mail == mail and
                 key not in self.drop.messages]
        self.check(found, "there is", mail, "that nobody has delivered, or once more")
        message = self.drop.known[found[-1]]
        message.uidl = None
        message.doubtful = True
        message.unsettled = self.lab.now
        for device, span in message.downloads.items():
            message.downloads[device] = span[0], float("inf")
        self.drop.messages[found[-1]] = message
        return found[-1]
