# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""A random history of a mailbox, on three copies: stock Dovecot, the plugin with slow polls, and the plugin with fast
polls."""

import functools
import os
import random
import re
import shutil

import sessions
import things
from pop3 import is_multi
from replica import Replica
from sessions import POLL
from standalone import MEMORY, Crash
from things import Things

QUOTA = {"pop3_policy_quota": "1T/day"}
POLICIES = {"stock": None, "slow": {**QUOTA, "pop3_policy_fast_polls": "no"}, "fast": QUOTA}


class Difference(AssertionError):
    pass


class History:
    """One mailbox, on three copies."""

    def __init__(self, seed, base):
        self.seed = seed
        self.chance = random.Random(seed)
        self.settings = sessions.choose_settings(self.chance)
        self.has_wrong_sizes = self.chance.random() < 0.15
        self.base = os.path.join(base, "history-%d" % seed)
        self.layout = sessions.choose_layout(self.chance)
        self.copies = {name: Replica(self.base, name, self.settings, policy, self.layout)
                       for name, policy in POLICIES.items()}
        # whether stock Dovecot tells the UIDLs that the plugin must tell
        self.is_stock = True
        # whether the plugin has had Dovecot find out what stock Dovecot does not know: sizes where it tells others or
        # fails because of a wrong one, files or a list that were changed unseen
        self.is_mended = "pop3_fast_size_lookups" in self.settings
        self.number = 0
        self.log = []
        # of a last poll that found nothing new: whether it did without dovecot-uidlist; None if it cannot
        self.was_fast = None

    def play(self):
        self.happen(Things.filled)
        self.rest()
        if self.chance.random() < 0.4:
            # what is learnt then is learnt of a list that is old
            for copy in self.copies.values():
                copy.touch_uidlist()
            self.rest()
        for _ in range(self.chance.randint(2, 6)):
            choice = dict(things.HARMLESS)
            if self.chance.random() < 0.3:
                choice.update(things.COPYING)
                choice.update(things.DISASTERS)
            thing, = self.chance.choices(list(choice), list(choice.values()))
            self.happen(thing)
            if self.chance.random() < 0.15 and "pop3_lock_session" not in self.settings:
                self.session_meanwhile()
            else:
                self.session(sessions.session)
            if self.chance.random() < 0.5:
                self.rest()
        self.rest()
        self.sample()
        if self.has_wrong_sizes:
            self.is_mended = True
        self.compare("what IMAP clients see", lambda copy: without_times(copy.stock.imap(
            ["FETCH 1:* (UID FLAGS RFC822.SIZE)"]).reply.decode("latin-1")))

    def happen(self, thing):
        self.log.append(thing.__name__)
        self.work(thing)(*self.copies.values())
        self.compare("what is there before the session", Replica.files)

    def work(self, thing, ways=things.WAYS):
        """A function that has the same happen to each of some copies."""
        if thing in things.UNSEEN or (thing in things.COPYING and self.has_wrong_sizes) or \
                (thing in things.SIZED and self.sizes_differ()):
            self.is_mended = True
        if thing in things.DISASTERS or (thing in things.COPYING and sessions.may_repeat(self.settings)):
            self.is_stock = False
        seed, number = self.chance.random(), self.number

        def happen_to(*copies):
            for copy in copies:
                made = Things(copy, random.Random(seed), number, self.has_wrong_sizes, ways)
                thing(made)
                self.number = max(self.number, made.number)
                copy.learn_names()

        return happen_to

    def rest(self):
        """Nothing happens for a while: the sessions after it can learn what there is to learn, and use it."""
        for _ in range(self.chance.randint(1, 3)):
            self.log.append("rest")
            for copy in self.copies.values():
                copy.rest()
            self.session(lambda _chance, _count: POLL)

    def session(self, choose):
        commands = choose(self.chance, len(self.copies["stock"].messages()))
        self.log.append(" / ".join(commands))
        self.compare_session(commands, {name: copy.programs.pop3(commands) for name, copy in self.copies.items()})

    def session_meanwhile(self):
        """Something happens while the session runs."""
        thing, = self.chance.choices(list(things.MEANWHILE), list(things.MEANWHILE.values()))
        commands = ["NOOP"] + sessions.session(self.chance, len(self.copies["stock"].messages()))
        # the session has begun; one that has ended may still have something to do
        first = self.chance.randrange(1, len(commands) + (commands[-1] != "QUIT"))
        self.log.append(" / ".join([*commands[:first], "(%s)" % thing.__name__, *commands[first:]]))
        # what is in memory is not read again from the same file
        work = self.work(thing, ways=[things.RENAMED])
        self.compare_session(commands, {name: copy.programs.pop3_with_pause(
            commands[:first], commands[first:], functools.partial(work, copy)) for name, copy in self.copies.items()})

    def compare_session(self, commands, done):
        """Compares what the copies have DONE, and what is there then."""
        failed = {name for name, found in done.items() if b"-ERR [SYS/TEMP]" in found.reply}
        if failed == {"stock"}:
            self.is_mended = True
        self.compare("the replies", lambda copy: replies(commands, copy.same(without_times(
            done[copy.name].reply.decode("latin-1")))), without_uidls)
        self.compare("the mail", Replica.files)
        self.compare("dovecot-uidlist", lambda copy: self.listed(copy.uidlist_text()), lambda _: None, without_sizes)
        self.must_equal("the state", "fast", "slow", {name: copy.state() for name, copy in self.copies.items()})
        self.must_equal("the log", "fast", "slow", {name: complaints(copy, done[name])
                                                    for name, copy in self.copies.items()})

    def compare(self, what, value, without=None, always=None):
        """WITHOUT takes away what may differ between stock Dovecot and the plugin once UIDLs do, ALWAYS what always
        may."""
        found = {name: value(copy) for name, copy in self.copies.items()}
        self.must_equal(what, "fast", "slow", found)
        if always is not None:
            found = {name: always(inner) for name, inner in found.items()}
        if without is not None and not self.is_stock:
            found = {name: without(inner) for name, inner in found.items()}
        if not self.is_mended:
            self.must_equal(what, "slow", "stock", found)

    def listed(self, lines):
        """The lines of messages that are there. It is up to Dovecot when others are tidied away."""
        names = {name.split(":")[0] for _, name in self.copies["stock"].files()}
        return [line for line in lines if line.split(":")[-1] in names]

    def sizes_differ(self):
        lines = [self.listed(self.copies[name].uidlist_text()) for name in ("stock", "slow")]
        return lines[0] != lines[1]

    def must_equal(self, what, first, second, found):
        if found[first] != found[second]:
            lines = ["%s: %s and %s differ in history %d (POP3_POLICY_SEED)" % (what, first, second, self.seed),
                     "%s, %s" % (self.layout, self.settings)]
            raise Difference("\n".join(lines + self.log + ["%s: %s" % (name, found[name]) for name in (first, second)]))

    def sample(self):
        opened = {}
        for name in ("stock", "fast"):
            copy = self.copies[name]
            copy.rest()
            opened[name] = copy.programs.opened_by_pop3(POLL, os.path.join(copy.base, "trace"))
        # some changes make Dovecot look again at each poll
        is_quiet = self.copies["stock"].uidlist_path + ".lock" not in opened["stock"]
        if self.copies["fast"].messages() and is_quiet and self.can_be_fast():
            self.was_fast = self.copies["fast"].uidlist_path not in opened["fast"]

    def can_be_fast(self):
        """No UIDL needs a file name or a header; and none is stored, nor an order."""
        own = {"pop3_reuse_xuidl", "pop3_save_uidl"} & set(self.settings) or \
            self.settings["pop3_uidl_format"].startswith(sessions.OWN_NAMES)
        stored = [line for line in self.copies["fast"].uidlist()[1:] if re.search(r"^\d+ [^:]*\b[PO]", line)]
        return self.layout != MEMORY and not own and not stored


def without_times(reply):
    return re.sub(r"\(\d+\.\d+ \+[^)]* secs\)|\[\d+-\d+-\d+ [\d:]+\]", "", reply)


def replies(commands, data):
    """Pairs of a command and its reply."""
    found = []
    for command in commands:
        end = data.find("\r\n") + 2
        if is_multi(command.encode()) and data.startswith("+OK"):
            # the line end of the first line may be the one before the final dot
            end = data.find("\r\n.\r\n", end - 2) + 5
        found.append((command, data[:end]))
        data = data[end:]
    return found + [("", data)]


def without_sizes(lines):
    """The plugin also reads messages to record them, and Dovecot notes sizes of what was read."""
    return [re.sub(r" [SW][^ ]*", "", line) for line in lines]


def without_uidls(pairs):
    return [(command, "" if command.startswith("UIDL") else reply) for command, reply in pairs]


def complaints(copy, done):
    """What the log says that it should not, without what tells one session or copy from another."""
    lines = [re.sub(r"^.*?: (Warning|Error|Fatal|Panic): ", r"\1: ", line) for line in done.complaints]
    return sorted(copy.same(line.replace(copy.base, "")) for line in lines)


def play(seed, base):
    """Raises a Difference; else returns History.was_fast."""
    history = History(seed, base)
    try:
        history.play()
    except Crash as crash:
        # Dovecot 2.3.19 has assertions that fail when its files were edited
        if crash.programs not in [copy.stock for copy in history.copies.values()]:
            raise
    shutil.rmtree(history.base)
    return history.was_fast
