# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""What must hold after a power loss, as sentences on what does not."""

import contextlib
import json
import os
import re

import lab
import state_check
from scenarios import ALL, ARCHIVE, deliver

# more than there are
MOST = 8
LIST_ALL = ["UIDL", *("RETR %d" % number for number in range(1, MOST + 1)), "QUIT"]
# a message that is none of these
NEW = MOST + 1
# a stock session, too, may mend something and end, so that the next one succeeds
TRIES = 3


class Seen:
    """What a client sees that asks for everything, with the numbers of the messages in the order of the list; None is
    what is not one whole message."""

    def __init__(self, programs):
        for self.tries in range(1, TRIES + 1):
            self.done = programs.session(LIST_ALL)
            uidls = lab.told_uidls(self.done.reply)
            self.uidls = list((uidls or {}).values())
            self.messages = re.findall(rb"\+OK \d+ octets\r\n(.*?\r\n)\.\r\n", self.done.reply, re.S)
            # what a damaged mailbox shows again may be more than is asked for
            self.works = (self.done.status == 0 and uidls is not None and
                          len(self.messages) == min(len(self.uidls), MOST))
            if self.works:
                break
        self.numbers = list(map(number_of, self.messages))

    def __str__(self):
        return str(list(zip(self.numbers, self.uidls)))


def number_of(message):
    found = re.findall(rb"^X-Number: (\d+)\r$", message, re.M)
    return int(found[0]) if len(found) == 1 else None


def archived(programs):
    """The numbers of the messages in Archive."""
    for _ in range(TRIES):
        done = programs.session(["1 SELECT " + ARCHIVE, "2 FETCH 1:* BODY.PEEK[HEADER.FIELDS (X-Number)]", "3 LOGOUT"],
                                program="imap")
        if b"2 OK" in done.reply or b"[NONEXISTENT]" in done.reply:
            break
    return sorted(int(number) for number in re.findall(rb"^X-Number: (\d+)", done.reply, re.M))


def generation(path):
    """Of a journal; None if there is none."""
    try:
        with open(path, encoding="utf-8") as file:
            return json.loads(file.readline())["generation"]
    except (FileNotFoundError, ValueError):
        return None


