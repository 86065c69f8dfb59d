# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""What a wrong password costs does not tell what is wrong: one Argon2 for each attempt, whoever it is of."""

import contextlib
import os
import re
import statistics
import subprocess
import time

import pytest

import dovecot_conf
from auth_client import cpu, one_worker, settle
from conftest import running
from credentials import AppPassword, CredentialServer, argon, argon2i, dovecot_hash, scrypt
from polling import wait_for

pytestmark = pytest.mark.native

# a quarter of what is the default
MEMORY, PASSES = 16 << 20, 2
RIGHT = dovecot_conf.PASSWORD
# on a busy machine one Argon2 takes up to half as long again as another: the median of fewer differs by more than below
ROUNDS = 24
TRIES = 8
# of the median of a wrong password for a known user
DIFFERENCE = 0.1


def app(**members):
    found = AppPassword(**members)
    found.entry["hash"] = argon(found.secret, PASSES, MEMORY)
    return found


class Suspects(CredentialServer):
    """Has users of each kind, who have no mail."""

    def __init__(self):
        super().__init__(memory=MEMORY, passes=PASSES)
        self.apps = {"devices": app(), "expired": app(expires=int(time.time()) - 60),
                     "barred device": app(protocols=["imap"])}
        usual = {"password": argon(RIGHT, PASSES, MEMORY)}
        self.usual = {
            "known": usual,
            "disabled": {**usual, "enabled": False},
            "barred": {**usual, "protocols": ["imap"]},
            "devices": {**usual, "app_passwords": [self.apps["devices"].entry, *(
                {**AppPassword().entry, "label": "device %d" % count} for count in range(30))]},
            "expired": {**usual, "app_passwords": [self.apps["expired"].entry]},
            "barreddevice": {**usual, "app_passwords": [self.apps["barred device"].entry]},
            "nothing": {},
            # as dear beside Argon2 as the default is beside that of the default limits
            "crypt": {"password": dovecot_hash("SHA512-CRYPT", RIGHT, "-r", "1250")},
            "ssha": {"password": dovecot_hash("SSHA512", RIGHT)},
        }
        self.mend()

    def mend(self):
        self.credentials = dict(self.usual)
        self.write()


@pytest.fixture(scope="module")
def server(memory_disk):
    with running(Suspects()) as found:
        yield found


def wrong_attempts(server):
    """{what is wrong: (user, what is typed)}"""
    stranger = AppPassword()
    found = {name: (name, "wrong") for name in server.usual}
    found["unknown"] = ("nobody", "wrong")
    found["unknown with a code"] = ("nobody", stranger.text)
    found["code that nobody has"] = ("devices", stranger.text)
    for name, user in (("devices", "devices"), ("expired", "expired"), ("barred device", "barreddevice")):
        found["wrong code, " + name] = (user, server.apps[name].id + stranger.secret)
    # what is barred does not show that the password is right
    found["barred, right password"] = ("barred", RIGHT)
    found["barred, right code"] = ("barreddevice", server.apps["barred device"].text)
    return found


def measure(server, attempts, times):
    """Adds to TIMES the processor time of the worker for each of the attempts, by turns."""
    with one_worker(server) as (client, pid):
        for _ in range(ROUNDS):
            for what, (name, typed) in attempts.items():
                start = cpu(pid)
                result = client.login(name, typed)
                settle(server)
                times[what].append(cpu(pid) - start)
                assert not result.ok and not result.failed, what


def test_wrong_passwords_take_the_same_time(server):
    """What differs by what is wrong goes on to differ, however often it is measured; noise goes away."""
    attempts = wrong_attempts(server)
    times = {what: [] for what in attempts}
    for _ in range(TRIES):
        measure(server, attempts, times)
        medians = {what: statistics.median(found) for what, found in times.items()}
        usual = medians["known"]
        others = {what: "%.1f ms" % (found * 1e3) for what, found in medians.items()
                  if abs(found - usual) > DIFFERENCE * usual}
        if not others:
            break
    assert others == {}, "known: %.1f ms" % (usual * 1e3)


def test_wrong_passwords_have_the_same_answer(server):
    """Neither does the answer tell anything."""
    with one_worker(server) as (client, _):
        answers = {what: client.login(name, typed).fields for what, (name, typed) in wrong_attempts(server).items()}
    for what, fields in answers.items():
        del fields["user"]
        assert fields == answers["known"], what


