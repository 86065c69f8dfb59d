# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""What the tests of retention share."""

import contextlib
import imaplib
import os
import re
import time

import pytest

import mailgen
from conftest import FORMATS
from polling import wait_for
from pop3 import LineClosed

DAY = 24 * 3600
# more than any buffer between a server and a client that does not read
BIG = 4 << 20
RULES = {"keep_downloaded": "14d", "keep_undownloaded": "90d", "keep_max_messages": "1000", "keep_max_size": "1G",
         "expire_action": "expunge", "exempt": "FLAGGED", "report_only": "no"}

each_format = pytest.mark.parametrize("form", FORMATS)


def fields(**rules):
    """Userdb fields: fields(keep_downloaded="14d")."""
    return {"pop3_policy_" + name: value for name, value in rules.items()}


def all_rules(**rules):
    return fields(**{**RULES, **rules})


def fetch(user, *numbers):
    """Downloads these messages in a session that ends with QUIT."""
    with user.session() as pop3:
        for number in numbers:
            assert pop3.retr(number).ok
        assert pop3.quit().ok
    user.server.wait_idle()


def poll(user):
    """A session that downloads nothing; returns the UIDLs."""
    return user.told()


def days_of_polls(user, days, step=1):
    for _ in range(0, days, step):
        user.server.clock.advance(days=step)
        poll(user)


@contextlib.contextmanager
def selected(user, mailbox="INBOX", readonly=False):
    imap = imaplib.IMAP4("127.0.0.1", user.server.ports["imap"])
    imap.login(user.name, user.password)
    status, reply = imap.select(mailbox, readonly=readonly)
    assert status == "OK", reply
    yield imap
    imap.logout()


def contents(user, mailbox="INBOX"):
    """Every message as IMAP has it, in the order of UIDs."""
    with selected(user, mailbox, readonly=True) as imap:
        _, parts = imap.uid("FETCH", "1:*", "(BODY.PEEK[])")
    return [part[1] for part in parts if isinstance(part, tuple)]


def left(user, mailbox="INBOX"):
    """The numbers of the messages that are there."""
    return [mailgen.number_of(data) for data in contents(user, mailbox)]


def mailbox_exists(user, mailbox):
    with selected(user) as imap:
        return any(re.search(r'[ "]%s"?$' % mailbox, line.decode()) for line in imap.list()[1] if line)


def labels(user, mailbox="INBOX"):
    """Flags and time of each message."""
    with selected(user, mailbox, readonly=True) as imap:
        _, parts = imap.uid("FETCH", "1:*", "(FLAGS INTERNALDATE)")
    found = []
    for part in parts:
        if part is not None:
            flags = re.search(rb"FLAGS \(([^)]*)\)", part).group(1).split()
            found.append((set(flags) - {rb"\Recent"}, re.search(rb'INTERNALDATE "([^"]*)"', part).group(1)))
    return found


def mark(user, numbers, action, flags):
    """mark(user, "1,2", "+FLAGS", r"(\\Flagged)") over IMAP."""
    with selected(user) as imap:
        status, reply = imap.store(numbers, action, flags)
        assert status == "OK", reply


def said(user, pattern="retention"):
    """What the log says of retention."""
    return [line[line.index("pop3_policy: ") + len("pop3_policy: "):]
            for line in user.server.log_lines(user, pattern)]


def taken(user, verb="expunged"):
    """How many messages all runs have removed, as the log says."""
    found = [re.search(r"retention %s (\d+) messages?" % verb, line) for line in said(user)]
    return sum(int(match.group(1)) for match in found if match)


def true_time(server):
    """Mail is delivered by programs that have no other clock."""
    server.clock.set_epoch(time.time() + 60)


@contextlib.contextmanager
def slow_run(server, user):
    """The end of a session that has downloaded message 1, and now waits for the lock of the mailbox to move it to."""
    lock = os.path.join(user.home, "Maildir/.Archive/dovecot-uidlist.lock")
    with selected(user) as imap:
        imap.create("Archive")
        imap.append("Archive", None, None, mailgen.message(100))
    with open(lock, "w", encoding="ascii"):
        pass
    user.own_home()
    with user.session() as pop3:
        assert pop3.retr(1).ok
        assert pop3.quit().ok
    # a session that is killed before that has downloaded nothing
    wait_for(lambda: user.state()["uidl"].get("downloaded"), "the download to be recorded")
    assert server.children("pop3"), "the run does not wait"
    yield
    assert os.path.exists(lock), "the run has not waited"
    os.unlink(lock)
    server.wait_idle()


# -- sessions that do not end well


def cut_inside(user):
    """The line is cut in the middle of a message."""
    with user.connect(receive_buffer=4096) as pop3:
        assert pop3.login(user.name, user.password).ok
        pop3.send(b"RETR 1\r\n")
        pop3.read_exactly(5000)
        pop3.cut()


def cut_inside_with_quit(user):
    """The client has said QUIT already."""
    with user.connect(receive_buffer=4096) as pop3:
        assert pop3.login(user.name, user.password).ok
        pop3.send(b"RETR 1\r\nQUIT\r\n")
        pop3.read_exactly(5000)
        pop3.cut()


def cut_after(user):
    """The whole message came, but no QUIT."""
    with user.session() as pop3:
        assert pop3.retr(1).ok
        pop3.cut()


def closed_after(user):
    with user.session() as pop3:
        assert pop3.retr(1).ok
        pop3.finish()
        with contextlib.suppress(LineClosed):
            pop3.drain()


def top(user):
    with user.session() as pop3:
        pop3.ok("TOP 1 0")
        pop3.ok("TOP 1 10")
        assert pop3.quit().ok


NO_DOWNLOAD = {"cut-inside": cut_inside, "cut-inside-with-quit": cut_inside_with_quit, "cut-after": cut_after,
               "closed-after": closed_after, "top": top}
