# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""One user with mail in one of the four formats, and the programs of Dovecot that serve it, run by hand."""

import contextlib
import json
import math
import os
import re
import shutil
import subprocess
import tempfile
import time

import dovecot_conf
import standalone
import user as users
from pop3 import is_multi
from standalone import Crash, Done, Programs, forget_clock, read_reply, wire

FORMATS = ["maildir", "mbox", "sdbox", "mdbox"]
PATHS = {"maildir": ["Maildir"], "mbox": ["mail", "inbox"], "sdbox": ["sdbox"], "mdbox": ["mdbox"]}
SEPARATOR = "namespace inbox {{\n  inbox = yes\n  separator = /\n}}\n"
MAIL = {form: "".join("%s = %s\n" % (key, value.replace("~", "{home}"))
                      for key, value in dovecot_conf.MAIL_FIELDS[dovecot_conf.LINE][form].items())
        for form in FORMATS}
if dovecot_conf.LINE == "2.3":
    MAIL = {form: text.replace("mail =", "mail_location =") for form, text in MAIL.items()}
# of one program; nothing here takes long
TIMEOUT = standalone.TIMEOUT
standalone.MAIL.update({form: text + SEPARATOR for form, text in MAIL.items()})
UIDL_FORMATS = {"2.3": ["%08Xu%08Xv", "%v-%u", "%g"],
                "2.4": ["%{uid | hex(8)}%{uidvalidity | hex(8)}", "%{uidvalidity}-%{uid}", "%{guid}"],
                }[dovecot_conf.LINE]
# there is no server that knows users
NO_USERDB = ["--no-userdb-lookup"] if dovecot_conf.LINE == "2.4" else []
# Dovecot waits two minutes for those of a process that was killed
STALE = re.compile(r"\.(new)?lock[0-9a-f]*$")
OURS = ("state.lock", "retention.lock")


@contextlib.contextmanager
def memory_disk():
    """Many small files, and as many calls of fsync."""
    path = tempfile.mkdtemp(prefix="model-", dir="/tmp")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0755,size=1g", "none", path], check=True)
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", path], check=True)
        os.rmdir(path)


class Lab:
    """The mail of one user in a new folder of BASE."""

    def __init__(self, base, form):
        self.form = form
        self.base = tempfile.mkdtemp(prefix="lab-", dir=base)
        os.chmod(self.base, 0o777)
        self.home = os.path.join(self.base, "home")
        os.mkdir(self.home, 0o700)
        os.chown(self.home, users.UID, users.GID)
        self.state_dir = os.path.join(self.home, "pop3-policy")
        self.backup = os.path.join(self.base, "backup")
        self.programs = {}
        self.stock = self.make("stock", {}, None)
        # what the clock of the programs says, in seconds since 1970
        self.now = 0

    def remove(self):
        shutil.rmtree(self.base)

    def make(self, name, settings, policy):
        return LabPrograms(self.base, self.home, name, settings, policy, self.form)

    def configure(self, settings, policies):
        """POLICIES are the settings of the plugin for each device, and those of the user as doveadm has them."""
        self.programs = {device: self.make(device, settings, policy) for device, policy in policies.items()}
        self.stock = self.make("stock", settings, None)

    # -- time

    @contextlib.contextmanager
    def clock(self, programs):
        """Programs begin at the time that it is now, and it is later then."""
        seconds = programs.seconds = math.ceil(self.now - time.time())
        yield
        self.now = max(self.now, math.ceil(time.time() + seconds))

    # -- programs

    def imap(self, *commands):
        with self.clock(self.stock):
            return self.stock.imap(commands).reply

    def lda(self, message):
        with self.clock(self.stock):
            self.stock.lda(message)

    def pop3(self, device, commands, work):
        """See LabPrograms.session."""
        programs = self.programs[device]
        seconds = math.ceil(self.now - time.time())

        def work_now(before):
            self.now = max(self.now, math.ceil(time.time() + seconds))
            return work(before)

        with self.clock(programs):
            return programs.session(commands, work_now)

    def doveadm(self, command, *args, stock=False):
        """(exit code, what it says as JSON, errors)"""
        programs = self.stock if stock else self.programs["user"]
        with self.clock(programs):
            return programs.doveadm(command, *args)

    # -- files

    def paths(self):
        """The folders and files that have the mail."""
        return [path for path in (os.path.join(self.home, name) for name in PATHS[self.form]) if os.path.exists(path)]

    def files(self, pattern):
        found = []
        for top in self.paths():
            for path, _, names in os.walk(top):
                found += [os.path.join(path, name) for name in names if re.fullmatch(pattern, name)]
        return sorted(found)

    def save(self):
        shutil.rmtree(self.backup, ignore_errors=True)
        os.mkdir(self.backup)
        subprocess.run(["cp", "-a", *self.paths(), self.backup], check=True)

    def restore(self):
        for path in self.paths():
            if os.path.isdir(path):
                shutil.rmtree(path)
            else:
                os.unlink(path)
        for name in os.listdir(self.backup):
            subprocess.run(["cp", "-a", os.path.join(self.backup, name), self.home], check=True)

    def deliver_file(self, name, data):
        """As a program does it that is not of Dovecot, into a maildir or an mbox."""
        if self.form == "mbox":
            path = os.path.join(self.home, "inbox")
            line = time.strftime("From sender@example.org %a %b %e %H:%M:%S %Y\n", time.gmtime(self.now))
            with open(path, "ab") as file:
                os.fchown(file.fileno(), users.UID, users.GID)
                os.fchmod(file.fileno(), 0o600)
                file.write(line.encode() + data.replace(b"\r\n", b"\n") + b"\n")
            return
        path = os.path.join(self.home, "Maildir/new", name)
        with open(path, "wb") as file:
            os.fchown(file.fileno(), users.UID, users.GID)
            file.write(data)
        os.utime(path, (self.now, self.now))

    def unlock(self):
        """Locks of a process that was killed."""
        for path, _, names in os.walk(self.home):
            for name in names:
                if STALE.search(name) and name not in OURS:
                    os.unlink(os.path.join(path, name))

    def state_path(self, name="state.json"):
        return os.path.join(self.state_dir, name)

    def state(self):
        """None if there is none."""
        with contextlib.suppress(FileNotFoundError):
            with open(self.state_path(), encoding="utf-8") as file:
                return json.load(file)

    def stamps(self):
        """By which it is seen that something was written to the state."""
        found = {}
        for path, _, names in os.walk(self.state_dir):
            for name in names:
                info = os.stat(os.path.join(path, name))
                found[name] = info.st_ino, info.st_size, info.st_mtime_ns
        return found


