# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""A maildir filled with messages of one size, all of them seen; and new ones."""

import os
import random

import session

BORN = 1700000000
HEADER = (
    "Received: from mx.example.net by mail.example.org; Tue, 14 Nov 2023 22:13:20 +0000\n"
    "From: Sender <sender@example.net>\n"
    "To: Reader <reader@example.org>\n"
    "Subject: Weekly report\n"
    "Date: Tue, 14 Nov 2023 22:13:20 +0000\n"
    "Message-ID: <report@example.net>\n"
    "\n"
)
LINE = "The quick brown fox jumps over the lazy dog, and then does it once more.\n"
# ext4 allows 65,000 links to one file, and there may be two such maildirs.
LINKS = 30000


def message(size):
    """A message of about this many bytes, the header included."""
    lines = max(1, (size - len(HEADER)) // len(LINE))
    return HEADER + LINE * lines


def unique_part(chance, number, in_a_row):
    if in_a_row:
        return f"M{number}P1"
    return f"M{chance.randrange(1000000)}P{chance.randrange(1000, 1000000)}"


def file_names(count, sizes, in_a_row):
    chance = random.Random(BORN)
    for number in range(count):
        yield f"{BORN + number}.{unique_part(chance, number, in_a_row)}.bench{sizes}:2,S"


def fill(home, count, size, by_dovecot=True, in_a_row=False):
    """Dovecot's own deliveries have the sizes in their names; it has to read what others have delivered. It keeps the
    names in a hash, which those with numbers in a row fill badly: then a session takes it up to three times as long."""
    text = message(size)
    wire_size = len(text) + text.count("\n")
    sizes = f",S={len(text)},W={wire_size}" if by_dovecot else ""
    cur = os.path.join(home, "Maildir", "cur")
    for folder in ("cur", "new", "tmp"):
        os.makedirs(os.path.join(home, "Maildir", folder))
    master = None
    for number, name in enumerate(file_names(count, sizes, in_a_row)):
        path = os.path.join(cur, name)
        if number % LINKS == 0:
            master = path
            with open(path, "w", encoding="ascii") as out:
                out.write(text)
        else:
            os.link(master, path)
    # The same UIDVALIDITY, and so the same UIDLs, on whatever day and side.
    with open(os.path.join(home, "Maildir", "dovecot-uidlist"), "w", encoding="ascii") as out:
        out.write(f"3 V{BORN} N1 G{'0123456789abcdef' * 2}\n")
    # A folder that changed a moment ago is scanned again by every session.
    for folder in ("cur", "new"):
        os.utime(os.path.join(home, "Maildir", folder), (BORN, BORN))


def deliver(home, count, size):
    """New messages, from one who does not put their sizes in the names."""
    new = os.path.join(home, "Maildir", "new")
    for number in range(count):
        with open(os.path.join(new, f"{BORN + 10**6 + number}.M{number}P1.bench"), "w", encoding="ascii") as out:
            out.write(message(size))
    session.give_to_reader(new)
