# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""What a quota has counted and whether it serves a message, by the words of the documentation. Where these leave it
open there are two bounds."""

import calendar
import dataclasses
import time
import typing

UNITS = {"b": 1, "k": 1 << 10, "M": 1 << 20, "G": 1 << 30}
LEASE = 16 << 20
LEASE_MESSAGES = 1000
STEP = 64 << 10
STEP_MESSAGES = 16


def begins(window, now):
    """When the window began in which this time is."""
    year, month, day, hour, *_ = time.gmtime(now)
    midnight = calendar.timegm((year, month, day, 0, 0, 0))
    return {"hour": midnight + hour * 3600, "day": midnight,
            "week": midnight - time.gmtime(now).tm_wday * 86400,
            "month": calendar.timegm((year, month, 1, 0, 0, 0))}[window]


def ends(window, now):
    start = begins(window, now)
    if window == "month":
        return begins("month", start + 32 * 86400)
    return start + {"hour": 3600, "day": 86400, "week": 7 * 86400}[window]


@dataclasses.dataclass
class Limit:
    amount: int
    is_messages: bool
    window: str


def limits(text):
    found = []
    for word in text.split():
        amount, window = word.split("/")
        unit = "msg" if amount.endswith("msg") else amount[-1]
        number = int(amount[:-len(unit)])
        found.append(Limit(number if unit == "msg" else number * UNITS[unit], unit == "msg", window))
    return found


@dataclasses.dataclass
class Window:
    """Bounds of what was counted: [at least, at most]."""
    name: str
    start: typing.Optional[int] = None
    octets: typing.List[int] = dataclasses.field(default_factory=lambda: [0, 0])
    messages: typing.List[int] = dataclasses.field(default_factory=lambda: [0, 0])
    # the clock was far behind, and it is not known until when what was counted counts
    doubt: typing.Optional[int] = None
    # {start: (octets, messages)} of windows that have ended: if nothing was written since, and the clock goes back, they
    # go on
    past: typing.Dict[int, typing.Tuple[int, int]] = dataclasses.field(default_factory=dict)

    def begin(self, now):
        if self.octets[1] or self.messages[1]:
            # if the clock had gone back, a later one may have gone on
            for start in {self.start, *(start for start in self.past if start > self.start)}:
                octets, messages = self.past.get(start, (0, 0))
                self.past[start] = max(octets, self.octets[1]), max(messages, self.messages[1])
        self.start, self.doubt = begins(self.name, now), None
        going_on = [high for start, high in self.past.items() if start >= self.start]
        self.octets = [0, max((octets for octets, _ in going_on), default=0)]
        self.messages = [0, max((messages for _, messages in going_on), default=0)]

    def roll(self, span):
        if self.octets[1] == self.messages[1] == 0:
            # it need not be written down
            self.begin(span[0])
            return
        end = ends(self.name, self.start)
        if span[1] < self.start:
            if self.start - span[1] > (end - self.start) // 2 or self.doubt is not None:
                self.doubt = max(self.doubt or end, ends(self.name, span[1]))
        elif self.doubt is not None:
            if span[0] >= self.doubt:
                self.begin(span[0])
            else:
                self.doubt = max(self.doubt, ends(self.name, span[1]))
        elif span[0] >= end:
            self.begin(span[0])
        elif span[1] >= end:
            self.doubt = ends(self.name, span[1])
        if self.doubt is not None:
            self.octets[0] = self.messages[0] = 0


class Counters:
    def __init__(self):
        self.windows = {name: Window(name) for name in ("hour", "day", "week", "month")}
        self.limits = []
        self.throttles = False
        self.denies_top = False
        # what another session may have reserved
        self.held = [0, 0]

    def reset(self):
        """Counters are zero; windows go on."""
        for window in self.windows.values():
            window.octets, window.messages, window.past = [0, 0], [0, 0], {}

    def roll(self, span):
        for window in self.windows.values():
            window.roll(span)

    def count(self, octets, messages):
        """Each as (at least, at most)."""
        if not self.limits:
            return
        for window in self.windows.values():
            for bounds, more in ((window.octets, octets), (window.messages, messages)):
                bounds[0] += more[0] if window.doubt is None else 0
                bounds[1] += more[1]

    def lease(self, largest, has_topped):
        """The most that a session may have reserved beyond what it has sent: (octets, messages)."""
        found = [LEASE, LEASE_MESSAGES]
        for limit in self.limits:
            window = self.windows[limit.window]
            left = max(limit.amount - (window.messages if limit.is_messages else window.octets)[0], 0)
            found[limit.is_messages] = min(found[limit.is_messages], left // 8)
        # or as much as the message at hand needs; what is not refused goes by larger steps
        is_step = self.throttles or has_topped
        return max(found[0], most(largest), STEP * is_step), max(found[1], 1 + STEP_MESSAGES * self.throttles)

    def verdict(self, size, wire):
        """Whether a message of so many octets, which are so many on the wire, is served: "yes", "no" or "maybe"."""
        if not self.limits or self.throttles:
            return "yes"
        found = {self.of_limit(limit, size, wire) for limit in self.limits}
        return "no" if "no" in found else "maybe" if "maybe" in found else "yes"

    def of_limit(self, limit, size, wire):
        window = self.windows[limit.window]
        if limit.is_messages:
            low, high = window.messages
            return judge(low + 1 > limit.amount, high + self.held[1] + 1 <= limit.amount)
        low, high = window.octets
        if low == 0 and wire > limit.amount:
            # a message that is larger than the whole limit
            return "yes" if high + self.held[0] == window.messages[1] == 0 and size > limit.amount else "maybe"
        return judge(low + size > limit.amount, high + self.held[0] + wire <= limit.amount)


def most(size):
    """What is reserved for a message, whatever lines it has."""
    return size + size // 3 + 1024


def judge(is_over, fits):
    return "no" if is_over else "yes" if fits else "maybe"
