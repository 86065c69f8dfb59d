# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""The sessions of one user: a client that leaves mail on the server, now and then cut off, or with the process killed that
serves it."""

import contextlib
import imaplib
import smtplib
import time

import dovecot_conf
import prey
from pop3 import LineClosed, Pop3

LINE_ENDS = (LineClosed, ConnectionError)
# (share, method of Visitor)
PLANS = [(34, "poll"), (30, "fetch"), (10, "fetch_and_delete"), (6, "babble"), (6, "cut"), (4, "cut_at_quit"),
         (3, "killed"), (2, "killed_at_quit"), (1, "panic"), (2, "twice"), (1, "wrong_password"), (1, "by_imap")]
AT_A_TIME = 12
COLON_PANICS = dovecot_conf.version().startswith("2.3.19")


class Refused(Exception):
    """No harm that is done here is a reason for it."""


def today():
    """The day of a quota: this process is in the time zone of the server."""
    return time.strftime("%F")


class Visitor:
    """USER is the one of the private server, MAILBOX what is known of its mail. TROUBLE is the harm that is done to it:
    see harm.py."""

    def __init__(self, soak, user, mailbox, trouble, chance):
        self.soak = soak
        self.user = user
        self.mailbox = mailbox
        self.trouble = trouble
        self.chance = chance
        self.is_mbox = user.form == "mbox"
        # of the connections that it has, or has had last; the newest one at the end
        self.ports = []

    # -- mail comes

    def deliver(self, lmtp):
        size = self.chance.choices([600, 2500, 8000, 120000], [50, 40, 9, 1])[0]
        number = len(self.mailbox.messages) + 1
        try:
            lmtp.sendmail("sender@example.org", [self.user.name], self.mailbox.data(number, size))
            self.mailbox.deliver(size, "there")
        except smtplib.SMTPException as error:
            self.mailbox.deliver(size, "maybe")
            self.mailbox.complain("gets no mail: %r" % error)

    # -- a session

    def visit(self, strike):
        """One session by any plan, after some harm if STRIKE; returns the name of the plan."""
        weights, plans = zip(*PLANS)
        plan = self.chance.choices(plans, weights)[0]
        try:
            if strike:
                self.trouble.strike(self)
            getattr(self, plan)()
        except Refused as error:
            self.mailbox.complain("is refused (%s): %s" % (plan, error))
        except LINE_ENDS as error:
            self.mailbox.complain("a session ended by itself (%s): %r" % (plan, error))
        return plan

    @contextlib.contextmanager
    def session(self, **kwargs):
        with Pop3(self.user.server.ports["pop3"], **kwargs) as pop3:
            # two at a time, at the most
            self.ports = [*self.ports[-1:], pop3.socket.getsockname()[1]]
            reply = pop3.login(self.user.name, self.user.password)
            if not reply.ok:
                raise Refused(reply.text)
            yield pop3

    def look(self, pop3):
        """{number in this session: UIDL}"""
        reply = pop3.command("UIDL")
        if not reply.ok:
            raise Refused(reply.text)
        found = {int(number): uidl for number, uidl in (line.split(" ", 1) for line in reply.lines)}
        self.mailbox.listed(list(found.values()), time.time())
        return found

    def download(self, pop3, number, uidl):
        """The number of the message, if it was sent whole."""
        reply = pop3.retr(number)
        if not reply.ok:
            if not reply.text.startswith("-ERR [SYS/TEMP] Download quota used up") or self.mailbox.limit is None:
                # retention of the session before may be at work
                known = self.mailbox.messages.get(self.mailbox.numbers.get(uidl))
                if known is None or not self.mailbox.is_due(known, time.time()):
                    self.mailbox.complain("cannot download %s: %s" % (uidl, reply.text))
            return None
        self.mailbox.serve(today())
        return self.mailbox.shown(uidl, reply.message)

    def download_new(self, pop3):
        """What it does not know yet, and now and then something that it has."""
        found = self.look(pop3)
        wanted = [number for number, uidl in found.items() if uidl not in self.mailbox.numbers][:AT_A_TIME]
        if found and self.chance.random() < 0.1:
            wanted.append(self.chance.choice(list(found)))
        # the same one twice may be served once
        wanted = list(dict.fromkeys(wanted))
        done = {number: self.download(pop3, number, found[number]) for number in wanted}
        return {number: found for number, found in done.items() if found is not None}

    def delete(self, pop3, numbers):
        return {number for number in numbers if pop3.command("DELE %d" % number).ok}

    def end(self, pop3, done, deleted):
        """QUIT, with its answer."""
        reply = pop3.command("QUIT")
        downloaded = set(done.values())
        gone = {done[number] for number in deleted}
        if not reply.ok:
            self.mailbox.complain("QUIT: " + reply.text)
        self.mailbox.quit(downloaded, gone, time.time(), reply.ok)

    # -- plans

    def poll(self):
        with self.session() as pop3:
            found = self.look(pop3)
            count, _ = pop3.stat()
            if len(found) != count or len(pop3.ok("LIST").lines) != count:
                self.mailbox.complain("STAT, LIST and UIDL differ")
            self.end(pop3, {}, ())

    def fetch(self):
        with self.session() as pop3:
            self.end(pop3, self.download_new(pop3), ())

    def fetch_and_delete(self):
        with self.session() as pop3:
            done = self.download_new(pop3)
            self.end(pop3, done, self.delete(pop3, [number for number in done if self.chance.random() < 0.7]))

    def babble(self):
        """What a session may say that changes nothing in the end."""
        with self.session() as pop3:
            count = len(self.look(pop3))
            words = ["CAPA", "NOOP", "TOP 1 0", "TOP %d 5" % max(count, 1), "RETR 0", "RETR 999999", "FOO", "LIST 1",
                     "DELE 1", "RSET", "UIDL 1", "XYZ " + "x" * self.chance.randrange(500), "LAST", "STAT"]
            said = [self.chance.choice(words) for _ in range(self.chance.randint(1, 20))] + ["RSET"]
            pop3.pipeline(*said)
            self.end(pop3, {}, ())

    def cut(self):
        """Somewhere, also in the middle of a message or of a command."""
        with self.session(receive_buffer=self.chance.choice([4096, 65536])) as pop3:
            count = len(self.look(pop3))
            end = self.chance.choice(["RETR", "UIDL", "DELE", "half", "nothing"])
            for number in self.some(count):
                if end == "DELE":
                    pop3.command("DELE %d" % number)
                elif end == "RETR":
                    pop3.send(b"RETR %d\r\n" % number)
                elif end == "UIDL":
                    pop3.send(b"UIDL\r\n" * 50)
            if end == "half":
                pop3.send(b"RETR ")
            pop3.cut()

    def some(self, count):
        return self.chance.sample(range(1, count + 1), min(count, self.chance.randint(1, 5)))

    def cut_at_quit(self):
        with self.session() as pop3:
            done = self.download_new(pop3)
            deleted = self.delete(pop3, self.chance.sample(list(done), len(done) // 2))
            pop3.send(b"QUIT\r\n")
            self.mailbox.quit(set(done.values()), {done[number] for number in deleted}, time.time(), False)
            pop3.cut()
        self.wait_gone()

    def killed(self):
        """kill -9 while the client waits, or gets a message."""
        with self.session() as pop3:
            done = self.download_new(pop3)
            if self.chance.random() < 0.5:
                self.delete(pop3, done)
            if done and self.chance.random() < 0.5:
                pop3.send(b"".join(b"RETR %d\r\n" % number for number in done))
            dead = self.soak.kill(self, wait=0)
        self.after_death(dead)

    def killed_at_quit(self):
        """While the session writes what it has to write. Stock Dovecot rewrites an mbox in its place then: who kills it
        loses mail."""
        if self.is_mbox:
            self.killed()
            return
        with self.session() as pop3:
            done = self.download_new(pop3)
            deleted = self.delete(pop3, self.chance.sample(list(done), len(done) // 2))
            pop3.send(b"QUIT\r\n")
            self.mailbox.quit(set(done.values()), {done[number] for number in deleted}, time.time(), False)
            dead = self.soak.kill(self, wait=self.chance.uniform(0, 0.02))
        self.after_death(dead)

    def panic(self):
        """A command that anybody may send."""
        with self.session() as pop3:
            done = self.download_new(pop3)
            if COLON_PANICS and self.soak.is_elder(self):
                return
            pop3.send(b"foo:bar\r\n")
            if COLON_PANICS:
                self.soak.count("provoked panics")
                pop3.drain()
                self.soak.wait_served(self)
            else:
                pop3.read_line()
                self.end(pop3, done, ())
                return
        self.after_death(True)

    def twice(self):
        """Two at a time. An mbox is locked for as long as one is there."""
        if self.is_mbox:
            self.fetch()
            return
        with self.session() as first, self.session() as second:
            self.look(second)
            done = self.download_new(first)
            self.end(first, done, self.delete(first, list(done)[:1]))
            second.pipeline("NOOP", "STAT", "TOP 1 0", "UIDL")
            reply = second.command("QUIT")
            if not reply.ok:
                self.mailbox.complain("QUIT: " + reply.text)

    def wrong_password(self):
        with Pop3(self.user.server.ports["pop3"]) as pop3:
            if pop3.login(self.user.name, "wrong").ok:
                self.mailbox.complain("may log in with a wrong password")

    def by_imap(self):
        """Another client takes one message away that POP3 clients know."""
        with self.session() as pop3:
            self.end(pop3, self.download_new(pop3), ())
        self.wait_gone()
        known = self.mailbox.known()
        if not known:
            return
        number = known[self.chance.choice(sorted(known))]
        imap = imaplib.IMAP4("127.0.0.1", self.user.server.ports["imap"])
        imap.login(self.user.name, self.user.password)
        imap.select("INBOX")
        _, found = imap.search(None, "HEADER", "X-Number", str(number))
        # in the middle of a word, too
        for place in found[0].split():
            _, parts = imap.fetch(place, "(BODY.PEEK[HEADER.FIELDS (X-Number)])")
            if parts[0][1].split()[1:] == [b"%d" % number]:
                imap.store(place, "+FLAGS.SILENT", r"(\Deleted)")
        status, _ = imap.expunge()
        imap.logout()
        if status == "OK":
            self.mailbox.taken(number)

    # -- after that

    def wait_gone(self):
        """Until no process serves the user any more."""
        self.soak.wait_served(self)

    def after_death(self, dead):
        """Stock Dovecot waits for two minutes for what a dead process has locked."""
        self.wait_gone()
        if dead:
            prey.remove_stale_locks(self.user)

    def recorded(self):
        """A session whose end has come: what clients know by now is written down."""
        self.poll()
        self.wait_gone()

