# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Plays the history of a seed, and makes it smaller if it fails."""

import dataclasses

import shrink
from comparison import Difference
from history import History
from plan import plan

STEPS = 25


@dataclasses.dataclass
class Result:
    counts: dict
    # None if all is well
    report: str = None


def failure(one, base, counts=None):
    """The Difference that this plan ends with, or None."""
    history = History(one, base)
    try:
        history.play()
    except Difference as error:
        return error
    finally:
        if counts is not None:
            counts.update(history.counts)
    return None


def play(seed, steps, base, only=None, seconds=60):
    whole = plan(seed, steps)
    selection = shrink.parse(whole, only) if only else shrink.everything(whole)
    counts = {}
    error = failure(shrink.select(whole, selection), base, counts)
    if error is None:
        return Result(counts)
    if seconds:
        smaller = shrink.shrink(whole, selection, lambda one: failure(one, base), seconds)
        again = failure(shrink.select(whole, smaller), base)
        if again is not None:
            selection, error = smaller, again
    return Result(counts, "history %d, %s:\n%s\nreplay it: tests/model/run --seed %d --steps %d --only %s\n" % (
        seed, whole.form, error, seed, steps, shrink.text(whole, selection)))
