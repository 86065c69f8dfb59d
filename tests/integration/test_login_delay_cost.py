# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""What a login costs while there is a login delay: one write for one that is let in, and nearly nothing for one that is
refused."""

import os
import re

import pytest

import state_check
from conftest import FORMATS
from dovecot import Server
from login_delay import DELAY, fields, log_in, refused
from prey import ONE_WAITS, Prey
from replica import Replica, folder

pytestmark = pytest.mark.native

CHANGES = "?write,?writev,?pwrite64,?pwritev,?ftruncate,?fsync,?fdatasync,?rename,?renameat,?renameat2,?unlinkat"


# -- when it is written


@pytest.fixture
def one_waits(start_server):
    """A server of which one process waits for the next user, so that a tracer can be there before."""
    server = start_server(**ONE_WAITS)
    yield server
    # else one always waits
    server.stop()


def trace_login(server, user, calls, let_in):
    prey = Prey(server)
    assert prey.attach("-e", "trace=" + calls)
    if let_in:
        log_in(user)
    else:
        refused(user)
    return prey.calls()


def test_one_write_for_each_login(one_waits, make_user_on):
    """And none for a login that is refused. Nothing is synced."""
    user = make_user_on(one_waits)(messages=2, **fields(burst=1))
    log_in(user)
    found = [line for line in trace_login(one_waits, user, CHANGES, True) if "/login.json" in line]
    assert len(found) == 1 and "write" in found[0], found
    found = [line for line in trace_login(one_waits, user, CHANGES, False) if "/pop3-policy/" in line]
    assert not found


def test_first_login_writes_once(one_waits, make_user_on):
    user = make_user_on(one_waits)(messages=2, **fields())
    found = [line for line in trace_login(one_waits, user, CHANGES, True) if "/login.json" in line]
    assert len(found) == 1 and "write" in found[0], found


# -- what a refused login costs


@pytest.mark.parametrize("why", ["too soon", "bad setting", "bad state"])
def test_refused_session_does_not_look_at_the_mail(one_waits, make_user_on, why):
    """It neither syncs nor lists the maildrop, while one that is let in does both."""
    user = make_user_on(one_waits)(messages=5, **(fields() if why == "too soon" else {}))
    looks = [line for line in trace_login(one_waits, user, "?openat,?getdents64", True) if "/Maildir" in line]
    assert any("getdents64" in line and "/Maildir/new>" in line for line in looks), looks
    assert any("openat" in line and '/dovecot-uidlist"' in line for line in looks), looks
    if why == "bad setting":
        user.set_fields(pop3_policy_quota="1msg/dya")
    elif why == "bad state":
        user.write_state({"version": 2})
        state_check.leave_alone(user.home)
    prey = Prey(one_waits)
    assert prey.attach("-e", "trace=?openat,?getdents64")
    user.refused_login()
    looks = [line for line in prey.calls()
             if re.search(r"/Maildir/(new|cur|tmp)\b|dovecot-uidlist|getdents64.*/Maildir", line)]
    assert not looks


def flags_of(user):
    """Without \\Recent, which may go when an mbox is closed to which something was to be written."""
    return {uid: flags - {"\\Recent"} for uid, flags in user.flags().items()}


@pytest.mark.parametrize("form", FORMATS)
def test_refused_session_leaves_the_mail_alone(server, new_user, form):
    """In each format; with commands that were sent with the password, and with the flag that hides messages."""
    user = new_user(form, messages=4, **fields())
    with user.session() as pop3:
        told = pop3.uidl()
        pop3.quit()
    user.append([b"Subject: new\r\n\r\nnew\r\n"])
    server.wait_idle()
    before = flags_of(user)
    for _ in range(2):
        with user.connect() as pop3:
            pop3.ok("USER " + user.name)
            pop3.send(("PASS %s\r\nDELE 1\r\nRETR 2\r\nQUIT\r\n" % user.password).encode())
            assert pop3.drain().startswith(b"-ERR [LOGIN-DELAY] ")
    assert len(server.wait_log(user, "Disconnected: .* del=0/0, size=0", 2)) == 2
    server.wait_idle()
    assert flags_of(user) == before
    server.clock.advance(seconds=DELAY)
    with user.session() as pop3:
        assert list(pop3.uidl().values())[:4] == list(told.values())
        assert pop3.stat()[0] == 5
        assert pop3.quit().ok
    assert not server.log_lines(user, "Panic|Error")


def test_refused_session_with_a_flag_that_hides(start_server, make_user_on):
    """pop3_deleted_flag makes another search of the listing."""
    server = start_server(extra="protocol pop3 {\n  pop3_deleted_flag = hidden\n}\n")
    user = make_user_on(server)(messages=4, **fields())
    with user.session() as pop3:
        pop3.ok("DELE 1")
        assert pop3.quit().ok
    server.wait_idle()
    assert refused(user)
    assert "del=0/0, size=0" in server.wait_log(user, "again too soon")[0]
    server.clock.advance(seconds=DELAY)
    with user.session() as pop3:
        assert pop3.stat()[0] == 3
        assert pop3.quit().ok
    assert not server.log_lines(user, "Panic|Error")


# -- a pop3 process without a login


def test_standalone_is_no_login(memory_disk):
    """Who runs the pop3 process by itself does not wait, stamps nothing and is told of no delay."""
    with folder(Server.base) as base:
        replica = Replica(base, "policy", {}, fields())
        for _ in range(2):
            done = replica.programs.pop3(["CAPA", "QUIT"])
            assert b"EXPIRE NEVER" in done.reply and b"LOGIN-DELAY" not in done.reply, done.reply
            assert not done.complaints
        assert not os.path.exists(os.path.join(replica.state_dir, "login.json"))
