# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""What can happen to a maildir. It is chosen anew for each copy of the maildir from the same numbers, so that it is the
same as long as the copies are."""

import os
import re
import shutil

import user as users
from sessions import session

# ways to write dovecot-uidlist
RENAMED, IN_PLACE, SAME_TIME, WHOLE_SECONDS = "renamed", "in place", "same time", "whole seconds"
WAYS = (RENAMED, IN_PLACE, SAME_TIME, WHOLE_SECONDS)
LINE = re.compile(r"(\d+) (.*?)(:.*)")


def text(number, chance):
    lines = ["From: sender%d@example.org" % number, "Subject: message %d" % number, "Message-ID: <%d@x>" % number]
    if chance.random() < 0.1:
        lines.append("X-UIDL: xuidl-%d" % number)
    lines += ["", *["a line of text", ".", "..", "x" * chance.randrange(60)][:chance.randrange(5)], ""]
    return (chance.choice(["\n", "\n", "\r\n"]).join(lines)).encode()


def sizes(data, chance, wrong):
    """What some delivery agents add to the name of a file; in some histories it may be wrong."""
    wrong = chance.choice([0, 0, 0, 0, 1, 7]) if wrong else 0
    size, wire = len(data) + wrong, len(data) + (0 if b"\r\n" in data else data.count(b"\n")) + wrong
    return chance.choice(["", "", ",S=%d" % size, ",S=%d,W=%d" % (size, wire), ",W=%d" % wire])


def sibling(path, old, new):
    return os.path.join(os.path.dirname(path), os.path.basename(path).replace(old, new))


class Things:
    """What can happen to one copy. NUMBER makes names that were never used; sizes in names may be WRONG; WAYS are those
    to write dovecot-uidlist."""

    def __init__(self, replica, chance, number, wrong, ways=WAYS):
        self.replica = replica
        self.chance = chance
        self.number = number
        self.wrong = wrong
        self.ways = ways
        self.lines = replica.uidlist()

    def next_number(self):
        self.number += 1
        return self.number

    def pick(self, items, most=3):
        items = list(items)
        return self.chance.sample(items, min(len(items), self.chance.randint(1, most)))

    def nothing(self):
        pass

    # -- deliveries

    def filled(self):
        for _ in range(self.chance.randint(0, self.chance.choice([3, 25]))):
            self.deliver()

    def delivered(self):
        for _ in range(self.chance.randint(1, 3)):
            self.deliver()

    def deliver(self):
        number = self.next_number()
        data = text(number, self.chance)
        sub = self.chance.choice(["new", "new", "new", "cur"])
        info = {"new": "", "cur": ":2," + self.chance.choice(["", "S", "FS"])}[sub]
        name = "%d.H%d.test%s" % (1_650_000_000 + number, number, sizes(data, self.chance, self.wrong))
        self.replica.deliver(name + info, data, sub)
        return name

    def delivered_by_lda(self):
        self.replica.stock.lda(text(self.next_number(), self.chance))

    def imap_append(self):
        number = self.next_number()
        data = text(number, self.chance)
        self.replica.stock.imap([b"APPEND INBOX {%d+}\r\n%s" % (len(data), data)])

    def imap_copy(self):
        self.replica.stock.imap(["COPY %d:%d INBOX" % (self.chance.randint(1, 3), self.chance.randint(1, 3))])

    # -- IMAP clients and other servers

    def imap_flags(self):
        self.replica.stock.imap(["STORE %d:%d %sFLAGS (%s)" % (
            self.chance.randint(1, 5), self.chance.randint(1, 20), self.chance.choice("+-"),
            self.chance.choice([r"\Seen", r"\Seen", r"\Flagged", r"\Deleted", "POP3Deleted"]))])

    def imap_expunge(self):
        first = self.chance.randint(1, 10)
        self.replica.stock.imap([r"STORE %d:%d +FLAGS.SILENT (\Deleted)" % (first, first + self.chance.randrange(3)),
                                 "EXPUNGE"])

    def imap_session(self):
        self.replica.stock.imap(["FETCH 1:* (UID FLAGS RFC822.SIZE BODY.PEEK[HEADER])", "NOOP"])

    def stock_session(self):
        self.replica.stock.pop3(session(self.chance, len(self.replica.messages())))

    def own_session(self):
        self.replica.programs.pop3(session(self.chance, len(self.replica.messages())))

    # -- files

    def files_deleted(self):
        for sub, name in self.pick(self.replica.messages()):
            os.unlink(self.replica.path(sub, name))

    def flags_renamed(self):
        for sub, name in self.pick(self.replica.messages()):
            base = name.split(":")[0]
            os.rename(self.replica.path(sub, name),
                      self.replica.path("cur", base + ":2," + self.chance.choice(["", "S", "F", "FS", "RS", "T"])))

    def files_changed_unseen(self):
        """Folders look as if nothing had happened, as after some kinds of backup."""
        before = {sub: os.stat(self.replica.path(sub)) for sub in ("cur", "new")}
        self.chance.choice([self.files_deleted, self.flags_renamed])()
        for sub, info in before.items():
            os.utime(self.replica.path(sub), ns=(info.st_atime_ns, info.st_mtime_ns))

    def bases_renamed(self):
        for sub, name in self.pick(self.replica.messages()):
            os.rename(self.replica.path(sub, name),
                      self.replica.path(sub, re.sub("^[^,:]*", "renamed-%d" % self.next_number(), name)))

    def sizes_renamed(self):
        for sub, name in self.pick(self.replica.messages()):
            base, colon, info = name.partition(":")
            with open(self.replica.path(sub, name), "rb") as file:
                base = base.split(",")[0] + sizes(file.read(), self.chance, self.wrong)
            os.rename(self.replica.path(sub, name), self.replica.path(sub, base + colon + info))

    def state_deleted(self):
        shutil.rmtree(self.replica.state_dir, ignore_errors=True)

    def state_saved(self):
        if os.path.exists(self.replica.state_dir):
            shutil.rmtree(self.replica.state_dir + ".saved", ignore_errors=True)
            shutil.copytree(self.replica.state_dir, self.replica.state_dir + ".saved")
            users.chown_tree(self.replica.state_dir + ".saved")

    def state_restored(self):
        if os.path.exists(self.replica.state_dir + ".saved"):
            self.state_deleted()
            os.rename(self.replica.state_dir + ".saved", self.replica.state_dir)

    def indexes_deleted(self):
        for path in self.replica.indexes(self.chance.choice(["dovecot.index*", "dovecot.index.cache",
                                                             "dovecot.index.log*", "dovecot.list.index*"])):
            os.unlink(path)

    def backup_made(self):
        for path in [self.replica.uidlist_path, *self.replica.indexes()]:
            if os.path.exists(path):
                shutil.copy2(path, sibling(path, "dovecot", "backup"))

    def indexes_restored(self):
        self.restore(self.replica.indexes("backup.index*"))

    def uidlist_restored(self):
        path = sibling(self.replica.uidlist_path, "dovecot", "backup")
        self.restore([path] if os.path.exists(path) else [])

    def restore(self, paths):
        for path in paths:
            target = sibling(path, "backup", "dovecot")
            shutil.copy2(path, target + ".copy")
            os.chown(target + ".copy", users.UID, users.GID)
            os.rename(target + ".copy", target)

    # -- dovecot-uidlist

    def uidlist_touched(self):
        path = self.replica.uidlist_path
        if self.lines:
            self.chance.choice([
                self.replica.touch_uidlist, lambda: os.utime(path),
                lambda: os.utime(path, (1_650_000_000, 1_650_000_000)),
                lambda: os.chmod(path, 0o600), lambda: os.chmod(path, 0o400),
                lambda: self.save(self.chance.choice(self.ways))])()

    def stored_with_new_mail(self):
        """As dsync does it: messages with a line from the beginning, with GUID, UIDL and order of another server."""
        if not self.lines:
            return
        uid = max([0] + [int(match[1]) for match in map(LINE.match, self.lines[1:]) if match])
        next_uid = re.search(r" N(\d+)", self.lines[0])
        uid = max(uid + 1, int(next_uid[1]) if next_uid else 0)
        for uid in range(uid, uid + self.chance.randint(1, 3)):
            name = self.deliver()
            words = [self.chance.choice(["", "Pstored-%d" % self.number]), self.order(), self.chance.choice(
                ["", "", "G%032x" % self.number])]
            self.lines.append(" ".join(filter(None, [str(uid), *words, ":" + name])))
        if self.chance.random() < 0.7:
            self.lines[0] = re.sub(r" N\d+", " N%d" % (uid + 1), self.lines[0])
        self.save(self.chance.choice(self.ways))

    def order(self):
        return self.chance.choice(["", "O%d" % self.chance.randint(1, 9), "O%d" % self.chance.randint(1, 9), "Ox"])

    def orders_changed(self):
        self.change(lambda words, _: [word for word in words if word[0] != "O"] + [self.order() or "O5"])

    def sizes_changed(self):
        """Sizes of the list that are taken away, or wrong: by more than the octet that nobody would find."""
        self.change(lambda words, _: [word for word in words if word[0] not in "SW"] + self.chance.choice(
            [[], [], [], ["W%d" % self.chance.randint(100, 200)]]))

    def letters_changed(self):
        """So that the file has the size that it had: a size becomes an order, and the other way round."""
        swap = {"W": "O", "O": "W"}
        self.change(lambda words, _: [swap.get(word[0], word[0]) + word[1:] for word in words])

    def uidls_changed(self):
        """Of messages that clients know."""
        self.change(lambda words, uid: [word for word in words if word[0] != "P"] + self.chance.choice(
            [[], ["P"], ["Pother-%s" % uid], ["Pother-%s" % uid]]))

    def letters_to_uidls(self):
        swap = {"W": "P", "O": "P"}
        self.change(lambda words, _: [swap.get(word[0], word[0]) + word[1:] for word in words[:1]] + words[1:])

    def listed(self):
        """Numbers of the lines of messages that are there: of the others each copy may have some or not."""
        names = {name.split(":")[0] for _, name in self.replica.messages()}
        return [number for number, line in enumerate(self.lines)
                if number > 0 and LINE.match(line) and line.split(":")[1] in names]

    def change(self, work):
        """WORK gets the words of a line, and its UID."""
        for number in self.pick(self.listed(), 4):
            uid, words, name = LINE.match(self.lines[number]).groups()
            words = [word for word in work(words.split(), uid) if word]
            self.lines[number] = " ".join([uid, *words, name])
        if self.lines:
            self.save(self.chance.choice(self.ways))

    def uidlist_damaged(self):
        if not self.lines:
            return
        kind = self.chance.choice(["deleted", "emptied", "torn", "garbage", "line lost", "header lost", "UIDVALIDITY"])
        path = self.replica.uidlist_path
        line = 0 if kind == "header lost" else self.chance.choice([0, *self.listed()])
        if kind == "deleted":
            os.unlink(path)
        elif kind == "emptied":
            os.truncate(path, 0)
        elif kind == "torn":
            # in a line, not after one, and not in a name that has another length on each copy
            self.lines = self.lines[:line] + [self.lines[line].split(":")[0]]
            self.save(RENAMED, end="")
        elif kind == "UIDVALIDITY":
            self.lines[0] = re.sub(r" V(\d+)", lambda match: " V%d" % (int(match[1]) + 1000), self.lines[0])
            self.save(self.chance.choice(self.ways))
        else:
            self.lines[line:line + 1] = ["what is this"] if kind == "garbage" else []
            self.save(self.chance.choice(self.ways))

    def save(self, way, end="\n"):
        path = self.replica.uidlist_path
        before = os.stat(path)
        data = "\n".join(self.lines) + end
        if way == RENAMED:
            self.replica.write_control("dovecot-uidlist.by-hand", data)
            os.rename(path + ".by-hand", path)
        else:
            self.replica.write_control("dovecot-uidlist", data)
        if way == SAME_TIME:
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        elif way == WHOLE_SECONDS:
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns // 10**9 * 10**9))


# (what happens, how often): after these stock Dovecot tells the UIDLs that it has told before
HARMLESS = {
    Things.nothing: 6, Things.delivered: 8, Things.delivered_by_lda: 4, Things.imap_append: 4, Things.imap_flags: 4,
    Things.imap_expunge: 4, Things.imap_session: 2, Things.stock_session: 4, Things.files_deleted: 3,
    Things.flags_renamed: 4, Things.indexes_deleted: 4, Things.backup_made: 2, Things.uidlist_touched: 4,
    Things.stored_with_new_mail: 6, Things.orders_changed: 6, Things.sizes_changed: 4, Things.letters_changed: 6,
    Things.files_changed_unseen: 1, Things.state_deleted: 1, Things.state_saved: 1,
}
# these are only found by who opens the files, or knows what should be there
UNSEEN = {Things.files_changed_unseen, Things.uidlist_damaged}
# these do what depends on sizes in dovecot-uidlist
SIZED = {Things.letters_changed, Things.letters_to_uidls}
# these need no lock that a session may hold, and happen also while one runs; but they take away no sizes, as it is not
# certain what sessions that run do about that
MEANWHILE = {
    Things.delivered: 4, Things.delivered_by_lda: 3, Things.imap_append: 2, Things.imap_flags: 2,
    Things.imap_expunge: 3, Things.stock_session: 3, Things.own_session: 4, Things.files_deleted: 2,
    Things.flags_renamed: 3, Things.uidlist_touched: 3, Things.stored_with_new_mail: 4, Things.orders_changed: 4,
}
# these copy messages, with what they are known by
COPYING = {Things.imap_copy: 4}
# and after these it may tell others
DISASTERS = {
    Things.state_restored: 1, Things.bases_renamed: 1, Things.sizes_renamed: 3, Things.indexes_restored: 1,
    Things.uidlist_restored: 1, Things.uidls_changed: 3, Things.letters_to_uidls: 3, Things.uidlist_damaged: 3,
}
