# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""pop3_policy_login_delay and pop3_policy_login_burst: who may log in, and when that counts."""

import contextlib
import os
import threading

import pytest

import dovecot_conf
import expect
import mailgen
import user as users
from damage import held_lock
from login_delay import (DELAY, fields, log_in, print_of, refused, stamp, stamp_path, try_login, wait_of,
                         write_stamp)
from polling import wait_for
from pop3 import plain_token


def test_second_login_must_wait(server, new_user):
    user = new_user(messages=2, **fields())
    log_in(user)
    assert DELAY - 100 < refused(user) <= DELAY
    server.clock.advance(seconds=DELAY / 2)
    assert DELAY / 2 - 100 < refused(user) <= DELAY / 2
    server.clock.advance(seconds=DELAY / 2)
    with user.session() as pop3:
        assert pop3.retr(1).ok
        assert pop3.quit().ok
    assert refused(user) > DELAY - 100
    line = server.wait_log(user, "Disconnected: Refused by POP3 policy: logged in again too soon")[0]
    assert "del=0/0, size=0" in line
    assert not server.log_lines(user, "Error|Panic|pop3_policy")


def test_without_a_delay_nothing_is_kept(server, new_user):
    for user in (new_user(messages=1), new_user(messages=1, pop3_policy_login_delay="0"),
                 new_user(messages=1, pop3_policy_login_burst="5")):
        for _ in range(3):
            log_in(user)
        server.wait_idle()
        assert stamp(user) is None


def quits(pop3):
    assert pop3.quit().ok


def is_cut(pop3):
    pop3.cut()


def is_cut_in_a_message(pop3):
    pop3.send(b"RETR 1\r\n")
    pop3.read_line()
    pop3.cut()


@pytest.mark.parametrize("ends", [quits, is_cut, is_cut_in_a_message])
def test_stamped_at_login(server, new_user, ends):
    """Not at QUIT: it counts while the session lasts, however it ends, and its end does not count."""
    user = new_user(messages=1, **fields())
    with user.session() as pop3:
        before = print_of(stamp_path(user))
        assert 0 < server.clock.now() + DELAY - stamp(user) < 100
        assert refused(user) > DELAY - 100
        server.clock.advance(seconds=DELAY / 2)
        assert refused(user) <= DELAY / 2
        ends(pop3)
    server.wait_idle()
    assert refused(user) <= DELAY / 2
    assert print_of(stamp_path(user)) == before


def test_refused_logins_do_not_count(server, new_user):
    """Who tries all the time gets in as soon as who waits."""
    user = new_user(messages=1, **fields())
    log_in(user)
    before, number = print_of(stamp_path(user)), stamp(user)
    for part in range(4):
        for _ in range(3):
            assert refused(user) <= DELAY - part * DELAY / 4
        server.clock.advance(seconds=DELAY / 4)
    assert (print_of(stamp_path(user)), stamp(user)) == (before, number)
    log_in(user)
    assert stamp(user) >= number + DELAY


def test_logins_that_are_refused_for_something_else(server, new_user):
    """A wrong password, a wrong setting, a state that cannot be read: none of these was a login."""
    user = new_user(messages=1, **fields())
    with user.connect() as pop3:
        reply = pop3.login(user.name, "wrong")
        assert not reply.ok and "LOGIN-DELAY" not in reply.text
    assert stamp(user) is None
    user.set_fields(pop3_policy_quota="1msg/dya")
    assert user.refused_login() == expect.MISCONFIGURED
    assert stamp(user) is None
    user.set_fields(pop3_policy_quota="unlimited")
    user.write_state({"version": 2})
    assert user.refused_login() == expect.NO_STATE
    assert stamp(user) is None
    os.unlink(user.state_path)
    log_in(user)
    assert refused(user)
    server.wait_idle()


