# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""What happens to a mailbox while nobody uses it: each disaster as a function of the user that it happens to."""

import dataclasses
import os
import re
import shutil
import time
import typing

import dovecot_conf
import mailgen
import user as users
from conftest import FORMATS
from polling import wait_for

MAIL_FIELD_NAMES = ("mail", "mail_driver", "mail_path", "mail_inbox_path")
FIRST_SIZE = 1500
UIDL_FORMATS = {
    "2.3": {"default": "%08Xu%08Xv", "uidvalidity-uid": "%v-%u", "uid-uidvalidity": "%u.%v", "guid": "%g", "md5": "%m",
            "uid": "%u"},
    "2.4": {"default": "%{uid | hex(8)}%{uidvalidity | hex(8)}", "uidvalidity-uid": "%{uidvalidity}-%{uid}",
            "uid-uidvalidity": "%{uid}.%{uidvalidity}", "guid": "%{guid}", "md5": "%{md5}",
            "uid": "%{uid}"},
}[dovecot_conf.LINE]


def mail_fields(user):
    return {key: value for key, value in user.userdb().items() if key in MAIL_FIELD_NAMES}


def mail_paths(user):
    """The folders and files in the home that hold the mail."""
    names = {name for value in mail_fields(user).values() for name in re.findall(r"~/([\w-]+)", value)}
    return [os.path.join(user.home, name) for name in sorted(names)]


def files(user, pattern):
    """Files of the mailbox whose names match."""
    found = []
    for top in mail_paths(user):
        for path, _, names in os.walk(top):
            found += [os.path.join(path, name) for name in names if re.fullmatch(pattern, name)]
    return sorted(found)


def delivered(path):
    seconds, microseconds = re.match(r"(\d+)\.M(\d+)", os.path.basename(path)).groups()
    return int(seconds), int(microseconds)


def message_files(user):
    """Of a maildir, in the order of delivery: not that of their names, as numbers in these have no zeros before them."""
    return sorted(files(user, r"\d+\.M.*"), key=delivered)


def unlink(paths):
    assert paths
    for path in paths:
        os.unlink(path)


def uidvalidity(user):
    table = user.doveadm("-f", "tab", "mailbox", "status", "-u", user.name, "uidvalidity", "INBOX")
    return int(table.splitlines()[1].split("\t")[1])


def await_next_second(user):
    """UIDVALIDITY is a time: a mailbox that is made anew in the same second has the same UIDLs by luck."""
    last = uidvalidity(user)
    wait_for(lambda: int(time.time()) > last, "the next second")


def remove(paths):
    for path in paths:
        if os.path.isdir(path):
            shutil.rmtree(path)
        elif os.path.exists(path):
            os.unlink(path)


# -- files of Dovecot's own


def indexes_deleted(user):
    await_next_second(user)
    unlink(files(user, r"dovecot\.index.*"))


def all_indexes_deleted(user):
    """The map of mdbox, which says where messages lie, too."""
    await_next_second(user)
    unlink(files(user, r"dovecot\.(map\.)?index.*"))


def cache_deleted(user):
    # mailboxes of few messages may have none
    for path in files(user, r"dovecot\.index\.cache"):
        os.unlink(path)


def uidlist_deleted(user):
    await_next_second(user)
    unlink(files(user, "dovecot-uidlist"))


def uidlist_emptied(user):
    await_next_second(user)
    for path in files(user, "dovecot-uidlist"):
        os.truncate(path, 0)


def uidlist_torn(user):
    await_next_second(user)
    path, = files(user, "dovecot-uidlist")
    with open(path, "rb") as file:
        text = file.read()
    size = len(text) // 2
    while b"\n" in text[size - 2:size + 1]:
        size += 1
    os.truncate(path, size)


def sizes_gone(user):
    """As file names are after some tools have copied a maildir."""
    for path in files(user, r".*,S=\d+.*"):
        os.rename(path, re.sub(r",[SW]=\d+", "", path))


def uidvalidity_changed(user):
    value = uidvalidity(user) + 1000
    user.doveadm("mailbox", "update", "-u", user.name, "--uid-validity", str(value), "INBOX")
    assert uidvalidity(user) == value


