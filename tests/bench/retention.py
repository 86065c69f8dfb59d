# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""What it costs to know that no mail has to go, and to let it go."""

import glob
import os

import downloads
import history
import polls
import session
from side import POLL

RULES = {"pop3_policy_keep_downloaded": "14d", "pop3_policy_keep_undownloaded": "90d"}
COUNT = 1000
SIZE = 1000
RUN_COUNT = 100000
DUE_COUNT = 1000
DUE_DAYS = 15

NOT_DUE_BOUND = 1.01
RUN_BOUND = 1.3


# -- nothing is due


def measure_without(side):
    """Nothing else is different: what Dovecot has in its indexes since the messages were looked at costs a little."""
    side.settings = {}
    side.write_config(side.with_plugin)
    return side.measure(POLL, "without")


def bench_poll(table, pool, stock, plugin):
    """Half of the messages were downloaded. To compare with stock Dovecot is the easy part: its polls are slow."""
    plugin.settings = RULES
    plugin.fill(COUNT, SIZE)
    plugin.play([f"RETR {number}" for number in range(1, COUNT // 2)] + ["QUIT"])
    stock.copy_mail(plugin)
    stock_cost, with_rules = pool.map(polls.measure_warm, (stock, plugin))
    polls.print_poll(table, "poll with rules, nothing due", stock_cost, with_rules, NOT_DUE_BOUND)
    polls.print_written(table, stock, plugin)
    polls.print_poll(table, "poll with rules / without", measure_without(plugin), with_rules, NOT_DUE_BOUND)


def bench_retr(table, pool, stock, plugin):
    plugin.settings = RULES
    costs = pool.map(downloads.measure, (stock, plugin))
    polls.print_poll(table, "RETR of 1,000 x 5 KB with rules", *costs, NOT_DUE_BOUND)


# -- mail is due


def measure_run(side):
    if side.with_plugin:
        return side.measure_doveadm("pop3 retention run", step="run")
    return side.measure_doveadm("expunge", "mailbox", "INBOX", "uid", f"1:{DUE_COUNT}", step="run")


def check_removed(side):
    left = len(glob.glob(os.path.join(side.home, "Maildir", "cur", "*")))
    if left != RUN_COUNT - DUE_COUNT:
        raise session.SessionError(f"{left} messages are left")


def bench_run(table, pool, stock, plugin):
    """Stock Dovecot is told which messages, which it need not find out."""
    plugin.settings = RULES
    plugin.fill(RUN_COUNT, SIZE)
    if plugin.with_plugin:
        plugin.adopt()
        history.download(plugin, DUE_COUNT, DUE_DAYS)
    else:
        plugin.play(POLL)
    stock.copy_mail(plugin)
    costs = pool.map(measure_run, (stock, plugin))
    table.ratio("removing 1,000 of 100,000 / expunge", *costs, RUN_BOUND)
    for side in (stock, plugin):
        check_removed(side)


BENCHES = {"retention-poll": bench_poll, "retention-retr": bench_retr, "retention-run": bench_run}