def test_burst(server, new_user):
    """So many logins more, each of which is won back in the time of a delay."""
    user = new_user(messages=1, **fields(burst=3))
    assert [try_login(user) for _ in range(6)] == [True] * 4 + [False] * 2
    assert refused(user) <= DELAY
    server.clock.advance(seconds=DELAY)
    assert [try_login(user) for _ in range(3)] == [True, False, False]
    server.clock.advance(seconds=2 * DELAY)
    assert [try_login(user) for _ in range(4)] == [True, True, False, False]
    server.clock.advance(days=30)
    assert [try_login(user) for _ in range(6)] == [True] * 4 + [False] * 2


def test_settings_that_change(new_user):
    """Less delay helps at once."""
    user = new_user(messages=1, **fields())
    log_in(user)
    assert refused(user)
    user.set_fields(pop3_policy_login_burst="1")
    log_in(user)
    assert refused(user)
    user.set_fields(pop3_policy_login_delay="0")
    log_in(user)
    # what is left is more than this delay can have left
    user.set_fields(pop3_policy_login_delay="10 mins", pop3_policy_login_burst="0")
    log_in(user)
    assert user.refused_login().startswith("-ERR [LOGIN-DELAY] Minimum time between logins is 600 seconds, ")


def test_global_setting_and_users(start_server, make_user_on):
    """One user's login is nobody else's, and a userdb field overrides the setting."""
    server = start_server(settings={"pop3_policy_login_delay": "1h"})
    new_user = make_user_on(server)
    one, other, free = new_user(messages=1), new_user(messages=1), new_user(messages=1, pop3_policy_login_delay="0")
    for user in (one, other, free):
        log_in(user)
    assert refused(one) and refused(other)
    log_in(free)


class Login(threading.Thread):
    """One login in the moment in which all the others are."""

    def __init__(self, user, barrier):
        super().__init__()
        self.user = user
        self.barrier = barrier
        self.reply = None

    def run(self):
        try:
            with self.user.connect() as pop3:
                pop3.ok("USER " + self.user.name)
                self.barrier.wait(60)
                self.reply = pop3.command("PASS " + self.user.password)
                if self.reply.ok:
                    pop3.quit()
        except Exception:
            self.barrier.abort()
            raise


def waiting_for(path):
    """How many processes wait for the lock of a file."""
    with open("/proc/locks", encoding="ascii") as locks:
        return len([line for line in locks if " -> " in line and ":%d " % os.stat(path).st_ino in line])


def test_many_at_once(new_user):
    """Twenty logins in one moment: as many get in as would one after the other. Some of them have found that they may
    when none of them was written down, as the lock is held until then."""
    user = new_user(messages=1, **fields(burst=3))
    write_stamp(user, b'{"version":1,"next":0}')
    barrier = threading.Barrier(20)
    logins = [Login(user, barrier) for _ in range(20)]
    with held_lock(user, "login.json") as holder:
        for login in logins:
            login.start()
        # nobody waits for longer than ten seconds: with fewer of them it is a weaker test, but none that fails
        with contextlib.suppress(AssertionError):
            wait_for(lambda: waiting_for(stamp_path(user)) > 4, "logins that wait for the lock", 7)
        holder.stdin.close()
    for login in logins:
        login.join()
    let_in = [login for login in logins if login.reply.ok]
    assert len(let_in) == 4, [login.reply for login in logins]
    assert all(wait_of(login.reply.text) <= DELAY for login in logins if login not in let_in)
    # each of them counts
    user.server.wait_idle()
    assert 3 * DELAY < stamp(user) - user.server.clock.now() <= 4 * DELAY


def test_clock_that_jumps_back(server, new_user):
    """A login under a wrong clock does not lock the user out until then, nor open the door."""
    user = new_user(messages=1, **fields(burst=1))
    server.clock.advance(days=400)
    assert [try_login(user) for _ in range(3)] == [True, True, False]
    server.clock.advance(days=-400)
    assert [try_login(user) for _ in range(3)] == [True, False, False]
    assert 0 < stamp(user) - server.clock.now() <= 2 * DELAY
    server.clock.advance(seconds=DELAY)
    assert [try_login(user) for _ in range(2)] == [True, False]
    # by less than the delay
    server.clock.advance(seconds=-DELAY / 2)
    assert [try_login(user) for _ in range(2)] == [True, False]


