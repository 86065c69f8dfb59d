# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""To other plugins a message that expires is one that is expunged, or that an IMAP client moves."""

import contextlib
import dataclasses
import imaplib
import os
import re
import typing

import pytest

import dovecot_conf
import mailgen
import retention
from conftest import FORMATS, running
from dovecot import Server
from retention import fetch, fields, left, poll, taken

MOVE = "move Archive"
ALL = "* owner lrwstipekxa"
each_format = pytest.mark.parametrize("form", FORMATS)
each_action = pytest.mark.parametrize("action", ["expunge", MOVE])


@dataclasses.dataclass
class Conf:
    """Plugins by the line of Dovecot, and their settings: of 2.3 those of its block "plugin"."""

    plugins: typing.Dict[str, typing.List[str]]
    extra: typing.Dict[str, str]

    def server(self):
        extra = self.extra[dovecot_conf.LINE]
        return Server(plugins=self.plugins[dovecot_conf.LINE], faked=False, extra=extra)


def both(*plugins):
    return {"2.3": list(plugins), "2.4": list(plugins)}


SEPARATOR = "namespace inbox {\n  inbox = yes\n  separator = /\n}\n"

CONFS = {
    "quota": Conf(both("quota"), {
        "2.3": "plugin {\n  quota = count:User quota\n  quota_vsizes = yes\n  quota_rule = *:storage=100M\n}\n",
        "2.4": 'quota "User quota" {\n  driver = count\n  storage_size = 100M\n}\n'}),
    "mail_log": Conf(both("notify", "mail_log"), {
        "2.3": "plugin {\n  mail_log_events = delete expunge copy save mailbox_create\n"
               "  mail_log_fields = uid box msgid size\n}\n",
        "2.4": "mail_log_events = delete expunge copy save mailbox_create\nmail_log_fields = uid box msgid size\n"}),
    "push_notification": Conf(both("notify", "push_notification"), {
        "2.3": "mail_debug = yes\nplugin {\n  push_notification_driver = dlog\n}\n",
        "2.4": "push_notification dlog {\n  driver = dlog\n}\n"}),
    "lazy_expunge": Conf(both("lazy_expunge"), {
        "2.3": "plugin {\n  lazy_expunge = EXPUNGED\n}\n", "2.4": "lazy_expunge_mailbox = EXPUNGED\n"}),
    "lazy_expunge_last": Conf(both("lazy_expunge"), {
        "2.3": "plugin {\n  lazy_expunge = EXPUNGED\n  lazy_expunge_only_last_instance = yes\n}\n",
        "2.4": "lazy_expunge_mailbox = EXPUNGED\nlazy_expunge_only_last_instance = yes\n"}),
    "acl": Conf(both("acl"), {
        "2.3": "plugin {\n  acl = vfile:{root}/acl\n}\n", "2.4": "acl_driver = vfile\nacl_global_path = {root}/acl\n"}),
    "compress": Conf({"2.3": ["zlib"], "2.4": ["mail_compress"]}, {
        "2.3": "plugin {\n  zlib_save = gz\n}\n", "2.4": "mail_compress_write_method = gz\n"}),
    "virtual": Conf(both("virtual"), {
        "2.3": SEPARATOR + "namespace virtual {\n  prefix = virtual/\n  separator = /\n  location = virtual:~/virtual\n}\n",
        "2.4": SEPARATOR + "namespace virtual {\n  prefix = virtual/\n  separator = /\n  mail_driver = virtual\n"
                           "  mail_path = ~/virtual\n}\n"}),
}


def allow(server, *lines):
    """Global access control lists, which sessions see that begin from now on."""
    path = os.path.join(server.root, "acl")
    with open(path, "w", encoding="ascii") as file:
        file.write("".join(line + "\n" for line in lines))
    os.chmod(path, 0o644)


@contextlib.contextmanager
def allowed_only(server, *lines):
    allow(server, *lines)
    yield
    allow(server, ALL)


