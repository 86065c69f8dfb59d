# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Where settings come from, and what a bad one does."""

import os
import re
import subprocess

import pytest

import clock
import dovecot_conf
import expect
import mailgen
from dovecot import Server

MIDNIGHT = expect.next_start("day", clock.quiet_noon())
DYA = 'pop3_policy_quota: unknown window "dya" in "500M/dya", expected hour, day, week or month'


def count_served(user, total=6):
    with user.session() as pop3:
        replies = [pop3.retr(number) for number in range(1, total + 1)]
        pop3.quit()
    return sum(reply.ok for reply in replies)


def test_userdb_field_overrides_the_global_quota(start_server, make_user_on):
    server = start_server(settings={"pop3_policy_quota": "2msg/day"})
    new_user = make_user_on(server)
    assert count_served(new_user(messages=6)) == 2
    assert count_served(new_user(messages=6, quota="4msg/day 10G/month")) == 4
    unlimited = new_user(messages=6, quota="unlimited")
    assert count_served(unlimited) == 6
    server.wait_idle()
    assert unlimited.counted() == 0
    assert count_served(new_user(messages=6, quota="1msg/week")) == 1


def test_override_that_changes(new_user):
    """The counters stay when the limit changes: more of it opens the rest, less of it closes."""
    user = new_user(messages=6, quota="2msg/day")
    assert count_served(user) == 2
    user.set_fields(pop3_policy_quota="3msg/day")
    assert count_served(user) == 1
    user.set_fields(pop3_policy_quota="2msg/day")
    assert count_served(user) == 0
    user.set_fields(pop3_policy_quota="unlimited")
    assert count_served(user) == 6
    user.set_fields(pop3_policy_quota="4msg/week")
    assert count_served(user) == 1


BAD = [
    ("pop3_policy_quota", "500M/dya", DYA),
    ("pop3_policy_quota", "50msg/day 500M/dya 1G/week", DYA),
    ("pop3_policy_quota", "500M", 'pop3_policy_quota: .*"500M"'),
    ("pop3_policy_quota", "500/day", 'pop3_policy_quota: .*"500/day"'),
    ("pop3_policy_quota", "M/day", 'pop3_policy_quota: .*"M/day"'),
    ("pop3_policy_quota", "0msg/day", 'pop3_policy_quota: .*"0msg/day"'),
    ("pop3_policy_quota", "-5msg/day", 'pop3_policy_quota: .*"-5msg/day"'),
    ("pop3_policy_quota", "1.5G/day", 'pop3_policy_quota: .*"1.5G/day"'),
    ("pop3_policy_quota", "99999999999999999999T/day", 'pop3_policy_quota: .*"99999999999999999999T/day"'),
    ("pop3_policy_quota", "18446744073709551615T/day", 'pop3_policy_quota: .*"18446744073709551615T/day"'),
    ("pop3_policy_quota", "unlimited 5msg/day", "pop3_policy_quota: .*unlimited"),
    ("pop3_policy_quota", "%s%n/day", 'pop3_policy_quota: .*"%s%n/day"'),
    ("pop3_policy_quota_warning", "two words", 'pop3_policy_quota_warning: .*"two words"'),
    ("pop3_policy_quota_top", "maybe", "pop3_policy_quota_top.*maybe"),
    ("pop3_policy_quota_action", "maybe", 'pop3_policy_quota_action: .*"maybe"'),
    ("pop3_policy_quota_action", "throttle", 'pop3_policy_quota_action: .*"" after'),
    ("pop3_policy_quota_action", "throttle 64k", 'pop3_policy_quota_action: .*"64k"'),
    ("pop3_policy_rate", "500b/s", 'pop3_policy_rate: .*"500b/s"'),
    ("pop3_policy_on_error", "panic", "pop3_policy_on_error.*panic"),
    ("pop3_policy_login_delay", "60", 'pop3_policy_login_delay: bad time "60", expected 0 or a whole number'),
    ("pop3_policy_login_delay", "2 days", 'pop3_policy_login_delay: bad time "2 days"'),
    ("pop3_policy_login_delay", "-1s", 'pop3_policy_login_delay: bad time "-1s"'),
    ("pop3_policy_login_burst", "1001", 'pop3_policy_login_burst: bad number of logins "1001", expected .* 0 to 1000'),
    ("pop3_policy_login_burst", "-1", 'pop3_policy_login_burst: bad number of logins "-1"'),
    ("pop3_policy_state", "dict:", 'pop3_policy_state: unknown store "dict:", expected .* the name of a dict'),
    ("pop3_policy_state", "", "pop3_policy_state: .*"),
]


