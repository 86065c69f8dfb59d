# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""What it costs to count what is downloaded."""

import json

import polls
import session

COUNT = 1000
SIZE = 5120
LINES = [f"RETR {number}" for number in range(1, COUNT + 1)] + ["QUIT"]

BOUND = 0.98
STATE_BOUND = 4096


def measure(side):
    side.fill(COUNT, SIZE)
    side.play(LINES)
    side.play(LINES)
    return side.measure(LINES)


def print_state(table, side):
    with open(side.state_path(), "rb") as file:
        text = file.read()
    messages = json.loads(text)["quota"]["windows"]["day"]["messages"]
    # Three sessions; the day may have changed between them.
    if messages % COUNT != 0 or messages == 0:
        raise session.SessionError(f"the plugin counted {messages} messages")
    table.number("bytes of state.json", "-", len(text), STATE_BOUND - 1)


def bench_retr(table, pool, stock, plugin):
    stock_got, plugin_got = pool.map(measure, (stock, plugin))
    if stock_got[1] != plugin_got[1]:
        raise session.SessionError("the messages differ")
    table.ratio("RETR of 1,000 x 5 KB", stock_got[0], plugin_got[0], BOUND)
    if plugin.with_plugin:
        print_state(table, plugin)
    polls.print_written(table, stock, plugin)


BENCHES = {"retr": bench_retr}
