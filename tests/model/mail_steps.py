# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Steps of a history: mail comes, and what IMAP clients do."""

import time

import mailgen
from comparison import IMAP_FLAGS, Comparison


class MailSteps(Comparison):
    def do_deliver(self, parts, way, looks):
        made = []
        there = list(self.drop.messages.values())
        for size, has_dots in parts:
            self.number += 1
            data = mailgen.message(self.number, size)
            if has_dots:
                data += b".\r\n..\r\n.dots\r\n" * 20
            made.append((self.number, data))
        if way == "file" and self.lab.form not in ("maildir", "mbox") or not there and way == "file":
            way = "append"
        if way == "lda" and self.lab.form == "maildir":
            # the file would have the time of the file system
            way = "append"
        for number, data in made:
            self.deliver_one(way, number, data)
            self.drop.deliver_mail(number, data, self.span())
        if looks:
            self.look()

    def deliver_one(self, way, number, data):
        if way == "file":
            self.lab.deliver_file("%d.M%dP1.file" % (self.lab.now, number), data)
        elif way == "lda":
            self.lab.lda(data)
        else:
            date = imap_date(self.lab.now)
            self.imap(b'APPEND INBOX "%s" {%d+}\r\n%s' % (date, len(data), data))

    def do_copy(self, parts):
        """A second one of the same message, by IMAP."""
        for key in self.keys(parts):
            message = self.drop.known[key]
            place = list(self.drop.messages).index(key) + 1
            self.imap("COPY %d INBOX" % place)
            copy = self.drop.messages[self.drop.deliver_mail(message.mail, message.data, self.span(),
                                                             message.delivered[0])]
            copy.flags = set(message.flags)
            # it has a GUID of its own in a maildir only: nothing else tells one from the other, once one was deleted
            copy.doubtful = self.lab.form != "maildir"
            message.doubtful |= copy.doubtful
            if self.needs_session and copy.doubtful:
                # which of them is the one that was known, the next session cannot tell
                message.uidl = None
            self.look()

    def sequence(self, keys):
        there = list(self.drop.messages)
        return ",".join(str(there.index(key) + 1) for key in keys)

    def do_flag(self, parts, flag, on):
        keys = self.keys(parts)
        if keys:
            self.imap("STORE %s %sFLAGS.SILENT (%s)" % (self.sequence(keys), "+" if on else "-", IMAP_FLAGS[flag]))
        for key in keys:
            self.drop.flag(key, flag, on, self.span()[1])

    def do_expunge(self, parts):
        keys = self.keys(parts)
        if keys:
            self.imap(r"STORE %s +FLAGS.SILENT (\Deleted)" % self.sequence(keys), "EXPUNGE")
            self.drop.take(keys)

    def do_move_out(self, parts):
        keys = self.keys(parts)
        if not keys:
            return
        if not self.drop.saved:
            self.lab.imap("CREATE Saved")
        self.imap("MOVE %s Saved" % self.sequence(keys))
        self.drop.saved += [message.mail for message in self.drop.take(keys)]

    def do_move_back(self, parts):
        places = self.choose(parts, self.drop.saved)
        if not places:
            return
        self.imap("SELECT Saved", "MOVE %s INBOX" % ",".join(str(place + 1) for place in places))
        for mail in [self.drop.saved[place] for place in places]:
            old = next(message for message in self.drop.known.values() if message.mail == mail)
            message = self.drop.messages[self.drop.deliver_mail(mail, old.data, self.span(), old.delivered[0])]
            # it may be known still
            message.doubtful = True
        self.drop.saved = [mail for place, mail in enumerate(self.drop.saved) if place not in places]
        self.relearn_flags()

    def relearn_flags(self):
        """Of messages that were elsewhere meanwhile."""
        rows = self.rows("INBOX")
        for (_, flags, _, _), message in zip(rows, self.drop.messages.values()):
            if flags != message.flags:
                message.flags, message.unsettled = flags, self.lab.now
        self.look()


def imap_date(now):
    return time.strftime("%d-%b-%Y %H:%M:%S +0000", time.gmtime(now)).encode()
