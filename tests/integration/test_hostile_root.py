# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Root touches nothing in a home: commands for all users, the doveadm server and sessions work there as the user."""

import contextlib
import os
import subprocess

import pytest

import disasters
import mailgen
import privileges
import state_check
import user as users
from conftest import running
from credentials import CredentialServer, argon
from dovecot import LIBEXEC, Server
from polling import wait_for

RULES = {"pop3_policy_quota": "9msg/day", "pop3_policy_keep_downloaded": "0",
         "pop3_policy_expire_action": "move Archive", "pop3_policy_login_delay": "1s",
         "pop3_policy_login_burst": "1000"}
COMMANDS = [("quota", "reset"), ("retention", "status"), ("retention", "run", "--force"), ("uidl", "list"),
            ("uidl", "accept"), ("uidl", "export"), ("check", "--repair"), ("status", "--mailbox"), ("top",)]


def traced_pop3(root):
    return privileges.strace(os.path.join(root, "trace-pop3"), os.path.join(LIBEXEC, "pop3"))


def traced_sessions(server):
    """Those of strace: it is between them and the process for whose children wait_idle() looks."""
    found = []
    for pid in server.children("strace"):
        with contextlib.suppress(OSError), open("/proc/%d/cmdline" % pid, encoding="utf-8") as file:
            if os.path.join(LIBEXEC, "pop3") in file.read().split("\0"):
                found.append(pid)
    return found


@pytest.fixture(scope="module")
def server(memory_disk):
    found = Server(iterate=True, settings=RULES, pop3_command=traced_pop3)
    path = os.path.join(found.root, "run-doveadm-server")
    with open(path, "r+", encoding="utf-8") as file:
        text = file.read()
        file.seek(0)
        file.write(text.replace("exec ", "exec " + " ".join(
            "'%s'" % word for word in privileges.strace(os.path.join(found.root, "trace-server"))) + " "))
    with running(found):
        yield found


@pytest.fixture
def people(server, make_user_on):
    """With mail, and all that the plugin writes; one has a link in the place of a file."""
    new_user = make_user_on(server)
    found = [new_user(), new_user()]
    for user in found:
        user.wait_known()
        user.append(mailgen.messages(2))
        with user.session() as pop3:
            assert pop3.retr(1).ok
            pop3.quit()
    wait_for(lambda: not traced_sessions(server), "the end of all sessions")
    os.symlink("/etc/passwd", found[1].state_path + ".tmp")
    state_check.leave_alone(found[1].home)
    return found


def check(server, name, least):
    """All that the trace has of homes was done by the user."""
    found = [call for call in privileges.calls(os.path.join(server.root, name)) if call.is_below(server.home_root)]
    by_root = [call for call in found if call.euid != users.UID]
    assert not by_root
    assert len(found) >= least, found


def test_sessions_and_commands_for_all_users(server, people):
    check(server, "trace-pop3", 60)
    for command in COMMANDS:
        disasters.uidvalidity_changed(people[0])
        trace = os.path.join(server.root, "trace")
        subprocess.run(privileges.strace(trace, "doveadm", "-c", server.conf, "pop3", *command, "-A"),
                       env=server.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        check(server, "trace", 3)
    # that serves one user after the other, and gets its rights back for the next one
    for command in COMMANDS[::3]:
        server.run_doveadm("pop3", *command, "-A", "-S", os.path.join(server.root, "doveadm-server"), check=False)
    check(server, "trace-server", 30)


def test_what_root_does_is_seen(server, people):
    """By the check that the other tests make."""
    trace = os.path.join(server.root, "trace-of-root")
    subprocess.run(privileges.strace(trace, "touch", people[0].state_path), check=True)
    with pytest.raises(AssertionError, match="Call"):
        check(server, "trace-of-root", 1)
    drop = ["setpriv", "--reuid=%d" % users.UID, "--regid=%d" % users.GID, "--clear-groups"]
    os.unlink(trace)
    subprocess.run(privileges.strace(trace, *drop, "sh", "-c", "touch " + people[0].state_path), check=True)
    check(server, "trace-of-root", 1)


def test_auth_looks_into_no_home(memory_disk, make_user_on):
    """Credential files are in a folder of the admin's: a home is none of auth's business."""
    server = CredentialServer(faked_worker=True)
    trace = os.path.join(server.root, "trace-auth")
    path = os.path.join(server.root, "run-auth-worker")
    with open(path, "r+", encoding="utf-8") as file:
        text = file.read()
        file.seek(0)
        file.write(text.replace("exec ", "exec " + " ".join("'%s'" % word for word in privileges.strace(trace)) + " "))
    with running(server):
        user = make_user_on(server)()
        server.set(user.name, password=argon("x"))
        os.symlink(server.path(), os.path.join(user.home, "credentials.json"))
        assert [reply[:3] for reply in server.replies((user, "x"), (user, "y"))] == ["+OK", "-ER"]
        server.settle()
        found = privileges.calls(trace)
        assert any(server.path() in call.paths for call in found)
        assert not [call for call in found if call.is_below(server.home_root)]
