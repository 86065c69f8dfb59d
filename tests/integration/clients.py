# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Real POP3 clients as people set them up. fetch() runs one session and returns the messages it has brought home."""

import os
import pwd
import re
import shutil
import subprocess

TIMEOUT = 120


def run(command, home):
    """Runs as an ordinary user: getmail delivers nothing as root."""
    # some ask for the name of this host, which may have no address
    environment = {"HOME": home, "PATH": os.environ["PATH"], "USER": "nobody", "LOGNAME": "nobody", "LC_ALL": "C.UTF-8",
                   "RES_OPTIONS": "timeout:1 attempts:1"}
    account = pwd.getpwnam("nobody")
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIMEOUT, check=False,
                          env=environment, cwd=home, user=account.pw_uid, group=account.pw_gid, extra_groups=[])


def take_files(folder):
    """Contents of the files of a folder, which is empty afterwards."""
    found = []
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        with open(path, "rb") as file:
            found.append(file.read())
        os.unlink(path)
    return found


class Client:
    """KEEP leaves mail on the server and remembers UIDLs; else mail is deleted once it is here."""

    def __init__(self, user, folder, keep):
        self.user = user
        self.port = user.server.ports["pop3"]
        self.folder = folder
        self.keep = keep
        self.output = ""
        for sub in ("", "mail", "mail/cur", "mail/new", "mail/tmp"):
            os.makedirs(self.path(sub), exist_ok=True)
            shutil.chown(self.path(sub), "nobody", "nogroup")

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text, mode=0o600):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.path(name), mode)
        shutil.chown(self.path(name), "nobody", "nogroup")
        return self.path(name)

    def fetch(self):
        # messages and UIDLs are all that a client has between two runs
        self.output = run(self.command(), self.folder).stdout.decode("utf-8", "replace")
        return self.take()

    def take(self):
        return take_files(self.path("mail/new"))


class Fetchmail(Client):
    def command(self):
        # as the manual says for mail that is kept; a delivery agent as simple as can be
        agent = self.write("deliver", '#!/bin/sh\nset -eu\nfile=$(mktemp %s/XXXXXX)\ncat >"$file"\nmv "$file" %s/\n' % (
            self.path("mail/tmp"), self.path("mail/new")), 0o700)
        config = self.write("fetchmailrc", "\n".join([
            "poll 127.0.0.1 service %d protocol pop3 %s" % (self.port, "uidl" if self.keep else ""),
            "  username %s password %s" % (self.user.name, self.user.password),
            "  %s sslproto '' mda %s" % ("keep" if self.keep else "nokeep", agent), ""]))
        return ["fetchmail", "-v", "--nosyslog", "--fetchmailrc", config, "--idfile", self.path("ids"), "--pidfile",
                self.path("pid")]


class Getmail(Client):
    """Delivers over LMTP, to another user of the same server: the other ways of getmail fork, and lose their child now
    and then."""

    def __init__(self, user, folder, keep):
        super().__init__(user, folder, keep)
        self.target = user.server.user("inbox-of-" + user.name)
        self.target.mail.may_come_from(user.mail)

    def command(self):
        self.write("getmailrc", "\n".join([
            "[retriever]", "type = SimplePOP3Retriever", "server = 127.0.0.1", "port = %d" % self.port,
            "username = " + self.user.name, "password = " + self.user.password,
            "[destination]", "type = MDA_lmtp", "host = %s/lmtp" % self.user.server.root,
            "override = " + self.target.name,
            "[options]", "verbose = 2", "read_all = false", "delete = %s" % ("false" if self.keep else "true"),
            "delivered_to = false", "received = false", ""]))
        return ["getmail", "--getmaildir", self.folder, "--rcfile", self.path("getmailrc")]

    def take(self):
        new = os.path.join(self.target.home, "Maildir", "new")
        return take_files(new) if os.path.isdir(new) else []


class Mpop(Client):
    def command(self):
        config = self.write("mpoprc", "\n".join([
            "account test", "host 127.0.0.1", "port %d" % self.port, "tls off", "auth user",
            "user " + self.user.name, "password " + self.user.password, "delivery maildir " + self.path("mail"),
            "uidls_file " + self.path("uidls"), "keep %s" % ("on" if self.keep else "off"), "received_header off",
            ""]))
        return ["mpop", "--file=" + config, "test"]


class Curl(Client):
    """Has no memory of its own: a script around it lists, fetches what it does not know, and deletes what it has."""

    def __init__(self, user, folder, keep):
        super().__init__(user, folder, keep)
        self.known = set()

    def curl(self, *args):
        url = "pop3://127.0.0.1:%d/" % self.port
        return run(["curl", "--silent", "--show-error", "--user", "%s:%s" % (self.user.name, self.user.password),
                    *[arg.replace("URL", url) for arg in args]], self.folder).stdout.decode("utf-8", "replace")

    def fetch(self):
        found = []
        listing = self.curl("--request", "UIDL", "URL")
        wanted = dict(re.findall(r"^(\d+) (\S+)\r?$", listing, re.M))
        wanted = {number: uidl for number, uidl in wanted.items() if uidl not in self.known}
        if not wanted:
            return found
        # one session, one RETR for each until one is refused, which leaves no file
        self.output = self.curl("--fail-early", "URL{%s}" % ",".join(wanted), "--output", self.path("mail/tmp/#1"))
        done = [number for number in wanted if os.path.exists(self.path("mail/tmp/" + number))]
        for number in done:
            with open(self.path("mail/tmp/" + number), "rb") as file:
                found.append(file.read())
            os.unlink(self.path("mail/tmp/" + number))
            self.known.add(wanted[number])
        if not self.keep and done:
            args = []
            for number in done:
                args += ["--next"] * bool(args) + ["--silent", "--user", "%s:%s" % (self.user.name, self.user.password),
                                                  "--request", "DELE " + number, "--head", "URL"]
            self.curl(*args)
        return found


CLIENTS = {"fetchmail": Fetchmail, "getmail6": Getmail, "mpop": Mpop, "curl": Curl}
