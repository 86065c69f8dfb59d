# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Crashes that are not ours: a session that dies of one costs nothing but itself."""

import pytest

import dovecot_conf


# a tool would tell of the panic
@pytest.mark.native
def test_command_with_a_colon(server, new_user):
    """Stock Dovecot 2.3.19 panics on it; later ones say that they do not know it."""
    user = new_user(messages=5, quota="1000msg/day 1G/day")
    with user.session() as other, user.session() as pop3:
        sent = other.retr(1).wire_size + pop3.retr(2).wire_size
        pop3.send(b"foo:bar\r\n")
        if dovecot_conf.version().startswith("2.3.19"):
            assert pop3.drain() == b""
            server.wait_log(user, "Panic: ")
        else:
            assert pop3.read_line().lower() == b"-err unknown command: foo:bar\r\n"
            pop3.quit()
        sent += other.retr(3).wire_size
        other.quit()
    server.wait_idle()
    counted, messages = user.used()
    assert counted >= sent and messages >= 3
    with user.session() as pop3:
        assert pop3.stat()[0] == 5
        assert pop3.retr(4).ok
        pop3.quit()
    assert user.used()[1] == messages + 1
