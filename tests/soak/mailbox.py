# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""What the clients of one user know of its mail, and what must hold of all that they are told. No I/O."""

import dataclasses

import mailgen

# the clock of a session tells seconds
SLACK = 2
# where a message is
THERE, MAYBE, GONE = "there", "maybe", "gone"


@dataclasses.dataclass
class Message:
    """DOWNLOADED is when a session ended with QUIT that had downloaded it, as far as clients can know: the QUIT of a
    line that was cut may have come or not."""
    place: str
    size: int
    uidl: str = None
    downloaded: float = None
    surely: bool = False


class Mailbox:
    """KEEP is for how many seconds downloaded mail stays, LIMIT how many messages are served a day; None is no limit.
    COMPLAIN is told what does not hold."""

    def __init__(self, name, keep, limit, complain):
        self.name = name
        self.keep = keep
        self.limit = limit
        self.complaint = complain
        self.messages = {}
        self.numbers = {}
        self.served = {}
        self.again = 0

    def complain(self, text):
        self.complaint("%s: %s" % (self.name, text))

    # -- mail comes

    def data(self, number, size=None):
        """A message as it was sent, which nobody else has."""
        size = self.messages[number].size if size is None else size
        return b"X-Owner: %s\r\n" % self.name.encode() + mailgen.message(number, size).replace(
            b"This is line", b"For %s, line" % self.name.encode())

    def deliver(self, size, place):
        self.messages[len(self.messages) + 1] = Message(place, size)

    # -- what a session is told

    def listed(self, uidls, now):
        """All the UIDLs that a session tells. What must be there and is not has been taken by nobody but retention."""
        if len(set(uidls)) != len(uidls):
            self.complain("one UIDL for two messages")
        told = set(uidls)
        unknown = len(told - set(self.numbers))
        fresh = 0
        for number, message in self.messages.items():
            if message.uidl in told:
                if message.place == GONE:
                    self.complain("message %d is there again" % number)
                message.place = THERE
            elif message.uidl is None:
                fresh += message.place == THERE
            elif message.place == MAYBE:
                message.place = GONE
            elif message.place == THERE:
                message.place = GONE
                if not self.is_due(message, now):
                    self.complain("message %d is lost, or has another UIDL" % number)
        doubtful = sum(message.uidl is None and message.place == MAYBE for message in self.messages.values())
        if not fresh <= unknown <= fresh + doubtful:
            self.complain("%d UIDLs are new, of %d messages and perhaps %d more" % (unknown, fresh, doubtful))

    def is_due(self, message, now):
        return self.keep is not None and message.downloaded is not None and \
            now - message.downloaded >= self.keep - SLACK

    def shown(self, uidl, data):
        """A message that was sent whole for this UIDL; returns its number."""
        number = mailgen.number_of(data)
        message = self.messages.get(number)
        if message is None or not data.endswith(self.data(number)):
            self.complain("is shown what it was never sent")
            return None
        if self.numbers.setdefault(uidl, number) != number:
            self.complain("UIDL %s is that of message %d, and now of %d" % (uidl, self.numbers[uidl], number))
        elif message.uidl not in (None, uidl):
            self.complain("message %d had UIDL %s, and has %s" % (number, message.uidl, uidl))
            self.again += 1
        else:
            if message.place == GONE:
                self.complain("message %d is shown again" % number)
            message.uidl, message.place = uidl, THERE
        return number

    def serve(self, day):
        """A download that was sent whole; the quota is never exceeded by more than one message."""
        self.served[day] = self.served.get(day, 0) + 1
        if self.limit is not None and self.served[day] > self.limit + 1:
            self.complain("was sent %d messages of %d a day" % (self.served[day], self.limit))

    # -- how it ends

    def quit(self, downloaded, deleted, now, answered):
        """A session that has sent QUIT, and had its answer or not."""
        for number in downloaded:
            message = self.messages[number]
            if message.downloaded is None or not message.surely:
                message.surely = message.surely or answered
                message.downloaded = now if message.downloaded is None else message.downloaded
        for number in deleted:
            self.messages[number].place = GONE if answered else MAYBE

    def taken(self, number):
        """By another client."""
        self.messages[number].place = GONE

    def known(self):
        """What clients know to be there, {UIDL: number}."""
        return {message.uidl: number for number, message in self.messages.items()
                if message.uidl is not None and message.place == THERE}

    def in_place(self, place):
        return {number for number, message in self.messages.items() if message.place == place}
