# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""The messages of a maildrop as they must be: who is shown which, by what UIDL, and which ones a rule may take or must.
By the words of the documentation, not after the code of the plugin."""

import collections
import dataclasses
import math
import typing

import retention_oracle
from retention_oracle import DAY, Oracle

VIEWS = {
    "ALL": lambda message: True,
    "NOT KEYWORD $Junk": lambda message: "junk" not in message.flags,
    "SMALLER 3000": lambda message: message.size < 3000,
    "NOT FLAGGED": lambda message: "flagged" not in message.flags,
    "NOT ALL": lambda message: False,
}


@dataclasses.dataclass
class Rules(retention_oracle.Rules):
    # a message counts as downloaded when all of these have it
    keep_devices: typing.Tuple[str, ...] = ()
    # what each device is shown, and what doveadm goes by
    views: dict = dataclasses.field(default_factory=dict)

    def expire(self):
        """What CAPA says."""
        times = [keep for keep in (self.keep_downloaded, self.keep_undownloaded) if keep is not None]
        has_limit = self.max_messages is not None or self.max_size is not None
        if self.report_only or not (times or has_limit):
            return "NEVER"
        if self.keep_downloaded == 0:
            return "0"
        days = min(times) // DAY if times else 1
        return str(1 if has_limit else max(days, 1))


@dataclasses.dataclass
class Message(retention_oracle.Message):
    # NUMBER is the order in the mailbox, MAIL is what the message itself says; copies have the same
    mail: int = 0
    data: bytes = b""
    wire: int = 0
    uid: typing.Optional[int] = None
    # what it must be told by
    uidl: typing.Optional[str] = None
    # whether that is written down for the case that the mailbox becomes another one
    is_recorded: bool = False
    # first downloads by each device, "" for anyone
    downloads: dict = dataclasses.field(default_factory=dict)
    # whether it is known if it was downloaded
    doubtful: bool = False
    # the journal had lost lines when it was found in another mailbox: it may stay as if it was downloaded then
    perhaps_downloaded: bool = False
    hidden: bool = False

    def is_exempt(self, query):
        if self.hidden and self.downloaded is not None:
            return True
        return {"FLAGGED": "flagged" in self.flags, "KEYWORD keep": "keep" in self.flags, "none": False,
                "FLAGGED OR KEYWORD keep": bool({"flagged", "keep"} & self.flags),
                "SUBJECT 7": "7" in str(self.mail)}[query]


class Maildrop(Oracle):
    """MESSAGES are in the order of the mailbox, by keys that nobody else has."""

    def __init__(self):
        super().__init__()
        self.rules = Rules()
        self.saved = []
        self.archive = []
        self.next_key = 1
        # who has been told by it
        self.told = {}
        # all that ever were
        self.known = {}

    # -- what happens

    def add(self, message):
        key = self.next_key
        self.next_key += 1
        message.number = key
        self.messages[key] = message
        self.known[key] = message
        return key

    def deliver_mail(self, mail, data, span, received=None):
        """RECEIVED is when it first came to the server."""
        low = span[0] if received is None else min(received, span[0])
        return self.add(Message(0, len(data), (low, max(span[1], self.high)), mail=mail, data=data,
                                wire=wire_size(data)))

    def reorder(self, keys):
        self.messages = {key: self.known[key] for key in keys}
        for place, message in enumerate(self.messages.values()):
            message.number = place

    def take(self, keys):
        return [self.messages.pop(key) for key in keys]

    def refresh(self):
        """What counts as downloaded, by the rules as they are now."""
        for message in self.messages.values():
            spans = [message.downloads.get(device) for device in self.rules.keep_devices or [""]]
            message.downloaded = None
            if None not in spans:
                message.downloaded = max(low for low, _ in spans), max(high for _, high in spans)

    def change_rules(self, rules, now):
        """What was hidden until now is looked at again some time, as is what was exempt."""
        for view in self.rules.views.values():
            self.hide(view)
            for message in self.messages.values():
                if message.hidden:
                    message.unsettled = now
        before = {key: message.downloaded for key, message in self.messages.items()}
        self.set_rules(rules, now)
        self.refresh()
        for key, message in self.messages.items():
            # by other devices: a look finds out
            if message.downloaded != before[key]:
                message.unsettled = now

    def hide(self, view):
        for message in self.messages.values():
            message.hidden = not VIEWS[view](message)

    def shown(self, device):
        return [key for key, message in self.messages.items() if VIEWS[self.rules.views[device]](message)]

    def downloaded_by(self, device, keys, span):
        last = -math.inf if self.seen is None else self.seen - retention_oracle.WEEK
        span = max(span[0], last), max(span[1], self.high)
        for key in keys:
            for name in {"", device}:
                self.known[key].downloads.setdefault(name, span)
        self.refresh()

    def look_as(self, actor, now):
        """Whose view says what is hidden. What some see and others do not is looked at again some time."""
        views = set(self.rules.views.values())
        for view in views if len(views) > 1 else ():
            self.hide(view)
            for message in self.messages.values():
                if message.hidden:
                    message.unsettled = now
        self.hide(self.rules.views[actor])
        self.refresh()

    # -- what may go

    def time_is_over(self, message, now):
        if message.doubtful and self.rules.keep_undownloaded is not None and \
                now - message.delivered[0] >= self.rules.keep_undownloaded:
            return True
        return super().time_is_over(message, now)

    def may_stay(self, message, now, is_forced):
        return message.doubtful or (message.perhaps_downloaded and message.downloaded is None) or \
            super().may_stay(message, now, is_forced)

    def no_excess(self, message):
        return None if message.doubtful else super().no_excess(message)

    def bad_choice(self, over, left):
        """Nothing can be said of an order that is not known."""
        is_unknown = any(message.doubtful or message.downloaded is None or message.downloaded[1] == math.inf
                         for message in over)
        return None if is_unknown else super().bad_choice(over, left)

    def goes_before(self, message, other):
        return not message.doubtful and super().goes_before(message, other)

    # -- UIDLs

    def tell(self, key, uidl):
        """Why the message must not be told by this one, or None."""
        message = self.known[key]
        if message.uidl not in (None, uidl):
            return "message %d was %s and is %s" % (message.mail, message.uidl, uidl)
        owner = self.told.setdefault(uidl, key)
        if self.known[owner].mail != message.mail:
            return "%s was message %d, and is %d" % (uidl, self.known[owner].mail, message.mail)
        message.uidl = uidl
        return None

    def forget_uidls(self, only_unrecorded=False):
        """They may be others from now on."""
        for message in self.messages.values():
            if not (only_unrecorded and message.is_recorded):
                message.uidl = None

    def forget_unrecorded(self):
        """That a killed session has told a UIDL is written down nowhere."""
        self.told = {uidl: key for uidl, key in self.told.items() if self.known[key].is_recorded}

    def forget_copies(self):
        """When messages have to be found again, nobody knows which one of several is which; of those that are equal and
        have no GUID, as in an mbox, it is never known."""
        count = collections.Counter(message.mail for message in self.known.values())
        for message in self.messages.values():
            if count[message.mail] > 1:
                message.uidl = None

    def lose_state(self):
        """Nothing is known any more."""
        self.forget_uidls()
        self.told.clear()
        self.seen = None
        self.uses_pop3 = False
        for message in self.known.values():
            message.downloads.clear()
            message.is_recorded = False
            message.uidl = None
        self.refresh()


def wire_size(data):
    """In reply to RETR."""
    dots = data.count(b"\r\n.") + data.startswith(b".")
    return len(b"+OK %d octets\r\n" % len(data)) + len(data) + dots + len(b".\r\n")
