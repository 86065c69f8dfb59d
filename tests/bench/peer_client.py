# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Clients that have a POP3 server at work, each in a process of its own."""

import concurrent.futures
import dataclasses
import multiprocessing
import socket
import statistics
import time

PASSWORD = "secret"
TIMEOUT = 300
# Until all clients of a run are there.
GATHER_SECS = 0.5


class Refused(Exception):
    pass


class Client:
    def __init__(self, port, late_ack):
        self.late_ack = late_ack
        self.got = bytearray()
        self.total = 0
        self.line = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT)
        self.line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.status()

    def fill(self):
        """Some servers send a long reply in several writes, and their kernel waits for an ACK in between. Those of this
        client are not held back, unless that is what is to be seen."""
        if not self.late_ack:
            self.line.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        data = self.line.recv(1 << 18)
        if not data:
            raise Refused(f"the line was closed after {bytes(self.got[-200:])}")
        self.got += data
        self.total += len(data)

    def status(self):
        while b"\n" not in self.got:
            self.fill()
        first = bytes(self.got[:self.got.index(b"\n") + 1])
        del self.got[:len(first)]
        if not first.startswith(b"+OK"):
            raise Refused(first.decode(errors="replace"))
        return first

    def skip_lines(self):
        """Those up to the dot; goes on from where it last looked for it."""
        looked = 0
        while not self.got.startswith(b".\r\n"):
            found = self.got.find(b"\r\n.\r\n", looked)
            if found >= 0:
                del self.got[:found + 5]
                return
            looked = max(0, len(self.got) - 4)
            self.fill()
        del self.got[:3]

    def ask(self, command, multi=False):
        self.line.sendall(command.encode() + b"\r\n")
        first = self.status()
        if multi:
            self.skip_lines()
        return first

    def quit(self):
        """It is over when the server has closed the line."""
        self.ask("QUIT")
        if self.line.recv(1) != b"":
            raise Refused("something came after the reply to QUIT")
        self.line.close()


def poll(client, count):
    del count
    client.ask("UIDL", multi=True)


def drain(client, count):
    client.ask("LIST", multi=True)
    for number in range(1, count + 1):
        client.ask(f"RETR {number}", multi=True)


def session(port, user, work, late_ack=False):
    """Returns how many messages there are, and the octets that came."""
    client = Client(port, late_ack)
    client.ask(f"USER {user}")
    client.ask(f"PASS {PASSWORD}")
    count = int(client.ask("STAT").split()[1])
    work(client, count)
    client.quit()
    return count, client.total


def keep_on(port, users, work, late_ack, begin, end):
    """Session after session until the time is over, at least one; the users come in turn. Returns their times, and when
    the last one was over."""
    time.sleep(max(0, begin - time.monotonic()))
    took, number = [], 0
    while not took or time.monotonic() < end:
        before = time.monotonic()
        session(port, users[number % len(users)], work, late_ack)
        took.append(time.monotonic() - before)
        number += 1
    return took, time.monotonic()


@dataclasses.dataclass
class Run:
    """What some clients did at once."""

    sessions: int
    seconds: float
    median: float

    @property
    def rate(self):
        return self.sessions / self.seconds


def run(port, users, work, clients, seconds, late_ack=False):
    """No two clients have the same mailbox, which not all servers allow."""
    fork = multiprocessing.get_context("fork")
    with concurrent.futures.ProcessPoolExecutor(max_workers=clients, mp_context=fork) as pool:
        begin = time.monotonic() + GATHER_SECS
        done = [pool.submit(keep_on, port, users[number::clients], work, late_ack, begin, begin + seconds)
                for number in range(clients)]
        results = [found.result() for found in done]
    took = [secs for times, _ in results for secs in times]
    return Run(len(took), max(end for _, end in results) - begin, statistics.median(took))
