# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Another client has deleted the newest messages, by which the mailbox is known again. That is no disaster."""

import pytest

import damage
import mailgen
from conftest import FORMATS

each_format = pytest.mark.parametrize("form", FORMATS)


@each_format
def test_newest_are_gone(server, new_user, form):
    user = new_user(form, messages=6)
    told = user.told()
    user.expunge(3, 4, 5, 6)
    assert user.told() == told[:2]
    user.append([mailgen.message(7)])
    assert user.told()[:2] == told[:2]
    assert not server.log_lines(user, "recovered")


@each_format
def test_nothing_can_be_written(server, new_user, form):
    """Sessions go on with what is known."""
    user = new_user(form)
    with damage.mounted(user, "size=256k"):
        user.append(mailgen.messages(6))
        told = user.told()
        server.wait_idle()
        damage.fill(user.state_dir)
        user.expunge(3, 4, 5, 6)
        user.append([mailgen.message(7)])
        for _ in range(2):
            assert user.told()[:2] == told[:2]
        assert not server.log_lines(user, "recovered|session is refused")
