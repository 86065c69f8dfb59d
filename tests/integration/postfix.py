# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""A private Postfix: takes mail by SMTP on a port above 20000 of 127.0.0.1, and delivers it by LMTP to a private Dovecot.
All that it has is in a folder of its own, and it is ended by its process id."""

import os
import pwd
import shutil
import signal
import smtplib
import socket
import subprocess
import tempfile

from dovecot import free_ports
from polling import wait_for

DOMAIN = "postfix.test"

# each user is a mailbox of Dovecot under its whole address; the mail of nobody goes anywhere else
MAIN = """
compatibility_level = 3.6
queue_directory = {root}/queue
data_directory = {root}/data
maillog_file = {root}/log/postfix.log
maillog_file_prefixes = {root}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
myhostname = mail.postfix.test
mydestination =
local_recipient_maps =
alias_maps =
alias_database =
virtual_mailbox_domains = {domain}
virtual_mailbox_maps = texthash:{root}/users
virtual_transport = lmtp:unix:{lmtp}
default_transport = error:no mail leaves this machine
smtpd_recipient_restrictions = permit_mynetworks, reject
lmtp_destination_recipient_limit = {recipients}
minimal_backoff_time = 1s
maximal_backoff_time = 1s
queue_run_delay = 1s
"""

# nothing of it is chrooted
MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 1 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
showq unix n - n - - showq
postlog unix-dgram n - n - 1 postlogd
"""


class Postfix:
    """RECIPIENTS is how many a message may have in one delivery to Dovecot."""

    def __init__(self, server, users, recipients):
        self.root = tempfile.mkdtemp(prefix="postfix-", dir=server.base)
        os.chmod(self.root, 0o755)
        self.port = free_ports(["smtp"])["smtp"]
        self.process = None
        for folder in ("queue", "log", "data"):
            os.mkdir(self.path(folder), 0o755)
        owner = pwd.getpwnam("postfix")
        os.chown(self.path("data"), owner.pw_uid, owner.pw_gid)
        self.write("main.cf", MAIN.format(root=self.root, domain=DOMAIN, lmtp=os.path.join(server.root, "lmtp"),
                                          recipients=recipients))
        self.write("master.cf", MASTER.format(port=self.port))
        self.write("users", "".join("%s here\n" % user.name for user in users))

    def path(self, name):
        return os.path.join(self.root, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="ascii") as file:
            file.write(text)

    def log(self):
        if not os.path.exists(self.path("log/postfix.log")):
            return ""
        with open(self.path("log/postfix.log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    # -- life

    def __enter__(self):
        # pylint: disable=consider-using-with
        self.process = subprocess.Popen(["postfix", "-c", self.root, "start-fg"], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        wait_for(self.is_up, "Postfix to listen")
        return self

    def is_up(self):
        if self.process.poll() is not None:
            raise AssertionError("postfix ended:\n%s\n%s" % (self.process.stdout.read().decode(), self.log()))
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True

    def __exit__(self, *_):
        # a script waits for its master, which ends all the others
        with open(self.path("queue/pid/master.pid"), encoding="ascii") as file:
            os.kill(int(file.read()), signal.SIGTERM)
        self.process.wait(20)
        self.process.stdout.close()
        shutil.rmtree(self.root, ignore_errors=True)

    # -- mail

    def send(self, message, *recipients):
        """By SMTP, for those who are named in the envelope."""
        with smtplib.SMTP("127.0.0.1", self.port, timeout=60) as smtp:
            refused = smtp.sendmail("sender@" + DOMAIN, recipients, message, mail_options=["BODY=8BITMIME"])
        assert not refused
        return message

    def is_empty(self):
        """Whether all mail has left it. What was deferred comes in again: it is not to be missed on its way."""
        return not any(names for folder in ("incoming", "active", "deferred", "incoming", "active")
                       for _, _, names in os.walk(self.path("queue/" + folder)))

    def wait_delivered(self):
        wait_for(self.is_empty, "the delivery of all mail")
