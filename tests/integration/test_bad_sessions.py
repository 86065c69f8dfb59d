# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Sessions as no good client has them, where the policy has something to do: a quota that is used up, messages that go
at the end, a line that drops at any octet."""

import contextlib
import os
import re
import shutil
import tempfile

import pytest

import mailgen
import scripts
import user as users
from conftest import FORMATS
from dovecot import Server
from pop3 import LineClosed
from record import Record
from standalone import Programs
from twins import twin

QUOTA = "1msg/day"
USED_UP = re.compile(rb"-ERR \[SYS/TEMP\] Download quota used up \([^)]*\), try again after [-+0-9: ]*\r\n")
# without what Dovecot says for its lock files, as only its own clock is faked
TROUBLE = r"(Error|Fatal|Panic): |Warning: pop3_policy"
GOES = {"pop3_policy_keep_downloaded": "0"}
# does not fit into the buffers of a connection
LONG = 8 << 20


# -- a quota that is used up


def is_download(step, answer):
    return re.match(rb"(?i)(RETR|TOP) ", step) and answer.startswith(b"+OK")


@pytest.mark.parametrize("script", [scripts.all_commands(), scripts.odd_lines()], ids=["all-commands", "odd-lines"])
def test_refusals_among_all_commands(new_user, start_server, make_user_on, script):
    """Each reply is that of stock Dovecot, numbers of 2^64 and 8-bit lines included, but for downloads, which are
    refused."""
    user = new_user(messages=5)
    stock = twin(user, start_server(plugin=False))
    user.set_fields(pop3_policy_quota=QUOTA)
    with user.session() as pop3:
        assert pop3.retr(5).ok
        pop3.quit()
    records = []
    for found in (stock, user):
        record = Record()
        with found.session() as pop3:
            record.run(pop3, script)
        records.append(record)
    expected, record = records
    assert len(record.steps) == len(expected.steps) > 25
    refused = 0
    for (step, answer), (_, stock_answer) in zip(record.steps, expected.with_expire().steps):
        if answer != stock_answer:
            assert is_download(step, stock_answer) and USED_UP.fullmatch(answer), (step, answer)
            refused += 1
    assert refused > 0


# -- a line that drops


class Mailbox:
    """A home that is copied for each session, which takes milliseconds."""

    def __init__(self, base, messages, policy):
        self.base = base
        self.home = os.path.join(base, "home")
        self.first = os.path.join(base, "first")
        os.makedirs(self.first)
        mailgen.write_maildir(os.path.join(self.first, "Maildir"), messages)
        self.programs = {}
        for name, settings in (("stock", None), ("policy", policy)):
            self.programs[name] = Programs(base, self.home, name, {}, settings)
        os.chown(base, users.UID, users.GID)
        # UIDVALIDITY is a time
        self.renew()
        self.programs["stock"].pop3(["UIDL", "QUIT"])
        shutil.rmtree(self.first)
        os.rename(self.home, self.first)

    def renew(self):
        shutil.rmtree(self.home, ignore_errors=True)
        shutil.copytree(self.first, self.home)
        users.chown_tree(self.home)

    def send(self, name, data):
        return self.programs[name].run("pop3", sent=data)

    def left(self):
        done = self.programs["stock"].pop3(["STAT", "QUIT"])
        return int(done.reply.split()[1])


@pytest.fixture
def mailbox(memory_disk):
    base = tempfile.mkdtemp(prefix="cut-", dir=Server.base)
    os.chmod(base, 0o755)
    yield Mailbox(base, mailgen.messages(3), {**GOES, "pop3_policy_quota": "9msg/day"})
    shutil.rmtree(base)


SCRIPT = b"STAT\r\nUIDL\r\nRETR 1\r\nDELE 2\r\nTOP 3 0\r\nQUIT\r\n"


def test_sent_in_part(mailbox):
    """All that was sent is answered as by stock Dovecot, and nothing goes unless the line QUIT has come whole: what was
    downloaded by then is not known as such."""
    # all of the end of QUIT, and a part of the rest
    for size in [*range(0, len(SCRIPT) - 8, 3), *range(len(SCRIPT) - 8, len(SCRIPT) + 1)]:
        replies = {}
        for name in mailbox.programs:
            mailbox.renew()
            done = mailbox.send(name, SCRIPT[:size])
            assert not done.complaints, (size, done)
            replies[name] = done.reply
            # Dovecot takes a bare LF, but not a line without an end
            whole = size == len(SCRIPT)
            gone = {"stock": 1, "policy": 2}[name] if whole else 0
            assert mailbox.left() == 3 - gone, (name, size)
        assert replies["policy"] == replies["stock"], size
        journal = os.path.join(mailbox.home, "pop3-policy", "messages.jsonl")
        if os.path.exists(journal):
            with open(journal, encoding="ascii") as file:
                assert ('"downloaded"' in file.read()) == whole, size


def cut_after(user, data, wanted=b""):
    """Sends DATA after the greeting, waits for an answer that has WANTED, and resets the connection."""
    with user.connect() as pop3:
        pop3.send(data)
        while wanted not in pop3.received and pop3.fill():
            pass
        pop3.cut()


def login(user):
    return b"USER %s\r\nPASS %s\r\n" % (user.name.encode(), user.password.encode())


CUTS = {
    "greeting": lambda user: (b"", b""),
    "user": lambda user: (login(user)[:8], b""),
    "auth": lambda user: (b"AUTH PLAIN\r\n", b"+ \r\n"),
    "half-of-auth": lambda user: (b"AUTH PLAIN\r\nAGph", b"+ \r\n"),
    "password": lambda user: (login(user), b""),
    "list": lambda user: (login(user) + b"LIST\r\n", b"messages:\r\n"),
    "list-and-all": lambda user: (login(user) + b"LIST\r\nUIDL\r\nRETR 1\r\nRETR 2\r\nDELE 1\r\n", b"messages:\r\n"),
    "retr": lambda user: (login(user) + b"RETR 1\r\n", b"octets\r\n"),
    "dele": lambda user: (login(user) + b"RETR 1\r\nDELE 1\r\n", b"Marked"),
}


@pytest.mark.parametrize("name", CUTS)
def test_reset(server, new_user, name):
    """Nothing goes, what was sent counts, the log has no complaint, and the next session is as ever."""
    user = new_user(messages=3, quota="100msg/day", **GOES)
    for _ in range(3):
        cut_after(user, *CUTS[name](user))
    server.wait_idle()
    assert len(user.uids()) == 3
    assert user.counted() <= 6
    with user.session() as pop3:
        assert pop3.stat()[0] == len(pop3.uidl()) == 3 and pop3.retr(3).ok
        pop3.quit()
    server.wait_idle()
    assert user.uids() == [1, 2]
    assert not server.log_lines(user, TROUBLE)


@pytest.mark.parametrize("form", FORMATS)
def test_reset_in_a_message(server, new_user, form):
    """While the pop3 process waits for the client to take the rest of it, after messages that are remembered then."""
    user = new_user(form, quota="9msg/day", **GOES)
    user.append([mailgen.message(1, LONG), mailgen.message(2), mailgen.message(3)])
    with user.session(receive_buffer=4096) as pop3:
        assert pop3.retr(2).ok and pop3.retr(3).ok
        pop3.send(b"RETR 1\r\n")
        assert pop3.read_line().endswith(b"octets\r\n")
        pop3.cut()
    server.wait_idle()
    assert user.uids() == [1, 2, 3] and user.counted() == 3
    assert {2, 3} <= set(user.journal())
    assert not server.log_lines(user, TROUBLE)


def test_reset_at_quit(server, new_user):
    """Whoever sends QUIT and does not wait for its answer has either ended the session or not: all of it is done, or
    nothing."""
    for _ in range(5):
        user = new_user(messages=3, **GOES)
        cut_after(user, login(user) + b"RETR 1\r\nDELE 2\r\nQUIT\r\n", b"Marked")
        server.wait_idle()
        assert user.uids() in ([3], [1, 2, 3])
        assert not server.log_lines(user, TROUBLE)
        downloaded = [line for line in user.journal_lines() if "downloaded" in line]
        assert bool(downloaded) == (user.uids() == [3])


# -- commands after QUIT, and mail that vanishes


def test_commands_after_quit(server, new_user):
    """In the same packet: none is answered, and none counts."""
    user = new_user(messages=4, quota="9msg/day", **GOES)
    with user.session() as pop3:
        pop3.send(b"RETR 1\r\nQUIT\r\nRETR 2\r\nDELE 3\r\nRSET\r\nQUIT\r\n")
        assert pop3.drain().endswith(b"\r\n.\r\n+OK Logging out.\r\n")
    server.wait_idle()
    assert user.uids() == [2, 3, 4] and user.counted() == 1


def test_files_vanish_under_a_session(server, new_user):
    """Behind the back of Dovecot: what is not there is not counted as a download, and all else is good."""
    user = new_user(messages=5, quota="3msg/day", **GOES)
    with user.session() as pop3:
        assert pop3.stat()[0] == 5
        folder = os.path.join(user.home, "Maildir", "cur")
        # the session may have moved them there from new
        for sub in ("cur", "new"):
            folder = os.path.join(user.home, "Maildir", sub)
            for name in os.listdir(folder):
                with open(os.path.join(folder, name), "rb") as file:
                    number = mailgen.number_of(file.read())
                if number in (2, 4):
                    os.unlink(os.path.join(folder, name))
        user.mail.lose("by hand")
        found = [pop3.retr(number).ok for number in (1, 3, 5)]
        gone = [pop3.retr(number).text for number in (2, 4)]
        pop3.quit()
    assert found == [True] * 3
    assert all(text.startswith("-ERR") for text in gone)
    server.wait_idle()
    assert user.used()[1] == 3
    assert not user.uids()
    assert not server.log_lines(user, "(Fatal|Panic): ")
    user.told()


def test_second_session_while_one_holds_deletions(server, new_user):
    """What one has marked the other still has, downloads and counts; it goes once."""
    user = new_user(messages=4, quota="9msg/day", pop3_policy_keep_downloaded="1d")
    with user.session() as first, user.session() as second:
        assert first.pipeline("RETR 1", "DELE 1", "DELE 2")[2].ok
        assert second.stat()[0] == 4 and second.retr(1).ok and second.retr(2).ok
        assert second.pipeline("DELE 2", "DELE 3")[1].ok
        first.quit()
        # some of it is gone now
        assert second.retr(4).ok
        assert second.uidl().keys() == {"1", "4"}
        second.quit()
    server.wait_idle()
    assert user.uids() == [4] and user.counted() == 4
    assert [line["uid"] for line in user.journal_lines() if "downloaded" in line and "gone" not in line] == [4]
    assert user.told() and not server.log_lines(user, TROUBLE)


def test_format_strings_and_controls_in_the_log(server, new_user):
    """What a client sends does not get into the log as it is."""
    user = new_user(messages=1, quota=QUOTA)
    with user.session() as pop3:
        for data in (b"%s%s%n%n\r\n", b"RETR %n\r\n", b"\x1b[2J\r\n", b"XTND \x07\r\n", b"\xff" * 200 + b"\r\n"):
            pop3.send(data)
            with contextlib.suppress(LineClosed):
                assert pop3.read_line().startswith(b"-ERR")
        assert pop3.retr(1).ok
        pop3.quit()
    server.wait_idle()
    assert not [line for line in server.log_lines(user) if re.search(r"[^\t -~]|%n", line)]
    assert not server.log_lines(user, "(Fatal|Panic): ")
