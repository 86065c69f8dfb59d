# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""A poll that finds nothing new does without dovecot-uidlist, until there is a reason to read it."""

import contextlib
import os
import re
import subprocess

import pytest

import dovecot_conf
import mailgen
import user as users
from conftest import running
from dovecot import Server
from histories import POLICIES, without_times
from replica import Replica, folder
from sessions import POLL
from standalone import APART, MEMORY, PLAIN
from things import IN_PLACE, RENAMED, SAME_TIME, WHOLE_SECONDS, Things

FORMATS = {
    "2.3": ["%08Xu%08Xv", "%v-%u", "%08Xv%08Xu", "UID%u-%v"],
    "2.4": ["%{uid | hex(8)}%{uidvalidity | hex(8)}", "%{uidvalidity}-%{uid}", "%{uid}.%{uidvalidity}"],
}[dovecot_conf.LINE]

# made of what only the list says
OF_NAMES = {"2.3": ["%g", "%f", "%Mf"], "2.4": ["%{guid}", "%{filename}", "%{filename | md5 | hexlify}"]}[dovecot_conf.LINE]


class Copies:
    """The same mailbox with stock Dovecot, the plugin with slow polls, and the plugin with fast polls."""

    def __init__(self, base, messages, settings=None, layout=PLAIN):
        self.all = [Replica(base, name, settings or {}, policy, layout) for name, policy in POLICIES.items()]
        self.stock, self.slow, self.fast = self.all
        self.count = 0
        self.deliver(messages)

    def deliver(self, count, sub="new"):
        for number in range(self.count + 1, self.count + count + 1):
            for copy in self.all:
                copy.deliver("%d.H%d.test" % (1_650_000_000 + number, number), mailgen.message(number, 300), sub)
        self.count += count

    def poll(self):
        """What all of them reply."""
        return self.equal([copy.programs.pop3(POLL) for copy in self.all])

    @staticmethod
    def equal(done):
        replies = [found.reply.decode("ascii") for found in done]
        assert replies[1:] == replies[:1] * 2
        assert "-ERR" not in replies[0]
        return replies[0]

    def learn(self):
        for _ in range(3):
            self.rest()
            reply = self.poll()
        assert is_fast(self.fast)
        return reply

    def rest(self):
        for copy in self.all:
            copy.rest()

    def touch(self):
        for copy in self.all:
            copy.touch_uidlist()

    def edit(self, way, work):
        for copy in self.all:
            edit(copy, way, work)


def edit(copy, way, work):
    """Writes dovecot-uidlist: WORK gets its lines and returns others."""
    made = Things(copy, None, 0, False)
    made.lines = work(made.lines)
    made.save(way)


def is_fast(copy):
    return copy.uidlist_path not in copy.programs.opened_by_pop3(POLL, os.path.join(copy.base, "trace"))


def snapshot(folder):
    """Of all below a folder what would be another if anything was written."""
    found = {}
    for path, folders, files in os.walk(folder):
        for name in folders + files:
            info = os.lstat(os.path.join(path, name))
            found[os.path.join(path, name)] = (info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns)
    return found


@pytest.fixture
def base(memory_disk):
    with folder(Server.base) as path:
        yield path


@pytest.fixture
def copies(base):
    return lambda *args, **kwargs: Copies(base, *args, **kwargs)


@pytest.mark.parametrize("layout", [PLAIN, APART])
@pytest.mark.parametrize("uidl_format", FORMATS)
def test_quiet_poll(copies, uidl_format, layout):
    """It opens no list, and writes nothing."""
    found = copies(8, {"pop3_uidl_format": uidl_format}, layout)
    reply = found.learn()
    found.rest()
    before = snapshot(found.fast.home)
    assert found.poll() == reply
    assert snapshot(found.fast.home) == before


def test_poll_of_an_empty_mailbox(copies):
    found = copies(0)
    assert found.learn() == found.poll()
    assert "+OK 0 0" in found.poll()


def test_turned_off(copies):
    found = copies(5)
    found.learn()
    assert not is_fast(found.slow)
    assert not is_fast(found.stock)


def test_indexes_in_memory(copies):
    """There is no place to learn: Dovecot does it all."""
    found = copies(5, layout=MEMORY)
    for _ in range(3):
        found.rest()
        found.poll()
    assert not is_fast(found.fast)


