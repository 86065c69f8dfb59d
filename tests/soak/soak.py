# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Many sessions of many users on one private server, in rounds, with harm done to users and processes in between. Between
two rounds nobody is logged in: then memory is measured, and the log is read. The clock is the true one, as that of the
disks is."""

import collections
import concurrent.futures
import contextlib
import os
import random
import signal
import smtplib
import subprocess
import threading
import time

import dovecot_conf
import retention
import state_check
from credentials import CredentialServer
from harm import KINDS
from logs import Logs
from mailbox import GONE, MAYBE, THERE, Mailbox
from memory import Memory, born
from polling import wait_for
from served import clients_of, is_waiting
from visits import Visitor

THREADS = 4
# of a user of the plugin, each of whom is one of 20
FORMS = ["maildir"] * 11 + ["sdbox"] * 3 + ["mdbox"] * 3 + ["mbox"] * 3
TROUBLES = ["none", "broken files", "lost indexes", "new UIDVALIDITY", "full disk", "none", "none"]
# by chance, before a session
DELIVERIES, STRIKES = 0.7, 0.08
# seconds
KEEP = 10
# messages a day
LIMIT = 20
PROCESSES = 6
EXTRA = """
service pop3 {{
  {unlimited}
  process_limit = {processes}
}}
service imap {{
  {unlimited}
}}
service lmtp {{
  {unlimited}
}}
service auth {{
  client_limit = 5000
}}
"""


class Soak:
    """What SEED makes of it is always the same, but for what depends on time. PLUGIN False is for a look at the memory of
    stock Dovecot, which keeps less than what is asked for here."""

    def __init__(self, users, seed, plugin=True, processes=PROCESSES, pop3_command=None):
        self.seed = seed
        self.plugin = plugin
        self.server = CredentialServer(plugin=plugin, cache="10M", iterate=True, pop3_command=pop3_command,
                                       extra=EXTRA.format(unlimited=dovecot_conf.REUSE, processes=processes))
        self.memory = Memory(self.server)
        self.logs = Logs(self.server)
        self.lock = threading.Lock()
        self.complaints = []
        self.counts = collections.Counter()
        self.done = 0
        self.visitors = [self.make(index) for index in range(users)]
        self.rounds = 0

    def make(self, index):
        chance = random.Random("%s %d" % (self.seed, index))
        form = FORMS[index * 7 % len(FORMS)]
        kind = TROUBLES[index % len(TROUBLES)]
        trouble = KINDS[kind](chance)
        keep = KEEP if index % 3 == 0 else None
        # what is counted is lost with the state
        limit = LIMIT if index % 5 == 0 and trouble.keeps_state else None
        fields = {"pop3_policy_quota": "%dmsg/day 1G/month" % (limit or 100000)}
        if keep:
            fields["pop3_policy_keep_downloaded"] = "%d secs" % keep
            fields["pop3_policy_expire_action"] = "move Expired" if index % 2 else "expunge"
        user = self.server.user("user%d" % index, form, **(fields if self.plugin else {}))
        trouble.prepare(user)
        self.logs.users[user.name] = trouble.log
        return Visitor(self, user, Mailbox(user.name, keep, limit, self.complain), trouble, chance)

    # -- what visitors tell

    def complain(self, text):
        with self.lock:
            self.complaints.append("round %d: %s" % (self.rounds, text))

    def count(self, what):
        with self.lock:
            self.counts[what] += 1

    # -- processes

    def served(self):
        """{pid: ports of its clients}"""
        return clients_of(self.memory.processes("pop3"), self.server.ports["pop3"])

    def serving(self, visitor):
        return [pid for pid, ports in self.served().items() if ports.intersection(visitor.ports[-1:])]

    def is_served(self, visitor):
        """A process closes its socket before it is done with all that comes after a session."""
        served = self.served()
        return any(ports.intersection(visitor.ports) for ports in served.values()) or \
            not all(self.is_waiting(pid) for pid, ports in served.items() if not ports)

    @staticmethod
    def is_waiting(pid):
        try:
            return is_waiting(pid)
        except OSError:
            return True

    def elder(self):
        """The oldest process lives on: its memory tells of leaks."""
        found = {}
        for pid in self.memory.processes("pop3"):
            with contextlib.suppress(OSError):
                found[born(pid), pid] = pid
        return found[min(found)] if found else None

    def is_elder(self, visitor):
        return self.elder() in self.serving(visitor)

    def kill(self, visitor, wait):
        """Returns whether anybody has died."""
        elder, serving, dead = self.elder(), self.serving(visitor), False
        time.sleep(wait)
        for pid in serving:
            # it may serve somebody else by now
            if pid != elder and pid in self.serving(visitor):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    self.count("kills")
                    dead = True
        return dead

    def wait_served(self, visitor):
        wait_for(lambda: not self.is_served(visitor), "the end of the sessions of " + visitor.user.name)

    def wait_quiet(self):
        wait_for(lambda: all(not ports and self.is_waiting(pid) for pid, ports in self.served().items()),
                 "the end of all sessions")

    # -- rounds

    def share(self, visitors, sessions, seed):
        """One thread: some users, who come in any order."""
        chance = random.Random(seed)
        with smtplib.LMTP(os.path.join(self.server.root, "lmtp")) as lmtp:
            for _ in range(sessions):
                visitor = chance.choice(visitors)
                if chance.random() < DELIVERIES:
                    visitor.deliver(lmtp)
                self.count(visitor.visit(chance.random() < STRIKES))

    def round(self, sessions):
        with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
            jobs = [pool.submit(self.share, self.visitors[at::THREADS], sessions // THREADS,
                                "%s %d %d" % (self.seed, self.rounds, at)) for at in range(THREADS)]
            for job in jobs:
                job.result()
        self.done += sessions // THREADS * THREADS
        self.rounds += 1
        self.wait_quiet()
        self.logs.read()
        self.memory.take(self.logs.sessions, self.done)

    def reload(self):
        """The configuration is read again: other processes serve whoever comes next."""
        names = ("pop3", "auth", "auth worker")
        old = {pid for name in names for pid in self.memory.processes(name)}
        self.server.process.send_signal(signal.SIGHUP)
        # auth gives up what its worker is at; so does the next one, once, if it has found the old worker
        wait_for(lambda: not any(old & set(self.memory.processes(name)) for name in names), "the old processes to go")
        self.server.settle()
        self.count("reloads")

    def sweep(self):
        """Retention of all users, by a program of its own."""
        command = ["doveadm", "-c", self.server.conf, "pop3", "retention", "run", "-A"]
        with open(os.path.join(self.server.root, "sweep"), "ab") as output:
            subprocess.run(command, env=self.server.environment(), check=False, stdout=output, stderr=output)
        self.count("sweeps")

    # -- the end

    def finish(self):
        """All harm is mended; then each mailbox is looked at."""
        for visitor in self.visitors:
            visitor.trouble.mend(visitor)
        with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(self.finish_one, self.visitors))
        time.sleep(KEEP + 1)
        with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(self.finish_retention, [visitor for visitor in self.visitors if visitor.mailbox.keep]))
        self.wait_quiet()

    def finish_one(self, visitor):
        """IMAP has what POP3 tells, in the same order, and each once."""
        visitor.poll()
        visitor.wait_gone()
        mailbox = visitor.mailbox
        with visitor.session() as pop3:
            told = list(visitor.look(pop3).values())
            # at the end of the session what is due goes
            data = retention.contents(visitor.user)
            visitor.end(pop3, {}, ())
        visitor.wait_gone()
        if len(data) != len(told):
            mailbox.complain("POP3 has %d messages, and IMAP %d" % (len(told), len(data)))
        numbers = [mailbox.shown(uidl, message) for uidl, message in zip(told, data)]
        if len(set(numbers)) != len(numbers):
            mailbox.complain("has a message twice")
        lost = mailbox.in_place(THERE) - set(numbers)
        if lost:
            mailbox.complain("has lost %s" % sorted(lost))
        if visitor.trouble.keeps_files:
            try:
                state_check.check_home(visitor.user.home)
            except AssertionError as error:
                mailbox.complain("has left a state that is none: %s" % error)

    def finish_retention(self, visitor):
        """What was downloaded for sure goes when its time has come, if the state says so."""
        visitor.poll()
        visitor.wait_gone()
        with visitor.session() as pop3:
            visitor.look(pop3)
            visitor.end(pop3, {}, ())
        left = [number for number, message in visitor.mailbox.messages.items()
                if message.place == THERE and message.surely]
        if left and visitor.trouble.keeps_state:
            visitor.mailbox.complain("retention has left %s" % left)

    def close(self):
        self.server.stop()
        for visitor in self.visitors:
            visitor.trouble.remove(visitor.user)
        self.server.remove()

    def tally(self):
        """How many messages are where."""
        return {place: sum(len(visitor.mailbox.in_place(place)) for visitor in self.visitors)
                for place in (THERE, MAYBE, GONE)}

