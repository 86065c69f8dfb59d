# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""What may go from a maildrop and what must, by the words of the documentation: nothing here is made after the code of
the plugin.

All times are seconds by the server's clock, right or wrong. What happens takes a while, so that each time is a span: a
rule may take a message at the earliest, and has to at the latest."""

import dataclasses
import math
import typing

DAY = 24 * 3600
# after so long without a look at a user's mail the clock is doubted
DOUBT = 30 * DAY
# there is a look at least so often, and so long a doubt lasts
WEEK = 7 * DAY


@dataclasses.dataclass
class Rules:
    """None is forever, or unlimited."""
    keep_downloaded: typing.Optional[int] = None
    keep_undownloaded: typing.Optional[int] = None
    max_messages: typing.Optional[int] = None
    max_size: typing.Optional[int] = None
    exempt: str = "FLAGGED"
    report_only: bool = False
    move: bool = False

    def is_forever(self):
        return {self.keep_downloaded, self.keep_undownloaded, self.max_messages, self.max_size} == {None}


@dataclasses.dataclass
class Message:
    number: int
    size: int
    # spans
    delivered: typing.Tuple[int, int]
    downloaded: typing.Optional[typing.Tuple[int, int]] = None
    flags: typing.Set[str] = dataclasses.field(default_factory=set)
    # when it was last known to be exempt, or rules were others
    unsettled: float = -math.inf

    def is_exempt(self, query):
        return {"FLAGGED": "flagged" in self.flags, "KEYWORD keep": "keep" in self.flags, "none": False,
                "FLAGGED OR KEYWORD keep": bool(self.flags),
                "SUBJECT 7": "7" in str(self.number)}[query]


class Oracle:
    def __init__(self):
        self.rules = Rules()
        # what is there, by numbers, in the order of delivery
        self.messages = {}
        # mail of those who do not use POP3 is left alone
        self.uses_pop3 = False
        # the latest time at which anything has looked, or may have
        self.high = -math.inf
        # the latest time at which there surely was a look within a week
        self.seen = None

    # -- what happens

    def set_rules(self, rules, now):
        for message in self.messages.values():
            # what was exempt, or only reported, is looked at again some time
            if self.rules.report_only or message.is_exempt(self.rules.exempt):
                message.unsettled = now
        self.rules = rules

    def deliver(self, number, size, span):
        # what a wrong clock says is not before what is known already
        self.messages[number] = Message(number, size, (span[0], max(span[1], self.high)))

    def flag(self, number, flag, on, now):
        message = self.messages[number]
        if on:
            message.flags.add(flag)
        else:
            message.flags.discard(flag)
        message.unsettled = now

    def downloaded(self, numbers, span):
        """In a session that ended with QUIT."""
        for number in numbers:
            message = self.messages.get(number)
            if message is not None and message.downloaded is None:
                # while the clock is behind, nothing is taken for older than the last look
                last = -math.inf if self.seen is None else self.seen - WEEK
                message.downloaded = (max(span[0], last), max(span[1], self.high))

    def may_wait(self, now):
        """Whether the clock may be doubted."""
        return self.seen is not None and now - self.seen > DOUBT - WEEK

    def looked(self, span, is_sure=False):
        """There was a look, if one was due."""
        if self.rules.is_forever():
            return
        now = span[1]
        if not self.uses_pop3:
            return
        if is_sure or (now >= self.high and not self.may_wait(now)):
            self.seen = now
        self.high = max(self.high, now)

    def forced(self, span):
        """A look that believes the clock."""
        if self.uses_pop3 and not self.rules.is_forever():
            self.seen = self.high = span[1]

    # -- what may go

    def complain(self, gone, span, is_forced=False):
        """Why GONE (numbers) must not have gone, or None; else they are forgotten."""
        now = span[1]
        left = [message for number, message in self.messages.items() if number not in gone]
        taken = [self.messages[number] for number in gone]
        if taken and self.rules.report_only:
            return "%s went, and rules only report" % gone
        if taken and not is_forced and self.seen is not None and span[0] - self.high > DOUBT:
            return "%s went after a jump of the clock" % gone
        over = [message for message in taken if not self.time_is_over(message, now)]
        for message in over:
            reason = self.no_excess(message)
            if reason:
                return "%d went: %s" % (message.number, reason)
        exempt = [message.number for message in taken if message.is_exempt(self.rules.exempt)]
        if exempt:
            return "%s are exempt" % exempt
        if over:
            reason = self.bad_choice(over, left)
            if reason:
                return reason
        for number in gone:
            del self.messages[number]
        return None

    def time_is_over(self, message, now):
        if message.downloaded is not None:
            keep, since = self.rules.keep_downloaded, message.downloaded[0]
        else:
            keep, since = self.rules.keep_undownloaded, message.delivered[0]
        return keep is not None and now - since >= keep

    def no_excess(self, message):
        if message.downloaded is None:
            return "never downloaded, and delivered %s" % (message.delivered,)
        if self.rules.max_messages is None and self.rules.max_size is None:
            return "downloaded %s" % (message.downloaded,)
        return None

    def bad_choice(self, over, left):
        """Whether others should have gone in the place of these, or fewer."""
        # one of these was the last to go
        lasts = [message for message in over if not any(is_older(message, other) for other in over)]
        is_needed = (self.rules.max_messages is not None and len(left) >= self.rules.max_messages) or (
            self.rules.max_size is not None and
            total(left) + max(message.size for message in lasts) > self.rules.max_size)
        if not is_needed:
            return "%d went, and %d messages of %d bytes are left" % (lasts[-1].number, len(left), total(left))
        for message in left:
            if all(self.goes_before(message, last) for last in lasts):
                return "%d went before %d" % (lasts[-1].number, message.number)
        return None

    def goes_before(self, message, other):
        return message.downloaded is not None and not message.is_exempt(self.rules.exempt) and is_older(message, other)

    # -- what must go

    def overdue(self, now, is_forced):
        """What a run at NOW should have taken, and why; None if nothing. Without force only what it must know of."""
        takes = self.uses_pop3 and not self.rules.report_only and not self.rules.is_forever()
        if not takes or (now < self.high and not is_forced):
            return None
        candidates = []
        for message in self.messages.values():
            if self.may_stay(message, now, is_forced):
                continue
            since = message.downloaded or message.delivered
            keep = self.rules.keep_undownloaded if message.downloaded is None else self.rules.keep_downloaded
            if keep is not None and now - since[1] >= keep:
                return "%d is left: %s, kept %d s" % (message.number, since, keep)
            if message.downloaded is not None and since[1] <= now:
                candidates.append(message)
        if not candidates or not (is_forced or self.look_is_daily(now)):
            return None
        there = list(self.messages.values())
        if self.rules.max_messages is not None and len(there) > self.rules.max_messages:
            return "%d are left, also %d" % (len(there), candidates[0].number)
        if self.rules.max_size is not None and total(there) > self.rules.max_size:
            return "%d bytes are left, also of %d" % (total(there), candidates[0].number)
        return None

    def may_stay(self, message, now, is_forced):
        return message.is_exempt(self.rules.exempt) or (not is_forced and now - message.unsettled < WEEK + DAY)

    def look_is_daily(self, now):
        return now - self.high >= DAY


def total(messages):
    return sum(message.size for message in messages)


def is_older(first, second):
    """Surely; those of one session go in the order of delivery."""
    if first.downloaded == second.downloaded:
        return first.number < second.number
    return first.downloaded[1] < second.downloaded[0]
