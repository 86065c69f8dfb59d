# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Courier's pop3d: a process for each session."""

import base64
import hashlib
import os

import peer_chroots as chroots
import peer_client
import peer_mail

PORT = 20111
PACKAGES = ("courier-pop", "courier-authdaemon", "courier-authlib-userdb", "msmtp-mta")
# As Debian has it, but: as many sessions from one address as there are clients.
POP3D = f"""PIDFILE=/run/courier/pop3d.pid
MAXDAEMONS=100
MAXPERIP=100
POP3AUTH=""
POP3AUTH_TLS=""
POP3_PROXY=0
PORT={PORT}
ADDRESS=127.0.0.1
TCPDOPTS="-nodnslookup -noidentlookup"
LOGGEROPTS="-name=pop3d"
POP3DSTART=YES
MAILDIRPATH=Maildir
MIME_UNICODE_MESSAGE_TYPE="message/global"
"""
# Passwords are of a file, by a hash that costs nothing.
AUTHDAEMONRC = """authmodulelist="authuserdb"
authmodulelistorig="authuserdb"
daemons=5
authdaemonvar=/run/courier/authdaemon
DEBUG_LOGIN=0
DEFAULTOPTIONS=""
LOGGEROPTS=""
"""
# It has no program that stays in the foreground.
START = """chroot "$1" install -d -o root -g courier -m 775 /run/courier
chroot "$1" install -d -o courier -g courier -m 755 /run/courier/authdaemon
exec chroot "$1" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin sh -ec "
cd /usr
set -a
. /etc/courier/authdaemonrc
/usr/lib/courier/courier-authlib/authdaemond &
while [ ! -S /run/courier/authdaemon/socket ]; do sleep 0.1; done
. /etc/courier/pop3d-ssl
. /etc/courier/pop3d
exec /usr/sbin/couriertcpd -address=\\$ADDRESS -maxprocs=\\$MAXDAEMONS -maxperip=\\$MAXPERIP -listen=128 \\
	\\$TCPDOPTS \\$PORT /usr/lib/courier/courier/courierpop3login \\
	/usr/lib/courier/courier/courierpop3d \\$MAILDIRPATH"
"""


class Courier:
    name = "Courier"
    port = PORT

    def __init__(self, folder):
        self.root = chroots.make(folder, "courier", PACKAGES)
        self.version = chroots.version(self.root, "courier-pop")

    def command(self):
        return chroots.with_run(self.root, START)

    def prepare(self):
        chroots.write(f"{self.root}/etc/courier/pop3d", POP3D)
        chroots.write(f"{self.root}/etc/courier/authdaemonrc", AUTHDAEMONRC)
        secret = base64.b64encode(hashlib.sha1(peer_client.PASSWORD.encode()).digest()).decode()
        users = f"{self.root}/etc/courier/userdb"
        chroots.write(users, "".join(
            f"{user}\tuid={peer_mail.MAIL_ID}|gid={peer_mail.MAIL_ID}|home=/srv/mail/{user}|"
            f"mail=/srv/mail/{user}/Maildir|systempw={{SHA}}{secret}\n" for user in peer_mail.BOXES))
        os.chmod(users, 0o600)
        chroots.run_in(self.root, "makeuserdb")
        peer_mail.fill_maildirs(f"{self.root}/srv/mail")
