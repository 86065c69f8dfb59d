# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""A private server whose passwords are in credential files, and what it takes to write and to use them."""

import concurrent.futures
import contextlib
import ctypes
import fcntl
import json
import os
import pwd
import re
import secrets
import signal
import subprocess
import threading
import time

import dovecot_conf
from dovecot import LIBEXEC, Server
from polling import wait_for
from user import User

MEMORY = 8 << 20
PASSES = 1
# see src/auth/app-password.h
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
ID_LEN, SECRET_LEN, GROUP_LEN = 6, 25, 5
ARGON2I = 1

# what clients are told
FAILED = "-ERR [AUTH] Authentication failed."
EXPIRED = "-ERR [AUTH] Password expired"
TEMPORARY = "-ERR [SYS/TEMP] Temporary authentication failure."

SODIUM = ctypes.CDLL("libsodium.so.23")
assert SODIUM.sodium_init() >= 0

# -- hashes


def pwhash(function, password, passes, memory, *more):
    found = ctypes.create_string_buffer(128)
    data = password.encode()
    assert function(found, data, ctypes.c_ulonglong(len(data)), ctypes.c_ulonglong(passes), ctypes.c_size_t(memory),
                    *more) == 0
    return found.value.decode()


def argon(password, passes=PASSES, memory=MEMORY):
    """Argon2id, by default at the small limits of the servers here."""
    return pwhash(SODIUM.crypto_pwhash_str, password, passes, memory)


def argon2i(password, passes=3, memory=MEMORY):
    return pwhash(SODIUM.crypto_pwhash_str_alg, password, passes, memory, ARGON2I)


def scrypt(password, work=32768, memory=16 << 20):
    return pwhash(SODIUM.crypto_pwhash_scryptsalsa208sha256_str, password, work, memory)


USUAL = argon(dovecot_conf.PASSWORD)


def dovecot_hash(scheme, password, *options):
    """{SCHEME} and the hash, by doveadm pw."""
    # 2.4 says also which file it has read
    out = subprocess.run(["doveadm", "pw", "-s", scheme, "-p", password, *options], stdout=subprocess.PIPE, text=True,
                         check=True).stdout
    return out.strip().splitlines()[-1]


def limits(text):
    """(octets, passes) of an Argon2id hash."""
    found = re.fullmatch(r"\$argon2id\$v=19\$m=(\d+),t=(\d+),p=1\$[^$]+\$[^$]+", text)
    assert found, text
    return int(found.group(1)) * 1024, int(found.group(2))


# -- app passwords


def letters(count):
    return "".join(secrets.choice(LETTERS) for _ in range(count))


class AppPassword:
    """The password of a device: its entry in the file, and the text that is typed."""

    def __init__(self, **members):
        self.id = letters(ID_LEN)
        self.secret = letters(SECRET_LEN)
        self.entry = {"id": self.id, "hash": argon(self.secret), "created": int(time.time()) - 60, **members}

    @property
    def text(self):
        groups = [self.secret[at:at + GROUP_LEN] for at in range(0, SECRET_LEN, GROUP_LEN)]
        return "-".join([self.id, *groups])


# -- replies of the auth service


class Answer:
    """What doveadm auth test or login says. On 2.3 it does not tell a temporary failure from others."""

    def __init__(self, result):
        self.text = result.stdout.decode("utf-8", "replace") + result.stderr.decode("utf-8", "replace")
        self.ok = result.returncode == 0
        words = [line.strip().partition("=") for line in self.text.splitlines() if line.startswith("  ")]
        self.fields = {key: value for key, _, value in words}

    def __repr__(self):
        return "<Answer %s>" % self.text


def at_once(function, values):
    """The function of each of the values, by threads."""
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        return list(pool.map(function, values))


# -- the server

AUTH = """
service auth-worker {{
  user = dovecot
  executable = {worker}
}}
auth_cache_size = {cache}
auth_cache_ttl = {ttl}
auth_cache_negative_ttl = {ttl}
"""


