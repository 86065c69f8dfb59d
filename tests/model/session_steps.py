# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Steps of a history: sessions of POP3, whatever way they end."""

import re
import signal

from comparison import Comparison
from counters import begins
from talk import Talk

SIGNALS = {"kill": signal.SIGKILL, "term": signal.SIGTERM}


class SessionSteps(Comparison):
    def do_session(self, parts, device, end, looks, at=None, meanwhile=()):
        device = self.plan.devices[device % len(self.plan.devices)]
        if self.lab.form == "mbox":
            self.drop.forget_copies()
        talk = Talk(self.drop, self.counters, device, self.check)
        self.counts["sessions"] += 1
        self.counts["hidden"] += len(self.drop.messages) - len(talk.shown)
        self.note(device, [self.drop.known[key].mail for key in talk.shown])
        there = list(self.drop.messages)
        commands = list(parts)
        if end.startswith("cut") and talk.largest_place() is None:
            end = "drop"
        if at is None or self.lab.form == "mbox":
            at, meanwhile = len(commands), ()
        first = [talk.command(*command) for command in commands[:at]]

        def then(data):
            nonlocal end
            self.counters.roll((self.began, self.lab.now))
            talk.hear(data)
            self.play_meanwhile(talk, meanwhile)
            # Dovecot asks the file of a message for it
            talk.loses_uidls = self.lab.form == "sdbox" and "g" in self.settings["pop3_uidl_format"] and \
                not set(talk.shown) <= set(self.drop.messages)
            later = commands[at:]
            if end.startswith("cut"):
                place = talk.largest_place()
                # the others have left none
                end = end if place is not None else "drop"
            if end == "quit":
                later = [*later, ("QUIT", 0)]
            elif end.startswith("cut"):
                later = [("RETR", place), *[("QUIT", 0)] * (end == "cut with QUIT")]
            return [talk.command(*command) for command in later], (
                "cut" if end.startswith("cut") else SIGNALS.get(end, "eof"))

        began = self.began
        done = self.lab.pop3(device, first, then)
        self.began = began
        if end.startswith("cut"):
            talk.hear_cut(done.reply, end == "cut with QUIT")
        else:
            talk.hear(done.reply)
        self.read_log(done)
        self.counts["refused"] += talk.refused
        self.counts["told"] += talk.told
        self.ended(talk, device, there, end, looks)

    def play_meanwhile(self, talk, steps):
        if not steps:
            return
        self.counters.held = talk.lease()
        for number, step in enumerate(steps):
            self.do(step, "  meanwhile %d" % number)
        self.counters.held = [0, 0]
        self.log.append("  and then")

    def read_log(self, done):
        self.check(not re.search(r"Panic|Fatal|assert", done.log), done.log)
        errors = [line for line in done.complaints if "pop3_policy" in line and "Error" in line]
        self.check(self.was_damaged or not errors, *errors)

    def ended(self, talk, device, there, end, looks):
        if end == "kill":
            self.lab.unlock()
            more = talk.lease()
            if talk.largest:
                self.counters.count((0, more[0]), (0, more[1]))
        else:
            for key in there:
                self.drop.known[key].is_recorded = True
            self.has_no_journal = False
            self.drop.high = max(self.drop.high, self.lab.now) if not self.drop.rules.is_forever() else self.drop.high
            self.check_counters()
        if talk.quit:
            self.quit(talk, device, looks)
        elif looks:
            self.look()
        if end != "kill":
            self.needs_session = self.is_damaged = False

    def quit(self, talk, device, looks):
        self.drop.uses_pop3 |= bool(talk.got) or not self.drop.rules.is_forever()
        self.drop.downloaded_by(device, talk.got, self.span())
        self.drop.take(key for key in talk.deleted if key in self.drop.messages)
        may_wait = self.drop.may_wait(self.span()[1]) or self.needs_session
        if looks or not self.drop.rules.is_forever():
            self.judge_rules(device, must=not may_wait)
        if any(message.is_recorded for message in self.drop.known.values()):
            # of a user who never had mail there is no state
            self.drop.looked(self.span())

    def check_counters(self):
        """What state.json says of the quota."""
        state = self.lab.state()
        if state is None or not self.counters.limits:
            return
        self.counters.roll(self.span())
        for name, window in self.counters.windows.items():
            counter = state.get("quota", {}).get("windows", {}).get(name)
            if counter is None or window.doubt is not None or counter["start"] > self.lab.now:
                continue
            octets, messages = counter["bytes"], counter["messages"]
            if begins(name, counter["start"]) != window.start:
                octets = messages = 0
            more = self.counters.held
            self.check(window.octets[0] <= octets <= window.octets[1] + more[0] and
                       window.messages[0] <= messages <= window.messages[1] + more[1],
                       "counted are", name, counter, window)

    def do_polls(self, _parts, device):
        """The second of two polls, between which nothing happens, writes nothing."""
        device = self.plan.devices[device % len(self.plan.devices)]
        poll = [("STAT all", 0), ("UIDL all", 0), ("LIST all", 0)]
        stamps = None
        for _ in range(3):
            stamps = self.lab.stamps()
            self.do_session(poll, self.plan.devices.index(device), "quit", True)
        self.check(self.lab.stamps() == stamps, "a poll has written", stamps, self.lab.stamps())