@pytest.fixture(scope="module")
def servers(memory_disk):
    """Servers by the name of their configuration, each started when it is needed."""
    with contextlib.ExitStack() as stack:
        found = {}

        def get(name):
            if name not in found:
                server = CONFS[name].server()
                with open(server.conf, encoding="utf-8") as file:
                    server.write_conf(file.read().replace("{root}", server.root))
                allow(server, ALL)
                found[name] = stack.enter_context(running(server))
            return found[name]
        yield get


@pytest.fixture
def make(servers, make_user_on, request):
    """make("quota", form, action) is a user with five messages, of which each that is downloaded goes at once."""
    def make_user(name, form, action):
        return make_user_on(servers(name))(form, messages=5, **fields(keep_downloaded="0", expire_action=action))
    return make_user


def expire(user, action, numbers=(1, 3)):
    """Downloads these of the five messages, and looks whether they, and no others, went."""
    poll(user)
    fetch(user, *numbers)
    rest = [number for number in range(1, 6) if number not in numbers]
    assert retention.contents(user) == [mailgen.message(number) for number in rest]
    if action == MOVE:
        assert retention.contents(user, "Archive") == [mailgen.message(number) for number in numbers]
    user.server.wait_log(user, "retention (moved|expunged) ")
    assert taken(user, "moved" if action == MOVE else "expunged") == len(numbers)
    assert not user.server.log_lines(user, "Error: |Warning: |Panic: ")


def quota(user):
    """What the count driver says: kilobytes and messages."""
    table = user.doveadm("-f", "tab", "quota", "get", "-u", user.name).splitlines()
    rows = [dict(zip(table[0].split("\t"), row.split("\t"))) for row in table[1:]]
    return {row["Type"]: int(row["Value"]) for row in rows}


@each_action
@each_format
def test_quota(make, form, action):
    user = make("quota", form, action)
    assert quota(user)["MESSAGE"] == 5
    expire(user, action)
    after = quota(user)
    assert after["MESSAGE"] == (5 if action == MOVE else 3)
    user.doveadm("quota", "recalc", "-u", user.name)
    assert quota(user) == after


@each_action
@each_format
def test_mail_log(make, form, action):
    """A line for each message, as for those that a client deletes or moves."""
    user = make("mail_log", form, action)
    expire(user, action)
    expunged = user.server.log_lines(user, r"expunge: box=INBOX")
    copied = user.server.log_lines(user, r"copy from INBOX: box=Archive")
    for lines in [expunged] + ([copied] if action == MOVE else []):
        assert [re.search(r"msgid=<(\d+)@", line).group(1) for line in lines] == ["1", "3"]
    assert bool(copied) == (action == MOVE)
    created = user.server.log_lines(user, "Mailbox created: Archive|Mailbox Archive: Mailbox created")
    assert len(created) == (action == MOVE)


@each_action
@each_format
def test_push_notification(make, form, action):
    """Something that looks at what notify says of mail."""
    user = make("push_notification", form, action)
    expire(user, action)
    lines = user.server.log_lines(user, r"Message data: Mailbox \[INBOX\], UID \[[13]\]")
    assert len(lines) >= 2, lines
    assert bool(user.server.log_lines(user, r"Message data: Mailbox \[Archive\]")) == (action == MOVE)


@pytest.mark.parametrize("conf", ["lazy_expunge", "lazy_expunge_last"])
@each_format
def test_lazy_expunge(make, form, conf):
    """What was expunged is there, once, as what a client deletes."""
    user = make(conf, form, "expunge")
    expire(user, "expunge")
    assert retention.contents(user, "EXPUNGED") == [mailgen.message(1), mailgen.message(3)]
    user.expunge(1)
    assert left(user, "EXPUNGED") == [1, 3, 2]


def lazy_after_move(user):
    return left(user, "EXPUNGED") if retention.mailbox_exists(user, "EXPUNGED") else []


