# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Real clients that leave mail on the server, through every disaster: nothing comes twice, nothing is missed. What
stock Dovecot does to them is measured beside it, and only told."""

import collections
import itertools
import os
import threading

import pytest

import mailgen
from clients import CLIENTS
from disasters import DISASTERS
from matrix import Figures
from polling import wait_for

CLIENT_NAMES = ["fetchmail", "getmail6", "mpop"]
# one client for each format, beginning with another one for each disaster; all of them where there are fewer formats,
# so that each client meets each disaster
CELLS = []
for number, (label, found) in enumerate(DISASTERS.items()):
    for index in range(max(len(found.forms), len(CLIENT_NAMES))):
        CELLS.append((label, found.forms[index % len(found.forms)], CLIENT_NAMES[(number + index) % len(CLIENT_NAMES)]))
TWICE_IN_A_ROW = [cell for cell in CELLS if DISASTERS[cell[0]].again][::3]
NUMBERS = itertools.count(1)


def first_mail():
    """Twelve messages of many sizes: among them three copies of one, and one without a Message-ID."""
    sizes = [300, 1500, 5000, 20000, 700, 1500, 70000, 1500, 3000]
    found = [mailgen.message(number, size) for number, size in enumerate(sizes, 1)]
    return found + [mailgen.without_message_id(10), found[2], found[2]]


def new_mail(first):
    """Two of them are the same."""
    return [mailgen.message(first, 400), mailgen.message(first + 1, 9000), mailgen.without_message_id(first + 2, 2000),
            mailgen.message(first, 400)]


class Mailbox:
    """A mailbox, a client that leaves its mail there, and the count of what it has missed and got twice."""

    def __init__(self, server, name, form, client):
        self.disaster = DISASTERS[name]
        self.server = server
        self.user = server.user("u%d" % next(NUMBERS), form, **self.disaster.fields)
        self.client = CLIENTS[client](self.user, os.path.join(server.root, "client-" + self.user.name), True)
        self.delivered = collections.Counter()
        self.got = collections.Counter()

    def deliver(self, messages):
        """As an MTA does it, which comes again with what was refused for now: dbox without its index makes a new one
        when it stumbles over a message."""
        for message in messages:
            wait_for(lambda data=message: self.user.try_append(data), "the delivery of a message")
        self.count(messages)

    def count(self, messages):
        self.delivered.update(map(mailgen.body, messages or []))

    def download(self):
        found = self.client.fetch()
        self.server.wait_idle()
        self.got.update(map(mailgen.body, found))
        return len(found)

    def begin(self):
        if self.disaster.before_mail is not None:
            self.count(self.disaster.before_mail(self.user))
        self.user.append(first_mail())
        self.count(first_mail())
        got = self.download()
        assert got == sum(self.delivered.values()), self.client.output

    def suffer(self, first):
        """The disaster, new mail, and two downloads."""
        if self.disaster.before_last is not None:
            self.disaster.before_last(self.user)
            self.deliver(new_mail(first + 50))
            assert self.download() == 4, self.client.output
        self.count(self.disaster.strike(self.user))
        self.deliver(new_mail(first))
        self.download()
        return self.download()

    def figures(self):
        """Copies of one message cannot be told apart, so their number counts. What a disaster has taken away had been
        downloaded before."""
        there = collections.Counter(map(mailgen.body, self.user.contents()))
        assert not there - self.delivered, "the mailbox has what was never delivered"
        return Figures((self.got - self.delivered).total(), (self.delivered - self.got).total())


def side_by_side(servers, run):
    """Runs the same on each server at the same time; returns what it returned there."""
    results, errors = {}, []

    def work(variant):
        try:
            results[variant] = run(servers[variant])
        except BaseException as error:  # pylint: disable=broad-except
            errors.append(error)

    threads = [threading.Thread(target=work, args=(variant,)) for variant in servers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return results


def check(name, figures, rest):
    """Without its state, the plugin can do no more than stock Dovecot does; but it must not hide mail."""
    assert figures.missed == 0
    assert figures.twice == 0 or name == "state folder deleted"
    assert rest == 0, "the third download got %d messages" % rest


@pytest.mark.parametrize("name, form, client", CELLS)
def test_disaster(stock_and_plugin, uidl_matrix, name, form, client):
    def run(server):
        mailbox = Mailbox(server, name, form, client)
        mailbox.begin()
        rest = mailbox.suffer(101)
        return mailbox.figures(), rest

    results = side_by_side(stock_and_plugin, run)
    uidl_matrix.add(name, form, client, {variant: figures for variant, (figures, _) in results.items()})
    check(name, *results["plugin"])


@pytest.mark.parametrize("name, form, client", TWICE_IN_A_ROW)
def test_disaster_after_a_recovery(stock_and_plugin, name, form, client):
    mailbox = Mailbox(stock_and_plugin["plugin"], name, form, client)
    mailbox.begin()
    for first in (101, 201):
        rest = mailbox.suffer(first)
        check(name, mailbox.figures(), rest)
