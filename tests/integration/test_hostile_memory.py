# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""A journal that is larger than the memory of a session (vsz_limit), of a user who has put it there or of one with
millions of messages: the user is told to come again, the log says what to do, and the process goes on."""

import os

import pytest

import disasters
import expect
import journal_damage
import state_check

# what is asked is how much memory a session has
pytestmark = pytest.mark.native

# the largest that is ever read, and what is Dovecot's default, in longer tests
JOURNAL = int(os.environ.get("HOSTILE_JOURNAL_MB", "64")) << 20
MEMORY = int(os.environ.get("HOSTILE_MEMORY_MB", "128"))
LINES = {
    # as many messages as there can be
    "small": b'{"size":1,"uidl":"u"}\n',
    "usual": b'{"size":1234,"guid":"1795446000.M1P2.mx","hash":"0m6ePYVJ1hfHcYYTIrkXzg","uidl":"000000076553f100",'
             b'"gone":1795446000}\n',
}


@pytest.mark.parametrize("kind", LINES)
def test_largest_journal(start_server, make_user_on, kind):
    server = start_server(extra="service pop3 {\n  vsz_limit = %dM\n}\n" % MEMORY, faked=False)
    user, other = [make_user_on(server)(messages=3) for _ in range(2)]
    user.told()
    known = other.told()
    text = journal_damage.content_of(user.journal_path)
    with open(user.journal_path, "ab") as file:
        file.write(LINES[kind] * ((JOURNAL - len(text)) // len(LINES[kind])))
    assert JOURNAL - 200 < os.path.getsize(user.journal_path) <= JOURNAL
    state_check.leave_alone(user.home)
    disasters.uidvalidity_changed(user)
    for _ in range(2):
        with user.session() as pop3:
            pop3.send(b"UIDL\r\n")
            assert pop3.drain().decode() == expect.NO_UIDLS + "\r\n"
        assert other.told() == known
    lines = server.wait_log(user, "Error: pop3_policy: ", 2)
    assert all("messages.jsonl failed: needs about" in line and "%d MB of vsz_limit: raise that" % MEMORY in line
               for line in lines), lines
    assert "Out of memory" not in server.log() and "Fatal" not in server.log()
    assert JOURNAL - 200 < os.path.getsize(user.journal_path) <= JOURNAL


def test_large_journal_that_fits(start_server, make_user_on):
    """70,000 messages are nothing much."""
    server = start_server(extra="service pop3 {\n  vsz_limit = %dM\n}\n" % MEMORY, faked=False)
    user = make_user_on(server)(messages=3)
    known = user.told()
    with open(user.journal_path, "ab") as file:
        file.write(LINES["usual"] * 70_000)
    # its lines would take longer to be checked than all the rest
    state_check.leave_alone(user.home)
    disasters.uidvalidity_changed(user)
    assert user.told() == known