# -- settings


def uidl_format_changed(user):
    """To one setting, and when it happens again, to another one."""
    now = user.fields.get("pop3_uidl_format")
    name = "uid-uidvalidity" if now == UIDL_FORMATS["uidvalidity-uid"] else "uidvalidity-uid"
    user.set_fields(pop3_uidl_format=UIDL_FORMATS[name])


def uidl_format_changed_to_guid(user):
    now = user.fields.get("pop3_uidl_format")
    user.set_fields(pop3_uidl_format=UIDL_FORMATS["default" if now == UIDL_FORMATS["guid"] else "guid"])


# -- the mail as a whole


def backup_path(user):
    return os.path.join(user.server.root, "backup-of-" + user.name)


def make_backup(user):
    remove([backup_path(user)])
    os.mkdir(backup_path(user))
    for path in mail_paths(user):
        target = os.path.join(backup_path(user), os.path.basename(path))
        if os.path.isdir(path):
            shutil.copytree(path, target)
        else:
            shutil.copy2(path, target)


def backup_restored(user):
    """What came since the backup is lost, and its UIDs are there for other messages."""
    user.mail.lose("what came since the backup")
    remove(mail_paths(user))
    for name in os.listdir(backup_path(user)):
        os.rename(os.path.join(backup_path(user), name), os.path.join(user.home, name))
        if os.path.isdir(os.path.join(user.home, name)):
            users.chown_tree(os.path.join(user.home, name))
        else:
            os.chown(os.path.join(user.home, name), users.UID, users.GID)


def location(form):
    """A mail location as doveadm takes it on both lines, which for mbox has no other place of INBOX on 2.4."""
    return dovecot_conf.MAIL_FIELDS["2.3"][form]["mail"]


def convert(user, form):
    """As the manual of Dovecot says: pushed from the old format, or pulled into the new one."""
    old, old_paths = user.form, mail_paths(user)
    if form != "mbox":
        user.doveadm("backup", "-u", user.name, location(form))
        user.set_form(form)
    else:
        user.set_form(form)
        user.doveadm("backup", "-R", "-u", user.name, location(old))
    remove(path for path in old_paths if path not in mail_paths(user))


def conversion_to(form):
    def strike(user):
        convert(user, form)
    return strike


def re_appended(user):
    """By an IMAP client that knows of nothing but messages, which come back in another order."""
    await_next_second(user)
    messages = user.contents()
    user.mail.lose("it comes back as other messages")
    remove(mail_paths(user))
    user.append(messages[1::2] + messages[::2][::-1])


def moved(user):
    fields = mail_fields(user)
    for path in mail_paths(user):
        os.rename(path, path + "-moved")
    user.set_fields(**{key: re.sub(r"(~/[\w-]+)", r"\1-moved", value) for key, value in fields.items()
                       if "~/" in value})


# -- copies of one message


def write_to_mbox(user, messages):
    """As a delivery agent does it that is not Dovecot's, which would make the header of each message another one."""
    user.mail.deliver(messages)
    path, = [name for name in mail_paths(user) if os.path.basename(name).startswith("inbox")]
    with open(path, "ab") as file:
        os.fchown(file.fileno(), users.UID, users.GID)
        for message in messages:
            file.write(b"From sender@example.org Tue Sep  1 10:00:00 2020\n" + message.replace(b"\r\n", b"\n") + b"\n")


def add_copies(user, count):
    """More copies of the first message, which is a copy itself, with the same GUID. By IMAP COPY, which keeps GUIDs;
    that of an mbox is made of the header. Returns the copies."""
    first = user.contents()[0]
    if user.form == "mbox":
        write_to_mbox(user, [mailgen.message(1, FIRST_SIZE)] * count)
    else:
        with user.imap() as imap:
            for _ in range(count):
                status, reply = imap.copy("1", "INBOX")
                assert status == "OK", reply
    return [first] * count


