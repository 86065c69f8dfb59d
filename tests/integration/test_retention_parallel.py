# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Retention while others are at the same mailbox."""

import contextlib
import os
import signal
import threading

import mailgen
import retention
from polling import wait_for
from retention import each_format, fields, left, poll, said, slow_run, taken


@each_format
def test_two_sessions(server, new_user, form):
    """What goes while another session is open is gone for it, and the rest is as before."""
    # two runs may be at their work together, and Dovecot breaks locks of files that seem to be of years ago
    retention.true_time(server)
    user = new_user(form, messages=4, **fields(keep_downloaded="0"))
    poll(user)
    with user.session() as other:
        uidls = other.uidl()
        with user.session() as pop3:
            assert pop3.retr(1).ok
            assert pop3.quit().ok
        assert other.retr(2).message == mailgen.message(2)
        assert other.uidl() == uidls
        other.quit()
    server.wait_idle()
    assert left(user) == [3, 4] and taken(user) == 2
    assert not server.log_lines(user, "Error: ")


def test_download_during_a_run(server, new_user):
    """The run that is under way does not know of it, and the session leaves it to that one, which looks again."""
    retention.true_time(server)
    user = new_user(messages=4, **fields(keep_downloaded="0", expire_action="move Archive"))
    poll(user)
    other = user.session()
    with slow_run(server, user):
        assert other.retr(2).ok
        assert other.quit().ok
        wait_for(lambda: len(server.children("pop3")) == 1, "the end of the other session")
        assert left(user) == [1, 2, 3, 4] and not said(user)
    assert left(user) == [3, 4]
    assert left(user, "Archive") == [100, 1, 2]
    assert taken(user, "moved") == 2


def test_lock_of_the_session(start_server, make_user_on):
    """Who comes again during the run is not kept out by the session that has ended."""
    server = start_server(extra="protocol pop3 {\n  pop3_lock_session = yes\n}\n")
    retention.true_time(server)
    user = make_user_on(server)(messages=4, **fields(keep_downloaded="0", expire_action="move Archive"))
    poll(user)
    with slow_run(server, user):
        with user.session(timeout=5) as pop3:
            assert pop3.retr(2).message == mailgen.message(2)
            # and keeps others out itself
            lock = os.path.join(user.home, "Maildir/dovecot-pop3-session.lock")
            assert os.path.exists(lock)
            pop3.cut()
    server.wait_idle()
    assert not os.path.exists(lock)
    assert left(user) == [2, 3, 4] and left(user, "Archive") == [100, 1]


def test_killed_during_a_run(server, new_user):
    """The next session does what this one could not."""
    retention.true_time(server)
    user = new_user(messages=3, **fields(keep_downloaded="0", expire_action="move Archive"))
    poll(user)
    with slow_run(server, user):
        for process in server.children("pop3"):
            os.kill(process, signal.SIGKILL)
    assert left(user) == [1, 2, 3] and left(user, "Archive") == [100]
    poll(user)
    assert left(user) == [2, 3] and left(user, "Archive") == [100, 1]


def test_expunged_during_a_run(server, new_user):
    """What the run has copied stays copied, and is counted by the one that was first."""
    retention.true_time(server)
    user = new_user(messages=4, **fields(keep_downloaded="0", expire_action="move Archive"))
    poll(user)
    with slow_run(server, user):
        retention.mark(user, "2,3", "+FLAGS", r"(\Flagged)")
        user.expunge(1)
    assert left(user) == [2, 3, 4]
    assert left(user, "Archive") in ([100], [100, 1])
    assert not server.log_lines(user, "Error: ")


@each_format
def test_many_sessions_that_end_together(server, new_user, form):
    """Each message goes once, and is counted once."""
    # Dovecot itself looks at new mailboxes here, and breaks locks of files that seem to be of years ago
    retention.true_time(server)
    user = new_user(form, messages=40, **fields(keep_downloaded="0", expire_action="move Archive"))
    poll(user)
    with contextlib.ExitStack() as stack:
        sessions = [stack.enter_context(user.session()) for _ in range(4)]
        for pop3 in sessions:
            assert all(reply.ok for reply in pop3.pipeline(*["RETR %d" % number for number in range(1, 40)]))
        threads = [threading.Thread(target=pop3.quit) for pop3 in sessions]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    server.wait_idle()
    # a run that came too late for the lock leaves it to the next one
    poll(user)
    assert left(user) == [40]
    assert sorted(left(user, "Archive")) == list(range(1, 40))
    assert taken(user, "moved") == 39
    assert not server.log_lines(user, "Error: ")


@each_format
def test_imap_client_meanwhile(server, new_user, form):
    """It expunges one and moves another one away while the session lasts."""
    user = new_user(form, messages=6, **fields(keep_downloaded="0"))
    poll(user)
    with retention.selected(user) as imap:
        imap.create("Mine")
        with user.session() as pop3:
            for number in range(1, 5):
                assert pop3.retr(number).ok
            assert imap.copy("3", "Mine")[0] == "OK"
            imap.store("2,3", "+FLAGS.SILENT", r"(\Deleted)")
            imap.expunge()
            assert pop3.quit().ok
        server.wait_idle()
        imap.noop()
        _, parts = imap.uid("FETCH", "1:*", "(BODY.PEEK[])")
    assert [mailgen.number_of(part[1]) for part in parts if isinstance(part, tuple)] == [5, 6]
    assert left(user, "Mine") == [3]
    assert taken(user) == 2
    assert not server.log_lines(user, "Error: ")
