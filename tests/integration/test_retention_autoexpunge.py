# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Dovecot's own autoexpunge beside retention: neither does the work of the other again, and no message is lost."""

import contextlib
import fcntl
import os
import threading

import pytest

import dovecot_conf
import mailgen
import retention
import user as users
from conftest import running
from dovecot import Server
from polling import wait_for
from retention import DAY, fetch, fields, left, poll, taken

# mbox does not store when a message was saved
each_form = pytest.mark.parametrize("form", ["maildir", "sdbox", "mdbox"])
BOXES = """namespace inbox {
  inbox = yes
  mailbox INBOX {
    autoexpunge = 3d
  }
  mailbox Archive {
    autoexpunge = 30d
  }
}
"""
EXTRA = {"2.3": BOXES + "mail_debug = yes\n"
                "plugin {\n  lazy_expunge = EXPUNGED\n  lazy_expunge_only_last_instance = yes\n}\n",
         "2.4": BOXES + "log_debug = category=storage or category=pop3\n"
                "lazy_expunge_mailbox = EXPUNGED\nlazy_expunge_only_last_instance = yes\n"}


@pytest.fixture(scope="module")
def expunging(memory_disk):
    with running(Server(plugins=["lazy_expunge"], extra=EXTRA[dovecot_conf.LINE])) as found:
        yield found


@pytest.fixture
def make(expunging, make_user_on):
    # times that a message was saved are true ones
    retention.true_time(expunging)
    return make_user_on(expunging)


@contextlib.contextmanager
def autoexpunge_under_way(user):
    """Holds the lock as a process of Dovecot that expunges."""
    path = os.path.join(user.home, "dovecot.autoexpunge.lock")
    with contextlib.ExitStack() as stack:
        while True:
            file = stack.enter_context(open(path, "w", encoding="ascii"))
            os.fchown(file.fileno(), users.UID, users.GID)
            fcntl.lockf(file, fcntl.LOCK_EX)
            # an IMAP session that ends may have removed it meanwhile
            if os.path.exists(path) and os.path.samestat(os.stat(path), os.fstat(file.fileno())):
                break
        yield


def later(server, days):
    # at their end they hold the lock
    wait_for(lambda: not server.children("imap"), "the end of all IMAP sessions")
    server.clock.set_epoch(server.clock.now() + days * DAY + 60)


def removed(user):
    """What was expunged for good, and is kept for a while as it was the last instance."""
    return sorted(left(user, "EXPUNGED"))


@pytest.mark.parametrize("action", ["expunge", "move Archive"])
@each_form
def test_autoexpunge_under_way(make, form, action):
    """Nothing goes now, and no time is waited; the next session does it."""
    user = make(form, messages=4, **fields(keep_downloaded="0", expire_action=action))
    with autoexpunge_under_way(user):
        fetch(user, 1, 3)
        assert left(user) == [1, 2, 3, 4] and not taken(user) and not taken(user, "moved")
        assert len(user.server.wait_log(user, "Debug: .*retention is left to a later run: "
                                              "Dovecot's autoexpunge is under way")) == 1
        poll(user)
        assert left(user) == [1, 2, 3, 4]
    poll(user)
    assert left(user) == [2, 4]
    if action == "expunge":
        assert removed(user) == [1, 3] and taken(user) == 2
    else:
        assert left(user, "Archive") == [1, 3] and taken(user, "moved") == 2
    assert not user.server.log_lines(user, "Error: ")


@each_form
def test_same_time(make, form):
    """Each takes what it takes, and no message goes twice."""
    user = make(form, messages=6, **fields(keep_downloaded="3d"))
    fetch(user, 1, 2, 5)
    later(user.server, 2)
    poll(user)
    assert left(user) == [1, 2, 3, 4, 5, 6]
    later(user.server, 1)
    poll(user)
    assert left(user) == []
    assert removed(user) == [1, 2, 3, 4, 5, 6]
    assert taken(user) == 3
    poll(user)
    assert not user.server.log_lines(user, "Error: ")


@each_form
def test_target_that_autoexpunges(make, form):
    """What has moved stays there for as long as that mailbox says."""
    user = make(form, messages=3, **fields(keep_downloaded="1d", expire_action="move Archive"))
    fetch(user, 1, 2)
    later(user.server, 1)
    poll(user)
    assert left(user) == [3] and left(user, "Archive") == [1, 2]
    later(user.server, 3)
    poll(user)
    assert left(user) == [] and left(user, "Archive") == [1, 2] and removed(user) == [3]
    later(user.server, 30)
    poll(user)
    assert left(user, "Archive") == [] and removed(user) == [1, 2, 3]
    assert taken(user, "moved") == 2


@pytest.mark.parametrize("action", ["expunge", "move Archive"])
@each_form
def test_sessions_that_end_together(make, form, action):
    """All of INBOX is due for autoexpunge, and what is downloaded now for retention."""
    user = make(form, messages=30, **fields(keep_downloaded="0", expire_action=action))
    poll(user)
    # a day before, so that the first sessions to end do not find the mailbox empty already
    later(user.server, 2)
    with contextlib.ExitStack() as stack:
        sessions = [stack.enter_context(user.session()) for _ in range(4)]
        for pop3 in sessions:
            assert all(reply.ok for reply in pop3.pipeline(*["RETR %d" % number for number in range(1, 21)]))
        user.server.clock.advance(days=1)
        threads = [threading.Thread(target=pop3.quit) for pop3 in sessions]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    user.server.wait_idle()
    poll(user)
    assert left(user) == []
    # the first one to have the lock may be an autoexpunge, and then there is no such mailbox
    moved = sorted(left(user, "Archive")) if retention.mailbox_exists(user, "Archive") else []
    assert sorted(moved + removed(user)) == list(range(1, 31))
    assert taken(user, "expunged" if action == "expunge" else "moved") <= 20
    if moved:
        assert len(moved) == taken(user, "moved")
