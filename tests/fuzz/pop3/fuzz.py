#!/usr/bin/env python3
# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""fuzz.py --plugin FILE [--seconds N] [--seed N] [--found FOLDER] CORPUS|FILE...

Feeds the real pop3 process what clients may send, with the plugin in FILE, which counts where it was, and without it,
on the same mail. Inputs that reach something new are kept in FOUND and changed further. Ends with 1, and the input in
FOUND, when a session with the plugin did what it must not do."""

import argparse
import hashlib
import os
import random
import shutil
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "integration")]

# pylint: disable=wrong-import-position
import home  # noqa: E402
import streams  # noqa: E402
from sessions import MAX_REPLY, Programs  # noqa: E402
from setups import SETUPS, Wrong, expect  # noqa: E402

LISTING = b"UIDL\r\nLIST\r\nQUIT\r\n"
# how often a counter counts up to the next thing that is new
BUCKETS = bytes(min(count.bit_length(), 6) for count in range(256))


def lines_of(reply):
    return [line for line in reply.split(b"\r\n") if line[:1].isdigit()]


class Lab:
    """Two homes, and the programs for them."""

    def __init__(self, base, plugin):
        self.base = base
        os.chmod(base, 0o777)
        self.stock_home, self.our_home = self.path("stock"), self.path("ours")
        for path in (self.stock_home, self.our_home):
            home.make_empty(path)
        # where the user can load it, as the build may be out of his reach
        os.mkdir(self.path("plugin"), mode=0o755)
        shutil.copy(plugin, self.path("plugin"))
        self.stock = Programs(base, self.stock_home, "stock", {})
        self.ours = {name: self.programs(name, setup.policy) for name, setup in SETUPS.items()}
        self.make_images()

    def path(self, name):
        return os.path.join(self.base, name)

    def programs(self, name, policy):
        made = Programs(self.base, self.our_home, name, {"mail_plugin_dir": self.path("plugin")}, policy)
        made.coverage = self.path("coverage")
        return made

    def make_images(self):
        """A mailbox that one session has seen, and one that has become another one since."""
        home.fill(self.path("fresh"))
        home.copy(self.path("fresh"), self.our_home)
        self.uidls = lines_of(self.ours["plain"].session(LISTING).reply)
        home.copy(self.our_home, self.path("known"))
        SETUPS["keep-0"].sent = self.sent_messages()
        time.sleep(1.1)
        home.copy(self.our_home, self.stock_home)
        home.lose_uidlist(self.stock_home)
        lost = lines_of(self.stock.session(LISTING).reply)
        home.copy(self.stock_home, self.path("lost"))
        count = streams.MESSAGES
        assert len(self.uidls) == len(lost) == 2 * count, (self.uidls, lost)
        for old, new in zip(self.uidls[:count], lost[:count]):
            assert old != new
            SETUPS["recovered"].uidls[new.split()[1]] = old.split()[1]

    def sent_messages(self):
        """In the order of the names of their files."""
        home.copy(self.our_home, self.stock_home)
        names = sorted(home.files(self.stock_home))
        replies = [self.stock.session(b"RETR %d\r\nQUIT\r\n" % number).reply for number in range(1, len(names) + 1)]
        return {name: reply[reply.index(b" octets\r\n") + 9:reply.rindex(b"+OK")] for name, reply in zip(names, replies)}

    def listing(self, name, files):
        """The UIDLs of a next session are those that messages always had."""
        after = self.ours[name].session(LISTING)
        expect(after.code == 0, "the next session dies", after.log)
        shown = len(files) - (len(home.FLAGGED) if name == "view" else 0)
        told = {line.split()[1] for line in lines_of(after.reply)[:shown]}
        expect(told <= {line.split()[1] for line in self.uidls[:streams.MESSAGES]}, "other UIDLs", after.reply)
        expect(len(lines_of(after.reply)) == 2 * shown, "other messages", after.reply, files)

    def run(self, entry):
        """Returns the counters of a session that was right, else raises Wrong."""
        name, data = entry.split(b"\n", 1)
        name = name.decode()
        setup = SETUPS[name]
        image = self.path(setup.image)
        home.copy(image, self.our_home)
        home.copy(image, self.stock_home)
        setup.prepare_stock(self.stock_home)
        before = home.files(image)
        stock = self.stock.session(data)
        if len(stock.reply) > MAX_REPLY:
            return b""
        ours = self.ours[name].session(data)
        counters = self.ours[name].take_coverage()
        expect(ours.code == stock.code, "it ends with %d, stock with %d" % (ours.code, stock.code), ours.log)
        # Dovecot 2.3 dies of a colon, with what it has not sent yet
        if stock.code == 0:
            expect(len(ours.complaints) <= len(stock.complaints), "it complains", ours.log)
            setup.judge(stock.reply, ours.reply)
            setup.judge_mail(ours.reply, before, home.files(self.stock_home), home.files(self.our_home))
        self.listing(name, home.files(self.our_home))
        return counters


class Fuzzer:
    """What was reached, and the inputs that did."""

    def __init__(self, lab, entries, found, seed):
        self.lab = lab
        self.entries = list(entries)
        self.found = found
        self.rnd = random.Random(seed)
        self.reached = set()
        self.runs = 0

    def is_new(self, counters):
        reached = {(at, count) for at, count in enumerate(counters.translate(BUCKETS)) if count}
        new = reached - self.reached
        self.reached |= new
        return bool(new)

    def run(self, entry):
        self.runs += 1
        return self.is_new(self.lab.run(entry))

    def save(self, prefix, entry):
        path = os.path.join(self.found, prefix + hashlib.sha256(entry).hexdigest()[:16])
        with open(path, "wb") as file:
            file.write(entry)
        return path

    def next_entry(self):
        if not self.entries or self.rnd.random() < 0.2:
            return streams.made_up(self.rnd, list(SETUPS))
        return streams.changed(self.rnd, self.rnd.choice(self.entries), self.entries, list(SETUPS))

    def fuzz(self, seconds):
        """Returns FALSE and says why after the first input that is treated wrong."""
        end = time.monotonic() + seconds
        waiting = list(self.entries)
        while waiting or time.monotonic() < end:
            fresh = not waiting
            entry = self.next_entry() if fresh else waiting.pop(0)
            try:
                if self.run(entry) and fresh:
                    self.entries.append(entry)
                    self.save("", entry)
            except Wrong as wrong:
                print("%s\nthe input is in %s" % (wrong, self.save("wrong-", entry)))
                return False
        return True

    def edges(self):
        return len({at for at, _ in self.reached})


def load(paths):
    for path in paths:
        names = sorted(os.listdir(path)) if os.path.isdir(path) else [""]
        for name in names:
            with open(os.path.join(path, name) if name else path, "rb") as file:
                yield file.read()


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--plugin", required=True)
    parser.add_argument("--seconds", type=int, default=0)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--found", default=".")
    parser.add_argument("paths", nargs="+")
    return parser.parse_args()


def main():
    options = arguments()
    os.makedirs(options.found, exist_ok=True)
    print("fuzz.py: seed %d" % options.seed, flush=True)
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as base:
        fuzzer = Fuzzer(Lab(base, options.plugin), load(options.paths), options.found, options.seed)
        right = fuzzer.fuzz(options.seconds)
    print("fuzz.py: %d sessions, %d places reached, %d inputs" % (fuzzer.runs, fuzzer.edges(), len(fuzzer.entries)))
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
