# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Programs of Dovecot run by hand for one home in any format, with the library that counts and harms their calls
(faults.c), and homes that can be put back to what they were."""

import contextlib
import dataclasses
import errno
import functools
import json
import os
import re
import shutil
import subprocess
import tempfile

import dovecot_conf
import mailgen
import standalone
import user as users

HERE = os.path.dirname(os.path.abspath(__file__))
FORMATS = ["maildir", "mbox", "sdbox", "mdbox"]
# what no session may have in its log, also one that was harmed
TROUBLE = re.compile(r"(?:Panic|Fatal): .*|.*assertion failed.*")
# waits for longer than stock Dovecot does for a lock that is only a moment old
PATIENCE_MS = 4000
# the exit status of the library then
HUNG = 99
# of a process that does nothing at all, however busy the machine is
TIMEOUT = 120
STATE_DIR = "pop3-policy"
DOVECOTS = "Dovecot's"
# of ours; nobody waits for what a dead process has left of them
OUR_LOCKS = ("state.lock", "retention.lock", "login.lock")
# a session that makes its calls in another way is tried again so often, until it makes the one that is harmed
TRIES = 5
# parts of names that are not the same each time: times, process ids, random ones
CHANGING = re.compile(r"[0-9a-f]{8,}|\d{6,}|M\d+P\d+Q?\d*|(?<=P)\d+(?=Q)|(?<=M)\d+")


@functools.cache
def library():
    """The path of the library, compiled."""
    folder = tempfile.mkdtemp(prefix="pop3-policy-faults-", dir="/tmp")
    path = os.path.join(folder, "faults.so")
    subprocess.run(["cc", "-std=gnu99", "-Wall", "-Wextra", "-Werror", "-O2", "-fPIC", "-shared", "-o", path,
                    os.path.join(HERE, "faults.c")], check=True)
    os.chmod(folder, 0o755)
    return path


def forget_library():
    if library.cache_info().currsize:
        shutil.rmtree(os.path.dirname(library()))
        library.cache_clear()


def mail_settings(form):
    """Where the mail is, for standalone.config()."""
    fields = dovecot_conf.MAIL_FIELDS[dovecot_conf.LINE][form]
    lines = "".join("%s = %s\n" % (key.replace("mail", "mail_location") if key == "mail" else key,
                                   value.replace("~", "{home}")) for key, value in fields.items())
    # conversions and mailboxes of two names want the same one in all formats
    return lines + "namespace inbox {{\n  inbox = yes\n  separator = /\n}}\n"


@dataclasses.dataclass(frozen=True)
class Call:
    """A line of the log of the library, which may be no call."""

    number: int
    name: str
    inode: int
    offset: int
    size: int
    # below 0 it is the error
    result: int
    path: str
    path2: str
    data: bytes

    @property
    def is_tell(self):
        """What the client was told."""
        return self.name == "tell"

    @property
    def is_harm(self):
        """The next call is harmed; it has no line if the process was killed."""
        return self.name == "harm"

    @property
    def counts(self):
        return not self.is_tell and not self.is_harm

    @property
    def owner(self):
        """Who makes such calls, by what they are about."""
        folders = self.path.split("/")
        return "state" if STATE_DIR in folders else "passwords" if "credentials" in folders else DOVECOTS

    def key(self, home):
        """What is the same in another run."""
        return self.name, CHANGING.sub("*", self.path.replace(home, "~"))

    def among(self, calls, home):
        """Variables by which the library finds this one of CALLS in another run below HOME, also if others come before
        it there that did not: its name, its path without what changes, and which one it is of those that have both."""
        path = self.path.removeprefix(home)
        parts = CHANGING.split(path)
        # what "*" is for fnmatch()
        fits = re.compile(".*".join(map(re.escape, parts)), re.DOTALL).fullmatch
        same = [call for call in calls if call.name == self.name and fits(call.path.removeprefix(home))]
        pattern = "*".join(re.sub(r"[*?[\\]", r"\\\g<0>", part) for part in parts)
        return {"FAULT_CALL": self.name, "FAULT_PATH": pattern, "FAULT_AT": str(same.index(self) + 1)}


def read_calls(path):
    with open(path, encoding="ascii") as file:
        lines = [line.rstrip("\n").split(" ") for line in file]
    return [Call(int(line[0]), line[1], *map(int, line[2:6]), line[6], line[7], bytes.fromhex("".join(line[8:])))
            for line in lines]


def fault(do=None, number=None, **more):
    """Variables for the library: DO is "before", "after", "half", "short" or the name of an error."""
    found = {"FAULT_" + name.upper(): str(value) for name, value in more.items()}
    if do is not None:
        found.update(FAULT_DO=str(getattr(errno, do, do)), FAULT_AT=str(number))
    return found


@dataclasses.dataclass
class Ended(standalone.Done):
    """A program that has ended in whatever way. STATUS is below 0 if a signal has ended it."""

    status: int

    @property
    def hangs(self):
        return self.status == HUNG

    @property
    def trouble(self):
        """The first line of the log that is about a crash."""
        found = TROUBLE.search(self.log)
        return found.group(0) if found else None

    @property
    def was_killed(self):
        return self.status == -9


class Lab(standalone.Programs):
    """The programs with one configuration, which may be harmed."""

    def __init__(self, base, home, name, form, policy=None, settings=None):
        standalone.MAIL.setdefault(form, mail_settings(form))
        super().__init__(base, home, name, settings or {}, policy, layout=form)
        self.extra = {}

    def clock(self):
        """Also what says how to harm the next program."""
        found = super().clock()
        if not self.extra:
            return found
        return {**found, "FAULT_BELOW": self.home, "FAULT_PATIENCE": str(PATIENCE_MS), **self.extra,
                "LD_PRELOAD": " ".join([library(), *found.get("LD_PRELOAD", "").split()])}

    @contextlib.contextmanager
    def harmed(self, variables):
        """Programs that start within have what fault() has made."""
        self.extra = variables
        try:
            yield
        finally:
            self.extra = {}

    def finish(self, process, sent, before=b""):
        """Raises nothing: what a session has told before it died is wanted whole."""
        try:
            reply, log = process.communicate(sent, timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            reply, log = process.communicate()
            process.returncode = HUNG
        standalone.forget_clock(process.pid)
        return Ended(before + reply, log.decode("utf-8", "replace"), process.returncode)

    def session(self, commands, variables=None, program="pop3"):
        """COMMANDS sent at once; VARIABLES are from fault()."""
        # whoever is never patient needs no harm to be watched
        with self.harmed(variables or {"FAULT_PATIENCE": str(PATIENCE_MS)}):
            return self.run(program, sent=b"".join(map(standalone.wire, commands)))

    def doveadm(self, command, *args, check=True):
        """COMMAND is its words."""
        # the home is known without the userdb
        alone = ["--no-userdb-lookup"] if dovecot_conf.LINE == "2.4" else []
        done = subprocess.run(["doveadm", "-c", self.path, *command.split(), *alone, *args], env=self.environment(), cwd=self.home,
                              user=users.UID, group=users.GID, extra_groups=[], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, check=False)
        assert done.returncode == 0 or not check, (command, args, done.stderr)
        return done.stdout

    def append(self, messages):
        """Delivers in one IMAP session."""
        lines = [b"%d APPEND INBOX {%d+}\r\n%s\r\n" % (number, len(data), data) for number, data in
                 enumerate(messages, 1)]
        done = self.run("imap", sent=b"".join(lines) + b"0 LOGOUT\r\n")
        assert done.reply.count(b"OK [APPENDUID") == len(lines), done


def stale_locks(home):
    """Lock files of a dead process for which stock Dovecot waits two minutes."""
    for path, _, names in os.walk(home):
        for name in names:
            if re.search(r"\.(new)?lock[0-9a-f]*$", name) and name not in OUR_LOCKS:
                yield os.path.join(path, name)


class Home:
    """A home, its configurations, and an image of it that is put back before each run."""

    def __init__(self, parent, form):
        self.form = form
        self.base = tempfile.mkdtemp(prefix="fault-", dir=parent)
        os.chmod(self.base, 0o777)
        self.home = os.path.join(self.base, "home")
        self.image = os.path.join(self.base, "image")
        os.mkdir(self.home, 0o700)
        os.chown(self.home, users.UID, users.GID)
        self.log = os.path.join(self.base, "calls")

    def lab(self, name, policy=None, settings=None):
        """Programs with these settings of the plugin; None is stock Dovecot."""
        return Lab(self.base, self.home, name, self.form, policy, settings)

    @property
    def state_dir(self):
        return os.path.join(self.home, STATE_DIR)

    def read_state(self):
        """None if there is none."""
        with contextlib.suppress(FileNotFoundError), \
                open(os.path.join(self.state_dir, "state.json"), encoding="utf-8") as file:
            return json.load(file)
        return None

    def bytes_today(self):
        """What the state has counted."""
        state = self.read_state()
        return state["quota"]["windows"]["day"]["bytes"] if state else 0

    def keep(self):
        """The image is what the home is now. A format that looks at the times of its folders looks twice at one of now,
        so they get an old one."""
        for path, _, _ in os.walk(self.home):
            os.utime(path, (1_000_000_000, 1_000_000_000))
        shutil.rmtree(self.image, ignore_errors=True)
        subprocess.run(["cp", "-a", self.home, self.image], check=True)

    def again(self):
        shutil.rmtree(self.home)
        subprocess.run(["cp", "-a", self.image, self.home], check=True)

    def unlock(self):
        for path in stale_locks(self.home):
            os.unlink(path)

    def recorded(self, run, **more):
        """The log of RUN, which is given variables for the library and starts from the image."""
        return self.logged(run, fault(**more))[1]

    def harmed(self, run, variables):
        """What RUN returns, harmed as VARIABLES say; None if it never made that call."""
        for _ in range(TRIES):
            done, log = self.logged(run, variables)
            if any(call.is_harm for call in log):
                return done
        return None

    def logged(self, run, variables):
        """What RUN returns, and its log, as far as it came."""
        with open(self.log, "w", encoding="ascii"):
            os.chmod(self.log, 0o666)
        self.again()
        done = run({**fault(log=self.log), **variables})
        return done, read_calls(self.log)

    def remove(self):
        shutil.rmtree(self.base)


# -- replies


def told_uidls(reply):
    """number in the maildrop -> UIDL, if the reply has a whole list."""
    found = re.search(rb"\+OK\r\n((?:\d+ \S+\r\n)*)\.\r\n", reply)
    return {int(line.split()[0]): line.split()[1].decode() for line in found.group(1).splitlines()} if found else None


def numbers_of(data):
    """Those of the messages in one; more than one is what a broken mbox has."""
    return [int(number) for number in re.findall(rb"^X-Number: (\d+)\r?$", data, re.M)]


def told_messages(reply):
    """All messages that were sent whole, in their order, with their octets: [(numbers, octets)]."""
    return [(numbers_of(data), len(data)) for data in re.findall(rb"\+OK \d+ octets\r\n(.*?\r\n)\.\r\n", reply, re.S)]


def said_goodbye(reply):
    return b"+OK Logging out" in reply
