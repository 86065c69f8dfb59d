# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Ten thousand users, in one file and in as many files: who is who, and what a login costs the workers of auth."""

import contextlib
import os
import secrets
import time

import pytest

from auth_client import AuthClient, Lookups, cpu, octets_read, one_worker, settle
from conftest import running
from credentials import CredentialServer, argon, in_lines

pytestmark = pytest.mark.native

FEW, MANY = 100, 10_000
WORKERS = 4
# hashes at the smallest limits that may be configured, for those who log in; the least that there is for all others
MEMORY, LEAST = 1 << 20, 8 << 10
SAMPLE = FEW
# what a file must be older than to be believed to look otherwise after a change
TICK = 3.5
# as much as the lookup of a user in ten thousand may take of one in a hundred; it would be a hundred times
GROWTH = 1.8


class Crowd(CredentialServer):
    """A server with COUNT users, who have no mail: "user7" has "pass-7" and a field of the same number."""

    def __init__(self, count, per_user):
        super().__init__(per_user=per_user, memory=MEMORY, workers=WORKERS)
        self.names = ["user%d" % number for number in range(count)]
        self.sample = self.names[::count // SAMPLE]
        known = set(self.sample)
        self.credentials = {name: self.entry(name, name in known) for name in self.names}
        self.write()
        self.settled = time.time() + TICK

    @staticmethod
    def password(name):
        return "pass-" + name[len("user"):]

    def entry(self, name, logs_in):
        return {"password": argon(self.password(name), memory=MEMORY if logs_in else LEAST),
                "fields": {"userdb_of": name}}

    def mend(self):
        """Each test leaves the files as they were."""

    def wait_settled(self):
        """A file that has just been written is read each time."""
        time.sleep(max(0, self.settled - time.time()))


@pytest.fixture(scope="module", params=["one file", "own files"])
def crowds(memory_disk, request):
    """The same with few and with many users."""
    own = request.param == "own files"
    with running(Crowd(FEW, own)) as few, running(Crowd(MANY, own)) as many:
        yield few, many


@pytest.fixture
def crowd(crowds):
    return crowds[1]


# -- who is who


def test_logins_of_many(crowd):
    """Many at once, each with a password of their own; nobody gets in with that of another one."""
    names = crowd.sample
    with AuthClient(crowd) as client:
        right = client.logins([(name, crowd.password(name)) for name in names])
        assert all(result.ok and result.fields["user"] == name for name, result in zip(names, right))
        # of the neighbour in the file, and of one whose name begins as theirs
        for other in (names[1:] + names[:1], [name[:-1] for name in names]):
            wrong = client.logins([(name, crowd.password(of)) for name, of in zip(names, other)])
            assert not any(result.ok or result.failed for result in wrong)
        beside = ["user", "user10000", "user00", "user1 ", "user1x", "zzz", "0"]
        assert not any(result.ok or result.failed
                       for result in client.logins([(name, "pass-1") for name in beside]))


def test_fields_of_many(crowd):
    """All that is shown of a user is their own."""
    for name in crowd.sample[::20]:
        assert crowd.auth(name, crowd.password(name), action="login").fields["of"] == name
    with Lookups(crowd) as lookups:
        for name in crowd.names[::10] + crowd.names[-3:]:
            assert lookups.name(name) == name
        assert lookups.name("user%d" % MANY) is None


# -- what it costs


# what else the machine does can only add to what is measured, so it is measured again before that is blamed on the users
ROUNDS, MOST_ROUNDS = 5, 40


def grows(crowds, action, limit):
    """Whether ACTION of a user costs the worker LIMIT times as much if there are many users: says what it costs, if so.
    The least of some rounds is compared, in which both take turns, as the machine is not always the same."""
    for crowd in crowds:
        crowd.wait_settled()
    least = [float("inf")] * 2
    with contextlib.ExitStack() as stack:
        asked = [(crowd, *stack.enter_context(one_worker(crowd)), stack.enter_context(Lookups(crowd)))
                 for crowd in crowds]
        for crowd, client, _, lookups in asked:
            action(client, lookups, crowd.sample[0])
        for number in range(1, MOST_ROUNDS + 1):
            for which, (crowd, client, pid, lookups) in enumerate(asked):
                settle(crowd)
                start = cpu(pid)
                for name in crowd.sample:
                    action(client, lookups, name)
                settle(crowd)
                least[which] = min(least[which], (cpu(pid) - start) / len(crowd.sample))
            if number >= ROUNDS and least[1] < limit * least[0]:
                return None
    return "%.0f us with %d users, %.0f us with %d" % (least[0] * 1e6, FEW, least[1] * 1e6, MANY)


def look_up(_, lookups, name):
    assert lookups.name(name) == name


def test_lookup_does_not_grow_with_users(crowds):
    assert not grows(crowds, look_up, GROWTH)


def test_login_does_not_grow_with_users(crowds):
    def log_in(client, _, name):
        assert client.login(name, Crowd.password(name)).ok

    assert not grows(crowds, log_in, 1.3)


# -- how often the file is read


def several_workers(crowd):
    """Process ids of the workers, after many logins at once."""
    with AuthClient(crowd) as client:
        assert all(result.ok for result in client.logins([(name, crowd.password(name)) for name in crowd.sample]))
    settle(crowd)
    found = crowd.workers()
    assert len(found) > 1, found
    return found


@pytest.mark.parametrize("crowds", ["one file"], indirect=True)
def test_file_is_read_once_by_each_worker(crowds):
    """After a change it is read once more, not with each login."""
    crowd = crowds[1]
    crowd.wait_settled()
    workers = several_workers(crowd)
    size = os.path.getsize(crowd.path())
    before = {pid: octets_read(pid) for pid in workers}
    several_workers(crowd)
    assert all(octets_read(pid) - before[pid] < size // 2 for pid in workers)

    name = crowd.sample[1]
    crowd.write_text(crowd.path(), in_lines({**crowd.credentials, name: crowd.entry(name, True)}))
    time.sleep(TICK)
    for _ in range(2):
        assert several_workers(crowd) == workers
        # which of them are asked is for Dovecot to say
        reads = [round((octets_read(pid) - before[pid]) / size, 1) for pid in workers]
        assert any(reads) and all(times in (0, 1) for times in reads), reads


def test_change_of_one_among_many(crowd):
    """It is known at the next login; all others are as they were."""
    name = crowd.sample[3]
    word = secrets.token_hex(8)
    known = crowd.credentials[name]
    with one_worker(crowd) as (client, _):
        assert client.login(name, crowd.password(name)).ok
        crowd.set(name, password=argon(word, memory=MEMORY))
        assert client.login(name, word).ok
        assert not client.login(name, crowd.password(name)).ok
        for other in crowd.sample[:10]:
            assert client.login(other, word if other == name else crowd.password(other)).ok
        crowd.set(name, **known)
        assert client.login(name, crowd.password(name)).ok


