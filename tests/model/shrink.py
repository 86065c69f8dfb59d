# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Leaves out of a history that fails all that it fails without.

What is left is written as the numbers of its steps: "0,2:1.4,7" are the steps 0, 2 and 7, and of step 2 only the parts 1
and 4."""

import dataclasses
import re
import time


def everything(plan):
    return [(number, tuple(range(len(step.parts)))) for number, step in enumerate(plan.steps)]


def text(plan, selection):
    return ",".join(str(number) if len(parts) == len(plan.steps[number].parts) else
                    "%d:%s" % (number, ".".join(map(str, parts))) for number, parts in selection)


def parse(plan, words):
    found = []
    for word in words.split(","):
        number, _, parts = word.partition(":")
        step = plan.steps[int(number)]
        wanted = range(len(step.parts)) if ":" not in word else map(int, filter(None, parts.split(".")))
        found.append((int(number), tuple(wanted)))
    return found


def select(plan, selection):
    """The plan with these steps only."""
    steps = [dataclasses.replace(plan.steps[number], parts=[plan.steps[number].parts[part] for part in parts])
             for number, parts in selection]
    return dataclasses.replace(plan, steps=steps)


def kind(error):
    """By which it is seen that two failures are the same: what is wrong, without numbers and names."""
    last = str(error).rpartition("WRONG: ")[2]
    return re.sub(r"\d.*", "", last.replace(":", " "))[:30]


def shrink(plan, selection, fails, seconds):
    """FAILS is told a plan and says how that fails, or None. Returns the selection that is left after so long."""
    end = time.monotonic() + seconds
    wanted = kind(fails(select(plan, selection)))

    def still_fails(candidate):
        if time.monotonic() > end:
            return False
        error = fails(select(plan, candidate))
        return error is not None and kind(error) == wanted

    size = len(selection) // 2
    while size:
        start = 0
        while start < len(selection):
            candidate = selection[:start] + selection[start + size:]
            # without the first rules nothing is there
            if candidate[:1] == selection[:1] and still_fails(candidate):
                selection = candidate
            else:
                start += size
        size //= 2
    for place in range(len(selection)):
        number, parts = selection[place]
        for part in parts:
            fewer = tuple(other for other in selection[place][1] if other != part)
            candidate = [*selection[:place], (number, fewer), *selection[place + 1:]]
            if still_fails(candidate):
                selection = candidate
    return selection
