# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""An IMAP client that deletes, moves and flags messages while a run is under way that takes the same ones."""

import contextlib
import os
import random
import threading

import pytest

import leaks
import mailgen
import retention
from conftest import FORMATS
from dovecot import Server
from polling import wait_for
from replica import folder
from retention import fields, left, poll, taken
from test_bad_sessions import Mailbox

MOVE = "move Archive"
# how long a run takes to open the journal
LOOK = 3


@contextlib.contextmanager
def held_run(server, user, numbers):
    """The end of a session that has downloaded these messages: it knows which ones are to move, and waits for the lock
    of the mailbox that they are to move to."""
    lock = os.path.join(user.home, "Maildir/.Archive/dovecot-uidlist.lock")
    with retention.selected(user) as imap:
        imap.create("Archive")
        imap.create("Mine")
        imap.append("Archive", None, None, mailgen.message(100))
    with open(lock, "w", encoding="ascii"):
        pass
    user.own_home()
    with user.session() as pop3:
        assert all(pop3.retr(number).ok for number in numbers)
        assert pop3.quit().ok
    assert server.children("pop3"), "the run does not wait"
    yield
    assert os.path.exists(lock), "the run has not waited"
    os.unlink(lock)
    server.wait_idle()


def flagged(user, mailbox):
    """The numbers of those that are flagged."""
    return [number for number, (flags, _) in zip(left(user, mailbox), retention.labels(user, mailbox))
            if rb"\Flagged" in flags]


@pytest.fixture
def user(server, new_user):
    retention.true_time(server)
    found = new_user(messages=6, **fields(keep_downloaded="0", expire_action=MOVE))
    poll(found)
    return found


def test_deleted_during_a_run(server, user):
    with held_run(server, user, [1, 2, 3]):
        user.expunge(2)
    assert left(user) == [4, 5, 6] and left(user, "Archive") in ([100, 1, 3], [100, 1, 2, 3])
    poll(user)
    assert left(user) == [4, 5, 6] and left(user, "Archive") in ([100, 1, 3], [100, 1, 2, 3])
    assert not server.log_lines(user, "Error: ")


def test_moved_during_a_run(server, user):
    """By the client, who has it where it wanted it."""
    with held_run(server, user, [1, 2, 3]):
        with retention.selected(user) as imap:
            assert imap.uid("MOVE", "2", "Mine")[0] == "OK"
    for _ in range(2):
        assert left(user) == [4, 5, 6] and left(user, "Mine") == [2]
        assert left(user, "Archive") in ([100, 1, 3], [100, 1, 2, 3])
        poll(user)
    assert not server.log_lines(user, "Error: ")


def test_moved_to_the_target_during_a_run(server, user):
    """The client does not wait for the lock as long as the run, but both want the same."""
    mover = threading.Thread(target=move_to_archive, args=(user,))
    with held_run(server, user, [1, 2, 3]):
        mover.start()
    mover.join(60)
    poll(user)
    assert left(user) == [4, 5, 6]
    archive = left(user, "Archive")
    assert set(archive) == {100, 1, 2, 3} and archive.count(1) == archive.count(3) == 1 and archive.count(2) <= 2


def move_to_archive(user):
    with retention.selected(user) as imap:
        imap.uid("MOVE", "2", "Archive")


def test_flagged_during_a_run(server, user):
    """It was not when the run looked: it may still go, but not without its flag."""
    with held_run(server, user, [1, 2, 3]):
        retention.mark(user, "2", "+FLAGS", r"(\Flagged)")
    inbox, archive = left(user), left(user, "Archive")
    assert sorted(inbox + archive) == [1, 2, 3, 4, 5, 6, 100]
    assert flagged(user, "INBOX") + flagged(user, "Archive") == [2]
    assert not server.log_lines(user, "Error: ")


