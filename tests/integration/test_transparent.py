# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""A session within its quota is byte for byte that of stock Dovecot but for EXPIRE in the reply to CAPA, and leaves the
same behind."""

import contextlib
import os
import re
import shutil

import pytest

import invariant
import mailgen
import scripts
import user as users
from conftest import FORMATS, running
from dovecot import Server
from polling import wait_for
from pop3 import plain_token
from record import Record

VARIANTS = {
    "stock": {"plugin": False},
    "no-policy": {"plugin": True},
    "generous": {"plugin": True, "settings": {"pop3_policy_quota": "900T/hour 900T/day 1000000000msg/month"}},
}
LARGE = 10000


@pytest.fixture(scope="module")
def servers(memory_disk):
    with contextlib.ExitStack() as stack:
        yield {name: stack.enter_context(running(Server(faked=False, **options))) for name, options in VARIANTS.items()}


def copy_file(source, target):
    """A message in a maildir never changes, so a link will do for it; other files are written to."""
    if os.path.basename(os.path.dirname(source)) in ("cur", "new"):
        os.link(source, target)
    else:
        shutil.copy2(source, target)
        os.chown(target, users.UID, users.GID)


class Mailboxes:
    """Mailboxes as stock Dovecot has left them after a first session; every run gets a copy."""

    def __init__(self, servers):
        self.servers = servers
        self.counts = {}
        self.mails = {}
        self.runs = 0

    def template(self, name, form):
        path = os.path.join(self.servers["stock"].root, "templates", name + "-" + form)
        if not os.path.exists(path):
            user = self.servers["stock"].user("template-%s-%s" % (name, form), form)
            messages = {"empty": lambda: [], "few": lambda: mailgen.messages(5),
                        "special": lambda: list(mailgen.special().values()),
                        "one-large": lambda: [mailgen.message(1, 3_000_000)],
                        "large": lambda: [mailgen.message(number, 400) for number in range(1, LARGE + 1)]}[name]()
            if messages:
                user.import_maildir(messages)
            with user.session() as pop3:
                self.counts[name, form] = pop3.stat()[0]
                pop3.uidl()
                pop3.quit()
            assert self.counts[name, form] == len(messages)
            wait_for(lambda: user.server.log_lines(user, "Disconnected"), "the end of the first session")
            os.makedirs(os.path.dirname(path), exist_ok=True)
            os.rename(user.home, path)
            self.mails[path], user.mail = user.mail, invariant.Mail(user.mail.owner)
        return path, self.counts[name, form]

    def copies(self, name, form):
        """The same user with the same mailbox on every server."""
        path, _ = self.template(name, form)
        self.runs += 1
        found = {}
        for variant, server in self.servers.items():
            home = os.path.join(server.home_root, "run%d" % self.runs)
            shutil.copytree(path, home, copy_function=copy_file)
            users.chown_folders(home)
            found[variant] = server.user("run%d" % self.runs, form)
            found[variant].mail.copy_of(self.mails[path])
        return found


@pytest.fixture(scope="module")
def mailboxes(servers):
    return Mailboxes(servers)


def without_identity(line):
    """A log line without what differs between two equal sessions."""
    line = re.sub(r"^.*?: (Info|Warning|Error|Fatal|Panic): ", r"\1: ", line)
    return re.sub(r"/tmp/[\w-]+/server-\w+/", "ROOT/", line)


def play(user, script, login, **kwargs):
    """Runs the script in a session of its own and records all that came back, step by step."""
    record = Record()
    with user.connect(**kwargs) as pop3:
        record.run(pop3, login(user, pop3))
        record.run(pop3, script)
        record.end(pop3)
    return record


def user_pass(user, _pop3):
    return [scripts.line("USER " + user.name), scripts.line("PASS " + user.password)]


def compare(copies, script, login=user_pass, **kwargs):
    records = {variant: play(user, script, login, **kwargs) for variant, user in copies.items()}
    stock = records.pop("stock")
    plugin = stock.with_expire()
    for variant, record in records.items():
        record.must_equal(plugin, variant)
    compare_after(copies, more_sent=len(plugin.data) - len(stock.data))
    return stock


def session_log(user):
    user.server.wait_log(user, "Disconnected")
    lines = [without_identity(line) for line in user.server.log_lines(user)]
    return [line for line in lines if "pop3_policy" not in line], [line for line in lines if "pop3_policy" in line]


def with_more_sent(lines, more_sent):
    """The log of stock Dovecot as that of a session that was sent so many octets more."""
    return [re.sub(r"\bout=(\d+)", lambda match: "out=%d" % (int(match.group(1)) + more_sent), line) for line in lines]


def left_behind(user):
    table = user.doveadm("-f", "tab", "fetch", "-u", user.name, "uid guid flags size.physical size.virtual",
                         "mailbox", "INBOX")
    folder = os.path.join(user.home, "Maildir")
    names = {sub: sorted(os.listdir(os.path.join(folder, sub))) for sub in ("cur", "new", "tmp")} \
        if os.path.isdir(folder) else None
    return table, names


def compare_after(copies, logs=True, more_sent=0):
    states = {variant: left_behind(user) for variant, user in copies.items()}
    for variant, user in copies.items():
        assert states[variant] == states["stock"], variant
        if logs:
            lines, ours = session_log(user)
            expected = session_log(copies["stock"])[0]
            assert lines == (expected if variant == "stock" else with_more_sent(expected, more_sent)), variant
            # so that we know that the hooks were at work, and only there
            sent = any(int(octets) for octets in re.findall(r"(?:top|retr)=\d+/(\d+)", "".join(lines)))
            assert len(ours) == (1 if variant == "generous" and sent else 0), ours
        if variant == "stock":
            assert not os.path.exists(user.state_dir)
        elif variant != "generous":
            assert user.counted() == 0


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("mailbox", ["empty", "few"])
def test_all_commands(mailboxes, mailbox, form):
    record = compare(mailboxes.copies(mailbox, form), scripts.all_commands())
    assert record.answers[-1] == b"+OK Logging out.\r\n"
    assert len(record.steps) > 300


@pytest.mark.parametrize("script", [
    scripts.odd_lines(), scripts.bad_commands(), scripts.bad_numbers_in_one_packet(), scripts.deletions(5),
    scripts.deletions_without_quit(5), scripts.one_packet(5)],
    ids=["odd-lines", "bad-commands", "bad-numbers", "deletions", "deletions-without-quit", "one-packet"])
@pytest.mark.parametrize("form", FORMATS)
def test_scripts(mailboxes, form, script):
    compare(mailboxes.copies("few", form), script)


@pytest.mark.parametrize("size", [255, 256, 512, 513, 2047, 2048, 2049, 2050, 4097, 10000])
def test_long_lines(mailboxes, size):
    record = compare(mailboxes.copies("few", "maildir"), scripts.long_line(size))
    # 2048 octets are what Dovecot's pop3 buffers
    assert record.data.endswith(b"-ERR Input line too long.\r\n") == (size > 2048)


@pytest.mark.parametrize("form", FORMATS)
def test_special_messages(mailboxes, form):
    copies = mailboxes.copies("special", form)
    compare(copies, scripts.read_all(len(mailgen.special())))


@pytest.mark.parametrize("form", FORMATS)
def test_special_messages_in_one_packet(mailboxes, form):
    """With a small window, so that replies stop and go on in the middle."""
    copies = mailboxes.copies("special", form)
    compare(copies, scripts.one_packet(len(mailgen.special())), receive_buffer=20000)


@pytest.mark.parametrize("form", ["maildir", "mdbox"])
def test_many_messages(mailboxes, form):
    record = compare(mailboxes.copies("large", form), scripts.large(LARGE))
    assert len(record.answers[3].splitlines()) == LARGE + 2


def apop(user, pop3):
    return [scripts.line(pop3.apop_command(user.name, user.password))]


def auth_plain(user, _pop3):
    return [scripts.line("AUTH PLAIN " + plain_token(user.name, user.password))]


def auth_plain_without_initial_response(user, _pop3):
    return [scripts.line("AUTH PLAIN"), scripts.line(plain_token(user.name, user.password))]


def all_in_one_packet(user, _pop3):
    return [b"".join(user_pass(user, None)) + b"STAT\r\nRETR 1\r\nUIDL\r\n"]


def with_words_before(user, _pop3):
    return [scripts.line("CAPA"), scripts.line("STAT"), b"capa\r\n", scripts.line("AUTH")] + user_pass(user, None)


def wrong_password_first(user, _pop3):
    return [scripts.line("USER " + user.name), scripts.line("PASS wrong")] + user_pass(user, None)


@pytest.mark.parametrize("login", [apop, auth_plain, auth_plain_without_initial_response, all_in_one_packet,
                                   with_words_before, wrong_password_first])
def test_logins(mailboxes, login):
    """Both lines of Dovecot have APOP."""
    record = compare(mailboxes.copies("few", "maildir"), [scripts.line("STAT"), scripts.line("RETR 1"),
                                                          scripts.line("QUIT")], login)
    assert record.data.endswith(b"+OK Logging out.\r\n")
    assert b"+OK Logged in.\r\n" in record.data


@pytest.mark.parametrize("size", [0, 10, 5000, 1_000_000, 2_500_000])
@pytest.mark.parametrize("form", FORMATS)
def test_line_cut_in_a_message(mailboxes, form, size):
    """The bytes up to the cut, and the flags after it. What had been sent when the line broke is up to the kernel, so
    the statistics are not compared."""
    copies = mailboxes.copies("one-large", form)
    received = {}
    for variant, user in copies.items():
        with user.session() as pop3:
            pop3.send(b"STAT\r\nUIDL\r\nRETR 1\r\n")
            received[variant] = pop3.read_exactly(size)
            pop3.cut()
        user.server.wait_log(user, "Disconnected")
        assert received[variant] == received["stock"], variant
    compare_after(copies, logs=False)


@pytest.mark.parametrize("form", FORMATS)
def test_two_sessions_of_one_user(mailboxes, form):
    """One deletes, the other then meets messages that are gone: stock says they are expunged, and so do we."""
    copies = mailboxes.copies("few", form)
    records = {}
    for variant, user in copies.items():
        record = records[variant] = Record()
        with user.session() as first, user.session() as second:
            # a session is told that it is logged in before it has seen the mailbox
            for pop3 in (first, second):
                pop3.ok("NOOP")
            record.run(first, [scripts.line("DELE 2"), scripts.line("RETR 3"), scripts.line("QUIT")])
            record.run(second, [scripts.line(text) for text in ("RETR 2", "RETR 2", "RETR 3", "TOP 2 0", "UIDL 2",
                                                                "LIST", "QUIT")])
        user.server.wait_log(user, "Disconnected", count=2)
    for variant in copies:
        records[variant].must_equal(records["stock"], variant)
    compare_after(copies, logs=False)