def test_new_mail(copies):
    """It is seen at once; then polls are fast again."""
    found = copies(3)
    found.learn()
    for sub in ("new", "cur"):
        found.deliver(2, sub)
        assert "+OK %d " % found.count in found.poll()
        found.learn()


def size_to_order(line):
    return re.sub(r" W(\d+)", r" O\1", line)


def size_to_uidl(line):
    return re.sub(r" W(\d+)", r" P\1", line)


def larger_size(line):
    return re.sub(r" W(\d+)", lambda match: " W%d" % (int(match[1]) + 1), line)


def size_and_order(line):
    return re.sub(r" (W\d+)", r" \1 O7", line)


def of_two(work):
    """Changes the lines of two messages."""
    return lambda lines: [work(line) if line.startswith(("3 ", "4 ")) else line for line in lines]


@pytest.mark.parametrize("age", ["young", "old"])
@pytest.mark.parametrize("way", [RENAMED, IN_PLACE, SAME_TIME, WHOLE_SECONDS])
@pytest.mark.parametrize("work", [size_to_order, size_to_uidl, larger_size])
def test_list_is_written_by_hand(copies, work, way, age):
    """Also into the same file, with the same size and times, a moment after it was read. A UIDL of a message that is
    known is Dovecot's as long as it is not one by which the plugin knows the mailbox."""
    found = copies(9)
    # young is what was learnt when the list had just been written
    before = found.learn()
    if age == "old":
        found.touch()
        assert found.learn() == before
    found.edit(way, of_two(work))
    after = found.poll()
    assert after != before
    assert found.poll() == after
    assert found.poll() == after


@pytest.mark.parametrize("way", [RENAMED, IN_PLACE, SAME_TIME])
@pytest.mark.parametrize("work", [size_to_order, size_and_order])
def test_list_is_written_while_a_session_learns(copies, work, way):
    """What that session has read is not what the list says at its end, whether that is longer or not."""
    found = copies(5)
    before = found.learn()
    found.touch()
    assert found.equal([copy.programs.pop3_with_pause(
        POLL[:1], POLL[1:], lambda copy=copy: edit(copy, way, of_two(work))) for copy in found.all]) == before
    after = found.poll()
    assert after != before
    for _ in range(3):
        found.rest()
        assert found.poll() == after


def test_sizes_in_names(copies):
    """Dovecot believes the name of a file before it believes the list."""
    found = copies(0)
    for number, sizes in enumerate([",W=111", ",S=304,W=111", "", ",S=304"], 1):
        for copy in found.all:
            copy.deliver("%d.H%d.test%s" % (1_650_000_000 + number, number, sizes), mailgen.message(number, 300))
    found.learn()
    found.edit(RENAMED, lambda lines: [re.sub(r"^(\d+) (W\d+ )?:", r"\1 W222 :", line) for line in lines])
    reply = found.learn()
    assert "\r\n1 111\r\n2 111\r\n3 222\r\n4 222\r\n" in reply


def test_checked_contents_of_a_young_list(copies):
    """Times tell nothing of what was written in the same moment as the list was read; polls are fast nevertheless."""
    found = copies(5)
    for _ in range(4):
        found.poll()
    info = os.stat(found.fast.uidlist_path)
    for copy in found.all:
        # no scan of folders that were changed a moment ago
        for sub in ("cur", "new"):
            os.utime(copy.path(sub), (1_600_000_000, 1_600_000_000))
    found.poll()
    found.poll()
    assert os.stat(found.fast.uidlist_path).st_ino == info.st_ino
    assert is_fast(found.fast)


def test_stored_uidls_and_orders(copies):
    """As a migration leaves them, and a UIDL that is the name of the file."""
    found = copies(0)
    found.deliver(6, "cur")
    words = ["Pone O6", "O5 Ptwo", "P", "O3", "", "O3"]
    found.edit(RENAMED, lambda lines: lines[:1] + [
        "%d %s :%d.H%d.test" % (uid, text, 1_650_000_000 + uid, uid) for uid, text in enumerate(words, 1)])
    reply = found.poll()
    uidls = [line.split()[1] for line in reply.split("+OK\r\n")[1].split("\r\n.\r\n")[0].split("\r\n")]
    # those without an order come last
    assert {"one", "two", "1650000003.H3.test"} < set(uidls) and uidls[2:4] == ["two", "one"]
    for _ in range(3):
        found.rest()
        assert found.poll() == reply
    found.deliver(1)
    after = found.poll()
    found.rest()
    assert found.poll() == after