@pytest.mark.parametrize("conf", ["lazy_expunge", "lazy_expunge_last"])
@each_format
def test_lazy_expunge_and_move(make, form, conf):
    """Dovecot takes a move for the end of a message in its mailbox, if only the last instance is not all that it is to
    keep: then what has moved is there too, as what a client moves."""
    user = make(conf, form, MOVE)
    expire(user, MOVE)
    lazy = lazy_after_move(user)
    assert lazy == ([] if conf == "lazy_expunge_last" else [1, 3])
    with retention.selected(user) as imap:
        assert imap.uid("MOVE", "2", "Archive")[0] == "OK"
    assert lazy_after_move(user) == lazy + ([2] if lazy else [])
    assert left(user, "Archive") == [1, 3, 2]


@pytest.mark.parametrize("exists", [True, False], ids=["old", "new"])
@each_format
def test_acl_of_the_target(make, form, exists):
    """The user may neither create it nor put a message there; the rule is the administrator's."""
    user = make("acl", form, MOVE)
    if exists:
        user.doveadm("mailbox", "create", "-u", user.name, "Archive")
    with allowed_only(user.server, "* owner lrwste", "Archive owner lr"):
        with retention.selected(user) as imap:
            assert imap.create("Other")[0] == "NO"
            assert imap.copy("1", "Archive")[0] == "NO"
        expire(user, MOVE)


@each_action
@each_format
def test_acl_of_inbox(make, form, action):
    """Who has no right to expunge in INBOX: nothing is said to be gone that is there, and what cannot be moved is tried
    with one message, not with all, and not in each session."""
    user = make("acl", form, action)
    with allowed_only(user.server, "* owner lrs"):
        fetch(user, 1, 3)
        for _ in range(4):
            poll(user)
        gone = {1, 2, 3, 4, 5} - set(left(user))
        assert taken(user, "moved" if action == MOVE else "expunged") == len(gone)
    if action == MOVE and retention.mailbox_exists(user, "Archive"):
        assert left(user, "Archive") in ([1], [])


COMPRESSED = {"maildir": "Maildir/%s/cur", "sdbox": "sdbox/mailboxes/%s/dbox-Mails"}


@each_action
@each_format
def test_compressed(make, form, action):
    """Sizes are those of the message as it is read, and a copy is as good as the first."""
    user = make("compress", form, action)
    expire(user, action)
    size = 2 * len(mailgen.message(1))
    assert len(user.server.log_lines(user, "2 messages, %d bytes: 2 downloaded" % size)) == 1
    if form in COMPRESSED:
        for name in ["INBOX" if form == "sdbox" else ""] + (["Archive"] if action == MOVE else []):
            folder = os.path.join(user.home, COMPRESSED[form] % (("." + name) if form == "maildir" and name else name))
            files = [os.path.join(folder, entry) for entry in os.listdir(folder) if not entry.startswith("dovecot")]
            assert files
            for path in files:
                with open(path, "rb") as file:
                    assert b"\x1f\x8b" in file.read()[:1000]


@each_action
@each_format
def test_virtual(make, form, action):
    """A virtual mailbox over INBOX that a client has open goes on."""
    user = make("virtual", form, action)
    folder = os.path.join(user.home, "virtual", "all")
    os.makedirs(folder)
    with open(os.path.join(folder, "dovecot-virtual"), "w", encoding="ascii") as file:
        file.write("INBOX\n  all\n")
    user.own_home()
    assert left(user, "virtual/all") == [1, 2, 3, 4, 5]
    imap = imaplib.IMAP4("127.0.0.1", user.server.ports["imap"])
    imap.login(user.name, user.password)
    assert imap.select("virtual/all")[0] == "OK"
    expire(user, action)
    imap.noop()
    _, parts = imap.uid("FETCH", "1:*", "(BODY.PEEK[])")
    imap.logout()
    assert [mailgen.number_of(part[1]) for part in parts if isinstance(part, tuple)] == [2, 4, 5]
    assert left(user, "virtual/all") == [2, 4, 5]
