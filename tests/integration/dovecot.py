# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""A private Dovecot: its own folder, ports above 20000 on 127.0.0.1, ended by its process id."""

import contextlib
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile

import dovecot_conf
import invariant
import log_process
import under
from clock import Clock
from polling import wait_for
from user import User

LIBEXEC = "/usr/lib/dovecot"
PLUGIN = "pop3_policy"
# not that of tests that start it anew with a seed
CHOICE = random.SystemRandom()
VSZ_UNLIMITED = "0" if dovecot_conf.LINE == "2.3" else "unlimited"


# Below the ports that Linux gives to clients: what has been found free here stays so while a server is started anew.
PORTS = range(20001, 32768)


def free_ports(names):
    sockets = []
    ports = {}
    for name in names:
        while name not in ports:
            probe = socket.socket()
            sockets.append(probe)
            port = CHOICE.choice(PORTS)
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                ports[name] = port
    for probe in sockets:
        probe.close()
    return ports


def module_dir():
    out = subprocess.run(["sh", "-c", ". /usr/lib/dovecot/dovecot-config && echo $dovecot_moduledir"],
                         stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    return out or "/usr/lib/dovecot/modules"


class Server:
    """One private server. PLUGIN False is stock Dovecot; SETTINGS are global pop3_policy_* values. PASSDB and
    POP3_COMMAND are told the folder of the server."""

    # short, as sockets below it have short names at most
    base = "/tmp"

    def __init__(self, plugin=True, settings=None, extra="", plugins=(), clock=None, pop3_command=None,
                 iterate=False, faked=True, passdb=None):
        self.root = tempfile.mkdtemp(prefix="server-", dir=self.base)
        os.chmod(self.root, 0o755)
        os.mkdir(self.home_root, 0o755)
        os.mkdir(os.path.join(self.root, "users.d"), 0o755)
        self.clock = clock or Clock(self.root)
        self.users = {}
        self.people = {}
        self.settings = settings or {}
        self.written = {}
        self.stamp = 1_000_000_000
        self.ports = free_ports(["pop3", "imap"])
        self.conf = os.path.join(self.root, "dovecot.conf")
        self.log_path = os.path.join(self.root, "dovecot.log")
        self.process = None
        names = ([PLUGIN] if plugin else []) + list(plugins)
        self.plugins = names
        command = pop3_command(self.root) if pop3_command else [os.path.join(LIBEXEC, "pop3")]
        pop3 = self.wrapper("pop3", command, faked)
        doveadm = self.wrapper("doveadm-server", [os.path.join(LIBEXEC, "doveadm-server")], faked)
        self.faked = faked
        text = dovecot_conf.server_conf(self.root, self.ports, pop3, doveadm, names, self.settings,
                                        under.settings(VSZ_UNLIMITED, dovecot_conf.REUSE, not passdb) + extra,
                                        VSZ_UNLIMITED, iterate, passdb and passdb(self.root))
        self.write_conf(text)
        self.write_users()

    @property
    def home_root(self):
        return os.path.join(self.root, "home")

    def wrapper(self, name, command, faked):
        path = os.path.join(self.root, "run-" + name)
        environment = self.clock.environment() if faked else {"TZ": self.clock.environment()["TZ"]}
        with open(path, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\nset -eu\n")
            for key, value in environment.items():
                file.write("%s='%s'\nexport %s\n" % (key, value, key))
            file.write('exec %s "$@"\n' % " ".join("'%s'" % word for word in command))
        os.chmod(path, 0o755)
        return path

    def write_conf(self, text):
        with open(self.conf, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.conf, 0o644)

    # -- life

    def start(self):
        self.process = subprocess.Popen(["dovecot", "-F", "-c", self.conf], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        wait_for(self.is_up, "the server to listen:\n" + self.log())
        return self

    def is_up(self):
        if self.process.poll() is not None:
            raise AssertionError("dovecot ended:\n%s\n%s" % (self.process.stdout.read().decode(), self.log()))
        try:
            for port in self.ports.values():
                socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            return False
        return True

    def stop(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process.stdout.close()
            self.process = None

    @contextlib.contextmanager
    def running_again(self):
        """Starts the server for a while if a test has stopped it."""
        was_running = self.process is not None
        if not was_running:
            self.start()
        yield
        if not was_running:
            self.stop()

    def remove(self):
        self.stop()
        shutil.rmtree(self.root, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.remove()

    def children(self, name):
        """Process ids of the server's own processes of the name NAME, without those that only wait for the next user."""
        found = []
        for entry in os.listdir("/proc") if self.process else []:
            if entry.isdigit():
                try:
                    with open("/proc/%s/stat" % entry, encoding="utf-8", errors="replace") as file:
                        comm, rest = re.fullmatch(r"\d+ \((.*)\) (.*)", file.read().strip(), re.S).groups()
                except OSError:
                    continue
                if int(rest.split()[1]) == self.process.pid and (comm == name or under.is_program(entry, name)) and \
                        not (name in self.ports and under.waits_for_next_user(int(entry), self.ports[name])):
                    found.append(int(entry))
        return found

    def wait_idle(self):
        """Waits until every session has ended, also in the process that served it."""
        wait_for(lambda: not self.children("pop3"), "the end of all sessions")

    # -- users

    def write_users(self):
        for name, text in dovecot_conf.user_files(self.root, self.users):
            if self.written.get(name) == text:
                continue
            path = os.path.join(self.root, name)
            with open(path + ".new", "w", encoding="utf-8") as file:
                file.write(text)
            # the dict driver of 2.3 opens its file for writing, as the user of the auth process
            os.chmod(path + ".new", 0o666)
            # the passwd-file driver compares times in whole seconds
            self.stamp += 1
            os.utime(path + ".new", (self.stamp, self.stamp))
            os.rename(path + ".new", path)
            self.written[name] = text

    def user(self, name, form="maildir", **fields):
        """A new user whose mail is kept in FORM; FIELDS are userdb fields, for example pop3_policy_quota."""
        user = User(self, name, form, fields)
        self.users[name] = user.userdb()
        self.people[name] = user
        self.write_users()
        return user

    # -- log

    def log(self):
        """All that was logged before this call."""
        self.wait_log_written()
        try:
            with open(self.log_path, encoding="utf-8", errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def wait_log_written(self):
        for pid in self.children("log"):
            wait_for(lambda pid=pid: log_process.has_written_all(pid), "the log to be written")

    def log_size(self):
        self.wait_log_written()
        return os.path.getsize(self.log_path) if os.path.exists(self.log_path) else 0

    def log_from(self, start):
        """What was logged since there were START octets."""
        self.wait_log_written()
        with open(self.log_path, "rb") as file:
            file.seek(start)
            return file.read().decode("utf-8", "replace")

    def log_lines(self, user, pattern="", service="pop3"):
        """Log lines of the sessions of USER that match PATTERN."""
        return [line for line in self.log().splitlines()
                if "%s(%s)" % (service, user.name) in line and re.search(pattern, line)]

    def wait_log(self, user, pattern, count=1):
        return wait_for(lambda: (lambda found: found if len(found) >= count else None)(self.log_lines(user, pattern)),
                        "%d log lines of %s that match %r in:\n%s" % (count, user.name, pattern, self.log()))

    # -- doveadm

    def environment(self, **more):
        """For a program of Dovecot that is started by hand: it reads its settings in doveconf, which empties the
        environment and then executes it again."""
        faked = self.clock.environment() if self.faked else {}
        return dict(os.environ, DOVECOT_PRESERVE_ENVS=" ".join(faked), **faked, **more)

    def run_doveadm(self, *args, data=None, check=True, environment=None):
        invariant.before_doveadm(self, args)
        env = self.environment(**(environment or {}))
        result = subprocess.run(["doveadm", "-c", self.conf, *args], input=data, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, env=env, check=False)
        invariant.after_doveadm(self, args, result.stdout.decode("utf-8", "replace"))
        if check:
            assert result.returncode == 0, "doveadm %s: %d\n%s%s" % (
                " ".join(args), result.returncode, result.stdout.decode(), result.stderr.decode())
        return result

    def doveadm(self, *args, **kwargs):
        return self.run_doveadm(*args, **kwargs).stdout.decode("utf-8", "surrogateescape")
