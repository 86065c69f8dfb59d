# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""A mail user of a private server: home, mail, sessions, state."""

import contextlib
import imaplib
import json
import os
import shutil

import dovecot_conf
import invariant
import mailgen
from pop3 import Pop3
from polling import wait_for

UID = 20001
GID = 20001


def chown_tree(path):
    os.chown(path, UID, GID)
    for folder, folders, files in os.walk(path):
        for entry in folders + files:
            os.lchown(os.path.join(folder, entry), UID, GID)


def chown_folders(path):
    for folder, _, _ in os.walk(path):
        os.chown(folder, UID, GID)


class User:
    password = dovecot_conf.PASSWORD

    def __init__(self, server, name, form, fields):
        self.server = server
        self.name = name
        self.form = form
        self.fields = fields
        self.has_home = True
        self.home = os.path.join(server.home_root, name)
        if not os.path.exists(self.home):
            os.mkdir(self.home, 0o700)
            os.chown(self.home, UID, GID)
        self.mail = invariant.add_user(self)

    def userdb(self):
        base = {"uid": str(UID), "gid": str(GID)}
        if self.has_home:
            base["home"] = self.home
        return {**base, **dovecot_conf.MAIL_FIELDS[dovecot_conf.LINE][self.form], **self.fields}

    def set_fields(self, **fields):
        """Changes userdb fields; None takes one away."""
        for key, value in fields.items():
            if value is None:
                self.fields.pop(key, None)
            else:
                self.fields[key] = value
        self.server.users[self.name] = self.userdb()
        self.server.write_users()
        self.wait_known()

    def own_home(self):
        chown_tree(self.home)

    def no_home(self, maildir, **fields):
        """Takes the home out of the userdb; the mail stays where it is."""
        self.has_home = False
        if dovecot_conf.LINE == "2.3":
            fields["mail"] = "maildir:" + maildir
        else:
            fields["mail_path"] = maildir
        self.set_fields(**fields)

    def wait_known(self):
        wait_for(self.is_known, "the server to know the fields of " + self.name)

    def is_known(self):
        """True when the server tells the fields as they are now."""
        return self.is_told(self.fields)

    def is_told(self, fields):
        # a user who was just added is not known at once
        found = self.server.run_doveadm("-f", "tab", "user", self.name, check=False)
        if found.returncode != 0:
            return False
        told = dict(row.split("\t") for row in found.stdout.decode("utf-8", "surrogateescape").splitlines()[1:])
        # 2.4 tells some paths with the home in the place of ~
        return all(told.get(key) in (value, value.replace("~/", self.home + "/")) for key, value in fields.items())

    def set_form(self, form, **fields):
        """From now on the mail is kept in another format, at its usual place."""
        self.form = form
        for key in ("mail", "mail_driver", "mail_path", "mail_inbox_path"):
            self.fields.pop(key, None)
        self.set_fields(**fields)
        wanted = dovecot_conf.MAIL_FIELDS[dovecot_conf.LINE][form]
        wait_for(lambda: self.is_told(wanted), "the server to know the mail format of " + self.name)

    # -- mail

    @contextlib.contextmanager
    def imap(self):
        """A session with INBOX selected."""
        imap = imaplib.IMAP4("127.0.0.1", self.server.ports["imap"])
        imap.login(self.name, self.password)
        imap.select("INBOX")
        yield imap
        imap.logout()

    def contents(self):
        """Every message as IMAP has it, in the order of UIDs."""
        with self.imap() as imap:
            _, parts = imap.fetch("1:*", "(BODY.PEEK[])")
        return [part[1] for part in parts if isinstance(part, tuple)]

    def expunge(self, *numbers):
        with self.imap() as imap:
            imap.store(",".join(map(str, numbers)), "+FLAGS.SILENT", r"(\Deleted)")
            imap.expunge()

    def append(self, messages):
        """Delivers messages over IMAP: the same way for every format."""
        imap = imaplib.IMAP4("127.0.0.1", self.server.ports["imap"])
        imap.login(self.name, self.password)
        for message in messages:
            status, reply = imap.append("INBOX", None, None, message)
            assert status == "OK", reply
        imap.logout()

    def try_append(self, message):
        """Delivers one message; False if the server refuses it."""
        imap = imaplib.IMAP4("127.0.0.1", self.server.ports["imap"])
        imap.login(self.name, self.password)
        status, _ = imap.append("INBOX", None, None, message)
        imap.logout()
        return status == "OK"

    def import_maildir(self, messages):
        """Puts messages there byte for byte, also those that no protocol would carry."""
        self.mail.deliver(messages)
        if self.form == "maildir":
            mailgen.write_maildir(os.path.join(self.home, "Maildir"), messages)
            chown_tree(self.home)
            return
        source = os.path.join(self.server.root, "import-" + self.name)
        mailgen.write_maildir(source, messages)
        chown_tree(source)
        self.doveadm("import", "-u", self.name, "maildir:" + source, "", "all")
        shutil.rmtree(source)

    def doveadm(self, *args, **kwargs):
        return self.server.doveadm(*args, **kwargs)

    def flags(self):
        """Flags of every message, in the order of UIDs."""
        table = self.doveadm("-f", "tab", "fetch", "-u", self.name, "uid flags", "mailbox", "INBOX")
        rows = [row.split("\t") for row in table.splitlines()[1:]]
        return {int(uid): set(flags.split()) for uid, flags in rows}

    def uids(self):
        """The UIDs of INBOX in their order, which is that of POP3."""
        table = self.doveadm("-f", "tab", "fetch", "-u", self.name, "uid", "mailbox", "INBOX")
        return [int(row) for row in table.splitlines()[1:]]

    # -- sessions

    def connect(self, **kwargs):
        return Pop3(self.server.ports["pop3"], mail=self.mail, **kwargs)

    def session(self, **kwargs):
        """A connection that is logged in."""
        pop3 = self.connect(**kwargs)
        reply = pop3.login(self.name, self.password)
        assert reply.ok, reply.text
        return pop3

    def told(self):
        """A session that asks for the UIDLs, and what it got, once what it leaves is written."""
        with self.session() as pop3:
            found = list(pop3.uidl().values())
            pop3.quit()
        self.server.wait_idle()
        return found

    def refused_login(self):
        """The reply to a login that the policy must refuse; checks that the session ends there."""
        with self.connect() as pop3:
            reply = pop3.login(self.name, self.password)
            assert not reply.ok, reply.text
            assert pop3.drain() == b""
        return reply.text

    # -- state

    @property
    def state_dir(self):
        return os.path.join(self.home, "pop3-policy")

    @property
    def state_path(self):
        return os.path.join(self.state_dir, "state.json")

    @property
    def journal_path(self):
        return os.path.join(self.state_dir, "messages.jsonl")

    def journal_lines(self):
        """The lines of the journal but the first one; none if there is no journal."""
        if not os.path.exists(self.journal_path):
            return []
        with open(self.journal_path, encoding="utf-8") as file:
            return [json.loads(line) for line in file][1:]

    def journal(self):
        """What the journal says of each message that is there, as {uid: record}: a later line is the news, but first
        downloads stand."""
        found = {}
        for line in self.journal_lines():
            if "uid" in line:
                known = found.get(line["uid"], {})
                record = found[line["uid"]] = {**known, **line}
                if "downloaded" in known:
                    record["downloaded"] = known["downloaded"]
                if "devices" in record:
                    record["devices"] = {**line.get("devices", {}), **known.get("devices", {})}
        return found

    def state(self):
        with open(self.state_path, encoding="utf-8") as file:
            return json.load(file)

    def window(self, name):
        return self.state()["quota"]["windows"][name]

    def counted(self):
        """Messages that the quota has counted, in any window; 0 also if there is no state."""
        if not os.path.exists(self.state_path):
            return 0
        return max(counter["messages"] for counter in self.state()["quota"]["windows"].values())

    def used(self, window="day"):
        counter = self.window(window)
        return counter["bytes"], counter["messages"]

    def write_state(self, data):
        """Puts a state file there as the user would own it."""
        if not os.path.isdir(self.state_dir):
            os.mkdir(self.state_dir, 0o700)
            os.chown(self.state_dir, UID, GID)
        if isinstance(data, dict):
            data = json.dumps(data).encode()
        with open(self.state_path, "wb") as file:
            file.write(data)
        os.chmod(self.state_path, 0o600)
        os.chown(self.state_path, UID, GID)

    def quota(self, *args):
        """Rows of `doveadm pop3 quota get`, as {(window, type): row}."""
        rows = self.quota_rows("get", *args)
        return {(row["window"], row["type"]): row for row in rows}

    def quota_rows(self, action, *args):
        return json.loads(self.doveadm("-f", "json", "pop3", "quota", action, "-u", self.name, *args) or "[]")
