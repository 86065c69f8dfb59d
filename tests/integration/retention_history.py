# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""A random history of a maildrop on a server with a faked clock, watched by an oracle."""

import dataclasses
import imaplib
import json
import math
import random

import mailgen
import retention
from retention_oracle import DAY, Oracle, Rules

HOUR = 3600
EXEMPT = ["FLAGGED", "FLAGGED", "KEYWORD keep", "none", "FLAGGED OR KEYWORD keep", "SUBJECT 7"]
FLAGS = {"flagged": r"(\Flagged)", "keep": "(keep)"}


class Difference(AssertionError):
    pass


def choose_rules(chance):
    def maybe(share, *choices):
        return chance.choice(choices) if chance.random() < share else None

    return Rules(
        keep_downloaded=maybe(0.6, 0, HOUR, DAY, 5 * DAY, 14 * DAY, 40 * DAY),
        keep_undownloaded=maybe(0.4, 3 * DAY, 10 * DAY, 30 * DAY, 60 * DAY),
        max_messages=maybe(0.35, 1, 5, 10, 20), max_size=maybe(0.25, 1, 5000, 20000),
        exempt=chance.choice(EXEMPT), report_only=chance.random() < 0.08, move=chance.random() < 0.35)


def fields(rules):
    def text(value, unit):
        return "" if value is None else "%d%s" % (value, unit)

    def time(value):
        return "forever" if value is None else "%ds" % value

    return retention.fields(
        keep_downloaded=time(rules.keep_downloaded), keep_undownloaded=time(rules.keep_undownloaded),
        keep_max_messages=text(rules.max_messages, "") or "unlimited",
        keep_max_size=text(rules.max_size, "b") or "unlimited",
        exempt=rules.exempt, report_only="yes" if rules.report_only else "no",
        expire_action="move Archive" if rules.move else "expunge")


