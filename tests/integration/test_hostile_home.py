# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""A user who owns the home and runs programs there of his own, while sessions of his run: what he may not write he does
not get written, what he does not let be read costs only himself, and no session hangs.

Sessions are run by hand as that user: whatever he could gain, he would gain from a process with his rights."""

import contextlib
import datetime
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time

import pytest

import expect
import journal_damage
import mailgen
import state_check
import user as users
from dovecot import Server
from polling import DEADLINE
from standalone import Programs

POLICY = {"pop3_policy_quota": "900T/day", "pop3_policy_keep_downloaded": "0",
          "pop3_policy_expire_action": "move Archive"}
COMMANDS = ["STAT", "UIDL", "RETR 1", "QUIT"]
NAMES = ["state.json", "state.json.tmp", "state.lock", "messages.jsonl", "messages.jsonl.new", "retention.lock",
         ""]
PRECIOUS = ["file", "messages.jsonl", "state.json"]
KINDS = ["link", "dangling", "fifo", "folder", "device"]
# in each of the races; more of them for longer ones
SESSIONS = int(os.environ.get("HOSTILE_SESSIONS", "5"))


class Home:
    """A home with mail and a state, and beside it files that are as precious as those of others."""

    def __init__(self, base):
        self.base = base
        self.path = os.path.join(base, "home")
        self.folder = os.path.join(self.path, "pop3-policy")
        self.maildir = os.path.join(self.path, "Maildir")
        self.precious = os.path.join(base, "precious")
        self.others = os.path.join(base, "of-others")
        self.delivered = 0
        for path in (self.path, self.precious):
            os.mkdir(path)
        mailgen.write_maildir(self.maildir, [])
        for path in self.precious_files():
            with open(path, "wb") as file:
                file.write(b'{"version":1,"precious":1}\n')
        users.chown_tree(base)
        os.chmod(self.others, 0o666)
        os.chown(self.others, users.UID + 1, users.GID)
        self.programs = Programs(base, self.path, "policy", {}, POLICY)
        for _ in range(3):
            self.deliver()
        assert outcome(self.session()) == "served"
        self.contents = self.read_precious()

    def deliver(self):
        self.delivered += 1
        path = os.path.join(self.maildir, "new", "%d.M1P1.test" % (1_500_000_000 + self.delivered))
        with open(path, "wb") as file:
            file.write(mailgen.message(self.delivered, 500))
        own(path)

    def session(self):
        """One that has something to write to each file: there is new mail, and some is due at its end."""
        self.deliver()
        return self.programs.pop3(COMMANDS)

    def file(self, name):
        return os.path.join(self.folder, name)

    def precious_files(self):
        return [self.others] + [os.path.join(self.precious, name) for name in PRECIOUS]

    def read_precious(self):
        return {path: journal_damage.content_of(path) for path in self.precious_files()}

    def make_alike(self, name):
        """What is precious looks as if it were ours, so that it would be written to if a link to it were followed."""
        for source, target in ((name, "file"), ("state.json", "state.json"), ("messages.jsonl", "messages.jsonl")):
            if os.path.isfile(self.file(source)):
                shutil.copyfile(self.file(source), os.path.join(self.precious, target))
        self.contents = self.read_precious()

    def check(self):
        """Nothing that is precious has changed, and no mail is lost."""
        assert sorted(os.listdir(self.precious)) == PRECIOUS and not os.path.lexists(os.path.join(self.base, "nothing"))
        assert self.read_precious() == self.contents
        found = set()
        for path, _, names in os.walk(self.maildir):
            for name in names:
                if os.path.basename(path) in ("cur", "new"):
                    with open(os.path.join(path, name), "rb") as file:
                        found.add(mailgen.number_of(file.read()))
        assert found == set(range(1, self.delivered + 1))


@pytest.fixture
def home(memory_disk):
    base = tempfile.mkdtemp(prefix="hostile-", dir=Server.base)
    os.chmod(base, 0o755)
    yield Home(base)
    shutil.rmtree(base)


def own(path):
    os.lchown(path, users.UID, users.GID)


def put(path, kind, target):
    if kind == "link":
        os.symlink(target, path)
    elif kind == "dangling":
        os.symlink(os.path.join(os.path.dirname(target), "nothing"), path)
    elif kind == "fifo":
        os.mkfifo(path, 0o600)
    elif kind == "folder":
        os.mkdir(path, 0o700)
    else:
        os.mknod(path, 0o020600, os.makedev(1, 3))
    own(path)


# exchanges two names without a pause, as fast as a session looks at them; it ends when its input does
SWAPPER = """
import ctypes, os, select, sys
libc = ctypes.CDLL(None, use_errno=True)
AT_FDCWD, EXCHANGE, swaps = -100, 2, 0
names = [os.fsencode(name) for name in sys.argv[1:]]
print("begins", flush=True)
while not select.select([sys.stdin], [], [], 0.0003)[0]:
    if libc.renameat2(AT_FDCWD, names[0], AT_FDCWD, names[1], EXCHANGE) == 0:
        swaps += 1
        if swaps == 1:
            print("has swapped", flush=True)
