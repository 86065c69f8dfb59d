# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Steps of a history: the mailbox becomes another one."""

import os
import re

from comparison import Comparison


class DisasterSteps(Comparison):
    def do_disaster(self, parts):
        for part in parts:
            if not self.drop.messages:
                return
            if getattr(self, "disaster_" + part.replace(" ", "_"))() is not False:
                self.becomes_another()
                self.is_stored = True
                self.relearn()
                if self.lab.form == "mdbox" and part in ("indexes", "map"):
                    self.saved_anew()

    def saved_anew(self):
        """When it makes its index anew, it takes all for saved then."""
        for message in self.drop.messages.values():
            message.delivered = message.delivered[0], max(message.delivered[1], self.lab.now)

    def unlink(self, pattern):
        for path in self.lab.files(pattern):
            os.unlink(path)

    def disaster_indexes(self):
        self.unlink(r"dovecot\.index.*")
        self.resync()

    def disaster_map(self):
        """Of mdbox, which says where messages lie."""
        self.unlink(r"dovecot\.(map\.)?index.*")
        self.resync()

    def resync(self):
        """They may show no message before somebody has them look into their files."""
        if self.lab.form in ("sdbox", "mdbox"):
            self.lab.doveadm("force-resync", "*", stock=True)

    def disaster_cache(self):
        self.unlink(r"dovecot\.index\.cache")

    def disaster_uidlist(self):
        if self.lab.form != "maildir":
            return False
        os.unlink(os.path.join(self.lab.home, "Maildir/dovecot-uidlist"))
        return True

    def disaster_uidlist_torn(self):
        if self.lab.form != "maildir":
            return False
        path = os.path.join(self.lab.home, "Maildir/dovecot-uidlist")
        with open(path, "rb") as file:
            text = file.read()
        # a size that is cut would be another size, which is no matter of ours
        os.truncate(path, text.rindex(b"\n", 0, len(text) // 2 + 1) + 1 if len(text) > 200 else 0)
        return True

    def disaster_uidvalidity(self):
        reply = self.imap()
        value = int(re.search(rb"UIDVALIDITY (\d+)", reply).group(1)) + 1000
        code, _, errors = self.lab.doveadm("mailbox update", "--uid-validity", str(value), "INBOX", stock=True)
        self.check(code == 0, errors)

    def do_backup(self, _parts):
        self.look()
        self.lab.save()
        self.saved = [(key, message.uid, set(message.flags)) for key, message in self.drop.messages.items()], \
            list(self.drop.saved), list(self.drop.archive)

    def do_restore(self, _parts):
        """What came since is lost, and what went is there again."""
        if self.saved is None:
            return
        self.lab.restore()
        self.drop.forget_unrecorded()
        self.becomes_another()
        self.is_stored = True
        rows, self.drop.saved, self.drop.archive = self.saved[0], list(self.saved[1]), list(self.saved[2])
        for key in [key for key in self.drop.messages if key not in [key for key, _, _ in rows]]:
            del self.drop.messages[key]
        self.relearn()
