# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Sessions that only ask what there is, in mailboxes that the server knows."""

import functools

import session
import storages
from side import POLL

COUNT = 1000
LARGE_COUNT = 100000
STORAGE_COUNT = 20000
SIZE = 1000

# Of 2.3 and of 2.4.
MAILDIR_BOUND = (0.50, 0.33)
LARGE_BOUND = (0.12, 0.08)
# To look for the file of a plugin, which is Dovecot's own work, and to load it is that much of so small a session.
EMPTY_BOUND = (1.13, 1.04)
STORAGE_BOUND = (0.80, 0.50)
MEMORY_BOUND = 256


def measure_warm(side):
    """Returns (instructions of the session, digest of what the client got)."""
    side.play(POLL)
    side.play(POLL)
    return side.measure(POLL, "poll")


def print_poll(table, title, stock, plugin, bound):
    """Of two such pairs."""
    if stock[1] != plugin[1]:
        raise session.SessionError(f"the replies to a {title} differ")
    table.ratio(title, stock[0], plugin[0], bound)


def print_memory(table, stock, plugin, bound):
    table.more("memory of that session, KB", stock.memory("UIDL"), plugin.memory("UIDL"), bound)


def print_written(table, stock, plugin, when="then"):
    """Stock Dovecot locks an mbox by a file beside it, and so it may be."""
    written = stock.written_by_poll()
    table.number(f"files written by a poll {when}", written, plugin.written_by_poll(),
                 written if plugin.driver == "mbox" else 0)


def bench_maildir(table, pool, stock, plugin):
    plugin.fill(COUNT, SIZE)
    stock.copy_mail(plugin)
    for side in (stock, plugin):
        # From then on there is a state to be read.
        side.play(("RETR 1", "QUIT"))
    costs = pool.map(measure_warm, (stock, plugin))
    print_poll(table, "poll of maildir, 1,000 messages", *costs, plugin.dovecot.of_line(MAILDIR_BOUND))
    print_memory(table, stock, plugin, MEMORY_BOUND)
    print_written(table, stock, plugin)


def bench_large(table, pool, stock, plugin):
    """The mailbox on which Dovecot's poll was first looked into; one with names as deliveries make them is in uidls."""
    plugin.fill(LARGE_COUNT, SIZE, in_a_row=True)
    if plugin.with_plugin:
        plugin.adopt()
    stock.copy_mail(plugin)
    costs = pool.map(measure_warm, (stock, plugin))
    print_poll(table, "poll of 100,000, names in a row", *costs, plugin.dovecot.of_line(LARGE_BOUND))


def bench_empty(table, pool, stock, plugin):
    plugin.fill(0, SIZE)
    stock.copy_mail(plugin)
    costs = pool.map(measure_warm, (stock, plugin))
    print_poll(table, "poll of maildir, empty", *costs, plugin.dovecot.of_line(EMPTY_BOUND))
    print_written(table, stock, plugin)


def bench_storage(driver, table, pool, stock, plugin):
    """Dovecot's indexes are the same, so that the UIDLs are."""
    storages.fill(plugin, driver, STORAGE_COUNT, SIZE)
    if plugin.with_plugin:
        plugin.adopt()
    stock.copy_mail(plugin)
    costs = pool.map(measure_warm, (stock, plugin))
    print_poll(table, f"poll of {driver}, 20,000 messages", *costs, plugin.dovecot.of_line(STORAGE_BOUND))
    print_written(table, stock, plugin)


BENCHES = {
    "poll": bench_maildir,
    "empty": bench_empty,
    "large": bench_large,
    **{driver: functools.partial(bench_storage, driver) for driver in storages.FILLS},
}
