# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""A user moves to another server by doveadm backup. The plugin is on the old one only; the new one stores what it gets."""

import os

import pytest

import disasters
import mailgen


def move_away(user, server, form):
    """As over ssh: the doveadm of the other server is started by this one's. That server makes other UIDLs than this."""
    there = server.user(user.name, form, pop3_uidl_format=disasters.UIDL_FORMATS["uidvalidity-uid"])
    command = os.path.join(server.root, "dsync-server")
    with open(command, "w", encoding="ascii") as file:
        # the doveadm that starts it leaves its own settings in the environment
        file.write("#!/bin/sh\nexec env -i PATH=\"$PATH\" doveadm -c %s dsync-server -u %s\n" % (server.conf, user.name))
    os.chmod(command, 0o755)
    user.doveadm("backup", "-u", user.name, command)
    there.mail.copy_of(user.mail)
    return there


@pytest.mark.parametrize("form", ["maildir", "sdbox", "mdbox"])
@pytest.mark.parametrize("was", ["as-ever", "recovered", "struck"])
def test_uidls_move_along(stock_and_plugin, make_user_on, form, was):
    """Also those of a mailbox that was recovered, and of one that no session has seen since the disaster."""
    user = make_user_on(stock_and_plugin["plugin"])(messages=6)
    before = user.told()
    if was != "as-ever":
        disasters.await_next_second(user)
        os.unlink(os.path.join(user.home, "Maildir", "dovecot-uidlist"))
        user.append([mailgen.message(21)])
    if was == "recovered":
        before = user.told()
    state = user.state()
    there = move_away(user, stock_and_plugin["stock"], form)
    found = there.told()
    assert found[:len(before)] == before
    assert len(set(found)) == len(user.uids()) == len(found)
    assert user.state() == state
    # and mail that comes there has Dovecot's own
    there.append([mailgen.message(22)])
    assert there.told()[:len(found)] == found


def test_order_moves_along(stock_and_plugin, make_user_on):
    """Where an old server has left a POP3 order, clients see the same one."""
    user = make_user_on(stock_and_plugin["plugin"])(messages=4)
    user.told()
    path = os.path.join(user.home, "Maildir", "dovecot-uidlist")
    with open(path, encoding="utf-8") as file:
        first, *lines = file.read().splitlines()
    # the last message comes first
    lines = [line.replace(" ", " O%d " % (len(lines) - number), 1) for number, line in enumerate(lines)]
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join([first] + lines) + "\n")
    before = user.told()
    there = move_away(user, stock_and_plugin["stock"], "mdbox")
    assert there.told() == before
    assert before != sorted(before)


def test_state_that_cannot_be_read_stops_the_move(stock_and_plugin, make_user_on):
    """Better no copy than one that makes all clients download again."""
    user = make_user_on(stock_and_plugin["plugin"])(messages=3)
    user.told()
    os.chmod(user.state_path, 0)
    try:
        with pytest.raises(AssertionError, match="POP3 UIDLs cannot be known"):
            move_away(user, stock_and_plugin["stock"], "mdbox")
    finally:
        os.chmod(user.state_path, 0o600)