class History:
    def __init__(self, seed, new_user, form):
        self.chance = random.Random(seed)
        self.user = new_user(form)
        self.clock = self.user.server.clock
        self.oracle = Oracle()
        self.next_number = 1
        self.archive = []
        self.began = None
        self.log = ["history %d (POP3_POLICY_SEED), %s" % (seed, form)]
        self.taken = 0

    def play(self, steps):
        self.change_rules()
        self.deliver()
        things = {self.session: 10, self.cut_session: 3, self.deliver: 5, self.run: 5, self.run_forced: 2,
                  self.dry_run: 1, self.flag: 3, self.expunge: 1, self.change_rules: 2, self.pass_time: 12,
                  self.step_clock: 2}
        for thing in self.chance.choices(list(things), list(things.values()), k=steps):
            thing()
        self.pass_time()
        self.run_forced()

    # -- time

    def begin(self, text):
        self.began = math.floor(self.clock.now())
        self.log.append("%d %s" % (self.began, text))

    def span(self):
        return self.began, math.ceil(self.clock.now())

    def pass_time(self):
        self.clock.advance(hours=self.chance.choice([1, 5, 12, 24, 24, 48, 24 * 7]))

    def step_clock(self):
        days = self.chance.choice([0.2, 1, 5, 20]) * self.chance.choice([1, 1, -1])
        self.clock.advance(days=days)
        self.log.append("the clock steps %g days" % days)

    # -- what happens

    def change_rules(self):
        rules = choose_rules(self.chance)
        self.begin(str(rules))
        self.user.set_fields(**fields(rules))
        self.oracle.set_rules(rules, self.span()[1])

    def deliver(self):
        self.begin("deliver")
        made = []
        for _ in range(self.chance.choice([1, 1, 2, 5])):
            made.append((self.next_number, mailgen.message(self.next_number, self.chance.choice([500, 1500, 6000]))))
            self.next_number += 1
        with retention.selected(self.user) as imap:
            for _, data in made:
                status, reply = imap.append("INBOX", None, imaplib.Time2Internaldate(self.clock.now()), data)
                assert status == "OK", reply
        for number, data in made:
            self.oracle.deliver(number, len(data), self.span())
        self.log[-1] += " %s" % [number for number, _ in made]

    def some(self, most):
        there = list(self.oracle.messages)
        return sorted(self.chance.sample(there, min(len(there), self.chance.randint(0, most))))

    def use(self, pop3, numbers, verb):
        """Does something with messages by their numbers of ours."""
        there = list(self.oracle.messages)
        replies = pop3.pipeline(*[verb % (there.index(number) + 1) for number in numbers])
        for number, reply in zip(numbers, replies):
            assert reply.ok, reply.text
            if verb.startswith("RETR"):
                assert mailgen.number_of(reply.message) == number

    def session(self):
        got, seen, deleted = self.some(5), self.some(2), self.some(1) if self.chance.random() < 0.2 else []
        self.begin("RETR %s TOP %s DELE %s QUIT" % (got, seen, deleted))
        with self.user.session() as pop3:
            self.use(pop3, got, "RETR %d")
            self.use(pop3, seen, "TOP %d 1000")
            self.use(pop3, deleted, "DELE %d")
            assert pop3.quit().ok
        self.user.server.wait_idle()
        self.oracle.uses_pop3 = True
        self.oracle.downloaded(got, self.span())
        for number in deleted:
            del self.oracle.messages[number]
        self.check(must_have_gone=not self.oracle.may_wait(self.span()[1]))
        self.oracle.looked(self.span())

    def cut_session(self):
        got, deleted = self.some(5), self.some(1)
        self.begin("RETR %s DELE %s and no QUIT" % (got, deleted))
        with self.user.session() as pop3:
            self.use(pop3, got, "RETR %d")
            self.use(pop3, deleted, "DELE %d")
            if self.chance.random() < 0.5:
                pop3.cut()
            else:
                pop3.finish()
        self.user.server.wait_idle()
        if sorted(self.left()) != sorted(self.oracle.messages):
            self.fail("something went")

    def flag(self):
        on, flag = self.chance.random() < 0.6, self.chance.choice(list(FLAGS))
        there = list(self.oracle.messages)
        numbers = self.some(3)
        self.begin("%s %s %s" % (flag, on, numbers))
        if numbers:
            retention.mark(self.user, ",".join(str(there.index(number) + 1) for number in numbers),
                           "+FLAGS" if on else "-FLAGS", FLAGS[flag])
        for number in numbers:
            self.oracle.flag(number, flag, on, self.span()[1])

    def expunge(self):
        there = list(self.oracle.messages)
        for number in self.some(1):
            self.begin("expunge %d" % number)
            self.user.expunge(there.index(number) + 1)
            del self.oracle.messages[number]

    # -- doveadm

    def doveadm(self, *options):
        result = self.user.server.run_doveadm("-f", "json", "pop3", "retention", "run", "-u", self.user.name, *options,
                                              check=False)
        rows = json.loads(result.stdout or "[]")
        count = sum(int(value) for row in rows for name, value in row.items() if name != "bytes")
        errors = result.stderr.decode()
        # with mbox Dovecot may need a session to see a message that was moved in the file
        if "left to a later run" in errors and self.user.form == "mbox" and not count:
            self.log[-1] += ": left to a session"
            self.session()
            return self.doveadm(*options)
        if "left to a later run" in errors:
            self.fail(errors)
        return result.returncode, count, errors

    def run(self):
        self.begin("run")
        code, count, errors = self.doveadm()
        if code == 75 and "--force" in errors:
            if count or not self.oracle.may_wait(self.span()[1]):
                self.fail("a run has no reason to wait: " + errors)
        elif code != 0:
            self.fail(errors)
        self.check(must_have_gone=code == 0, count=count)
        self.oracle.looked(self.span(), is_sure=code == 0 and self.began >= self.oracle.high)

    def run_forced(self):
        self.begin("run --force")
        code, count, errors = self.doveadm("--force")
        if code != 0:
            self.fail(errors)
        self.check(must_have_gone=True, count=count, is_forced=True)
        self.oracle.forced(self.span())

    def dry_run(self):
        """What it says is what a forced run does then."""
        self.begin("run --dry-run")
        code, would, errors = self.doveadm("--dry-run")
        if code != 0 or sorted(self.left()) != sorted(self.oracle.messages):
            self.fail("a dry run is none: " + errors)
        taken = self.taken
        self.run_forced()
        if not self.oracle.rules.report_only and would != self.taken - taken:
            self.fail("%d would go, and %d went" % (would, self.taken - taken))

    # -- what there is then

    def left(self):
        return retention.left(self.user)

    def check(self, must_have_gone, count=None, is_forced=False):
        span = self.span()
        left = self.left()
        gone = [number for number in self.oracle.messages if number not in left]
        self.log[-1] += ": went %s" % gone
        self.taken += len(gone)
        if sorted(left + gone) != sorted(self.oracle.messages):
            self.fail("there is %s" % left)
        self.check_archive(gone)
        if count is not None and not self.oracle.rules.report_only and count != len(gone):
            self.fail("doveadm says that %d went" % count)
        reason = self.oracle.complain(gone, span, is_forced)
        if reason is None and must_have_gone:
            reason = self.oracle.overdue(self.began, is_forced)
        if reason is not None:
            self.fail(reason)

    def check_archive(self, gone):
        if self.oracle.rules.move and gone:
            self.archive += gone
            found = retention.left(self.user, "Archive")
            if sorted(found) != sorted(self.archive):
                self.fail("Archive has %s, not %s" % (found, self.archive))

    def fail(self, reason):
        there = [str(dataclasses.asdict(message)) for message in self.oracle.messages.values()]
        raise Difference("\n".join(self.log + there + [reason]))
