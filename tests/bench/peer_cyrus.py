# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Cyrus pop3d: one process serves many sessions, one after the other."""

import os

import peer_chroots as chroots
import peer_client
import peer_mail
import peer_process

PORT = 20110
PACKAGES = ("cyrus-pop3d", "sasl2-bin", "libsasl2-modules", "msmtp-mta")
# As Debian has it, but: no minute between two sessions of a user, passwords of SASL's own file, and mailboxes that are
# made at the first login.
IMAPD_CONF = """configdirectory: /var/lib/cyrus
proc_path: /run/cyrus/proc
mboxname_lockpath: /run/cyrus/lock
defaultpartition: default
partition-default: /var/spool/cyrus/mail
hashimapspool: yes
unixhierarchysep: yes
altnamespace: yes
admins: cyrus
allowplaintext: yes
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_mech_list: PLAIN
popminpoll: 0
poptimeout: 10
autocreate_quota: 0
servername: localhost
defaultdomain: localhost
duplicate_db_path: /run/cyrus/deliver.db
statuscache: no
tls_required: no
syslog_prefix: cyrus
"""
CYRUS_CONF = f"""START {{
	recover		cmd="/usr/sbin/cyrus ctl_cyrusdb -r"
}}
SERVICES {{
	pop3		cmd="pop3d -U 250 -T 60" listen="127.0.0.1:{PORT}" prefork=4 maxchild=100
}}
EVENTS {{
	checkpoint	cmd="/usr/sbin/cyrus ctl_cyrusdb -c" period=60
}}
"""
START = """chroot "$1" install -d -o cyrus -g mail -m 755 /run/cyrus
chroot "$1" install -d -o cyrus -g mail -m 750 /run/cyrus/socket
exec chroot "$1" /usr/sbin/cyrmaster -D -l 128 -C /etc/imapd.conf -M /etc/cyrus.conf
"""


class Cyrus:
    name = "Cyrus"
    port = PORT

    def __init__(self, folder):
        self.root = chroots.make(folder, "cyrus", PACKAGES)
        self.version = chroots.version(self.root, "cyrus-pop3d")

    def command(self):
        return chroots.with_run(self.root, START)

    def prepare(self):
        chroots.write(f"{self.root}/etc/imapd.conf", IMAPD_CONF)
        chroots.write(f"{self.root}/etc/cyrus.conf", CYRUS_CONF)
        # for the programs that run beside the server, which has a /run of its own
        chroots.run_in(self.root, "install", "-d", "-o", "cyrus", "-g", "mail", "-m", "755", "/run/cyrus")
        filled = os.path.join(self.root, "filled")
        os.makedirs(filled, exist_ok=True)
        missing = [user for user in peer_mail.BOXES if not os.path.exists(os.path.join(filled, user))]
        if missing:
            with peer_process.running(self.command(), self.port):
                for user in missing:
                    self.fill(user)
                    chroots.write(os.path.join(filled, user), "")

    def fill(self, user):
        chroots.run_in(self.root, "saslpasswd2", "-p", "-c", "-u", "localhost", user, text=peer_client.PASSWORD + "\n")
        _, sasl = chroots.ids(self.root, "root", "sasl")
        os.chown(f"{self.root}/etc/sasldb2", 0, sasl)
        os.chmod(f"{self.root}/etc/sasldb2", 0o640)
        # the first login makes the mailbox
        peer_client.session(self.port, user, peer_client.poll)
        folder = chroots.run_in(self.root, "/usr/lib/cyrus/bin/mbpath", "-u", user, user="cyrus:mail").strip()
        peer_mail.fill_numbered(self.root + folder, *peer_mail.BOXES[user], *chroots.ids(self.root, "cyrus", "mail"))
        chroots.run_in(self.root, "/usr/lib/cyrus/bin/reconstruct", "-u", user, user="cyrus:mail")
