# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Random settings, and random POP3 sessions."""

import re

import dovecot_conf
from standalone import APART, MEMORY, PLAIN

POLL = ["STAT", "UIDL", "LIST", "QUIT"]
FORMATS = {
    "2.3": ["%08Xu%08Xv", "%08Xu%08Xv", "%v-%u", "%v-%u", "%08Xv%08Xu", "%v.%u", "%Xu.%v", "%u", "UID%u-%v", "%f",
            "%f-%u", "%g"],
    "2.4": ["%{uid | hex(8)}%{uidvalidity | hex(8)}"] * 3 + [
        "%{uidvalidity}-%{uid}", "%{uidvalidity}-%{uid}", "%{uidvalidity | hex(8)}%{uid | hex(8)}",
        "%{uid}.%{uidvalidity}", "%{uid | hex}", "%{uid}", "UID%{uid}-%{uidvalidity}", "%{filename}",
        "%{filename}-%{uid}", "%{guid}"],
}[dovecot_conf.LINE]
OWN_NAMES = ("%f", "%g", "%{filename", "%{guid")


def choose_settings(chance):
    settings = {"pop3_uidl_format": chance.choice(FORMATS)}
    for name, share in (("pop3_save_uidl", 0.15), ("pop3_reuse_xuidl", 0.06), ("pop3_fast_size_lookups", 0.12),
                        ("pop3_no_flag_updates", 0.2), ("pop3_enable_last", 0.15), ("maildir_very_dirty_syncs", 0.12),
                        ("maildir_broken_filename_sizes", 0.1), ("mail_nfs_storage", 0.05),
                        ("pop3_lock_session", 0.04)):
        if chance.random() < share:
            settings[name] = "yes"
    if "mail_nfs_storage" in settings:
        settings["mmap_disable"] = "yes"
    if chance.random() < 0.1:
        settings["pop3_uidl_duplicates"] = "rename"
    if chance.random() < 0.15:
        settings["pop3_deleted_flag"] = "POP3Deleted"
        if chance.random() < 0.3:
            settings["pop3_delete_type"] = "expunge"
    return settings


def choose_layout(chance):
    return chance.choices([PLAIN, APART, MEMORY], [8, 2, 1])[0]


def may_repeat(settings):
    """Whether two messages can have the same UIDL by the rules of stock Dovecot."""
    return "pop3_reuse_xuidl" in settings or \
        not re.search(r"%[0-9X]*u|%f|\{uid\b|\{filename", settings["pop3_uidl_format"])


# -- POP3 sessions


def session(chance, count):
    """The commands of a session with a mailbox of about COUNT messages."""
    if chance.random() < 0.3:
        return poll(chance) + ["QUIT"]
    commands = poll(chance)
    for _ in range(chance.randrange(1, 7)):
        number = chance.randint(1, max(count, 1))
        commands.append(chance.choice([
            "RETR %d", "RETR %d", "TOP %d 0", "TOP %d 3", "LIST %d", "UIDL %d", "DELE %d", "DELE %d", "NOOP", "LAST",
            "RSET", "STAT", "UIDL", "LIST"]).replace("%d", str(number)))
    # the flags that RSET takes away with pop3_enable_last are written at QUIT, or else whenever someone syncs
    return commands + (["QUIT"] if chance.random() < 0.85 or "RSET" in commands else [])


def poll(chance):
    commands = ["STAT", "UIDL", "LIST"]
    chance.shuffle(commands)
    return commands if chance.random() < 0.8 else commands[:chance.randrange(3)]
