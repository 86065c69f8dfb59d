# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""What it costs to keep the UIDLs of a large mailbox."""

import glob
import os

import session

COUNT = 100000
# All costs of adoption are by the message, and it reads each of them: fewer will do.
ADOPT_COUNT = 20000
SIZE = 1000
LISTING = ("UIDL", "QUIT")

STEADY_BOUND = 1.01
ADOPT_BOUND = 3
RECOVERY_BOUND = 2
RECOVERED_BOUND = 1.05
JOURNAL_BOUND = 200
MEMORY_BOUND = 1024


def both(pool, work, *sides):
    return list(pool.map(work, sides))


# -- the first time


def measure_first(side):
    """Nothing is known of the mailbox yet, nor the size of any message."""
    side.fill(ADOPT_COUNT, SIZE, by_dovecot=False)
    return side.measure_adopt() if side.with_plugin else side.measure(LISTING)[0]


def bench_adopt(table, pool, stock, plugin):
    costs = both(pool, measure_first, stock, plugin)
    table.ratio("adopting 20,000 / cold session", *costs, ADOPT_BOUND)


# -- afterwards: sessions, a disaster, sessions


def prepare(stock, plugin):
    """Dovecot's indexes are the same: what it keeps in memory depends on them."""
    plugin.fill(COUNT, SIZE)
    if plugin.with_plugin:
        plugin.adopt()
    stock.copy_mail(plugin)


def measure_steady(side, step):
    side.play(LISTING)
    return side.measure(LISTING, step)


def measure_recovery(side):
    """All that Dovecot knows of the mailbox is lost: UIDs and UIDVALIDITY are new."""
    for path in glob.glob(os.path.join(side.home, "Maildir", "dovecot*")):
        os.unlink(path)
    return side.measure(LISTING, "recovery")


def journal_octets(side):
    """Octets per message, rounded up; all messages must be there."""
    with open(side.state_path("messages.jsonl"), "rb") as file:
        text = file.read()
    lines = text.count(b"\n") - 1
    if lines != COUNT:
        raise session.SessionError(f"the journal has {lines} lines, not {COUNT}")
    return -(-len(text) // COUNT)


def check_kept(steady, *later):
    """The disaster was one, and the plugin has hidden it from the client."""
    for stock, plugin in later:
        if stock[1] == steady[0][1]:
            raise session.SessionError("stock Dovecot has kept the UIDLs, nothing was recovered")
        if plugin[1] != steady[1][1]:
            raise session.SessionError("the plugin has not kept the UIDLs")


def print_quiet(table, stock, plugin, when):
    table.number(f"files written by a poll {when}", stock.written_by_poll(),
                 plugin.written_by_poll(), 0)
    if plugin.with_plugin:
        table.number(f"journal {when}, bytes a message", "-", journal_octets(plugin), JOURNAL_BOUND)


def bench_uidl(table, pool, stock, plugin):
    prepare(stock, plugin)
    steady = both(pool, lambda side: measure_steady(side, "steady"), stock, plugin)
    if steady[0][1] != steady[1][1]:
        raise session.SessionError("the UIDLs of a steady mailbox are not those of Dovecot")
    table.ratio("UIDL of 100,000 messages", steady[0][0], steady[1][0], STEADY_BOUND)
    table.more("memory of that session, KB", stock.memory(LISTING[0]), plugin.memory(LISTING[0]),
               MEMORY_BOUND)
    print_quiet(table, stock, plugin, "then")

    recovery = both(pool, measure_recovery, stock, plugin)
    table.ratio("recovery of 100,000 UIDLs", recovery[0][0], recovery[1][0], RECOVERY_BOUND)
    recovered = both(pool, lambda side: measure_steady(side, "recovered"), stock, plugin)
    if plugin.with_plugin:
        check_kept(steady, recovery, recovered)
    table.ratio("UIDL of 100,000 after that", recovered[0][0], recovered[1][0], RECOVERED_BOUND)
    print_quiet(table, stock, plugin, "after it")


BENCHES = {"adopt": bench_adopt, "uidl": bench_uidl}