@pytest.mark.native
def test_flagged_while_it_looks(memory_disk):
    """After the run has synced the mailbox, and before it knows all of the messages: it looks again before they go."""
    with folder(Server.base) as base:
        mailbox = Mailbox(base, mailgen.messages(3), {"pop3_policy_keep_downloaded": "0"})
        mailbox.renew()
        slow = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=openat", "-P", "messages.jsonl",
                "-e", "inject=openat:delay_enter=%d" % (LOOK * 1000000)]
        with mailbox.programs["policy"].start("pop3", wrapper=slow) as process:
            os.write(process.stdin.fileno(), b"RETR 1\r\nRETR 2\r\nQUIT\r\n")
            state = os.path.join(mailbox.home, "pop3-policy/state.json")
            wait_for(lambda: os.path.exists(state) and '"downloaded"' in open(state, encoding="utf-8").read(),
                     "the downloads to be recorded")
            wait_for(lambda: leaks.held_at("openat", process), "the run to read the journal")
            mailbox.programs["stock"].imap([r"STORE 1 +FLAGS (\Flagged)"])
            assert process.poll() is None
            log = mailbox.programs["policy"].finish(process, b"").log
        assert "retention expunged 1 message," in log
        assert mailbox.left() == 2


# -- anything at any time


class Client(threading.Thread):
    """An IMAP client that does one thing after the other to messages that nobody else has taken yet."""

    def __init__(self, user, seed):
        super().__init__()
        self.user = user
        self.random = random.Random(seed)
        self.begin = threading.Event()
        self.deleted = set()
        self.error = None

    def run(self):
        try:
            with retention.selected(self.user) as imap:
                self.begin.wait(30)
                for uid in self.random.sample(range(1, MESSAGES + 1), MESSAGES):
                    self.do_something(imap, str(uid))
        except Exception as error:  # pylint: disable=broad-except
            self.error = error

    def do_something(self, imap, uid):
        what = self.random.randrange(4)
        if what == 0:
            imap.uid("STORE", uid, "+FLAGS.SILENT", r"(\Flagged)")
        elif what == 1:
            imap.uid("MOVE", uid, "Mine")
        elif what == 2:
            self.deleted.add(int(uid))
            imap.uid("STORE", uid, "+FLAGS.SILENT", r"(\Deleted)")
            imap.uid("EXPUNGE", uid)
        else:
            imap.noop()


MESSAGES = 40
DOWNLOADED = 30


@pytest.mark.parametrize("action", ["expunge", MOVE])
@pytest.mark.parametrize("form", FORMATS)
def test_random(server, new_user, form, action):
    retention.true_time(server)
    user = new_user(form, messages=MESSAGES, **fields(keep_downloaded="0", expire_action=action))
    poll(user)
    with retention.selected(user) as imap:
        imap.create("Mine")
    client = Client(user, form + action)
    client.start()
    with user.session() as pop3:
        assert all(reply.ok for reply in pop3.pipeline(*["RETR %d" % number for number in range(1, DOWNLOADED + 1)]))
        client.begin.set()
        assert pop3.quit().ok
    client.join(60)
    assert client.error is None
    server.wait_idle()
    poll(user)
    inbox, mine = left(user), left(user, "Mine")
    target = left(user, "Archive") if retention.mailbox_exists(user, "Archive") else []
    assert len(set(inbox)) == len(inbox) and len(set(mine)) == len(mine) and len(set(target)) == len(target)
    downloaded = set(range(1, DOWNLOADED + 1))
    lost = set(range(1, MESSAGES + 1)) - set(inbox + mine + target) - client.deleted
    if action == MOVE:
        assert not lost
    else:
        server.wait_log(user, "retention expunged ")
        assert lost <= downloaded and not target and len(lost) <= taken(user)
    # what stays of those that were downloaded is flagged
    assert downloaded & set(inbox) <= set(flagged(user, "INBOX"))
    assert not server.log_lines(user, "Panic: |Fatal: ")