@pytest.mark.parametrize("name, value, logged", BAD, ids=["%s-%s" % (name, value) for name, value, _ in BAD])
def test_bad_userdb_field(server, new_user, name, value, logged):
    fields = {"pop3_policy_quota": "5msg/day", name: value}
    user = new_user(messages=1, **fields)
    if name == "pop3_policy_quota" and "%" in value and dovecot_conf.LINE == "2.3":
        # userdb values of 2.3 go through variable expansion, where %% stands for %
        user.set_fields(**{name: value.replace("%", "%%")})
    assert user.refused_login() == expect.MISCONFIGURED
    lines = server.wait_log(user, "Error: pop3_policy: ")
    assert len(lines) == 1 and re.search("Error: pop3_policy: (.*[: ])?" + logged, lines[0]), lines
    assert not os.path.exists(user.state_dir)


def test_bad_userdb_field_hurts_nobody_else(server, new_user):
    bad, good = new_user(messages=1, quota="1msg/dya"), new_user(messages=6, quota="1msg/day")
    bad.refused_login()
    assert count_served(good) == 1
    bad.set_fields(pop3_policy_quota="2msg/day")
    with bad.session() as pop3:
        assert pop3.retr(1).ok


def test_bad_global_setting(start_server, make_user_on):
    """2.3 knows nothing of our settings and tells at login, 2.4 does not even start."""
    settings = {"pop3_policy_quota": "500M/dya"}
    if dovecot_conf.LINE == "2.3":
        server = start_server(settings=settings)
        user = make_user_on(server)(messages=1)
        assert user.refused_login() == expect.MISCONFIGURED
        assert DYA in server.wait_log(user, "Error: pop3_policy: ")[0]
        return
    server = Server(settings=settings)
    try:
        result = subprocess.run(["doveconf", "-c", server.conf, "-n"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True, check=False)
        assert result.returncode != 0
        assert DYA in result.stderr
    finally:
        server.remove()


def test_spellings_of_a_quota(new_user):
    """Case, spaces and the order of limits do not matter; of two for the same the smaller one holds."""
    for quota, expected in (("  3MSG/Day  ", 3), ("9msg/day 2msg/day 5msg/day", 2), ("1T/month\t4msg/WEEK", 4),
                            ("1000000b/hour", 6), ("UNLIMITED", 6)):
        assert count_served(new_user(messages=6, quota=quota)) == expected, quota


def test_state_elsewhere(new_user):
    user = new_user(messages=3, quota="2msg/day")
    folder = os.path.join(user.home, "some", "where", "else")
    user.set_fields(pop3_policy_state="file:" + folder)
    assert count_served(user, 3) == 2
    assert os.path.exists(os.path.join(folder, "state.json"))
    assert not os.path.exists(user.state_dir)


def test_global_state_folder(start_server, make_user_on):
    home = "%h" if dovecot_conf.LINE == "2.3" else "%{home}"
    server = start_server(settings={"pop3_policy_state": "file:%s/policy-of-pop3" % home,
                                    "pop3_policy_quota": "2msg/day"})
    user = make_user_on(server)(messages=3)
    assert count_served(user, 3) == 2
    assert os.path.exists(os.path.join(user.home, "policy-of-pop3", "state.json"))


@pytest.mark.parametrize("on_error", ["fail", "ignore"])
def test_no_home(server, new_user, on_error):
    """The state has no place: refused, or as stock."""
    user = new_user(quota="1msg/day", pop3_policy_on_error=on_error)
    mail = os.path.join(user.home, "Maildir")
    mailgen.write_maildir(mail, mailgen.messages(2))
    user.own_home()
    user.no_home(mail)
    if on_error == "fail":
        assert user.refused_login() == expect.NO_STATE
    else:
        assert count_served(user, 2) == 2
    assert len(server.wait_log(user, "Error: pop3_policy: ")) == 1


def test_no_home_but_a_folder(server, new_user):
    user = new_user(quota="1msg/day")
    mail = os.path.join(user.home, "Maildir")
    mailgen.write_maildir(mail, mailgen.messages(2))
    user.own_home()
    user.no_home(mail, pop3_policy_state="file:" + os.path.join(user.home, "counters"))
    assert count_served(user, 2) == 1
    assert not server.log_lines(user, "Error:")
