# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""The installed Dovecot: its version, its folders, a configuration for one user."""

import os
import re
import subprocess

QUOTA = "1T/day 100000000msg/day"
PLUGIN_FILE = "lib20_pop3_policy_plugin.so"
# Where a storage has another name for its folder than its own.
FOLDERS = {"maildir": "Maildir"}
# What a server has beside the plugin.
PACKAGES = ("dovecot-core", "dovecot-imapd", "dovecot-lmtpd", "dovecot-pop3d")


class Dovecot:
    def __init__(self, workdir):
        self.title = subprocess.run(
            ["dovecot", "--version"], capture_output=True, text=True, check=True
        ).stdout.strip()
        self.version = re.match(r"\d+\.\d+\.\d+", self.title).group()
        self.is_23 = self.version.startswith("2.3.")
        # Options by which doveadm takes the user of the environment, who need not be in a userdb.
        self.own_user = () if self.is_23 else ("--no-userdb-lookup",)
        probe = os.path.join(workdir, "probe.conf")
        with open(probe, "w", encoding="ascii") as out:
            out.write(self.head(workdir))
        self.pop3 = os.path.join(self._ask(probe, "libexec_dir"), "pop3")
        self.moduledir = self._ask(probe, "mail_plugin_dir")
        self.modules = os.path.join(workdir, "modules")
        self._link_modules()

    @staticmethod
    def _ask(conf, setting):
        done = subprocess.run(
            ["doveconf", "-c", conf, "-h", setting],
            capture_output=True, text=True, check=True,
        )
        return done.stdout.strip()

    def _link_modules(self):
        """A folder of the plugin and of what those packages have. Dovecot looks at each file beside a plugin in every
        session, so with the modules of others, such as a database, it would be theirs that is measured, too."""
        os.mkdir(self.modules)
        done = subprocess.run(["dpkg-query", "-L", *PACKAGES], capture_output=True, text=True, check=False)
        for path in [*done.stdout.splitlines(), os.path.join(self.moduledir, PLUGIN_FILE)]:
            if os.path.dirname(path) == self.moduledir and os.path.isfile(path):
                os.symlink(path, os.path.join(self.modules, os.path.basename(path)))

    def has_plugin(self):
        return os.path.exists(os.path.join(self.moduledir, PLUGIN_FILE))

    def head(self, workdir):
        head = "" if self.is_23 else (
            f"dovecot_config_version = {self.version}\n"
            f"dovecot_storage_version = {self.version}\n"
        )
        return head + (
            f"base_dir = {workdir}/run\n"
            f"log_path = {workdir}/dovecot.log\n"
            "ssl = no\n"
        )

    def plugin_folder(self):
        return f"mail_plugin_dir = {self.modules}\n"

    def of_line(self, bounds):
        """Of a bound of 2.3 and one of 2.4, the one that counts here."""
        return bounds[0] if self.is_23 else bounds[1]

    def _location(self, home, driver):
        folder = f"{home}/{FOLDERS.get(driver, driver)}"
        if self.is_23:
            inbox = f":INBOX={home}/inbox" if driver == "mbox" else ""
            return f"mail_location = {driver}:{folder}{inbox}\n"
        inbox = f"mail_inbox_path = {home}/inbox\n" if driver == "mbox" else ""
        return f"mail_driver = {driver}\nmail_path = {folder}\n{inbox}"

    def plugin_settings(self, settings):
        """The text that loads the plugin with these settings."""
        lines = "".join(f"{name} = {value}\n" for name, value in settings.items())
        if self.is_23:
            return f"mail_plugins = $mail_plugins pop3_policy\nplugin {{\n{lines}}}\n"
        return f"mail_plugins {{\n  pop3_policy = yes\n}}\n{lines}"

    def config(self, workdir, home, driver, with_plugin, settings):
        """The text of a configuration in which the user's mail is in home, in that storage. The settings are the
        plugin's."""
        text = self.head(workdir) + self.plugin_folder() + f"mail_home = {home}\n" + self._location(home, driver)
        if not self.is_23:
            # 2.4 clears the environment of what it does not know, USER and HOME too.
            text += f"import_environment {{\n  USER = bench\n  HOME = {home}\n}}\n"
        if with_plugin:
            text += self.plugin_settings({"pop3_policy_quota": QUOTA, **settings})
        return text

    def users_config(self, workdir, passwd, reader, group, with_plugin, settings):
        """Likewise of a configuration with the users of a passwd-file, of a server that the reader may ask who they
        are."""
        text = self.head(workdir) + self.plugin_folder() + self._location("~" if not self.is_23 else "%h", "maildir") + (
            # who need not be root to start it
            f"default_internal_user = {reader}\n"
            f"default_login_user = {reader}\n"
            f"default_internal_group = {group}\n"
            "protocols =\n"
            "service anvil {\n  chroot =\n}\n"
            f"service auth {{\n  unix_listener auth-userdb {{\n    user = {reader}\n    mode = 0600\n  }}\n}}\n"
            f"service stats {{\n  unix_listener stats-writer {{\n    user = {reader}\n    mode = 0600\n  }}\n}}\n"
        )
        for database in ("passdb", "userdb"):
            text += (f"{database} {{\n  driver = passwd-file\n  args = {passwd}\n}}\n" if self.is_23 else
                     f"{database} passwd-file {{\n  passwd_file_path = {passwd}\n}}\n")
        return text + (self.plugin_settings(settings) if with_plugin else "")
