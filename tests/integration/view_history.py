# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""A random history of a maildrop of which clients are shown changing parts, beside a model of what they are shown, of
what their commands do to it, and of what the rules take."""

import dataclasses
import random
import typing

import disasters
import mailgen
import retention
import retention_doveadm
from view import JUNK, LARGE, SMALL, junk, look, viewed

DAY = 24 * 3600
VIEWS = {
    JUNK: lambda message: not message.junk,
    SMALL: lambda message: message.size < 5000,
    "%s %s" % (JUNK, SMALL): lambda message: not message.junk and message.size < 5000,
    "KEYWORD $Junk OR LARGER 5000": lambda message: message.junk or message.size > 5000,
    "NOT FLAGGED": lambda message: not message.flagged,
    'NOT SUBJECT "message 1"': lambda message: not str(message.number).startswith("1"),
    "ALL": lambda message: True,
    "NOT ALL": lambda message: False,
}
EXEMPT = {"FLAGGED": lambda message: message.flagged, "none": lambda message: False}


@dataclasses.dataclass
class Message:
    number: int
    size: int
    junk: bool = False
    flagged: bool = False
    # when, and by whom does not matter
    downloaded: typing.Optional[int] = None


@dataclasses.dataclass
class Rules:
    """None is forever, or unlimited."""
    view: str
    exempt: str
    days: typing.Optional[int]
    max_messages: typing.Optional[int]
    max_size: typing.Optional[int]
    move: bool

    def fields(self):
        return retention.fields(
            exempt=self.exempt, keep_downloaded="forever" if self.days is None else "%dd" % self.days,
            keep_max_messages=str(self.max_messages or "unlimited"), keep_max_size=str(self.max_size or "unlimited"),
            expire_action="move Archive" if self.move else "expunge")

    def takes(self, messages, now):
        """The messages that go at this time, of all that are there in the order of their UIDs."""
        may_go = [message for message in messages if message.downloaded is not None and
                  VIEWS[self.view](message) and not EXEMPT[self.exempt](message)]
        gone = [message for message in may_go if self.days is not None and
                now - message.downloaded >= self.days * DAY]
        left = [message for message in messages if message not in gone]
        # a stable sort: those of one second go in the order of UIDs
        candidates = sorted((message for message in may_go if message in left), key=lambda found: found.downloaded)
        while candidates and ((self.max_messages and len(left) > self.max_messages) or
                              (self.max_size and sum(message.size for message in left) > self.max_size)):
            gone.append(candidates[0])
            left.remove(candidates.pop(0))
        return {message.number for message in gone}


class Difference(AssertionError):
    pass


class History:
    def __init__(self, seed, new_user, form):
        self.chance = random.Random(seed)
        self.new_user = new_user
        self.user = new_user(form)
        self.clock = self.user.server.clock
        self.messages = []
        self.uidls = {}
        self.number = 0
        self.archive = []
        self.log = ["history %d (POP3_POLICY_SEED), %s" % (seed, form)]
        # so that nobody believes a test that has tested nothing
        self.counts = {"hidden": 0, "deleted": 0, "taken": 0}

    def play(self, steps):
        self.deliver()
        self.change_rules()
        things = {self.session: 12, self.deliver: 4, self.mark: 5, self.expunge: 1, self.change_rules: 3, self.run: 3,
                  self.pass_time: 2, self.disaster: 1}
        for thing in self.chance.choices(list(things), list(things.values()), k=steps):
            thing()
        self.session()
        self.run()

    def note(self, *words):
        self.log.append(" ".join(map(str, words)))

    def check(self, is_true, *words):
        if not is_true:
            self.note("WRONG:", *words)
            raise Difference("\n".join(self.log + [str(message) for message in self.messages]))

    # -- what happens to the mailbox

    def deliver(self):
        first = self.number + 1
        self.number += self.chance.choice([1, 2, 4])
        made = [(number, mailgen.message(number, self.chance.choice([500, 1500, LARGE])))
                for number in range(first, self.number + 1)]
        self.note("deliver", [(number, len(data)) for number, data in made])
        self.user.append([data for _, data in made])
        self.messages += [Message(number, len(data)) for number, data in made]

    def some(self, most, of=None):
        found = self.messages if of is None else of
        return sorted(self.chance.sample(range(len(found)), min(len(found), self.chance.randint(0, most))))

    def mark(self):
        places, attribute, value = self.some(4), self.chance.choice(["junk", "junk", "flagged"]), \
            self.chance.random() < 0.6
        if not places:
            return
        self.note(attribute, value, [self.messages[place].number for place in places])
        numbers = ",".join(str(place + 1) for place in places)
        if attribute == "junk":
            junk(self.user, numbers, value)
        else:
            retention.mark(self.user, numbers, "+FLAGS" if value else "-FLAGS", r"(\Flagged)")
        for place in places:
            setattr(self.messages[place], attribute, value)

    def expunge(self):
        for place in self.some(1):
            self.note("expunge", self.messages[place].number)
            self.user.expunge(place + 1)
            del self.messages[place]

    def disaster(self):
        """UIDLs are found again by a session that shows a part."""
        self.note("UIDVALIDITY changes")
        disasters.uidvalidity_changed(self.user)
        self.session()

    def pass_time(self):
        self.clock.advance(hours=13)

    # -- sessions

    def change_rules(self):
        chance = self.chance
        self.rules = Rules(chance.choice(list(VIEWS)), chance.choice(list(EXEMPT)),
                           chance.choice([None, None, 0, 2]), chance.choice([None, None, 3, 8]),
                           chance.choice([None, None, None, 20000]), chance.random() < 0.3)
        self.note(self.rules)
        self.login = viewed(self.new_user, self.user, self.rules.view, **self.rules.fields())

    def shown(self):
        return [message for message in self.messages if VIEWS[self.rules.view](message)]

    def look(self, pop3, there):
        found = look(pop3)
        self.counts["hidden"] += len(self.messages) - len(there)
        self.check(found.numbers == [message.number for message in there], "shown are", found.numbers)
        for number, uidl in zip(*found):
            self.check(self.uidls.setdefault(number, uidl) == uidl, number, "was", self.uidls[number], "and is", uidl)
        self.check(len(set(self.uidls.values())) == len(self.uidls), "one UIDL is that of two")

    def session(self):
        self.clock.advance(minutes=1)
        there = self.shown()
        got, deleted = self.some(5, there), self.some(2, there) if self.chance.random() < 0.4 else []
        ends_well, resets = self.chance.random() < 0.85, self.chance.random() < 0.1
        self.note("RETR", [there[place].number for place in got], "DELE", [there[place].number for place in deleted],
                  "RSET" * resets, "QUIT" if ends_well else "cut")
        with self.login.session() as pop3:
            self.look(pop3, there)
            if self.user.form != "mbox" and self.chance.random() < 0.3:
                self.note("meanwhile:")
                self.chance.choice([self.deliver, self.mark, self.mark])()
            for place in got:
                number = mailgen.number_of(pop3.retr(place + 1).message)
                self.check(number == there[place].number, "RETR has got", number)
            for place in deleted:
                pop3.ok("DELE %d" % (place + 1))
            left = [message for place, message in enumerate(there) if place not in deleted]
            self.check(pop3.stat() == (len(left), sum(message.size for message in left)), "STAT")
            if resets:
                pop3.ok("RSET")
                deleted = []
            if ends_well:
                assert pop3.quit().ok
            else:
                pop3.cut()
        self.user.server.wait_idle()
        if ends_well:
            self.session_counts([there[place] for place in got], [there[place] for place in deleted])
        else:
            self.check(self.gone() == set(), "went after a cut")

    def session_counts(self, got, deleted):
        now = int(self.clock.now())
        for message in got:
            if message.downloaded is None:
                message.downloaded = now
        self.messages = [message for message in self.messages if message not in deleted]
        self.counts["deleted"] += len(deleted)
        due = self.rules.takes(self.messages, now)
        gone = self.gone()
        # the state tells a session when to look; if it does, it looks at all
        self.check(gone in (set(), due), "due were", due, "and went", gone)
        self.take(gone)

    def run(self):
        due = self.rules.takes(self.messages, int(self.clock.now()))
        self.note("run", due)
        result = retention_doveadm.doveadm(self.login, "run", "--force")
        if b"left to a later run" in result.stderr and self.user.form == "mbox":
            # it may need a session to see what was moved in the file
            self.session()
            return self.run()
        gone = self.gone()
        self.check(gone == due, "went", gone)
        return self.take(gone)

    # -- what there is then

    def gone(self):
        left = retention.left(self.user)
        there = [message.number for message in self.messages]
        self.check([number for number in there if number in left] == left, "there is", left)
        return set(there) - set(left)

    def take(self, gone):
        self.counts["taken"] += len(gone)
        self.messages = [message for message in self.messages if message.number not in gone]
        if self.rules.move and gone:
            self.archive += gone
            found = retention.left(self.user, "Archive")
            self.check(sorted(found) == sorted(self.archive), "Archive has", found)
