# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Settings of retention that are wrong, or written oddly."""

import os
import re

import pytest

import expect
from retention import fetch, fields, left


BAD = [
    ("keep_downloaded", "14 dogs", 'bad time "14 dogs", expected forever'),
    ("keep_downloaded", "-1d", 'bad time "-1d"'),
    ("keep_downloaded", "14", 'bad time "14"'),
    ("keep_downloaded", "never", 'bad time "never"'),
    ("keep_downloaded", "99999999999d", 'bad time "99999999999d"'),
    ("keep_downloaded", "6m", 'bad time "6m", m could be minutes or months'),
    ("keep_undownloaded", "6 M", 'bad time "6 M", m could be minutes or months'),
    ("keep_undownloaded", "1.5d", 'bad time "1.5d"'),
    ("keep_undownloaded", "0", "0 would take mail before it can be downloaded"),
    ("keep_undownloaded", "unlimited", 'bad time "unlimited"'),
    ("keep_max_messages", "0", 'bad number of messages "0", expected unlimited'),
    ("keep_max_messages", "-1", 'bad number of messages "-1"'),
    ("keep_max_messages", "10k", 'bad number of messages "10k"'),
    ("keep_max_messages", "99999999999999999999", 'bad number of messages "9{20}"'),
    ("keep_max_size", "0", 'bad size "0", expected unlimited'),
    ("keep_max_size", "1X", 'bad size "1X"'),
    ("keep_max_size", "99999999999999999999T", 'bad size "9{20}T"'),
    ("expire_action", "delete", 'unknown action "delete", expected expunge or move MAILBOX'),
    ("expire_action", "move", 'no mailbox after "move"'),
    ("expire_action", "move INBOX", "messages cannot move to INBOX"),
    ("expire_action", "move inbox", "messages cannot move to INBOX"),
    ("report_only", "maybe", "maybe"),
]


@pytest.mark.parametrize("name, value, logged", BAD, ids=["%s-%s" % (name, value) for name, value, _ in BAD])
def test_bad_setting(server, new_user, name, value, logged):
    """No session, so nothing goes by a rule that nobody meant."""
    user = new_user(messages=1, **fields(**{"keep_downloaded": "0", name: value}))
    assert user.refused_login() == expect.MISCONFIGURED
    lines = server.wait_log(user, "Error: pop3_policy: ")
    assert len(lines) == 1 and re.search("pop3_policy_%s.*%s" % (name, logged), lines[0]), lines
    assert left(user) == [1]
    assert not os.path.exists(user.state_dir)


def test_spellings(server, new_user):
    for rules in ({"keep_downloaded": " 0 "}, {"keep_downloaded": "FOREVER", "keep_max_messages": " 1 "},
                  {"keep_downloaded": "1 week", "keep_max_size": "1 "}):
        user = new_user(messages=2, **fields(**rules))
        fetch(user, 1)
        assert left(user) == [2], rules
