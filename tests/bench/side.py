# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""One mailbox, and the configuration that it is read with."""

import os
import shutil

import homes
import maildir
import session

POLL = ("STAT", "UIDL", "LIST", "QUIT")


class Side:
    def __init__(self, dovecot, workdir, scenario, name, with_plugin):
        self.dovecot = dovecot
        self.with_plugin = with_plugin
        self.driver = "maildir"
        # Of the plugin, more than those that every bench has.
        self.settings = {}
        # Names of one length: both sides handle paths of the same size.
        self.base = os.path.join(workdir, f"{scenario}-{name:_<6}")
        self.home = os.path.join(self.base, "home")
        self.profiles = os.path.join(self.base, "profiles")
        self.conf = os.path.join(self.base, "dovecot.conf")

    def fill(self, count, size, **kwargs):
        os.makedirs(self.home)
        maildir.fill(self.home, count, size, **kwargs)
        self.configure()

    def copy_mail(self, other):
        """Begins with the mail, and with the indexes, that another side has."""
        self.driver = other.driver
        os.makedirs(self.base)
        homes.copy_mail(other.home, self.home)
        self.configure()

    def configure(self, with_plugin=None):
        """As this side is, unless something is to be done by stock Dovecot first."""
        if with_plugin is None:
            with_plugin = self.with_plugin
        self.write_config(with_plugin)
        session.give_to_reader(self.base)

    def write_config(self, with_plugin):
        with open(self.conf, "w", encoding="ascii") as out:
            out.write(self.dovecot.config(self.base, self.home, self.driver, with_plugin, self.settings))

    def play(self, lines):
        return session.run([self.dovecot.pop3, "-c", self.conf], self.home, session.commands(*lines))

    def measure(self, lines, step="session"):
        """Returns (instructions of the session, digest of what the client got)."""
        return session.instructions(
            [self.dovecot.pop3, "-c", self.conf], self.home, session.commands(*lines),
            os.path.join(self.profiles, step))

    def adopt(self):
        session.run(self.doveadm("pop3 uidl adopt"), self.home, None)

    def measure_doveadm(self, command, *args, step):
        """The instructions of doveadm while it does that for the user."""
        cost, _ = session.instructions(self.doveadm(command, *args), self.home, None, os.path.join(self.profiles, step))
        return cost

    def doveadm(self, command, *args):
        return ["doveadm", "-c", self.conf, *command.split(), *self.dovecot.own_user, *args]

    def memory(self, listing):
        """KB that the process of a session has had at most when it has sent this listing."""
        return session.memory([self.dovecot.pop3, "-c", self.conf], self.home, listing)

    def written_by_poll(self):
        """How many files and folders an idle poll touches."""
        before = homes.snapshot(self.home)
        self.play(POLL)
        after = homes.snapshot(self.home)
        return sum(before.get(path) != after.get(path) for path in before | after)

    def state_path(self, name="state.json"):
        return os.path.join(self.home, homes.STATE, name)

    def finish(self, keep):
        """Leaves the profiles in the folder, if there is one, and nothing else."""
        if keep is not None:
            shutil.copytree(self.profiles, os.path.join(keep, os.path.basename(self.base)))
        shutil.rmtree(self.base)