@pytest.mark.parametrize("setting", ["pop3_save_uidl", "pop3_reuse_xuidl"])
def test_other_uidls(copies, setting):
    """Those that Dovecot is to store are stored, and those of headers are told."""
    found = copies(3, {setting: "yes"})
    for copy in found.all:
        copy.deliver("1650000099.H99.test", b"X-UIDL: of-header\nSubject: x\n\ntext\n")
    reply = found.poll()
    assert ("\r\n4 of-header\r\n" in reply) == (setting == "pop3_reuse_xuidl")
    for _ in range(3):
        found.rest()
        assert found.poll() == reply
        assert found.fast.uidlist_text() == found.stock.uidlist_text()


@pytest.mark.parametrize("pattern", ["dovecot.index*", "dovecot.index.cache"])
def test_indexes_are_lost(copies, pattern):
    """What was learnt is lost too, and is learnt again once Dovecot itself does without the list: that of 2.4 looks
    there each time until something changes."""
    found = copies(6)
    reply = found.learn()
    for copy in found.all:
        for path in copy.indexes(pattern):
            os.unlink(path)
    assert is_fast(found.fast) == (pattern == "dovecot.index.cache")
    for _ in range(3):
        assert found.poll() == reply
        found.rest()
    found.deliver(1)
    found.learn()


def poll_while_all_goes(copy, first):
    """Another session removes all that there is, before the client asks for what it has not asked for yet; and a
    delivery has the list written anew."""
    def empty():
        copy.programs.pop3(["LIST", *("DELE %d" % number for number in range(1, 5)), "QUIT"])
        edit(copy, RENAMED, lambda lines: lines[:1])

    return copy.programs.pop3_with_pause(first, ["UIDL", "LIST", "QUIT"], empty)


@pytest.mark.parametrize("uidl_format", OF_NAMES)
def test_quiet_poll_that_reads_the_list(copies, uidl_format):
    """It writes nothing either."""
    found = copies(8, {"pop3_uidl_format": uidl_format})
    for _ in range(3):
        found.rest()
        reply = found.poll()
    found.rest()
    before = snapshot(found.fast.home)
    assert found.poll() == reply
    assert snapshot(found.fast.home) == before


@pytest.mark.parametrize("uidl_format", [FORMATS[0], *OF_NAMES])
def test_all_goes_between_two_commands(copies, uidl_format):
    """The list may say nothing any more of what the UIDLs are made of."""
    found = copies(4, {"pop3_uidl_format": uidl_format})
    for _ in range(3):
        found.rest()
        found.poll()
    assert "+OK 4 " in found.equal([poll_while_all_goes(copy, ["STAT"]) for copy in found.all])
    assert not found.fast.files()


def test_stored_uidls_go_between_two_commands(copies):
    found = copies(0)
    found.deliver(4, "cur")
    found.edit(RENAMED, lambda lines: [lines[0].replace("N1", "N5")] + [
        "%d W304 Pstored%d :%d.H%d.test" % (uid, uid, 1_650_000_000 + uid, uid) for uid in range(1, 5)])
    for _ in range(3):
        found.rest()
        found.poll()
    assert "\r\n4 stored4\r\n" in found.equal([poll_while_all_goes(copy, ["LIST"]) for copy in found.all])


def test_two_sessions_at_once(copies):
    """Mail comes while both are there: the older session does not see it, and what either has learnt is true."""
    found = copies(4)
    found.learn()

    def meanwhile(copy):
        copy.deliver("1650000099.H99.test", mailgen.message(99, 300))
        copy.programs.pop3(["STAT", "UIDL", "RETR 5", "DELE 2", "QUIT"])

    done = [copy.programs.pop3_with_pause(["STAT", "UIDL"], ["LIST", "UIDL", "RETR 4", "QUIT"],
                                          lambda copy=copy: meanwhile(copy)) for copy in found.all]
    assert "+OK 4 " in found.equal(done)
    for _ in range(3):
        assert "+OK 4 " in found.poll()
        found.rest()
    for name, copy in (("stock", found.stock), ("slow", found.slow)):
        assert copy.files() == found.fast.files(), name