@pytest.mark.parametrize("how", ["PASS", "APOP", "AUTH", "AUTH with the response"])
def test_every_way_to_log_in(new_user, how):
    """The reply stands in the place of the one to the last command of it; what was sent with it does not run."""
    user = new_user(messages=2, **fields())
    log_in(user)
    token = plain_token(user.name, user.password)
    with user.connect() as pop3:
        if how == "PASS":
            pop3.ok("USER " + user.name)
            lines = ["PASS " + user.password]
        elif how == "APOP":
            lines = [pop3.apop_command(user.name, user.password)]
        elif how == "AUTH":
            pop3.send(b"AUTH PLAIN\r\n")
            assert pop3.read_line() == b"+ \r\n"
            lines = [token]
        else:
            lines = ["AUTH PLAIN " + token]
        pop3.send("".join(line + "\r\n" for line in lines + ["DELE 1", "QUIT"]).encode())
        reply = pop3.drain().decode()
        assert reply.endswith("\r\n") and wait_of(reply[:-2])
    user.server.wait_idle()
    assert len(user.flags()) == 2


def test_capa(server, new_user):
    """After login it is announced to who has a delay, with the user's own seconds (RFC 2449, section 6.5)."""
    plain = expect.capa("NEVER")
    announced = plain[:-len(b".\r\n")] + b"LOGIN-DELAY 3600\r\n.\r\n"
    for user, expected in ((new_user(messages=1), plain), (new_user(messages=1, **fields()), announced),
                           (new_user(messages=1, pop3_policy_login_burst="3"), plain),
                           (new_user(messages=1, **fields(burst=3)), announced)):
        with user.session() as pop3:
            replies = pop3.pipeline("CAPA", "RETR 1", "CAPA", "UIDL", "CAPA")
            assert [reply.line + reply.rest for reply in replies[::2]] == [expected] * 3
            assert replies[1].message == mailgen.message(1)
            assert pop3.quit().ok
    server.wait_idle()


def test_others_do_not_wait(new_user):
    """IMAP and doveadm are no logins of POP3."""
    user = new_user(messages=1, **fields())
    log_in(user)
    before = print_of(stamp_path(user))
    for _ in range(2):
        with user.imap() as imap:
            assert imap.select("INBOX")[0] == "OK"
        user.doveadm("pop3", "quota", "get", "-u", user.name)
        user.doveadm("pop3", "uidl", "list", "-u", user.name)
    assert print_of(stamp_path(user)) == before


def test_lock_of_the_session(start_server, make_user_on):
    """With pop3_lock_session the reply is the first one all the same, and who is refused leaves no lock."""
    server = start_server(extra="protocol pop3 {\n  pop3_lock_session = yes\n}\n")
    user = make_user_on(server)(messages=1, **fields(burst=1))
    log_in(user)
    log_in(user)
    assert refused(user)
    assert refused(user)
    server.clock.advance(seconds=DELAY)
    log_in(user)


def test_one_process_for_many(start_server, make_user_on):
    """A process that has refused one user serves the next one, and later the first one."""
    reuse = "service_count = 100" if dovecot_conf.LINE == "2.3" else "restart_request_count = 100"
    server = start_server(extra="service pop3 {\n  %s\n  process_limit = 1\n}\n" % reuse)
    new_user = make_user_on(server)
    one, other = new_user(messages=3, **fields()), new_user(messages=2)
    for _ in range(2):
        log_in(one)
        assert refused(one)
        with other.session() as pop3:
            assert pop3.stat()[0] == 2
            pop3.quit()
        server.clock.advance(seconds=DELAY)
    with one.session() as pop3:
        assert pop3.stat()[0] == 3
        pop3.quit()
    server.stop()


def test_file_is_the_users(server, new_user):
    """Which the checks after each test look at, too."""
    user = new_user(**fields())
    log_in(user)
    server.wait_idle()
    assert os.listdir(user.state_dir) == ["login.json"]
    info = os.stat(stamp_path(user))
    assert (info.st_uid, info.st_mode & 0o777) == (users.UID, 0o600)
