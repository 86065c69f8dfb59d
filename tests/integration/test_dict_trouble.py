# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""A dict that is away, that takes no writes, or that is not configured: sessions are refused or go on as the settings
say, and mail is safe."""

import os

import pytest

import dicts
import dovecot_conf
import mailgen
from conftest import running
from dovecot import Server


@pytest.fixture
def away(program):
    """Stops the program for a test."""
    def stop():
        program.stop()
    yield stop
    if program.process is None:
        program.start()


def fetch(user, *numbers):
    with user.session() as pop3:
        found = [pop3.retr(number).ok for number in numbers]
        pop3.quit()
    user.server.wait_idle()
    return found


def test_away(program, dict_user, away):
    """Sessions are refused, or run without policy; then all is as it was."""
    user = dict_user(messages=3, quota="2msg/day")
    told = user.told()
    assert fetch(user, 1) == [True]
    away()
    assert "[SYS/TEMP]" in user.refused_login()
    assert user.server.log_lines(user, "session is refused: dict:.*: reading doc/state failed")
    result = user.server.run_doveadm("pop3", "quota", "get", "-u", user.name, check=False)
    assert result.returncode == 75 and b"reading doc/state failed" in result.stderr
    user.set_fields(pop3_policy_on_error="ignore")
    assert fetch(user, 1, 2, 3) == [True, True, True]
    program.start()
    user.set_fields(pop3_policy_on_error=None)
    # the dict server of 2.3 is not started again at once when it has crashed
    user.server.stop()
    user.server.start()
    assert user.told() == told
    assert fetch(user, 1, 2) == [True, False]


def test_away_within_a_session(program, dict_user, away):
    """What was listed stays, RETR is refused, DELE is done."""
    user = dict_user(messages=3, quota="1000msg/day")
    told = user.told()
    with user.session() as pop3:
        assert list(pop3.uidl().values()) == told
        away()
        reply = pop3.retr(1)
        assert not reply.ok and "[SYS/TEMP]" in reply.text
        assert list(pop3.uidl().values()) == told
        assert pop3.command("DELE 2").ok
        pop3.quit()
    user.server.wait_idle()
    assert len(user.contents()) == 2
    program.start()
    user.server.stop()
    user.server.start()
    assert user.told() == [told[0], told[2]]


def fetch_if_let_in(user, *numbers):
    """Likewise, but the session may be refused: none then."""
    with user.connect() as pop3:
        reply = pop3.login(user.name, user.password)
        if not reply.ok:
            assert "[SYS/TEMP]" in reply.text
            return []
        found = [pop3.retr(number).ok for number in numbers]
        pop3.quit()
    user.server.wait_idle()
    return found


def test_takes_no_writes(program, dict_user):
    """As with a full disk: the quota is counted in the session, and UIDLs are those that were known. After an error of
    SQL, the dict server has no connection for a second, and sessions may be refused."""
    user = dict_user(messages=5, quota="3msg/day")
    assert fetch(user, 1) == [True]
    told = user.told()
    before = program.all(user)
    program.refuse_writes()
    try:
        if program.kind == "redis":
            assert fetch(user, 2, 3, 4) == [True, True, False]
            assert user.told() == told
            assert user.server.log_lines(user, "quota is counted in this session only: dict:.*writing failed")
        else:
            assert sum(fetch_if_let_in(user, 2, 3, 4)) <= 2
    finally:
        program.take_writes()
    assert program.all(user) == before
    # with connections that have seen no error
    user.server.stop()
    user.server.start()
    assert fetch(user, 4, 5, 1) == [True, True, False]
    assert user.told() == told


@dicts.REDIS_ONLY
def test_no_home(program, dict_user):
    """The documents need none; what this host locks by itself does."""
    user = dict_user(messages=3, quota="2msg/day")
    maildir = os.path.join(user.home, "mail")
    os.rename(os.path.join(user.home, "Maildir"), maildir)
    user.no_home(maildir)
    assert fetch(user, 1, 2, 3) == [True, True, False]
    assert program.state(user)["uidl"]["downloaded"] == "1:2"
    assert not os.path.exists(user.state_dir)
    user.set_fields(pop3_policy_keep_downloaded="0", pop3_policy_exempt="ALL")
    user.server.clock.advance(days=1)
    fetch(user, 3)
    assert len(user.contents()) == 3


UNKNOWN = {"2.3": "dict:nothing:x", "2.4": "dict:nothing"}[dovecot_conf.LINE]
FILES = "file:/tmp/dict" if dovecot_conf.LINE == "2.3" else "files"
AWAY = "redis:password=top-secret:port=1" if dovecot_conf.LINE == "2.3" else "away"
DICTS_CONF = "" if dovecot_conf.LINE == "2.3" else """
dict files {
  driver = file
  dict_file_path = /tmp/dict
}
dict away {
  driver = redis
  redis_port = 1
  redis_password = top-secret
}
"""


@pytest.fixture(scope="module")
def plain_server(memory_disk):
    with running(Server(extra=DICTS_CONF)) as found:
        yield found


@pytest.mark.parametrize("value, pattern", [
    (UNKNOWN, r"session is refused: pop3_policy_state: dict:nothing: Unknown dict module: "),
    ("dict:" + FILES, r"session is refused: pop3_policy_state: dict:files?: driver file is not supported, expected redis, "
                      r"or proxy for the dict server"),
    ("dict:", r"pop3_policy_state: unknown store \"dict:\", expected file: and an absolute path, or dict: and the name of"),
])
def test_settings(plain_server, make_user_on, value, pattern):
    user = make_user_on(plain_server)(pop3_policy_state=value)
    user.append(mailgen.messages(1))
    assert "[SYS/" in user.refused_login()
    assert user.server.log_lines(user, pattern)
    assert not os.path.exists(user.state_dir)


def test_password_is_not_logged(plain_server, make_user_on):
    """It is part of the URI on 2.3."""
    user = make_user_on(plain_server)(pop3_policy_state="dict:" + AWAY)
    user.refused_login()
    assert user.server.log_lines(user, r"session is refused: dict:\w+: reading doc/state failed")
    assert "top-secret" not in user.server.log()
