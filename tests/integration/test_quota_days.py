# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Real clients under a quota of 50 messages a day: 200 messages come in exactly four days, each once."""

import os

import pytest

import mailgen
from clients import CLIENTS
from conftest import FORMATS

COUNT = 200
A_DAY = 50

# what people use each client for on all formats, and the other way on one
KEEPS = {"fetchmail": True, "getmail6": True, "mpop": False, "curl": False}
CASES = [(name, form, keep) for name, keep in KEEPS.items() for form in FORMATS] + [
    (name, "maildir", not keep) for name, keep in KEEPS.items()]


def body(data):
    """A message without its header, with bare line ends, as clients store either."""
    return data.replace(b"\r\n", b"\n").split(b"\n\n", 1)[1].rstrip(b"\n")


@pytest.mark.parametrize("name, form, keep", CASES,
                         ids=["%s-%s-%s" % (name, form, "keep" if keep else "delete") for name, form, keep in CASES])
def test_four_days(server, new_user, name, form, keep):
    user = new_user(form, messages=COUNT, quota="%dmsg/day" % A_DAY)
    client = CLIENTS[name](user, os.path.join(server.root, "client-" + user.name), keep)
    have = []
    for day in range(1, COUNT // A_DAY + 1):
        got = client.fetch()
        assert len(got) == A_DAY, "day %d: %s" % (day, client.output)
        have += got
        # a client may have hung up while the server still works at what it had asked for
        server.wait_idle()
        assert user.used("day")[1] == A_DAY
        assert client.fetch() == [], "a second session on day %d got more" % day
        server.wait_idle()
        assert user.used("day")[1] == A_DAY
        server.clock.advance(days=1)
    numbers = [mailgen.number_of(data) for data in have]
    assert sorted(numbers) == list(range(1, COUNT + 1))
    for number, data in zip(numbers, have):
        assert body(data) == body(mailgen.message(number))
    assert client.fetch() == []
    assert len(user.flags()) == (COUNT if keep else 0)