class LabPrograms(Programs):
    def session(self, commands, work):
        """Sends commands, and when all replies are there, those that WORK returns, which is told the replies. It also
        says how it goes on then: "eof", the end of what the client sends (also after QUIT), or a signal, or "cut": the
        client goes away in the middle of the first reply to the later commands, which is a message."""
        with self.start("pop3") as process:
            try:
                return self.talk(process, commands, work)
            except BaseException:
                process.kill()
                raise
            finally:
                forget_clock(process.pid)

    def talk(self, process, commands, work):
        before = self.ask(process, commands)
        later, ending = work(before)
        if ending == "eof":
            return self.finish(process, b"".join(map(wire, later)), before)
        if ending == "cut":
            os.write(process.stdin.fileno(), b"".join(map(wire, later)))
            line = process.stdout.readline()
            before += line + (process.stdout.read(3000) if line.startswith(b"+OK") else b"")
            process.stdout.close()
            process.stdin.close()
            log = process.stderr.read().decode("utf-8", "replace")
            process.wait(standalone.TIMEOUT)
            return Done(before, log)
        before += self.ask(process, later)
        process.send_signal(ending)
        reply, log = process.communicate(timeout=standalone.TIMEOUT)
        return Done(before + reply, log.decode("utf-8", "replace"))

    def ask(self, process, commands):
        found = b""
        for command in commands:
            try:
                os.write(process.stdin.fileno(), wire(command))
            except BrokenPipeError as error:
                raise Crash(self, "ended before %s: %r\n%s" % (
                    command, found, process.stderr.read().decode("utf-8", "replace"))) from error
            found += read_reply(process.stdout, is_multi(command.encode()))
        return found

    def doveadm(self, command, *args):
        faked = self.clock()
        # it runs doveconf, and that runs it again
        preserve = {"DOVECOT_PRESERVE_ENVS": " ".join(["TZ", *faked])}
        done = subprocess.run(["doveadm", "-c", self.path, "-f", "json", *command.split(), *NO_USERDB, *args],
                              env={**self.environment(), **faked, **preserve},
                              cwd=self.home, user=users.UID, group=users.GID, extra_groups=[], capture_output=True,
                              timeout=standalone.TIMEOUT, check=False)
        if done.returncode < 0:
            raise Crash(self, "%s %s: %d %s" % (command, args, done.returncode, done.stderr))
        return done.returncode, done.stdout.decode(), done.stderr.decode()
