# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""The event pop3_policy_expired, as Dovecot's metrics count it."""

import pytest

import dovecot_conf
import mailgen
from polling import wait_for
from retention import fetch, fields, left

SIZE = len(mailgen.message(1))
# by rule and action
METRIC = """metric expired_%(rule)s_%(action)s {
  filter = event=pop3_policy_expired and rule=%(rule)s and action=%(action)s
  fields = count bytes
}
"""
NAMES = [(rule, action) for rule in ("downloaded", "max_messages") for action in ("expunge", "move")]


@pytest.fixture
def metric_server(start_server):
    text = "".join(METRIC % {"rule": rule, "action": action} for rule, action in NAMES)
    if dovecot_conf.LINE != "2.3":
        text = text.replace("fields = count bytes", "fields {\n    count = yes\n    bytes = yes\n  }")
    return start_server(extra=text)


def sums(server):
    """Of each metric that has counted something: events, and the sums of count and bytes."""
    header, *lines = [line.split("\t") for line in server.doveadm("-f", "tab", "stats", "dump").splitlines()]
    found = {}
    for line in lines:
        row = dict(zip(header, line))
        if int(row["count"]):
            found.setdefault(row["metric_name"], {})[row["field"]] = (int(row["count"]), int(float(row["sum"])))
    return {name: (fields["count"], fields["bytes"]) for name, fields in found.items() if "count" in fields}


def test_event(metric_server, make_user_on):
    """One for each rule of a run that has taken something, and none for what is only reported."""
    make = make_user_on(metric_server)
    expunge = make(messages=6, **fields(keep_downloaded="0"))
    move = make(messages=6, **fields(keep_max_messages="3", expire_action="move Archive"))
    report = make(messages=6, **fields(keep_downloaded="0", report_only="yes"))
    for user in (expunge, move, report):
        fetch(user, 1, 2)
    fetch(expunge, 1)
    assert left(expunge) == [4, 5, 6] and left(move) == [3, 4, 5, 6] and len(left(report)) == 6
    expected = {"expired_downloaded_expunge": ((2, 3), (2, 3 * SIZE)),
                "expired_max_messages_move": ((1, 2), (1, 2 * SIZE))}
    wait_for(lambda: sums(metric_server) == expected, "%r, not %r" % (expected, sums(metric_server)))
