# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""What holds for all mail, whatever a test has done: each message that was ever delivered is in a mailbox of its user,
or was deleted by a client, or was taken by a rule that says so in the log; and nobody has mail of someone else, or was
shown any.

Deliveries by IMAP and LMTP note themselves; who delivers in another way calls user.mail.deliver(). What a test does to
mail behind the back of all programs it has to say: user.mail.lose(), user.mail.explain(), user.mail.copy_of()."""

import collections
import hashlib
import imaplib
import json
import os
import re
import smtplib
import time

from polling import DEADLINE

# a line of the log may come a moment after the end of the process
LOG_DEADLINE = 3
POP3_SESSION = re.compile(r"pop3\(([^()]*)\).*: Disconnected: (.*?)\btop=(\d+)/\d+, retr=(\d+)/\d+, del=(\d+)/\d+")
IMAP_SESSION = re.compile(r"imap\(([^()]*)\).*: Disconnected: .*\bexpunged=(\d+)")
RULES = re.compile(r"\((?:[^(),]*,)?([^(),]*)\).*: pop3_policy: retention expunged (\d+) messages?, \d+ bytes: (.*)")
# the only rule that takes what was never downloaded
UNDOWNLOADED = "undownloaded"
LISTED = re.compile(rb'\(([^)]*)\) (?:NIL|"(?:[^"\\]|\\.)*") (.*)', re.S)
GUID = re.compile(rb'X-GUID ("[^"]*"|[^ )]+)')

# the mail of each user of a server that is known by its IMAP port or LMTP socket: {(address, name): Mail}
MAILS = {}
# all that were ever given a message, and what to call it in a complaint
OWNERS = collections.defaultdict(set)
NAMES = {}


def identity(data):
    """What stays the same of a message wherever it goes: its body without line ends that may change, and with NULs as
    IMAP has them. mailgen.message() makes other bodies in each test."""
    text = b"\n" + data.replace(b"\r", b"").replace(b"\0", b"\x80")
    head, _, body = text.partition(b"\n\n")
    digest = hashlib.blake2b(body.strip(b"\n"), digest_size=16).digest()
    if digest not in NAMES:
        subject = re.search(rb"^Subject: (.{0,60})", head, re.M)
        NAMES[digest] = subject.group(1).decode("utf-8", "replace") if subject else "a message without a subject"
    return digest


def names(found):
    return ", ".join("%d x %s" % (count, NAMES[digest]) for digest, count in collections.Counter(found).items())


class Mail:
    """What was delivered to a user, and what POP3 clients of the tests were shown and have deleted."""

    def __init__(self, owner):
        self.owner = owner
        self.user = None
        # all that log in to this mail
        self.logins = [owner[1]]
        self.delivered = collections.Counter()
        # what may be there or not
        self.doubtful = collections.Counter()
        self.others = []
        self.copies = 0
        self.explained = 0
        # by complete RETRs: in all sessions, and in those that ended with QUIT
        self.shown = set()
        self.downloaded = collections.Counter()
        self.deleted = collections.Counter()

    # -- what tests have to say

    def deliver(self, messages):
        for message in messages:
            digest = identity(message)
            self.delivered[digest] += 1
            OWNERS[digest].add(self.owner)

    def lose(self, _reason):
        """What was delivered until now may be gone, or may be there again."""
        self.doubtful += self.delivered
        self.delivered.clear()

    def explain(self, count, _reason):
        """So many messages may be gone though no log says so, as when the one who took them was killed."""
        self.explained += count

    def copy_of(self, other):
        """The whole mailbox of the other one was copied to here."""
        self.delivered += other.delivered
        self.doubtful += other.doubtful
        self.downloaded += other.downloaded
        for digest in [*other.delivered, *other.doubtful]:
            OWNERS[digest].add(self.owner)

    def may_come_from(self, other):
        """Mail of the other one is sent on to here."""
        self.others.append(other)

    # -- what clients of the tests do

    def note_shown(self, message):
        self.shown.add(identity(message))

    def note_quit(self, downloaded, deleted):
        """Of the messages that were deleted those are known that had been downloaded in the same session."""
        self.downloaded.update(map(identity, downloaded))
        self.deleted.update(map(identity, deleted))

    # -- what can be said then

    def is_mine(self, digest):
        return digest in self.delivered or digest in self.doubtful or any(other.is_mine(digest)
                                                                          for other in self.others)

    def goes(self):
        """Whether expired mail is expunged."""
        settings = {**self.user.server.settings, **self.user.fields}
        return settings.get("pop3_policy_report_only", "no") == "no" and \
            not settings.get("pop3_policy_expire_action", "expunge").startswith("move")


def add_user(user):
    """Its mail; a user that is made anew with the same home keeps it."""
    lmtp, imap = os.path.join(user.server.root, "lmtp"), user.server.ports["imap"]
    mail = MAILS.get((lmtp, user.name)) or Mail((user.server.root, user.name))
    mail.user = user
    MAILS[lmtp, user.name] = MAILS[imap, user.name] = mail
    return mail


def share(user, other):
    """The other one is a login for the mail of the user."""
    user.mail.logins.append(other.name)
    for key in [key for key, mail in MAILS.items() if mail is other.mail]:
        MAILS[key] = user.mail
    other.mail = user.mail


# -- deliveries that note themselves


class Imap(imaplib.IMAP4):
    """Takes the place of imaplib.IMAP4."""

    mail = None

    def login(self, user, password):
        result = super().login(user, password)
        self.mail = MAILS.get((self.port, user))
        return result

    def append(self, mailbox, flags, date_time, message):
        result = super().append(mailbox, flags, date_time, message)
        if result[0] == "OK" and self.mail is not None:
            self.mail.deliver([message])
        return result

    def copy(self, message_set, new_mailbox):
        result = super().copy(message_set, new_mailbox)
        told = self.untagged_responses.get("COPYUID", [b""])[-1].split()
        if self.mail is not None and told:
            self.mail.copies += sum(int((last or first).decode()) - int(first) + 1 for first, _, last in (
                part.partition(b":") for part in told[-1].split(b",")))
        return result


class Lmtp(smtplib.LMTP):
    """Takes the place of smtplib.LMTP."""

    def sendmail(self, from_addr, to_addrs, msg, *args, **kwargs):
        refused = super().sendmail(from_addr, to_addrs, msg, *args, **kwargs)
        for name in {to_addrs} if isinstance(to_addrs, str) else set(to_addrs) - set(refused):
            if (self._host, name) in MAILS:
                MAILS[self._host, name].deliver([msg.encode() if isinstance(msg, str) else msg])
        return refused


def watch():
    imaplib.IMAP4, smtplib.LMTP = Imap, Lmtp


# -- doveadm, which tells its caller instead of the log


def is_run(args):
    """`doveadm pop3 retention run` in its own process: doveadm-server has a log."""
    return "retention" in args and "run" in args and not {"-n", "--dry-run", "-S"} & set(args)


def before_doveadm(server, args):
    """It will expunge what a search finds."""
    if "expunge" in args and "-u" in args:
        search = ["search" if word == "expunge" else word for word in args]
        mail = MAILS[server.ports["imap"], args[args.index("-u") + 1]]
        mail.explain(len(server.run_doveadm(*search).stdout.splitlines()), "doveadm expunge")


def after_doveadm(server, args, text):
    """Each row of the reply has the number of messages for each rule; the user stands before it if there are many."""
    if not is_run(args):
        return
    if text.startswith("["):
        rows = [list(row.values()) for row in json.loads(text)]
    elif "=" in text:
        rows = [re.findall(r"=(\S+)", line) for line in text.splitlines()]
    else:
        rows = [line.split() for line in text.splitlines()[1:]]
    for *name, downloaded, undownloaded, many, large, _size in rows:
        counts = downloaded, undownloaded, many, large
        name = name[0] if name else args[args.index("-u") + 1]
        mail = MAILS.get((server.ports["imap"], name))
        if mail is not None and mail.goes():
            mail.explain(sum(map(int, counts)), "doveadm pop3 retention run")


# -- what is there


def look(user):
    """Every message of a user as IMAP has it: (GUID, identity); an mbox has no GUIDs."""
    found = []
    with imaplib.IMAP4("127.0.0.1", user.server.ports["imap"], timeout=DEADLINE) as imap:
        imap.login(user.name, user.password)
        for line in imap.list()[1]:
            line = b" ".join(line) if isinstance(line, tuple) else line
            flags, mailbox = LISTED.fullmatch(line).groups()
            if b"\\noselect" in flags.lower() or b"\\nonexistent" in flags.lower():
                continue
            status, reply = imap.select(mailbox, readonly=True)
            assert status == "OK", reply
            found += messages(imap, mailbox, user.form != "mbox")
    return found


def messages(imap, mailbox, has_guids):
    status, parts = imap.uid("FETCH", "1:*", "(X-GUID BODY.PEEK[])")
    assert status == "OK", parts
    found = []
    for part in parts:
        head, data = part if isinstance(part, tuple) else (part or b"", b"")
        guid = GUID.search(head)
        if guid is not None:
            found.append((guid.group(1) if has_guids else (mailbox, len(found)), identity(data)))
    return found


class Log:
    """What the log of a server says of the logins of a user."""

    def __init__(self, user, start):
        self.retrieved = self.deleted = self.expunged = 0
        self.rules = collections.Counter()
        text = user.server.log_from(start)
        for name in user.mail.logins:
            self.read(name, text)

    def read(self, name, text):
        for line in text.splitlines():
            if "(%s)" % name not in line and ",%s)" % name not in line:
                continue
            if (found := POP3_SESSION.search(line)) and found.group(1) == name:
                self.deleted += int(found.group(5))
                if "Logged out" in found.group(2):
                    # TOP may be a download, too
                    self.retrieved += int(found.group(3)) + int(found.group(4))
            elif (found := IMAP_SESSION.search(line)) and found.group(1) == name:
                self.expunged += int(found.group(2))
            elif (found := RULES.search(line)) and found.group(1) == name:
                self.rules.update({rule: int(count) for count, rule in re.findall(r"(\d+) (\w+)", found.group(3))})


# -- complaints


def lost(mail, missing, log):
    """What of the missing messages nobody has taken, as a sentence."""
    left = missing - mail.deleted
    if not left:
        return None
    # by clients of whom only numbers are known, or without a log
    by_others = max(log.deleted - mail.deleted.total(), 0) + log.expunged + mail.explained
    by_rules = log.rules.total()
    if left.total() > by_others + by_rules:
        return "%d messages are lost (%s), and %d were taken by clients, %d by rules" % (
            left.total(), names(left), by_others, by_rules)
    # P2, if the tests know of all downloads
    fresh = collections.Counter({digest: count for digest, count in left.items() if digest not in mail.downloaded})
    if mail.downloaded.total() >= log.retrieved and fresh.total() > by_others + log.rules[UNDOWNLOADED]:
        return "%d messages were taken that nobody had downloaded (%s)" % (fresh.total(), names(fresh))
    return None


def foreign(mail, found):
    """What of FOUND belongs to others, as sentences."""
    for digest in {digest for _, digest in found} | mail.shown:
        owners = OWNERS.get(digest, set()) - {mail.owner}
        if owners and not mail.is_mine(digest):
            how = "has" if digest in {digest for _, digest in found} else "was shown"
            yield "%s mail of %s (%s)" % (how, ", ".join(name for _, name in owners), NAMES[digest])
    # two users may have been given the same
    there = collections.Counter(digest for _, digest in set(found))
    more = there - mail.delivered - mail.doubtful
    more = collections.Counter({digest: count for digest, count in more.items() if mail.is_mine(digest) and
                                len(OWNERS[digest]) > 1 and not mail.others})
    if more.total() > mail.copies:
        yield "has more copies than were delivered (%s), and others have such mail" % names(more)


def complaints(user, log_start):
    """Sentences on what does not hold. The test began when the log of the server had LOG_START octets."""
    mail = user.mail
    try:
        # Dovecot would make an empty one
        found = look(user) if os.path.isdir(user.home) else []
    except (imaplib.IMAP4.error, OSError, AssertionError) as error:
        return [] if not mail.delivered else ["%s: cannot look at the mail: %r" % (user.name, error)]
    missing = mail.delivered - collections.Counter(digest for _, digest in found)
    said = list(foreign(mail, found))
    end = time.monotonic() + LOG_DEADLINE
    loss = missing and lost(mail, missing, Log(user, log_start))
    while loss and time.monotonic() < end:
        time.sleep(0.05)
        loss = lost(mail, missing, Log(user, log_start))
    return ["%s: %s" % (user.name, text) for text in said + ([loss] if loss else [])]
