# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""What it costs to keep the UIDLs of a large mailbox."""

import glob
import os
import time

import maildir
import polls
import session
from side import POLL

COUNT = 100000
NEW = 10
# All costs of adoption are by the message, and it reads each of them: fewer will do.
ADOPT_COUNT = 20000
SIZE = 1000
LISTING = ("UIDL", "QUIT")
OLD_SECS = 31

# The first two of 2.3 and of 2.4.
# With such names most of what is left is Dovecot's: sending the lines of LIST, and the start of the process.
POLL_BOUND = (0.30, 0.12)
NEW_BOUND = (0.80, 0.40)
ADOPT_BOUND = 3
RECOVERY_BOUND = 2
RECOVERED_BOUND = 1.05
JOURNAL_BOUND = 200
MEMORY_BOUND = 0


def both(pool, work, *sides):
    return list(pool.map(work, sides))


# -- the first time


def measure_first(side):
    """Nothing is known of the mailbox yet, nor the size of any message."""
    side.fill(ADOPT_COUNT, SIZE, by_dovecot=False)
    return side.measure_doveadm("pop3 uidl adopt", step="adopt") if side.with_plugin else side.measure(LISTING)[0]


def bench_adopt(table, pool, stock, plugin):
    costs = both(pool, measure_first, stock, plugin)
    table.ratio("adopting 20,000 / cold session", *costs, ADOPT_BOUND)


# -- afterwards: polls, new mail, a disaster, sessions


def prepare(stock, plugin):
    """Dovecot's indexes are the same: what it keeps in memory depends on them."""
    plugin.fill(COUNT, SIZE)
    if plugin.with_plugin:
        plugin.adopt()
    stock.copy_mail(plugin)


def measure_steady(side):
    """To the plugin a young file may still change without a trace. It waits while the other side is measured."""
    if side.with_plugin:
        changed = os.stat(os.path.join(side.home, "Maildir", "dovecot-uidlist")).st_ctime
        time.sleep(max(0, changed + OLD_SECS - time.time()))
    return polls.measure_warm(side)


def measure_new(side):
    maildir.deliver(side.home, NEW, SIZE)
    return side.measure(POLL, "new")


def measure_recovery(side):
    """All that Dovecot knows of the mailbox is lost: UIDs and UIDVALIDITY are new."""
    for path in glob.glob(os.path.join(side.home, "Maildir", "dovecot*")):
        os.unlink(path)
    return side.measure(LISTING, "recovery")


def journal_octets(side, count):
    """Octets per message, rounded up; all messages must be there."""
    with open(side.state_path("messages.jsonl"), "rb") as file:
        text = file.read()
    lines = text.count(b"\n") - 1
    if lines != count:
        raise session.SessionError(f"the journal has {lines} lines, not {count}")
    return -(-len(text) // count)


def check_kept(before, *later):
    """The disaster was one, and the plugin has hidden it from the client. These are the UIDLs that were told."""
    for stock, plugin in later:
        if stock == before:
            raise session.SessionError("stock Dovecot has kept the UIDLs, nothing was recovered")
        if plugin != before:
            raise session.SessionError("the plugin has not kept the UIDLs")


def print_quiet(table, stock, plugin, when, count):
    polls.print_written(table, stock, plugin, when)
    if plugin.with_plugin:
        table.number(f"journal {when}, bytes a message", "-", journal_octets(plugin, count), JOURNAL_BOUND)


def bench_polls(table, pool, stock, plugin):
    """Returns what a poll costs stock Dovecot."""
    steady = both(pool, measure_steady, stock, plugin)
    polls.print_poll(table, "poll of maildir, 100,000 messages", *steady, plugin.dovecot.of_line(POLL_BOUND))
    polls.print_memory(table, stock, plugin, MEMORY_BOUND)
    print_quiet(table, stock, plugin, "then", COUNT)

    new = both(pool, measure_new, stock, plugin)
    if new[0][1] == steady[0][1]:
        raise session.SessionError("stock Dovecot has not seen the new messages")
    polls.print_poll(table, "poll of it with 10 new messages", *new, plugin.dovecot.of_line(NEW_BOUND))
    return steady[0][0]


def bench_recovery(table, pool, stock, plugin):
    before = plugin.play(LISTING)
    recovery = both(pool, measure_recovery, stock, plugin)
    table.ratio("recovery of 100,000 UIDLs", recovery[0][0], recovery[1][0], RECOVERY_BOUND)
    recovered = both(pool, lambda side: side.play(LISTING), stock, plugin)
    if plugin.with_plugin:
        check_kept(before, [told for _, told in recovery], recovered)


def bench_uidl(table, pool, stock, plugin):
    prepare(stock, plugin)
    stock_cost = bench_polls(table, pool, stock, plugin)
    bench_recovery(table, pool, stock, plugin)
    # To stock Dovecot this is a mailbox like the one before, and costs as much: that takes minutes to measure.
    table.ratio("poll of 100,000 after that", stock_cost, plugin.measure(POLL, "recovered")[0], RECOVERED_BOUND)
    print_quiet(table, stock, plugin, "after it", COUNT + NEW)


BENCHES = {"adopt": bench_adopt, "uidl": bench_uidl}