def test_another_server_without_the_plugin(copies):
    """It leaves alone what was learnt, and what it changes is seen."""
    found = copies(6)
    reply = found.learn()
    for copy in found.all:
        copy.stock.pop3(POLL)
        copy.stock.imap(["FETCH 1:* (UID FLAGS RFC822.SIZE)"])
    found.rest()
    assert found.poll() == reply
    assert is_fast(found.fast)
    for copy in found.all:
        copy.stock.imap([r"STORE 2:3 +FLAGS (\Deleted)", "EXPUNGE"])
        copy.stock.lda(b"Subject: new\n\ntext\n")
        copy.learn_names()
    assert "+OK 5 " in found.poll()
    found.learn()


@contextlib.contextmanager
def mounted_read_only(copy):
    subprocess.run(["mount", "--bind", copy.home, copy.home], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", copy.home], check=True)
        yield
    finally:
        subprocess.run(["umount", copy.home], check=True)


@contextlib.contextmanager
def owned_by_others(copy):
    subprocess.run(["chown", "-R", "root:root", copy.maildir], check=True)
    subprocess.run(["chmod", "-R", "a+rX", copy.maildir], check=True)
    yield
    users.chown_tree(copy.maildir)


@pytest.mark.parametrize("learnt", ["learnt", "not-learnt"])
@pytest.mark.parametrize("kind", [mounted_read_only, owned_by_others])
def test_read_only(copies, kind, learnt):
    """What cannot be written down is found out by each poll, which says no more than one of stock Dovecot does. Which
    also fails: with a list that has changed, and on 2.3 if the file system takes no writes."""
    found = copies(5)
    before = found.poll()
    if learnt == "learnt":
        before = found.learn()
    else:
        found.edit(RENAMED, lambda lines: lines)
    found.rest()
    with contextlib.ExitStack() as stack:
        for copy in found.all:
            stack.enter_context(kind(copy))
        for _ in range(3):
            done = [copy.programs.pop3(POLL) for copy in found.all]
            replies = [without_times(one.reply.decode("ascii")) for one in done]
            assert replies == [replies[0]] * 3
            if learnt == "learnt" and (dovecot_conf.LINE == "2.4" or kind == owned_by_others):
                assert replies[0] == before
            assert [len(one.complaints) for one in done] == [len(done[0].complaints)] * 3, done[2].log
            assert "pop3_policy" not in done[2].log
    assert found.learn() == before


@contextlib.contextmanager
def small_disk(path):
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0755,size=512k", "none", path], check=True)
    try:
        yield path
    finally:
        subprocess.run(["umount", path], check=True)


def fill(path):
    with open(path, "wb", buffering=0) as file:
        with contextlib.suppress(OSError):
            while True:
                file.write(b"x" * 512)


def test_disk_full(base):
    """Nothing can be learnt, nor recorded; what clients get is what it was, and so is the mail."""
    with small_disk(base):
        found = Copies(base, 5)
        before = found.poll()
        mail = found.fast.files()
        fill(os.path.join(base, "full"))
        for _ in range(3):
            found.rest()
            assert found.poll() == before
        os.unlink(os.path.join(base, "full"))
        assert found.fast.files() == mail == found.stock.files()
        assert found.learn() == before


def test_in_a_server(memory_disk, make_user_on):
    """Where one process serves several users, each gets what is theirs."""
    extra = {"2.3": "service pop3 {\n  service_count = 0\n  process_limit = 1\n}\n",
             "2.4": "service pop3 {\n  restart_request_count = unlimited\n  process_limit = 1\n}\n"}[dovecot_conf.LINE]
    with running(Server(faked=False, extra=extra)) as server:
        found = [make_user_on(server)(messages=count) for count in (3, 7)]
        told = {}
        for _ in range(3):
            for user in found:
                with user.session() as pop3:
                    reply = (pop3.stat(), pop3.uidl(), pop3.ok("LIST").rest)
                    pop3.quit()
                assert told.setdefault(user.name, reply) == reply
        assert [len(reply[1]) for reply in told.values()] == [3, 7]
        server.stop()
