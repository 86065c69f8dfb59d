# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""GNU Mailutils' pop3d: a process for each session, which reads all messages."""

import peer_chroots as chroots
import peer_mail

PORT = 20112
PACKAGES = ("mailutils-pop3d",)
# The file of users without PAM, and a maildir, which it has to be told.
POP3D_CONF = f"""mode daemon;
foreground yes;
max-children 100;
pidfile /run/pop3d.pid;
auth {{
	authorization clear;
	authorization system;
	authentication clear;
	authentication generic:system;
}};
mailbox {{
	mailbox-pattern "maildir:///srv/mail/${{user}}/Maildir";
	mailbox-type maildir;
}};
tls-mode no;
tcp-wrappers {{ enable no; }};
mandatory-locking {{
	enable yes;
	lock-directory /run/mail-locks;
}};
server 127.0.0.1:{PORT} {{
	backlog 128;
	timeout 600;
	tls-mode no;
}};
"""
START = """install -d -m 1777 "$1/run/mail-locks"
exec chroot "$1" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin /usr/sbin/pop3d --config-file=/etc/pop3d-bench.conf
"""
# crypt() of the clients' password with DES, which costs nothing
HASH = "abNANd1rDfiNc"


def append(path, lines):
    with open(path, "r+", encoding="ascii") as file:
        known = {line.partition(":")[0] for line in file}
        file.writelines(line for line in lines if line.partition(":")[0] not in known)


class Mailutils:
    name = "Mailutils"
    port = PORT

    def __init__(self, folder):
        self.root = chroots.make(folder, "mailutils", PACKAGES)
        self.version = chroots.version(self.root, "mailutils-pop3d")

    def command(self):
        return chroots.with_run(self.root, START)

    def prepare(self):
        chroots.write(f"{self.root}/etc/pop3d-bench.conf", POP3D_CONF)
        append(f"{self.root}/etc/passwd",
               [f"{user}:x:{peer_mail.MAIL_ID}:{peer_mail.MAIL_ID}::/srv/mail/{user}:/bin/sh\n"
                for user in peer_mail.BOXES])
        append(f"{self.root}/etc/shadow", [f"{user}:{HASH}:19000:0:99999:7:::\n" for user in peer_mail.BOXES])
        peer_mail.fill_maildirs(f"{self.root}/srv/mail")
