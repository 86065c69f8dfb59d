# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""From end to end: mail comes in by SMTP, a real Postfix delivers it by LMTP, real clients fetch it by POP3, and an IMAP
client has the same mailboxes open meanwhile."""

import collections
import contextlib
import os
import re

import pytest

import disasters
import mailgen
import retention
from clients import CLIENTS
from polling import wait_for
from postfix import DOMAIN, Postfix
from view import look

HEADER = ("From: Sender <sender@{domain}>\r\n"
          "To: Anna <{to}>\r\n"
          "Cc: =?utf-8?q?B=C3=A9rt?= <{cc}>\r\n"
          "Bcc: {bcc}\r\n"
          "Subject: {subject}\r\n"
          "Message-ID: <{number}.{token}@{domain}>\r\n"
          "Date: Tue, 01 Sep 2020 10:00:00 +0200\r\n"
          "X-Number: {number}\r\n"
          "MIME-Version: 1.0\r\n"
          "Content-Type: text/plain; charset=utf-8\r\n"
          "Content-Transfer-Encoding: 8bit\r\n"
          "\r\n")
# what may go wrong on the way from one protocol to the next
BODIES = ["One line.\r\n", "", ".\r\n..\r\n.dot\r\n\r\n.\r\n", "Grüße: äöü €\r\n" * 20,
          "x" * 900 + "\r\n", "From here on\r\n>From there\r\n", "The line of a large message, which has many.\r\n" * 9000]
People = collections.namedtuple("People", "to cc bcc")


def compose(people, number, body):
    # a body of its own for each test
    text = HEADER.format(domain=DOMAIN, to=people.to.name, cc=people.cc.name, bcc=people.bcc.name, number=number,
                         subject="message %d" % number, token=mailgen.token)
    return (text + "Test %s, message %d\r\n" % (mailgen.token, number) + body).encode()


def send(postfix, people, number, body):
    """To all three of them, as the program of a sender hands it to its server."""
    message = postfix.send(compose(people, number, body), *[user.name for user in people])
    for user in people:
        user.mail.deliver([message])
    return message


def imap_view(imap):
    """{number: (UIDL as Dovecot makes it, size)} as IMAP has it."""
    validity = int(imap.response("UIDVALIDITY")[1][0] or imap.untagged_responses["UIDVALIDITY"][0])
    _, parts = imap.fetch("1:*", "(UID RFC822.SIZE BODY.PEEK[HEADER])")
    found = {}
    for part in parts:
        if isinstance(part, tuple):
            uid, size = (int(re.search(word + rb" (\d+)", part[0]).group(1)) for word in (b"UID", b"SIZE"))
            found[mailgen.number_of(part[1])] = "%08x%08x" % (uid, validity), size
    return found


def pop3_view(user):
    """The same by POP3, where all commands agree with each other. Downloads nothing by RETR."""
    with user.session() as pop3:
        shown = look(pop3)
        sizes = [int(line.split()[1]) for line in pop3.ok("LIST").lines]
        assert pop3.quit().ok
    user.server.wait_idle()
    return dict(zip(shown.numbers, zip(shown.uidls, sizes)))


def body(message):
    """Some clients quote lines that begin as those between the messages of an mbox."""
    return mailgen.body(message).replace(b"\n>From ", b"\nFrom ")


def header_of(message, name):
    head = message.replace(b"\r\n", b"\n").split(b"\n\n", 1)[0]
    return re.findall(rb"(?im)^%s:\s*(.*)$" % name.encode(), head)


def check_copy(people, user, message, sent):
    """What a user has got of a message that was sent to all."""
    assert body(message) == body(sent)
    assert people.to.name.encode() in header_of(message, "To")[0]
    assert people.cc.name.encode() in header_of(message, "Cc")[0]
    assert not header_of(message, "Bcc")
    if user is not people.bcc:
        assert people.bcc.name.encode() not in message


def fetch(client, people, sent, numbers):
    """A run of a client brings these messages, each once."""
    got = client.fetch()
    assert sorted(map(mailgen.number_of, got)) == sorted(numbers), client.output
    for message in got:
        check_copy(people, client.user, message, sent[mailgen.number_of(message)])
    client.user.server.wait_idle()
    return got


class House:
    """Three users, the client of each, and Postfix in front of them."""

    def __init__(self, server, stack, forms, recipients, **fields):
        self.people = People(*[server.user("%s.%s@%s" % (name, mailgen.token, DOMAIN), form, **fields)
                               for name, form in zip(("anna", "bert", "carl"), forms)])
        self.postfix = stack.enter_context(Postfix(server, self.people, recipients))
        self.clients = [CLIENTS[name](user, os.path.join(server.root, "client-of-" + user.name), True)
                        for name, user in zip(("fetchmail", "getmail6", "mpop"), self.people)]
        self.sent = {}
        self.stack = stack

    def open_imaps(self):
        """A session in the mailbox of each, for the rest of the test."""
        return [self.stack.enter_context(user.imap()) for user in self.people]

    def send(self, *bodies):
        first = len(self.sent) + 1
        for number, body in enumerate(bodies, first):
            self.sent[number] = send(self.postfix, self.people, number, body)
        self.postfix.wait_delivered()
        return list(range(first, len(self.sent) + 1))

    def see(self, imap, count):
        """An IMAP session that is open sees so many messages."""
        def seen():
            # a reply to NOOP says it only if it has changed
            status, found = imap.select("INBOX")
            assert status == "OK", found
            return int(found[0]) == count
        wait_for(seen, "IMAP to see %d messages" % count)


@pytest.fixture
def house(server, own_servers):
    """Ends before the server looks for whoever is still there."""
    with contextlib.ExitStack() as stack:
        yield lambda *args, **fields: House(server, stack, *args, **fields)


CASES = {"each-alone": (["maildir"] * 3, 1), "all-at-once": (["sdbox", "mbox", "mdbox"], 50)}
FIELDS = {"pop3_policy_quota": "1000msg/day 1G/day", "pop3_policy_keep_downloaded": "7d"}


@pytest.mark.parametrize("case", CASES)
def test_to_cc_and_bcc(server, house, case):
    """Cc is shown; Bcc to nobody, but for the envelope of the own delivery of its recipient. Sizes and UIDLs are the
    same for POP3 and IMAP, and each client gets each message once, whatever else happens."""
    forms, recipients = CASES[case]
    home = house(forms, recipients, **FIELDS)
    imaps = home.open_imaps()
    numbers = home.send(*BODIES)
    for user, client, imap in zip(home.people, home.clients, imaps):
        home.see(imap, len(BODIES))
        got = fetch(client, home.people, home.sent, numbers)
        if recipients == 1 and user is home.people.bcc:
            assert all(header_of(message, "Delivered-To") == [user.name.encode()] for message in got)
        told = pop3_view(user)
        assert [mailgen.body(data) for data in user.contents()] == [mailgen.body(home.sent[number]) for number in told]
        assert list(told.items()) == list(imap_view(imap).items())
        assert len({uidl for uidl, _ in told.values()}) == len(told) == len(BODIES)
        assert fetch(client, home.people, home.sent, []) == []
    # Postfix delivers in any order
    first, second = ({user: list(pop3_view(user))[at] for user in home.people} for at in (0, 1))
    # IMAP takes a message away while a POP3 client is at work
    for user, imap in zip(home.people, imaps):
        with user.session() as pop3:
            before = pop3.uidl()
            imap.store("1", "+FLAGS", r"(\Flagged)")
            if user.form != "mbox":
                # which cannot be written while a POP3 session has it
                imap.store("2", "+FLAGS", r"(\Deleted)")
                imap.expunge()
            assert pop3.uidl() == before
            assert pop3.quit().ok
        server.wait_idle()
    new = home.send("What came later.\r\n")
    for user, client, imap in zip(home.people, home.clients, imaps):
        told = pop3_view(user)
        gone = [] if user.form == "mbox" else [second[user]]
        assert sorted(told) == [number for number in numbers if number not in gone] + new
        home.see(imap, len(told))
        assert told == imap_view(imap)
        # it would be downloaded a second time without the plugin
        disasters.uidvalidity_changed(user)
        fetch(client, home.people, home.sent, new)
        assert pop3_view(user) == told
    server.clock.advance(days=8)
    for user, client in zip(home.people, home.clients):
        fetch(client, home.people, home.sent, [])
        # but for what was flagged
        assert list(pop3_view(user)) == [first[user]] == retention.left(user)


def test_dovecot_is_away_for_a_while(server, house):
    """Postfix keeps what it cannot deliver, and each gets it once."""
    home = house(["maildir", "sdbox", "mbox"], 50, **FIELDS)
    server.stop()
    for number in (1, 2):
        home.sent[number] = send(home.postfix, home.people, number, "x\r\n")
    wait_for(lambda: home.postfix.log().count("status=deferred") >= 6, "Postfix to try")
    server.start()
    home.postfix.wait_delivered()
    for client in home.clients:
        fetch(client, home.people, home.sent, [1, 2])