class After:
    """After a power loss that left the state."""

    def __init__(self, victim, state):
        self.victim = victim
        self.state = state
        # what the client may have got at the most, and what it must have got
        self.told = victim.reply[:state.told_last]
        self.must_have = victim.reply[:state.told_first]
        # what does not hold with stock Dovecot either
        self.excused = []

    def rebuild(self):
        self.state.image.build(self.victim.home)
        self.victim.place.unlock()

    def again(self, programs):
        """What a client sees first."""
        self.rebuild()
        return Seen(programs)

    def complaints(self):
        seen = self.again(self.victim.later)
        found = [*self.of_uidls(seen), *self.of_counters(seen), *self.of_state(seen)]
        doubtful = [*self.of_client(seen), *self.of_mail(seen), *self.of_doubles(seen)]
        if not doubtful and seen.tries == 1 and seen.works:
            return found
        return found + self.compare_with_stock(seen, doubtful) + self.after_mending()

    @staticmethod
    def of_client(seen):
        if seen.works:
            return []
        return ["P4: %d UIDLs, %d messages, status %d: %r, %s" % (
            len(seen.uidls), len(seen.messages), seen.done.status, seen.done.reply[-100:], seen.done.log[-300:])]

    def of_uidls(self, seen, kept=None):
        """P1. Of the messages that are not among KEPT the UIDLs may be others, and if they are lost the new one may have
        them."""
        if len(set(seen.uidls)) != len(seen.uidls):
            yield "P1: a UIDL twice: %s" % seen
        known = self.victim.uidls(self.told)
        kept = set(known if kept is None else kept)
        owners = {uidl: number for number, uidl in known.items()}
        there = list(zip(seen.numbers, seen.uidls))
        for number, uidl in there:
            owner = owners.get(uidl)
            if None not in (number, owner) and owner != number and (owner in kept or number != NEW):
                yield "P1: message %d has the UIDL of %d" % (number, owner)
        for number in sorted(kept):
            if seen.numbers.count(number) == 1 and (number, known[number]) not in there:
                yield "P1: message %d was %s, now: %s" % (number, known[number], seen)

    def of_mail(self, seen):
        """P2, and the part of P4 on mail."""
        missing = ALL - set(seen.numbers)
        taken = missing - self.victim.may_be_gone(self.must_have)
        if taken:
            yield "P2: taken %s" % sorted(taken)
        lost = missing - set(archived(self.victim.later)) if missing and self.victim.scenario.moves else set()
        if lost:
            yield "P4: lost %s" % sorted(lost)

    def of_doubles(self, seen):
        """Of a message that is there twice nobody can say which one the client knows."""
        doubles = {number for number in seen.numbers if seen.numbers.count(number) > 1}
        if doubles:
            yield "P1: twice there: %s" % seen

    def of_counters(self, seen):
        """P3: what went over the wire is counted, before and after."""
        sent = [size for _, size in lab.told_messages(self.told)] + list(map(len, seen.messages))
        counted, before = self.victim.count(), self.victim.counted
        if counted["messages"] < before["messages"] + len(sent) or counted["bytes"] < before["bytes"] + sum(sent):
            yield "P3: counted %s, before %s, and sent %s" % (counted, before, sent)

    def of_state(self, seen):
        """P4: nothing was broken, and no session had to complain of it."""
        folder = self.victim.place.state_dir
        names = sorted(os.listdir(folder)) if os.path.exists(folder) else []
        if any("corrupt" in name for name in names):
            yield "P4: set aside: %s" % names
        # until there is something to write, what was left half written does no harm: see after_mending()
        if seen.messages:
            yield from self.of_files(folder, names)
        found = re.search(r"pop3_policy: .*(corrupt|damaged|failed).*", seen.done.log)
        if found or seen.done.trouble:
            yield "P4: %s" % (found.group(0) if found else seen.done.trouble)

    def of_files(self, folder, names):
        if "messages.jsonl.new" in names:
            self.settle(os.path.join(folder, "messages.jsonl"), os.path.join(folder, "messages.jsonl.new"))
        try:
            state_check.check_home(self.victim.home)
        except (AssertionError, ValueError) as error:
            yield "P4: %s, %s" % (error, names)

    def settle(self, journal, new):
        """A new journal is the one that is read if the state names it. Else nobody reads it, and the next one is begun
        anew."""
        state = self.victim.place.read_state() or {}
        if generation(journal) == state.get("uidl", {}).get("journal", {}).get("generation"):
            os.unlink(new)
        else:
            os.rename(new, journal)

    def compare_with_stock(self, seen, doubtful):
        """Mail may be missing or be there twice, and sessions may fail, where it is the same with stock Dovecot."""
        mine = sorted(seen.messages), archived(self.victim.later)
        stock = self.again(self.victim.stock)
        found = []
        if mine == (sorted(stock.messages), archived(self.victim.stock)):
            self.excused += doubtful
        else:
            found += doubtful
        if (seen.works, -seen.tries) < (stock.works, -stock.tries):
            found.append("P4: %d sessions, the last one was %r, %s; with stock Dovecot %d" % (
                seen.tries, seen.done.reply[-100:], seen.done.log[-300:], stock.tries))
        return found

    def after_mending(self):
        """Once an admin has mended the mailbox, what comes back has the UIDLs that were written down, no other message
        has one that was told, and nothing is left half written."""
        self.rebuild()
        kept = self.written()
        Seen(self.victim.later)
        for mailbox in ("INBOX", ARCHIVE):
            # what Dovecot cannot mend stays as it is
            with contextlib.suppress(AssertionError):
                self.victim.later.doveadm("force-resync", mailbox)
        seen = Seen(self.victim.later)
        if not seen.messages:
            self.begin_anew()
            seen = Seen(self.victim.later)
        return ["%s, after it was mended" % text for text in [*self.of_uidls(seen, kept), *self.of_state(seen)]]

    def written(self):
        """The messages that were known before, and those whose UIDLs are in the journal now."""
        path = os.path.join(self.victim.place.state_dir, "messages.jsonl")
        text = ""
        with contextlib.suppress(FileNotFoundError), open(path, encoding="latin-1") as file:
            text = file.read()
        return {number for number, uidl in self.victim.uidls(self.told).items()
                if number in self.victim.stage.known or '"uidl":"%s"' % uidl in text}

    def begin_anew(self):
        """A mailbox of which nothing can be had gets a new message."""
        for _ in range(TRIES):
            with contextlib.suppress(AssertionError):
                deliver(self.victim.later, [NEW])
                return
            # of an mbox, it is none any more; others are mended by who has failed
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(self.victim.home, "inbox"))
            Seen(self.victim.later)
        raise AssertionError("nothing can be delivered, after %s" % self.state)