def only_copies(user):
    """Three copies of one message, in a mailbox that was empty."""
    first = mailgen.message(1, FIRST_SIZE)
    if user.form == "mbox":
        write_to_mbox(user, [first])
    else:
        user.append([first])
    return [first] + add_copies(user, 2)


def first_copy_deleted(user):
    """The other copies must keep the UIDLs that were theirs by number, and a new one must not get one of these."""
    user.expunge(1)
    return add_copies(user, 1)


# -- files of the plugin


def last_journal_line(user):
    with open(user.journal_path, "rb") as file:
        return file.read().splitlines(keepends=True)[-1]


def journal_torn(user):
    """Half of the last line is lost, of a session that had ended well; stock Dovecot has no journal."""
    if os.path.exists(user.journal_path):
        os.truncate(user.journal_path, os.path.getsize(user.journal_path) - len(last_journal_line(user)) // 2)
    uidvalidity_changed(user)


def append_crashed(user):
    """Half of a line stands at the end, of a session that died when it wrote it."""
    if os.path.exists(user.journal_path):
        line = last_journal_line(user)
        with open(user.journal_path, "ab") as file:
            file.write(line[:len(line) // 2])
    uidvalidity_changed(user)


def state_folder_deleted(user):
    shutil.rmtree(user.state_dir, ignore_errors=True)


@dataclasses.dataclass
class Disaster:
    """STRIKE is the disaster. BEFORE_MAIL comes before the first mail is delivered, BEFORE_LAST before the last session
    ahead of the disaster, for which new mail is delivered then. Functions may return messages that they have
    delivered."""

    strike: typing.Callable
    forms: typing.Sequence[str] = tuple(FORMATS)
    before_mail: typing.Callable = None
    before_last: typing.Callable = None
    fields: dict = dataclasses.field(default_factory=dict)
    # whether it can happen to the same user again
    again: bool = True


MAILDIR = ["maildir"]


def others(form):
    return [name for name in FORMATS if name != form]


DISASTERS = {
    "indexes deleted": Disaster(indexes_deleted),
    "indexes and map deleted": Disaster(all_indexes_deleted, ["mdbox"]),
    "index cache deleted": Disaster(cache_deleted),
    # only maildir has such a file
    "uidlist deleted": Disaster(uidlist_deleted, MAILDIR),
    "uidlist emptied": Disaster(uidlist_emptied, MAILDIR),
    "uidlist torn": Disaster(uidlist_torn, MAILDIR),
    # only maildir has sizes in file names
    "sizes gone from file names": Disaster(sizes_gone, MAILDIR, again=False),
    "UIDVALIDITY changed": Disaster(uidvalidity_changed),
    "pop3_uidl_format changed": Disaster(uidl_format_changed),
    "pop3_uidl_format changed to GUID": Disaster(uidl_format_changed_to_guid),
    "backup restored": Disaster(backup_restored, before_last=make_backup),
    "converted to maildir": Disaster(conversion_to("maildir"), others("maildir"), again=False),
    "converted to mbox": Disaster(conversion_to("mbox"), others("mbox"), again=False),
    "converted to sdbox": Disaster(conversion_to("sdbox"), others("sdbox"), again=False),
    "converted to mdbox": Disaster(conversion_to("mdbox"), others("mdbox"), again=False),
    "re-appended by IMAP": Disaster(re_appended),
    "mail folder moved": Disaster(moved),
    "first copy deleted": Disaster(
        first_copy_deleted, before_mail=only_copies,
        fields={"pop3_uidl_duplicates": "rename", "pop3_uidl_format": UIDL_FORMATS["guid"]}, again=False),
    # no other format makes an MD5 sum of the header
    "first copy deleted, MD5": Disaster(
        first_copy_deleted, ["mbox"], before_mail=only_copies,
        fields={"pop3_uidl_duplicates": "rename", "pop3_uidl_format": UIDL_FORMATS["md5"]}, again=False),
    "journal torn, UIDVALIDITY changed": Disaster(journal_torn),
    "crash in the journal, UIDVALIDITY changed": Disaster(append_crashed),
    "state folder deleted": Disaster(state_folder_deleted),
}