class CredentialServer(Server):
    """All users have the password of the other tests.

    PER_USER is one file for each user. CACHE is the size of the auth cache, "0" for none. The fields userdb_* of the
    file are added to those of the userdb of the other servers, unless PREFETCH_ALONE: then that one serves only logins
    that bring none. BEFORE and AFTER make further passdbs from the folder of the server. WORKERS of auth are there at
    the most, and have the clock of the server if FAKED_WORKER. PATH has ROOT for the folder of the server and what
    dovecot_conf.json_passdb() takes. BLOCK are all settings of the passdb, which are wrong, and MORE is what else its
    block says."""

    def __init__(self, per_user=False, cache="0", ttl="1 hour", prefetch_alone=False, before=None, after=None,
                 workers=1, faked_worker=False, memory=MEMORY, passes=PASSES, path=None, block=None, more="",
                 faked=False, extra="", **kwargs):
        self.per_user = per_user
        self.is_wrong = block is not None
        self.credentials = {}
        self.path_setting = path or "ROOT/credentials/%s.json" % ("USER" if per_user else "all")

        def passdb(root):
            ours = dovecot_conf.json_passdb(**(block or {"path": self.path_setting.replace("ROOT", root),
                                                         "hash_memory": memory, "hash_passes": passes}), more=more)
            worker = [os.path.join(LIBEXEC, "auth"), "-w"]
            worker = self.wrapper("auth-worker", worker, True) if faked_worker else " ".join(worker)
            return "".join([dovecot_conf.NO_FAILURE_DELAY, before(root) if before else "", ours, after(root) if after else "",
                            dovecot_conf.prefetch_userdb(and_next=not prefetch_alone),
                            AUTH.format(worker=worker, cache=cache, ttl=ttl), dovecot_conf.auth_workers(workers)])

        super().__init__(passdb=passdb, faked=faked, extra=extra, **kwargs)
        os.mkdir(self.folder, 0o700)
        self.own(self.folder)
        self.write()

    def start(self):
        super().start()
        if not self.is_wrong:
            # auth of 2.4 does not know how many workers it may have until it has the first
            self.settle()
        return self

    @property
    def folder(self):
        return os.path.join(self.root, "credentials")

    def path(self, name=None):
        """The file that a user is in."""
        return os.path.join(self.folder, name + ".json" if self.per_user else "all.json")

    @staticmethod
    def own(path):
        account = pwd.getpwnam("dovecot")
        os.chown(path, account.pw_uid, account.pw_gid)

    # -- the files

    def write_text(self, path, text, mode=0o600):
        """Puts a file there as the auth service owns it, at once, as editors do."""
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path + ".new", mode)
        self.own(path + ".new")
        os.rename(path + ".new", path)

    def write(self, *names):
        """Writes the files anew: all, or with a file for each user those of NAMES."""
        if not self.per_user:
            self.write_text(self.path(), in_lines(self.credentials))
            return
        for name in names or self.credentials:
            self.write_text(self.path(name), in_lines({name: self.credentials[name]}))

    def read(self, name):
        """What the file says of a user now."""
        with open(self.path(name), encoding="utf-8") as file:
            return json.load(file)["users"][name]

    def set(self, name, **members):
        """Changes what the file says of a user who may be new; None takes a member away."""
        entry = {**self.credentials.get(name, {}), **members}
        self.credentials[name] = {key: value for key, value in entry.items() if value is not None}
        self.write(name)

    def add_app(self, name, app=None, **members):
        """One more app password; returns it."""
        app = app or AppPassword(**members)
        known = self.credentials[name].get("app_passwords", [])
        self.set(name, app_passwords=[*known, app.entry])
        return app

    def drop_app(self, name, app):
        left = [entry for entry in self.credentials[name]["app_passwords"] if entry["id"] != app.id]
        self.set(name, app_passwords=left or None)

    def drop(self, name):
        """Takes a user out."""
        del self.credentials[name]
        if self.per_user:
            os.unlink(self.path(name))
        else:
            self.write()

    def user(self, name, form="maildir", **fields):
        found = super().user(name, form, **fields)
        if name not in self.credentials:
            self.set(name, password=USUAL)
        return found

    def set_prefetch(self, user):
        """Puts all userdb fields of a user into the file."""
        self.set(user.name, fields={"userdb_" + key: value for key, value in user.userdb().items()})

    @contextlib.contextmanager
    def running_again(self):
        """Before a look at the mail at the end of a test: all have the usual password, whatever the test has done."""
        self.mend()
        with super().running_again():
            yield

    def mend(self):
        if os.path.islink(self.folder) or not os.path.isdir(self.folder):
            os.mkdir(self.folder)
        os.chmod(self.folder, 0o700)
        self.own(self.folder)
        self.credentials = {name: {"password": USUAL} for name in self.people}
        self.write()

    # -- logins

    def auth(self, user, password, protocol="pop3", rip="127.0.0.1", action="test"):
        """A login at the auth service alone; ACTION "login" tells the userdb fields, too."""
        name = user.name if isinstance(user, User) else user
        extra = ["-x", "service=" + protocol] + (["-x", "rip=" + rip] if rip else [])
        return Answer(self.run_doveadm("auth", action, *extra, name, password, check=False))

    def auth_all(self, *logins):
        """Whether logins are good that are made at the same time, each given as the arguments of auth()."""
        return [answer.ok for answer in at_once(lambda login: self.auth(*login), logins)]

    def replies(self, *logins):
        """What POP3 clients are told that log in at the same time, each given as a user and a password."""
        return at_once(lambda login: self.login_reply(*login), logins)

    def settle(self):
        """Returns when the only worker is done with all that it does after the logins which were answered."""
        self.run_doveadm("auth", "lookup", "nobody", check=False)

    def login_reply(self, user, password):
        """What a POP3 client is told, which has then left."""
        with user.connect() as pop3:
            reply = pop3.login(user.name, password)
            if reply.ok:
                pop3.quit()
        return reply.text

    def login_lines(self, user, pattern="", start=0):
        """Lines of pop3-login and imap-login on a user."""
        return [line for line in self.log_from(start).splitlines()
                if "-login: " in line and "user=<%s>" % user.name in line and re.search(pattern, line)]

    def wait_login_line(self, user, pattern, start=0):
        return wait_for(lambda: self.login_lines(user, pattern, start),
                        "a log line on a login of %s that matches %r in:\n%s" % (user.name, pattern,
                                                                               self.log_from(start)))[-1]

    def flush(self, *names):
        self.doveadm("auth", "cache", "flush", *names)

    # -- the log of the auth service

    def auth_lines(self, user=None, pattern="", start=0):
        """Lines of auth and its workers, of USER if given, that match PATTERN, after START octets of the log."""
        name = user.name if isinstance(user, User) else user
        return [line for line in self.log_from(start).splitlines()
                if re.match(r"\S+ \S+ \S+ auth(-worker)?\b", line) and re.search(pattern, line) and
                (name is None or "(%s," % name in line)]

    def wait_auth_lines(self, user, pattern, count=1, start=0):
        return wait_for(lambda: (lambda found: found if len(found) >= count else None)(
            self.auth_lines(user, pattern, start)),
            "%d log lines of auth of %s that match %r in:\n%s" % (count, user, pattern, self.log_from(start)))

    # -- processes

    def workers(self):
        """Process ids of the workers of auth."""
        found = []
        for pid in self.children("auth"):
            with contextlib.suppress(FileNotFoundError), open("/proc/%d/cmdline" % pid, "rb") as file:
                if b"-w" in file.read().split(b"\0"):
                    found.append(pid)
        return found

    def kill_workers(self):
        """The next one knows nothing but the files."""
        known, start = self.workers(), self.log_size()
        for pid in known:
            os.kill(pid, signal.SIGKILL)
        # which is logged, too, and not to be taken for what comes later
        wait_for(lambda: all("child %d killed" % pid in self.log_from(start) for pid in known),
                 "the end of the workers of auth")

    def restart(self):
        self.stop()
        self.start()


def in_lines(credentials):
    """As the plugin writes a file: each user in a line."""
    lines = ["%s:%s" % (json.dumps(name), json.dumps(entry, separators=(",", ":")))
             for name, entry in credentials.items()]
    return '{"version":1,"users":{\n%s\n}}\n' % ",\n".join(lines)


# a process has a lock of a file only once
EDITING = threading.Lock()


def edit(path, change):
    """Changes a credential file as any program must: CHANGE is given the users."""
    with EDITING, open(path + ".lock", "a", encoding="utf-8") as lock:
        CredentialServer.own(path + ".lock")
        fcntl.lockf(lock, fcntl.LOCK_EX)
        with open(path, encoding="utf-8") as file:
            users = json.load(file)["users"]
        change(users)
        temporary = path + ".edited"
        with open(temporary, "w", encoding="utf-8") as file:
            file.write(in_lines(users))
        known = os.stat(path)
        os.chown(temporary, known.st_uid, known.st_gid)
        os.chmod(temporary, known.st_mode & 0o777)
        os.rename(temporary, path)
