# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Programs of Dovecot run by hand, on pipes and without a server, for one mailbox: a session takes milliseconds."""

import contextlib
import dataclasses
import os
import re
import subprocess

import clock
import dovecot_conf
import user as users
from dovecot import LIBEXEC, PLUGIN
from pop3 import is_multi

TIMEOUT = 60
HEAD_24 = "dovecot_config_version = {0}\ndovecot_storage_version = {0}\n"
COMMON = "base_dir = {base}/run\nlog_path = {base}/log\nssl = no\nfirst_valid_uid = 1\nmail_home = {home}\n"
# where the mail is, and Dovecot's own files
PLAIN, APART, MEMORY = "plain", "apart", "memory"
MAIL = {
    "2.3": {
        PLAIN: "mail_location = maildir:{home}/Maildir\n",
        APART: "mail_location = maildir:{home}/Maildir:INDEX={home}/index:CONTROL={home}/control\n",
        MEMORY: "mail_location = maildir:{home}/Maildir:INDEX=MEMORY\n",
    },
    "2.4": {
        PLAIN: "mail_driver = maildir\nmail_path = {home}/Maildir\n",
        APART: "mail_driver = maildir\nmail_path = {home}/Maildir\nmail_index_path = {home}/index\n"
               "mail_control_path = {home}/control\n",
        MEMORY: "mail_driver = maildir\nmail_path = {home}/Maildir\nmail_index_path = MEMORY\n",
    },
}[dovecot_conf.LINE]


def assignments(settings):
    quote = dovecot_conf.quote if dovecot_conf.LINE == "2.4" else str
    return "".join("%s = %s\n" % (key, quote(value)) for key, value in settings.items())


def config(base, home, layout, settings, policy):
    """The text of a configuration; POLICY are the settings of the plugin, None is stock Dovecot."""
    text = HEAD_24.format(dovecot_conf.version()) if dovecot_conf.LINE == "2.4" else ""
    text += (COMMON + MAIL[layout]).format(base=base, home=home)
    text += assignments(settings)
    if policy is None:
        return text
    lines = assignments(policy)
    return text + dovecot_conf.mail_plugins([PLUGIN]) + "\n" + (
        "plugin {\n%s}\n" % lines if dovecot_conf.LINE == "2.3" else lines)


@dataclasses.dataclass
class Done:
    """What a program has said to its client, and to the log."""

    reply: bytes
    log: str

    @property
    def complaints(self):
        """Without what Dovecot says for each lock file when its clock is faked."""
        return [line for line in self.log.splitlines() if re.search(r"\b(Warning|Error|Fatal|Panic): ", line)
                and "Created dotlock file's timestamp" not in line]


class Crash(Exception):
    """A program did not end as it should."""

    def __init__(self, programs, text):
        super().__init__(text)
        self.programs = programs


def wire(command):
    return command.encode() + b"\r\n"


def read_reply(file, multi):
    """Up to its end, or to the end of the session."""
    reply = file.readline()
    if multi and reply.startswith(b"+OK"):
        for line in iter(file.readline, b""):
            reply += line
            if line == b".\r\n":
                break
    return reply


def forget_clock(pid):
    """Removes what libfaketime leaves behind of a process that did not fake the time for others."""
    for name in ("faketime_shm_%d", "sem.faketime_sem_%d"):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join("/dev/shm", name % pid))


