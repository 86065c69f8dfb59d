# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Speaks with the auth service itself, as login processes do, and tells what its processes have used."""

import base64
import contextlib
import os
import re
import signal
import socket
import time

from polling import wait_for
from served import EPOLL_WAIT


class Result:
    """How a login has ended."""

    def __init__(self, words):
        self.ok = words[0] == "OK"
        self.fields = dict(word.partition("=")[::2] for word in words[2:])
        self.failed = "temp" in words or self.fields.get("code") == "temp_fail"

    def __repr__(self):
        return "<Result ok=%s %s>" % (self.ok, self.fields)


class AuthClient:
    """Any number of logins at once on one connection: there is no other protocol between them and the passdb."""

    def __init__(self, server):
        self.number = 0
        self.results = {}
        self.order = []
        self.socket = connect(server, "auth-client", b"VERSION\t1\t2\nCPID\t%d\n" % client_number())
        self.file = self.socket.makefile("rb")
        while not self.file.readline().startswith(b"DONE"):
            pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.file.close()
        self.socket.close()

    def send(self, name, password, protocol="pop3", rip="192.0.2.7"):
        """Begins a login, and returns its number."""
        self.number += 1
        # 2.4 has another word for the same
        self.socket.sendall(("AUTH\t%d\tPLAIN\tservice=%s\tprotocol=%s\trip=%s\tlip=127.0.0.1\tsecured\tresp=%s\n" % (
            self.number, protocol, protocol, rip, base64.b64encode(("\0%s\0%s" % (name, password)).encode()).decode(),
        )).encode())
        return self.number

    def read(self):
        line = self.file.readline().decode().rstrip("\n")
        assert line, "the auth service has closed the connection"
        words = line.split("\t")
        if words[0] in ("OK", "FAIL"):
            self.results[int(words[1])] = Result(words)
            self.order.append(int(words[1]))

    def wait(self, number):
        while number not in self.results:
            self.read()
        return self.results[number]

    def login(self, name, password, **kwargs):
        return self.wait(self.send(name, password, **kwargs))

    def logins(self, pairs):
        """All at once; the results are in the order of PAIRS. Before the first worker has told how many there may be,
        2.4 starts one for each login, so the first one goes alone."""
        first = self.login(*pairs[0])
        return [first] + [self.wait(number) for number in [self.send(*pair) for pair in pairs[1:]]]


def client_number():
    # the auth service refuses a second client of one process
    client_number.last += 1
    return client_number.last


client_number.last = 1_000_000


def connect(server, name, greeting):
    path = os.path.join(server.root, "run", name)
    wait_for(lambda: os.path.exists(path), path)
    found = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    found.settimeout(60)
    found.connect(path)
    found.sendall(greeting)
    return found


class Lookups:
    """Asks whether there are users, as "doveadm auth lookup" does: the worker does what it does for a login, but for
    the hash."""

    def __init__(self, server):
        self.number = 0
        self.socket = connect(server, "auth-master", b"VERSION\t1\t1\n")
        self.file = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.socket.close()

    def name(self, name):
        """What the passdb calls a user; None if there is no such user."""
        self.number += 1
        self.socket.sendall(("PASS\t%d\t%s\tservice=pop3\tprotocol=pop3\n" % (self.number, name)).encode())
        while True:
            words = self.file.readline().decode().rstrip("\n").split("\t")
            assert words[0], "the auth service has closed the connection"
            if words[0] in ("PASS", "NOTFOUND", "FAIL"):
                assert words[0] != "FAIL", words
                return words[2].partition("=")[2] if words[0] == "PASS" else None


# -- processes


def cpu(pid):
    """Seconds of processor time that a process has used: the clocks of processes count nanoseconds, the numbers in
    /proc only hundredths of seconds."""
    return time.clock_gettime((~pid << 3) | 2)


def queued(pid):
    """Seconds that a process has waited for a processor."""
    with open("/proc/%d/schedstat" % pid, encoding="ascii") as file:
        return int(file.read().split()[1]) / 1e9


def octets_read(pid):
    with open("/proc/%d/io" % pid, encoding="ascii") as file:
        return int(re.search(r"^rchar: (\d+)$", file.read(), re.M).group(1))


def peak_memory(pid):
    """The most octets that a process has ever had in memory."""
    with open("/proc/%d/status" % pid, encoding="ascii", errors="replace") as file:
        return int(re.search(r"^VmHWM:\s+(\d+) kB$", file.read(), re.M).group(1)) * 1024


def is_idle(pid):
    """Whether a process waits for something to happen, with nothing else to do."""
    def sleeps():
        # one that strace has stopped on its way does not
        with open("/proc/%d/stat" % pid, encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] == "S"

    try:
        with open("/proc/%d/syscall" % pid, encoding="ascii") as file:
            waits = file.read().split()[0] == EPOLL_WAIT
        return waits and sleeps()
    except OSError:
        # it has ended
        return True


def settle(server):
    """What a worker does after its answer is done, too."""
    wait_for(lambda: all(is_idle(pid) for pid in server.children("auth")), "the auth service to be idle")


def used(server, processes=None):
    """Processor time of the auth service and its workers, or of PROCESSES."""
    return sum(cpu(pid) for pid in processes or server.children("auth"))


def kill_workers(server):
    """The auth service may have started another one at once."""
    known = server.workers()
    for pid in known:
        os.kill(pid, signal.SIGTERM)
    wait_for(lambda: not set(known) & set(server.workers()), "the end of the workers of auth")


@contextlib.contextmanager
def one_worker(server):
    """The process id of the one worker that serves logins which come one after the other."""
    kill_workers(server)
    with AuthClient(server) as client:
        client.login("nobody", "x")
        settle(server)
        pid, = server.workers()
        yield client, pid
    assert server.workers() == [pid], "a second worker"
