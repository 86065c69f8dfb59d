# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Each call by which auth writes is harmed: the copy of the credential file, the note of the last use, and a hash that
is replaced. No login fails by an error in these, and what they write is whole.

POP3_POLICY_FAULTS=1 tries all of them; else it is a share that is the same each time."""

import json
import os
import shutil
import subprocess

import pytest

import dovecot_conf
import harms
import lab
from credentials import CredentialServer, argon
from dovecot import LIBEXEC
from harmed_server import Service
from polling import wait_for

RIGHT = dovecot_conf.PASSWORD
OLD_HASH = argon(RIGHT, memory=1 << 20)
# so many lines that the next one is one too many
MANY = 1001
LINE = '{"user":"%s","id":"","time":%d}\n'
LONG_AGO = 1_700_000_000
KILLED = "killed with signal 9"


def no_uses(_server):
    pass


def many_uses(server):
    path = server.path() + ".used"
    with open(path, "w", encoding="ascii") as file:
        file.writelines(LINE % ("jane", LONG_AGO + number) for number in range(MANY))
    os.chmod(path, 0o600)
    server.own(path)


def torn_use(server):
    many_uses(server)
    os.truncate(server.path() + ".used", 100 * len(LINE % ("jane", LONG_AGO)) + 10)


@pytest.fixture(scope="module")
def server(memory_disk):
    found = CredentialServer(workers=1, faked_worker=True)
    found.worker = Service(found, "auth-worker", [os.path.join(LIBEXEC, "auth"), "-w"])
    found.worker.leave_alone()
    with found:
        yield found


class Login:
    """A login with an old hash, after what BEFORE has done, in the same folder each time."""

    def __init__(self, server, before):
        self.server = server
        self.image = server.root + "/image"
        # of the log, at the last login
        self.start = 0
        server.credentials = {"joe": {"password": argon("secret of joe")}, "jane": {"password": OLD_HASH}}
        shutil.rmtree(self.image, ignore_errors=True)
        for name in os.listdir(server.folder):
            os.unlink(os.path.join(server.folder, name))
        server.write()
        before(server)
        os.rename(server.path(), server.path() + ".moved")
        os.rename(server.path() + ".moved", server.path())
        subprocess.run(["cp", "-a", server.folder, self.image], check=True)

    def run(self, variables):
        """Whether a login was good that is the first of a new worker."""
        shutil.rmtree(self.server.folder)
        subprocess.run(["cp", "-a", self.image, self.server.folder], check=True)
        self.server.worker.harm(self.server.folder, variables)
        return self.again()

    def again(self):
        self.server.kill_workers()
        self.start = self.server.log_size()
        found = self.server.auth("jane", RIGHT).ok
        self.server.worker.leave_alone()
        # by the same worker, if it lives, after all that it does for this login
        self.server.settle()
        return found

    def calls(self, **more):
        self.server.worker.calls()
        assert self.run(lab.fault(log=self.server.worker.log, **more))
        return self.server.worker.calls()

    def entries(self, suffix=""):
        with open(self.server.path() + suffix, encoding="utf-8") as file:
            return json.load(file)["users"]

    def uses(self):
        """Lines of the notes; a part of one is there if somebody was killed."""
        try:
            with open(self.server.path() + ".used", encoding="ascii") as file:
                return file.read().splitlines()
        except FileNotFoundError:
            return []


@pytest.fixture(params=[no_uses, many_uses, torn_use])
def login(request, server):
    return Login(server, request.param)


def is_json(line):
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def check(login, point, is_good):
    killed = point.fault in ("before", "after", "half")
    # what cannot be read is no reason to let anybody in
    assert is_good or killed or (point.fault == "EMFILE" and point.call.path == login.server.path())
    if killed:
        # the master says so, and may do it later than auth
        wait_for(lambda: KILLED in login.server.log_from(login.start), "the log to say that it was killed")
    log = login.server.log_from(login.start)
    assert "Panic" not in log and "assertion" not in log, log
    assert (KILLED in log) == killed, log
    before = len(login.uses())
    check_files(login, killed or point.fault in (harms.FULL, "short"))
    assert login.again()
    check_files(login, before)
    # all that was left undone is done now
    assert login.entries()["jane"]["password"] != OLD_HASH
    assert is_json(login.uses()[-1]) and json.loads(login.uses()[-1])["time"] > LONG_AGO + MANY
    names = set(os.listdir(login.server.folder))
    assert {"all.json.tmp", "all.json.used.tmp"}.isdisjoint(names), names


def check_files(login, torn):
    entries = login.entries()
    assert set(entries) == {"joe", "jane"} and entries["joe"] == login.server.credentials["joe"]
    assert sum(not is_json(line) for line in login.uses()) <= 1 + bool(torn)
    # the copy is of the file as it was then, or there is none
    if os.path.exists(login.server.path() + ".good"):
        assert login.entries(".good")["joe"] == entries["joe"]


def test_harmed_login(login, request, fault_table):
    points = list(harms.points(login.calls(), login.calls(open=1)))
    names = {os.path.basename(point.call.path) for point in points}
    assert {"all.json.tmp", "all.json.good.tmp", "all.json.used"} <= names, names
    failures = []
    for point in harms.share(points, request.node.name):
        known = len(failures)
        is_good = login.run(point.variables())
        try:
            check(login, point, is_good)
        except AssertionError as error:
            failures.append("%s at call %d, %s %s: %s" % (point.fault, point.call.number, point.call.name,
                                                        point.call.path, error))
        fault_table.add(point, len(failures) > known, False)
    assert not failures, "\n".join(failures)
