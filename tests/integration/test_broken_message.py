# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Messages that cannot be read to their end, as their file name says a wrong size: the client gets what stock sends."""

import os

import pytest

import mailgen
from conftest import FORMATS

COMMANDS = ("TOP 1 99999999", "TOP 1 60", "TOP 1 50", "TOP 1 5", "TOP 1 0", "RETR 2", "TOP 2 5", "TOP 3 99999999")


def lie_about_sizes(user, error):
    """Gives each file a size that is wrong by so much, and lets Dovecot know of no other."""
    folder = os.path.join(user.home, "Maildir", "new")
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        size = os.path.getsize(path) + error
        os.rename(path, "%s,S=%d,W=%d" % (path.split(",")[0], size, size))


def replies(user, error):
    body = b"".join(b"line %d\r\n" % number for number in range(50))
    user.import_maildir([b"Subject: x\r\n\r\n" + body] * 3)
    user.mail.lose("IMAP does not show it either")
    lie_about_sizes(user, error)
    found = []
    with user.session() as pop3:
        for command in COMMANDS:
            pop3.send(command.encode() + b"\r\n")
            reply = pop3.read_reply(True)
            found.append((command, reply.text, reply.rest))
        pop3.quit()
    return found


@pytest.mark.parametrize("error", [7, 300, -7, -300])
def test_wrong_size(start_server, make_user_on, error):
    stock = replies(make_user_on(start_server(plugin=False))(), error)
    policed = replies(make_user_on(start_server())(quota="1000msg/day 1G/day"), error)
    assert policed == stock
    # a file that is longer than its name says cannot be read at all
    assert (len(stock[0][2]) > 100) == (error > 0)


@pytest.mark.parametrize("form", FORMATS)
def test_odd_sizes(stock_and_plugin, make_user_on, form):
    """A message of no octets at all, one of a single octet, and a line of 10 MB."""
    found = []
    for name, fields in (("stock", {}), ("plugin", {"quota": "1000msg/day 1G/day"})):
        user = make_user_on(stock_and_plugin[name])(form, **fields)
        user.import_maildir([b"Subject: first\n\ntext\n", b"", b"x", b"Subject: long\n\n" + b"y" * 10_000_000])
        with user.session() as pop3:
            replies = [pop3.ok("LIST").rest]
            for number in range(1, pop3.stat()[0] + 1):
                replies += [pop3.command("RETR %d" % number).rest, pop3.command("TOP %d 1" % number).rest]
            pop3.quit()
        found.append(replies)
        assert not user.server.log_lines(user, "(Fatal|Panic): ")
    assert found[0] == found[1] and max(map(len, found[0])) > 10_000_000
