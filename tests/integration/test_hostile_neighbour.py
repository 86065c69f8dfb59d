# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""One process serves a user whose home is as bad as homes get, and then another one: who is served as ever, with
nothing left over from before: no descriptor, no lock, no word in the log."""

import contextlib
import os
import re

import pytest

import dovecot_conf
import journal_damage
import mailgen
import state_check
import user as users
from conftest import running, user_maker
from dovecot import Server
from polling import wait_for
from pop3 import LineClosed
from served import waits_for_others

RULES = {"pop3_policy_quota": "1000msg/day", "pop3_policy_keep_downloaded": "0",
         "pop3_policy_expire_action": "move Archive"}


@pytest.fixture(scope="module")
def server(memory_disk):
    """All sessions are in one process."""
    service = "service pop3 {\n  %s\n  process_limit = 1\n  process_min_avail = 1\n}\n" % dovecot_conf.REUSE
    with running(Server(settings=RULES, extra=service)) as found:
        # it never ends, so it is never idle in the way of the others
        found.wait_idle = lambda: None
        yield found
        found.stop()


@pytest.fixture
def new_user(server, request):
    return user_maker(server, request)


def read(path):
    with open(path, encoding="ascii", errors="replace") as file:
        return file.read()


def held_by(server):
    """Descriptors and locks of the one process, while it waits."""
    pid, = server.children("pop3")
    wait_for(lambda: waits_for_others(pid), "the end of the session")
    folder = "/proc/%d/fd" % pid
    names = sorted(re.sub(r"\d+", "N", os.readlink(os.path.join(folder, name))) for name in os.listdir(folder))
    locks = [line for line in read("/proc/locks").splitlines() if " %d " % pid in line]
    return pid, [name for name in names if server.home_root in name], len(names), locks


def session(user, number=1):
    """Anything may come of it."""
    with user.connect() as pop3, contextlib.suppress(LineClosed, OSError):
        pop3.login(user.name, user.password)
        pop3.pipeline("UIDL", "RETR %d" % number, "TOP 1 0", "QUIT")
        pop3.drain()


def lock_is_folder(user):
    os.unlink(os.path.join(user.state_dir, "state.lock"))
    os.mkdir(os.path.join(user.state_dir, "state.lock"))


def journal_is_fifo(user):
    os.unlink(user.journal_path)
    os.mkfifo(user.journal_path, 0o600)
    os.chown(user.journal_path, users.UID, users.GID)


def retention_lock_is_link(user):
    with contextlib.suppress(FileNotFoundError):
        os.unlink(os.path.join(user.state_dir, "retention.lock"))
    os.symlink("/dev/zero", os.path.join(user.state_dir, "retention.lock"))


def state_is_fifo(user):
    os.unlink(user.state_path)
    os.mkfifo(user.state_path, 0o600)
    os.chown(user.state_path, users.UID, users.GID)


def state_is_huge(user):
    os.truncate(user.state_path, 1 << 40)


def folder_is_a_link(user):
    os.rename(user.state_dir, user.state_dir + ".real")
    os.symlink(user.state_dir + ".real", user.state_dir)


def folder_is_closed(user):
    os.chmod(user.state_dir, 0)


def home_is_closed(user):
    os.chmod(user.home, 0)


def wrong_quota(user):
    user.set_fields(pop3_policy_quota="1msg/dya")


def wrong_query(user):
    user.set_fields(pop3_policy_view="NOT (")


BAD = [journal_damage.corrupt_state, journal_damage.garbage, journal_damage.journal_is_folder, journal_is_fifo,
       lock_is_folder, retention_lock_is_link, state_is_fifo, state_is_huge, folder_is_a_link, folder_is_closed,
       home_is_closed, wrong_quota, wrong_query]


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.__name__)
def test_neighbour_is_unharmed(server, new_user, bad):
    hostile, good = new_user(messages=3), new_user(messages=8)
    for user in (hostile, good, good):
        session(user)
    before = held_by(server)
    state_check.leave_alone(hostile.home)
    bad(hostile)
    start = server.log_size()
    for number in range(3, 6):
        session(hostile)
        with good.session() as pop3:
            assert len(pop3.uidl()) == 9 - number
            assert pop3.retr(1).message == mailgen.message(number)
            pop3.quit()
    # the same process, and all is closed
    assert held_by(server) == before
    assert before[1] == before[3] == []
    os.chmod(hostile.home, 0o700)
    lines = server.log_from(start).splitlines()
    assert not [line for line in lines if good.name in line and re.search("(Error|Fatal|Panic): ", line)]
    assert not [line for line in lines if re.search("(Fatal|Panic): ", line)]
    assert good.used()[1] == 5 and good.uids() == [6, 7, 8]