"""


@contextlib.contextmanager
def swapping(*names):
    """Returns turns for sessions: some, and more if it has not happened yet, as a file may be there for moments only."""
    with subprocess.Popen([sys.executable, "-c", SWAPPER, *names], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          bufsize=0, user=users.UID, group=users.GID, extra_groups=[]) as process:
        assert process.stdout.readline() == b"begins\n"

        def has_swapped():
            return select.select([process.stdout], [], [], 0)[0]

        def turns():
            end = time.monotonic() + DEADLINE
            yield from range(SESSIONS)
            while not has_swapped():
                assert time.monotonic() < end, "nothing was exchanged"
                yield None

        yield turns()
        assert process.communicate()[0] == b"has swapped\n"


def outcome(done):
    """Whether a session was served, or refused with the words that say so."""
    if b"+OK Logging out.\r\n" in done.reply:
        return "served"
    assert done.reply.startswith(b"-ERR [SYS/TEMP] ") and done.reply.endswith(b"later.\r\n"), done
    return "refused"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", NAMES, ids=lambda name: name or "whole-folder")
def test_races(home, name, kind):
    """A program exchanges one of our files, or the folder, with something else all the time. Each session is served or
    refused, and ends; nothing behind the link is touched."""
    path = home.file(name) if name else home.folder
    if not os.path.lexists(path):
        with open(path, "wb"):
            own(path)
    other = os.path.join(home.path, "other")
    home.make_alike(name)
    put(other, kind, os.path.join(home.precious, "file") if name else home.precious)
    with swapping(path, other) as turns:
        outcomes = {outcome(home.session()) for _ in turns}
    assert outcomes <= {"served", "refused"}
    home.check()


@pytest.mark.parametrize("kind", KINDS)
def test_races_of_the_last_login(server, new_user, kind):
    """Which is written in its place. What is run by hand is no login, so these are logins to a server."""
    user = new_user(messages=1, pop3_policy_login_delay="1s", pop3_policy_login_burst="1000")
    with user.session() as pop3:
        pop3.quit()
    server.wait_idle()
    path, other = os.path.join(user.state_dir, "login.json"), os.path.join(user.home, "other")
    precious = os.path.join(user.home, "precious")
    shutil.copyfile(path, precious)
    own(precious)
    before = journal_damage.content_of(precious)
    put(other, kind, precious)
    state_check.leave_alone(user.home)
    with swapping(path, other) as turns:
        for _ in turns:
            with user.connect() as pop3:
                reply = pop3.login(user.name, user.password)
                assert reply.ok or reply.text == expect.NO_STATE
                if reply.ok:
                    assert pop3.stat()[0] == 1
                    pop3.quit()
        server.wait_idle()
    assert journal_damage.content_of(precious) == before
    assert not os.path.lexists(os.path.join(user.home, "nothing"))
    assert not server.log_lines(user, "(Fatal|Panic): ")


@pytest.mark.parametrize("name", ["state.json", "messages.jsonl", "state.lock", "retention.lock"])
def test_hard_links(home, name):
    """One of our files under another name: what the user can write is written, whatever its name is, and no more. Files
    of others are not taken (and Linux lets nobody link to them)."""
    if os.path.exists(home.file(name)):
        os.unlink(home.file(name))
    os.link(home.others, home.file(name))
    done = home.session()
    outcome(done)
    assert any(name in line and "is owned by uid %d, expected %d" % (users.UID + 1, users.UID) in line
               for line in done.complaints), done
    home.check()

    os.unlink(home.file(name))
    os.link(os.path.join(home.precious, "file"), home.file(name))
    for _ in range(2):
        assert outcome(home.session()) == "served"
    # it is replaced, or was never written to
    home.check()


# holds a lease on a file, and never lets go of it
LEASE = """
import fcntl, os, signal, sys
signal.signal(signal.SIGIO, signal.SIG_IGN)
file = open(sys.argv[1], "rb")
fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("name", ["messages.jsonl", "state.lock", "retention.lock"])
def test_leases(home, name):
    """Whoever opens a file for writing would wait for its lease (45 seconds): sessions do not wait."""
    with subprocess.Popen([sys.executable, "-c", LEASE, home.file(name)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          user=users.UID, group=users.GID, extra_groups=[]) as process:
        assert process.stdout.readline() == b"held\n"
        done = home.session()
        assert outcome(done) == "served"
        assert any(name in line for line in done.complaints), done
        process.communicate()
    assert outcome(home.session()) == "served"


def test_thousands_of_corrupt_states(home):
    """All names of this second and the next ones that a corrupt state could get are there: one more is found."""
    for moment in range(5):
        stamp = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=moment)).strftime("%Y%m%dT%H%M%SZ")
        for number in range(1, 2000):
            with open(home.file("state.json.corrupt-" + stamp + ("-%d" % number if number > 1 else "")), "wb"):
                pass
    with open(home.file("state.json"), "wb") as file:
        file.write(b"broken")
    before = len(os.listdir(home.folder))
    assert outcome(home.session()) == "served"
    assert len(os.listdir(home.folder)) == before + 1


@pytest.mark.parametrize("name", ["state.json", "messages.jsonl", "messages.jsonl.new", "state.json.tmp"])
def test_files_of_a_terabyte(home, name):
    """They are not read, and not copied."""
    with open(home.file(name), "ab") as file:
        own(home.file(name))
        file.truncate(1 << 40)
    done = home.session()
    outcome(done)
    home.check()