# -- the number of computations


class Counter:
    """Sees a worker ask for the memory of Argon2 or scrypt: nothing else has its pages made at once."""

    def __init__(self, pid, path):
        self.path = path
        # pylint: disable=consider-using-with
        self.tracer = subprocess.Popen(["strace", "-q", "-p", str(pid), "-e", "trace=mmap", "-o", path])
        with open("/proc/%d/status" % pid, encoding="utf-8") as file:
            status = file.name
        wait_for(lambda: self.is_traced(status), "strace to attach itself")

    @staticmethod
    def is_traced(path):
        with open(path, encoding="utf-8") as file:
            return not re.search(r"^TracerPid:\s+0$", file.read(), re.M)

    def sizes(self):
        """Of the memory of all computations so far."""
        with open(self.path, encoding="utf-8") as file:
            return [int(size) for size in re.findall(r"^mmap\(NULL, (\d+), .*MAP_POPULATE", file.read(), re.M)]

    def stop(self):
        self.tracer.terminate()
        self.tracer.wait()


@pytest.fixture
def counted(server):
    """count(user, typed): the result of a login, and the memory of each computation of it."""
    with one_worker(server) as (client, pid), contextlib.ExitStack() as stack:
        counter = Counter(pid, os.path.join(server.root, "mmaps"))
        stack.callback(counter.stop)

        def count(name, typed):
            before = len(counter.sizes())
            result = client.login(name, typed)
            settle(server)
            return result, counter.sizes()[before:]

        yield count


def is_argon(size, memory=MEMORY):
    return memory <= size <= memory + (64 << 10)


def test_one_argon2_for_each_wrong_password(server, counted):
    for what, (name, typed) in wrong_attempts(server).items():
        result, sizes = counted(name, typed)
        assert not result.ok and len(sizes) == 1 and is_argon(sizes[0]), (what, sizes)


def test_one_argon2_for_each_right_password(server, counted):
    """Also of who is not let in by it."""
    people = [("known", RIGHT, True), ("disabled", RIGHT, False), ("devices", RIGHT, True)]
    people += [(user, server.apps[name].text, ok) for name, user, ok in (
        ("devices", "devices", True), ("expired", "expired", False), ("barred device", "barreddevice", False))]
    for name, typed, ok in people:
        result, sizes = counted(name, typed)
        assert result.ok == ok and len(sizes) == 1 and is_argon(sizes[0]), (name, sizes)


OLD = {
    "SHA512-CRYPT": (lambda: dovecot_hash("SHA512-CRYPT", RIGHT, "-r", "1000"), 0),
    "SSHA512": (lambda: dovecot_hash("SSHA512", RIGHT), 0),
    "argon2i": (lambda: argon2i(RIGHT), 1),
    "scrypt": (lambda: scrypt(RIGHT), 1),
    "Argon2id of other limits": (lambda: argon(RIGHT, 1, MEMORY // 2), 1),
}


@pytest.mark.parametrize("scheme", OLD)
def test_computations_of_an_upgrade(server, counted, scheme):
    """A right password is hashed once more, and that only once; who is not let in has no new hash made."""
    make, checks = OLD[scheme]
    old = make()
    server.set("old", password=old, enabled=False)
    result, sizes = counted("old", RIGHT)
    assert not result.ok and len(sizes) == checks, sizes
    server.set("old", enabled=True)
    result, sizes = counted("old", "wrong")
    assert not result.ok and len(sizes) == 1, sizes
    result, sizes = counted("old", RIGHT)
    assert result.ok and len(sizes) == checks + 1 and is_argon(sizes[-1]), sizes
    result, sizes = counted("old", RIGHT)
    assert result.ok and len(sizes) == 1 and is_argon(sizes[0]), sizes


def test_no_computation_where_no_password_is_looked_at(server, counted):
    """A file that cannot be used costs nothing: nobody can make the server busy by that."""
    server.write_text(server.path(), "{")
    server.credentials.clear()
    result, sizes = counted("stranger", "x")
    assert result.failed and not sizes, sizes
    server.mend()
    asks_for_much = "$argon2id$v=19$m=%d,t=9,p=1$%s$%s" % (MEMORY >> 6, "c" * 22, "d" * 43)
    server.set("known", password=asks_for_much)
    result, sizes = counted("known", RIGHT)
    assert result.failed and not sizes, sizes