class Programs:
    """The programs with one configuration, written below BASE for the mail in HOME. Their clock is SECONDS ahead of
    that of the file system."""

    def __init__(self, base, home, name, settings, policy=None, layout=PLAIN):
        self.home = home
        self.seconds = 0
        self.path = os.path.join(base, name + ".conf")
        self.compiled = {}
        with open(self.path, "w", encoding="utf-8") as file:
            file.write(config(base, home, layout, settings, policy))

    def compile(self, program):
        """What the program would ask doveconf for, which takes more time than all the rest of a session: variables of
        the environment on 2.3, on 2.4 a file for all programs."""
        key = program if dovecot_conf.LINE == "2.3" else ""
        if key not in self.compiled:
            self.compiled[key] = {"2.3": self.compile_23, "2.4": self.compile_24}[dovecot_conf.LINE](program)
        return self.compiled[key]

    def compile_23(self, program):
        name = {"dovecot-lda": "lda"}.get(program, program)
        out = subprocess.run(
            ["doveconf", "-c", self.path, "-f", "service=" + name, "-m", name, "-e", "/usr/bin/env", "-0"],
            stdout=subprocess.PIPE, check=True, env=self.environment()).stdout.decode()
        return dict(line.split("=", 1) for line in out.split("\0") if line)

    def compile_24(self, _program):
        path = self.path + ".compiled"
        with open(path, "wb") as file:
            subprocess.run(["doveconf", "-c", self.path, "-F", "/bin/sh", "-c", "cat <&$DOVECOT_CONFIG_FD"],
                           stdout=file, check=True, env=self.environment())
        return path

    def environment(self):
        return {"USER": "user", "HOME": self.home, "PATH": os.environ["PATH"], "TZ": "UTC"}

    def clock(self):
        if self.seconds == 0:
            return {}
        return {"LD_PRELOAD": clock.library(), "FAKETIME": "+%d" % self.seconds, "NO_FAKE_STAT": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1"}

    def start(self, program, *args, wrapper=(), stdin=subprocess.PIPE):
        compiled, descriptors = self.compile(program), ()
        environment = {**(compiled if dovecot_conf.LINE == "2.3" else self.environment()), **self.clock()}
        with contextlib.ExitStack() as stack:
            if dovecot_conf.LINE == "2.4":
                descriptors = (stack.enter_context(open(compiled, "rb")).fileno(),)
                environment["DOVECOT_CONFIG_FD"] = str(descriptors[0])
            return subprocess.Popen(
                [*wrapper, os.path.join(LIBEXEC, program), "-c", self.path, *args], stdin=stdin,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=self.home, env=environment, pass_fds=descriptors,
                user=users.UID, group=users.GID, extra_groups=[])

    def finish(self, process, sent, before=b""):
        reply, log = process.communicate(sent, timeout=TIMEOUT)
        forget_clock(process.pid)
        done = Done(before + reply, log.decode("utf-8", "replace"))
        if process.returncode != 0:
            raise Crash(self, "%s: %d\n%r\n%s" % (process.args, process.returncode, done.reply[-500:], done.log))
        return done

    def run(self, program, *args, sent=b"", wrapper=()):
        with self.start(program, *args, wrapper=wrapper) as process:
            return self.finish(process, sent)

    def pop3(self, commands, wrapper=()):
        """A session of these commands; without QUIT the line drops after the last one."""
        return self.run("pop3", sent=b"".join(map(wire, commands)), wrapper=wrapper)

    def pop3_with_pause(self, commands, later, work):
        """The same, with WORK done while the client waits, when it has the replies to the commands that are not sent
        LATER."""
        with self.start("pop3") as process:
            before = b""
            # when the session was refused, more is not read
            with contextlib.suppress(BrokenPipeError):
                for command in commands:
                    os.write(process.stdin.fileno(), wire(command))
                    before += read_reply(process.stdout, is_multi(command.encode()))
            work()
            return self.finish(process, b"".join(map(wire, later)), before)

    def opened_by_pop3(self, commands, trace):
        """The paths that such a session opens for reading and writing, also those that are not there; TRACE is a file
        that the user can write."""
        self.pop3(commands, ("strace", "-f", "-qq", "-e", "trace=open,openat", "-o", trace))
        with open(trace, encoding="utf-8", errors="replace") as file:
            text = file.read()
        for pid in set(re.findall(r"^(\d+) ", text, re.M)):
            forget_clock(int(pid))
        return re.findall(r'\bopen(?:at)?\([^"]*"([^"]*)", [^)]*\bO_RDWR\b', text)

    def imap(self, commands):
        """A session with INBOX selected."""
        lines = ["SELECT INBOX", *commands, "LOGOUT"]
        return self.run("imap", sent=b"".join(b"%d " % number + (line if isinstance(line, bytes) else line.encode()) +
                                              b"\r\n" for number, line in enumerate(lines, 1)))

    def lda(self, message):
        return self.run("dovecot-lda", "-f", "sender@example.org", sent=message)
