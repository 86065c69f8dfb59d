# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""What logins cost at the limits that are the default, in processor time and memory, and who waits for whom. Where time
is compared it is that of processors, as machines are busy with other things, too."""

import ctypes
import os
import re
import threading
import time

import pytest

import dovecot_conf
from auth_client import AuthClient, cpu, peak_memory, queued, settle, used
from conftest import running
from credentials import SODIUM, AppPassword, CredentialServer, argon, dovecot_hash
from polling import wait_for

pytestmark = pytest.mark.native

MB = 1 << 20
MEMORY, PASSES = 64 * MB, 2
RIGHT = dovecot_conf.PASSWORD
SHIPPED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "conf.d", dovecot_conf.LINE,
                       "auth-json.conf.ext")


class FullCost(CredentialServer):
    """Has no users with mail: "plain" has an Argon2id hash of the default limits, "other" a hash of another scheme, and
    "device" an app password."""

    def __init__(self, passes=None, workers=30, **kwargs):
        super().__init__(memory=None, passes=passes, workers=workers, **kwargs)
        passes = passes or PASSES
        self.app = AppPassword()
        self.app.entry["hash"] = argon(self.app.secret, passes, MEMORY)
        self.usual = {
            "plain": {"password": argon(RIGHT, passes, MEMORY)},
            "other": {"password": dovecot_hash("SSHA512", RIGHT)},
            "device": {"password": argon("other word", passes, MEMORY), "app_passwords": [self.app.entry]},
        }
        self.mend()

    def mend(self):
        self.credentials = dict(self.usual)
        self.write()

    def new_workers(self, count):
        """Process ids of COUNT workers that have served somebody, so that none is made while it matters."""
        with AuthClient(self) as client:
            client.login("nobody", "x")
            wait_for(lambda: client.logins([("plain", "x")] * (count + 1)) and len(self.workers()) >= count,
                     "%d workers" % count)
        settle(self)
        return self.workers()


# -- the auth cache


def test_cached_logins_are_fifty_times_as_fast(start_credentials, own_servers):
    """Processor time of the auth service and its workers for each login, by the main password and by that of a
    device."""
    server = own_servers.enter_context(running(FullCost(cache="1M")))
    people = [("plain", RIGHT), ("device", server.app.text)]
    with AuthClient(server) as client:
        client.login("nobody", "x")
        spent = []
        for count in (1, 200):
            settle(server)
            start = used(server)
            for _ in range(count):
                assert all(client.login(*person).ok for person in people)
            settle(server)
            spent.append((used(server) - start) / count / len(people))
    uncached, cached = spent
    assert uncached >= 50 * cached, "%.2f ms without, %.3f ms with the cache" % (uncached * 1e3, cached * 1e3)


# -- logins at once


@pytest.fixture(scope="module")
def busy(memory_disk):
    """No cache, and as many workers as are asked for."""
    def others(root):
        path = os.path.join(root, "others")
        with open(path, "w", encoding="utf-8") as file:
            file.write("elsewhere:{PLAIN}%s::::\n" % RIGHT)
        os.chmod(path, 0o644)
        return dovecot_conf.file_passdb(path)

    with running(FullCost(before=others)) as found:
        yield found


CLIENTS = 4


def rate(server, count, rounds=2):
    """(logins a second, workers that computed or wanted to at the same time) of COUNT clients, each of whom comes again
    when it was served."""
    done = []

    def come():
        with AuthClient(server) as client:
            for _ in range(rounds):
                done.append(client.login("plain", RIGHT).ok)

    def busy_time():
        # with what they have waited for other programs, or for each other where there are not enough processors
        return sum(cpu(pid) + queued(pid) for pid in server.workers())

    settle(server)
    begun, start = time.monotonic(), busy_time()
    threads = [threading.Thread(target=come) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wall = time.monotonic() - begun
    settle(server)
    assert done == [True] * count * rounds
    return len(done) / wall, (busy_time() - start) / wall


def pure_rate(count, rounds=2):
    """Argon2 by itself, in so many threads: what the machine has to give now."""
    text = argon(RIGHT, PASSES, MEMORY).encode()

    def check():
        for _ in range(rounds):
            SODIUM.crypto_pwhash_str_verify(text, RIGHT.encode(), ctypes.c_ulonglong(len(RIGHT)))

    threads = [threading.Thread(target=check) for _ in range(count)]
    begun = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return count * rounds / (time.monotonic() - begun)


def test_checks_use_all_processors(busy, record_property):
    """Four clients are served 1.7 times as fast as one, on two processors or more, if the machine can do that: Argon2
    by itself is measured beside. Whatever it can do, no worker waits for another one."""
    busy.new_workers(CLIENTS)
    tries = []
    for _ in range(4):
        one, one_busy = rate(busy, 1)
        four, four_busy = rate(busy, CLIENTS)
        machine = pure_rate(CLIENTS) / pure_rate(1)
        tries.append((four / one, machine, one_busy, four_busy))
        # each has nearly always one to check
        at_once = four_busy >= 1.7 * one_busy and four_busy >= 0.7 * CLIENTS
        if at_once and four / one >= min(1.7, 0.85 * machine):
            break
    else:
        pytest.fail("times as fast, Argon2 alone, workers at once of 1 and of %d clients: %s" % (CLIENTS, tries))
    record_property("times as fast, and Argon2 alone", tries)
    print("4 clients are served %.2f times as fast as 1; Argon2 alone: %.2f" % tries[-1][:2])


QUEUE = 8


@pytest.mark.parametrize("name", ["other", "elsewhere"])
def test_others_do_not_wait_for_argon2(busy, name):
    """Eight checks have begun when a user with another scheme comes, or one of another database: served before nearly
    all of them."""
    busy.new_workers(QUEUE + 1)
    with AuthClient(busy) as client:
        queue = [client.send("plain", RIGHT) for _ in range(QUEUE)]
        late = client.send(name, RIGHT)
        assert all(client.wait(number).ok for number in [*queue, late])
        assert client.order.index(late) <= 1, client.order


def test_cached_logins_do_not_wait_for_argon2(own_servers):
    """Not even if there is no worker for them."""
    server = own_servers.enter_context(running(FullCost(cache="1M", workers=2)))
    with AuthClient(server) as client:
        assert client.login("device", server.app.text).ok
        server.new_workers(2)
        queue = [client.send("plain", "x") for _ in range(QUEUE)]
        late = client.send("device", server.app.text)
        assert client.wait(late).ok
        assert not any(client.wait(number).ok for number in queue)
        assert client.order.index(late) <= 1, client.order


# -- memory


def shipped():
    """What the example of the package says of the auth service itself."""
    with open(SHIPPED, encoding="utf-8") as file:
        text = file.read()
    return text[text.index("\nauth_cache_size"):]


def number(text, name):
    found = re.search(r"^\s*%s = (\d+)(M?)$" % name, text, re.M)
    assert found, name
    return int(found.group(1)) * (MB if found.group(2) else 1)


ATTEMPTS = 100
# of a worker beside the memory of the one check: the program, its libraries, and what was read
REST = 24 * MB


@pytest.fixture(scope="module")
def as_shipped(memory_disk):
    # the memory is the same with half of the passes
    with running(FullCost(passes=1, extra=shipped())) as found:
        yield found


def test_memory_has_a_ceiling(as_shipped):
    """A hundred wrong passwords at once take as much memory as the workers that the example allows may take."""
    server = as_shipped
    limit = number(shipped(), "auth_worker_max_count" if dovecot_conf.LINE == "2.3" else "process_limit")
    start = server.log_size()
    seen = {}
    with AuthClient(server) as client:
        assert not client.login("nobody", "x").ok
        waiting = [client.send("plain", "wrong%d" % count) for count in range(ATTEMPTS)]
        for attempt in waiting:
            result = client.wait(attempt)
            assert not result.ok and not result.failed, result
            for pid in server.children("auth"):
                # the peak of its whole life
                seen[pid] = peak_memory(pid)
    auth = [pid for pid in seen if pid not in server.workers()]
    # none has ended and made room for another
    assert len(auth) == 1 and len(seen) == limit + 1, seen
    assert all(peak >= MEMORY for pid, peak in seen.items() if pid not in auth), seen
    assert all(peak < MEMORY + REST for pid, peak in seen.items() if pid not in auth), seen
    assert sum(seen.values()) < limit * (MEMORY + REST) + REST
    assert len(re.findall("[Mm]ismatch", server.log_from(start))) == ATTEMPTS
    # that logins have to wait is an error to 2.3
    text = re.sub(".*request was queued for.*", "", server.log_from(start))
    assert not re.search("Error:|Fatal:|Panic:|killed|out of memory", text, re.I)


def test_shipped_limit_is_enough(as_shipped):
    """Also for what costs most: a hash of twice the memory that is configured is good, and is replaced; and there are
    ten thousand other users in the file."""
    server = as_shipped
    least = argon("x", memory=8 << 10)
    server.credentials.update({"user%d" % count: {"password": least, "fields": {"userdb_home": "/home/%d" % count}}
                               for count in range(10_000)})
    server.set("plain", password=argon(RIGHT, 1, 2 * MEMORY))
    start = server.log_size()
    with AuthClient(server) as client:
        assert not client.login("plain", "x").failed
        assert client.login("plain", RIGHT).ok
        settle(server)
        assert "m=%d,t=1," % (MEMORY >> 10) in server.read("plain")["password"]
        assert client.login("plain", RIGHT).ok
    assert not re.search("Error:|Fatal:|Panic:|Warning:", server.log_from(start))


def test_limit_that_is_too_small(own_servers):
    """It is a failure, for the right password and for a wrong one, and the log says what to do."""
    server = own_servers.enter_context(running(FullCost(extra="service auth-worker {\n  vsz_limit = 48M\n}\n")))
    start = server.log_size()
    with AuthClient(server) as client:
        for name, word in (("plain", RIGHT), ("plain", "x"), ("nobody", "x"), ("device", server.app.text)):
            assert client.login(name, word).failed
        assert client.login("other", RIGHT).ok
    wait_for(lambda: len(re.findall("Error: .*vsz_limit", server.log_from(start))) >= 4, "errors that name the limit")
    assert not re.search("[Mm]ismatch", server.log_from(start))
