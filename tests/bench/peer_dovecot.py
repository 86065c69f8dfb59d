# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""This system's Dovecot, without the plugin or with all of it."""

import os
import shutil
import subprocess

import peer_client
import peer_mail
import peer_process
from dovecot import Dovecot

PORT = 20114
# Each works in each session, and none of them ever says no.
POLICY = {
    "pop3_policy_quota": "1T/day 100000000msg/day 10T/month",
    "pop3_policy_keep_downloaded": "365d",
    "pop3_policy_keep_undownloaded": "730d",
    "pop3_policy_keep_max_messages": "1000000",
    "pop3_policy_keep_max_size": "1T",
    "pop3_policy_exempt": "FLAGGED",
    "pop3_policy_login_delay": "1s",
    "pop3_policy_login_burst": "1000",
}
METRIC = "metric pop3_policy_sessions {\n  filter = event=pop3_policy_session_finished\n}\n"
# The users are of the folder of the mail, and the auth cache is on for all.
COMMON = """protocols = pop3
listen = 127.0.0.1
first_valid_uid = 1
mail_max_userip_connections = 200
auth_failure_delay = 0
auth_cache_size = {cache}
auth_cache_ttl = 1 hour
{cleartext} = {allowed}
service auth {{
  client_limit = 2000
}}
service auth-worker {{
  user = dovecot
  vsz_limit = 256M
}}
service pop3-login {{
  {count} = {unlimited}
  process_min_avail = 2
  client_limit = 200
  inet_listener pop3 {{
    port = {port}
  }}
  inet_listener pop3s {{
    port = 0
  }}
}}
service pop3 {{
  process_limit = 200
  {count} = {sessions}
}}
"""


class Users:
    """The mail of all sides that are alike, and how they log in."""

    def __init__(self, folder, name):
        self.folder = os.path.join(folder, f"dovecot-{name}")
        self.mail = os.path.join(self.folder, "mail")
        self.credentials = os.path.join(self.folder, "credentials", "users.json")

    def passdb(self, with_plugin, is_23):
        driver, words = ("json", f"path={self.credentials}") if with_plugin else (
            "static", f"password={peer_client.PASSWORD}")
        if is_23:
            return f"passdb {{\n  driver = {driver}\n  args = {words}\n}}\n"
        return f"passdb {driver} {{\n  {words.replace('=', ' = ', 1)}\n}}\n"

    def userdb(self, is_23):
        ids = {"uid": peer_mail.MAIL_ID, "gid": peer_mail.MAIL_ID}
        fields = {**ids, "home": f"{self.mail}/%u" if is_23 else f"{self.mail}/%{{user}}"}
        if is_23:
            words = " ".join(f"{name}={value}" for name, value in fields.items())
            return f"userdb {{\n  driver = static\n  args = {words}\n}}\n"
        return "userdb static {\n  fields {\n" + "".join(
            f"    {name} = {value}\n" for name, value in fields.items()) + "  }\n}\n"


class DovecotPeer:
    port = PORT

    def __init__(self, folder, name, with_plugin=False, sessions=1, cached=True):
        self.name = name
        self.with_plugin = with_plugin
        self.sessions = sessions
        self.cached = cached
        self.users = Users(folder, "plugin" if with_plugin else "stock")
        self.conf = os.path.join(self.users.folder, "dovecot.conf")
        self.work = os.path.join(self.users.folder, "work")

    def command(self):
        self.configure()
        return ["dovecot", "-F", "-c", self.conf]

    def configure(self):
        shutil.rmtree(self.work, ignore_errors=True)
        os.makedirs(self.work)
        for path in (self.users.folder, self.work):
            os.chmod(path, 0o755)
        dovecot = Dovecot(self.work)
        self.version = dovecot.title
        with open(self.conf, "w", encoding="ascii") as out:
            out.write(self.config(dovecot))

    def config(self, dovecot):
        is_23 = dovecot.is_23
        text = dovecot.head(self.work) + f"state_dir = {self.work}/run\n" + COMMON.format(
            port=self.port, sessions=self.sessions, cache="10M" if self.cached else "0",
            cleartext="disable_plaintext_auth" if is_23 else "auth_allow_cleartext", allowed="no" if is_23 else "yes",
            count="service_count" if is_23 else "restart_request_count", unlimited="0" if is_23 else "unlimited")
        text += "mail_location = maildir:~/Maildir\n" if is_23 else "mail_driver = maildir\nmail_path = ~/Maildir\n"
        text += self.users.passdb(self.with_plugin, is_23) + self.users.userdb(is_23)
        if self.with_plugin:
            text += dovecot.plugin_folder() + METRIC + dovecot.plugin_settings(POLICY)
        return text

    def prepare(self):
        peer_mail.fill_maildirs(self.users.mail)
        self.configure()
        if self.with_plugin and not os.path.exists(self.users.credentials):
            self.make_passwords()
            with peer_process.running(self.command(), self.port):
                # of a user whom the plugin knows: its mail was not taken in session by session
                self.doveadm("pop3", "uidl", "adopt", "-u", peer_mail.LARGE)

    def make_passwords(self):
        folder = os.path.dirname(self.users.credentials)
        os.makedirs(folder, exist_ok=True)
        shutil.chown(folder, "dovecot", "dovecot")
        os.chmod(folder, 0o700)
        for user in peer_mail.BOXES:
            self.doveadm("pop3", "password", "set", "--create", "-u", user, text=peer_client.PASSWORD + "\n")

    def doveadm(self, *words, text=""):
        subprocess.run(["doveadm", "-c", self.conf, *words], input=text, text=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, check=True)
