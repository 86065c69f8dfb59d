# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Each call by which doveadm changes a credential file is harmed. The file is then what it was or what it shall be, whole
and with its rights, what the command said is true, and the next command works.

POP3_POLICY_FAULTS=1 tries all of them; else it is a share that is the same each time."""

import ctypes
import json
import os
import pwd
import shutil
import stat
import subprocess

import pytest

import harms
import lab
from credentials import SODIUM, CredentialServer, argon

OLD, NEW, NEXT = "old secret of jane", "new secret of jane", "next secret of jane"
JOE = {"password": argon("secret of joe"), "fields": {"userdb_uid": "1"}}
VARIABLES = ("LD_PRELOAD", *("FAULT_" + name for name in ("BELOW", "LOG", "AT", "DO", "STICKY", "OPEN", "PATIENCE")))
DOVECOT = pwd.getpwnam("dovecot")
# what a change is about to put in the place of the file
TEMPORARY = "all.json.tmp"


def fits(password, entry):
    data = password.encode()
    return entry is not None and SODIUM.crypto_pwhash_str_verify(
        ctypes.c_char_p(entry.get("password", "").encode()), data, ctypes.c_ulonglong(len(data))) == 0


class Change:
    """A command, its input, and whether the file shows that it was done."""

    def __init__(self, words, data, is_done, exists=True):
        self.words = words
        self.data = data
        self.is_done = is_done
        self.exists = exists


IMPORTED = "jane:%s::::::\njim:%s::::::\n" % (argon(NEW), argon(NEW))
CHANGES = {
    "set": Change(["password", "set", "-u", "jane"], NEW, lambda users: fits(NEW, users.get("jane"))),
    "set, no file": Change(["password", "set", "--create", "-u", "jane"], NEW,
                           lambda users: fits(NEW, users.get("jane")), exists=False),
    "remove": Change(["password", "remove", "-u", "jane"], "", lambda users: "jane" not in users),
    "disable": Change(["password", "disable", "-u", "jane"], "",
                      lambda users: not users.get("jane", {}).get("enabled", True)),
    "import": Change(["password", "import", "--replace", "-"], IMPORTED,
                     lambda users: fits(NEW, users.get("jane")) and fits(NEW, users.get("jim"))),
    "app password": Change(["app-password", "add", "-u", "jane"], "",
                           lambda users: len(users.get("jane", {}).get("app_passwords", [])) == 1),
}


class Folder:
    """The folder of a credential file, as it is before each run of a change."""

    def __init__(self, server, change):
        self.server = server
        self.change = change
        self.log = os.path.join(server.root, "calls")
        if change.exists:
            server.credentials = {"joe": JOE, "jane": {"password": argon(OLD)}}
            server.write()
        else:
            os.unlink(server.path())
        self.image = server.root + "/image"
        subprocess.run(["cp", "-a", server.folder, self.image], check=True)
        self.before = self.read()

    def again(self):
        shutil.rmtree(self.server.folder)
        subprocess.run(["cp", "-a", self.image, self.server.folder], check=True)

    def read(self):
        try:
            with open(self.server.path(), encoding="utf-8") as file:
                return json.load(file)["users"]
        except FileNotFoundError:
            return {}

    def run(self, variables):
        self.again()
        return self.command(self.change.words, self.change.data, variables)

    def command(self, words, data, variables):
        """doveadm empties its environment of all but what it is told to keep."""
        harm = {"LD_PRELOAD": lab.library(), "FAULT_BELOW": self.server.folder, **variables} if variables else {}
        done = subprocess.run(["doveadm", "-c", self.server.conf, "pop3", *words], input=data.encode(),
                              env={**os.environ, **harm, "DOVECOT_PRESERVE_ENVS": " ".join(VARIABLES)},
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=lab.TIMEOUT, check=False)
        return lab.Ended(done.stdout, done.stderr.decode("utf-8", "replace"), done.returncode)

    def calls(self, **more):
        with open(self.log, "w", encoding="ascii"):
            pass
        assert self.run(lab.fault(log=self.log, **more)).status == 0
        return [call for call in lab.read_calls(self.log) if call.counts]

    def check_rights(self):
        """Auth reads and locks what doveadm writes as root."""
        for path in (self.server.path(), self.server.path() + ".lock"):
            found = os.stat(path)
            assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (
                DOVECOT.pw_uid, DOVECOT.pw_gid, 0o600), (path, found)


@pytest.fixture(params=CHANGES)
def folder(request, memory_disk):
    server = CredentialServer(cache="1M")
    yield Folder(server, CHANGES[request.param])
    server.remove()


def check(folder, point, done):
    """After the change with this fault."""
    users = folder.read()
    is_done = folder.change.is_done(users)
    assert is_done or users == folder.before
    assert users.get("joe") == folder.before.get("joe")
    assert done.was_killed == (point.fault in ("before", "after", "half")) and not done.trouble, done
    assert not done.hangs
    if done.status == 0:
        assert is_done, done
    elif not done.was_killed:
        # all that can go wrong once the new file is there is that the disk may not have it
        assert done.log and (not is_done or point.call.name in ("fsync", "unlink")), done
        assert not os.path.exists(os.path.join(folder.server.folder, TEMPORARY)) or point.call.name == "unlinkat" or \
            point.fault == harms.FULL
    done = folder.command(["password", "set", "--create", "-u", "jane"], NEXT, None)
    assert done.status == 0, done
    users = folder.read()
    assert fits(NEXT, users["jane"]) and users.get("joe") == folder.before.get("joe")
    assert set(os.listdir(folder.server.folder)) == {"all.json", "all.json.lock"}
    folder.check_rights()


def test_harmed_change(folder, request, fault_table):
    points = list(harms.points(folder.calls(), folder.calls(open=1)))
    assert len(points) > 50
    failures = []
    for point in harms.share(points, request.node.name):
        done = folder.run(point.variables())
        bad = ""
        try:
            check(folder, point, done)
        except AssertionError as error:
            bad = str(error)
            failures.append("%s at call %d, %s %s: %s" % (point.fault, point.call.number, point.call.name,
                                                        point.call.path, bad))
        fault_table.add(point, bool(bad), False)
    assert not failures, "\n".join(failures)
