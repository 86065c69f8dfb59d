# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""What is done to a user between two sessions. Each user has one kind of trouble, so that it is known what must hold."""

import contextlib
import os
import subprocess
import time

import damage
import disasters
import user as users

DISK_SIZE = "256k"
GARBAGE = [b"", b"{", b"null", b"[" * 5000, b'{"version":1,"quota":{"windows":{"day":{"start":-1}}}}', b"\0" * 700,
           b'{"version":"x"}', b"\xff\xfe\xfd" * 100, b"{}\n{}\n"]


class Trouble:
    """None at all, but that lines are cut and processes killed, as with all users."""

    # whether downloads are counted in the end, and go in the end
    keeps_state = True
    # whether the files of the state are good in the end: what nobody has looked at is not mended
    keeps_files = True
    # what is in the log for that
    log = ()

    def __init__(self, chance):
        self.chance = chance

    def prepare(self, user):
        pass

    def strike(self, visitor):
        pass

    def mend(self, visitor):
        pass

    def remove(self, user):
        pass


class BrokenFiles(Trouble):
    """Of the state: another text in the place of one, or a part of it, or nothing. The UIDLs of Dovecot stay what they
    were."""

    keeps_state = False
    keeps_files = False
    log = (r"pop3_policy: .* is corrupt .*: renamed it to ", r"pop3_policy: messages.jsonl had lost (the lines of |lines: )",
           r"pop3_policy: messages.jsonl .*, and was written anew")

    def strike(self, visitor):
        visitor.wait_gone()
        names = ["state.json", "messages.jsonl", "login.json"]
        for name in self.chance.sample(names, self.chance.randint(1, 2)):
            path = os.path.join(visitor.user.state_dir, name)
            if os.path.exists(path):
                self.chance.choice([self.replace, self.tear, self.spoil, os.unlink])(path)

    def replace(self, path):
        self.write(path, self.chance.choice(GARBAGE))

    @staticmethod
    def write(path, data):
        with open(path, "wb") as file:
            os.fchown(file.fileno(), users.UID, users.GID)
            os.fchmod(file.fileno(), 0o600)
            file.write(data)

    def tear(self, path):
        os.truncate(path, self.chance.randint(0, os.path.getsize(path)))

    def spoil(self, path):
        with open(path, "rb") as file:
            data = bytearray(file.read())
        if data:
            # another letter might make another truth of it
            data[self.chance.randrange(len(data))] = 1
        self.write(path, bytes(data))


class LostIndexes(Trouble):
    """Of Dovecot. What all clients know is written down before, as it may have been told in a session that was killed."""

    def strike(self, visitor):
        visitor.recorded()
        # of dbox, nothing but indexes says what was deleted
        names = r"dovecot\.index.*" if visitor.user.form in ("maildir", "mbox") else r"dovecot\.index\.cache"
        for path in disasters.files(visitor.user, names):
            os.unlink(path)


class NewUidvalidity(Trouble):
    """All UIDs and the UIDVALIDITY become others."""

    def __init__(self, chance):
        super().__init__(chance)
        self.last = time.monotonic()

    def strike(self, visitor):
        # it is a time in seconds
        if time.monotonic() - self.last < 2:
            return
        visitor.recorded()
        if visitor.user.form == "maildir":
            for path in disasters.files(visitor.user, "dovecot-uidlist"):
                os.unlink(path)
        else:
            disasters.uidvalidity_changed(visitor.user)
        self.last = time.monotonic()


class FullDisk(Trouble):
    """The folder of the state is a disk of its own, which is full for a while. Nothing is counted and written down then,
    and all else goes on. (If all the home is full, stock Dovecot gives mail of a maildir new UIDs.)"""

    keeps_state = False
    log = (r"pop3_policy: .*No space left on device",)

    def prepare(self, user):
        os.mkdir(user.state_dir, 0o700)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0700,uid=%d,gid=%d,size=%s" % (
            users.UID, users.GID, DISK_SIZE), "none", user.state_dir], check=True)

    def strike(self, visitor):
        path = os.path.join(visitor.user.state_dir, "full")
        if os.path.exists(path):
            os.unlink(path)
        else:
            damage.fill(visitor.user.state_dir)

    def mend(self, visitor):
        visitor.wait_gone()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(visitor.user.state_dir, "full"))

    def remove(self, user):
        subprocess.run(["umount", "-l", user.state_dir], check=True)


KINDS = {"none": Trouble, "broken files": BrokenFiles, "lost indexes": LostIndexes, "new UIDVALIDITY": NewUidvalidity,
         "full disk": FullDisk}
