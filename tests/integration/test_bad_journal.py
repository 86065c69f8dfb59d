# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""A journal with contents that nobody should leave, read when all UIDLs have to be recovered: what cannot be read costs
the UIDL of its own message at the most, and no UIDL ever means two messages."""

import json
import os
import re

import pytest

import disasters
import expect
import journal_damage
import mailgen
import state_check
import user as users

NUMBERS = {"nan": b"NaN", "infinity": b"-Infinity", "1e999": b"1e999", "negative": b"-1",
           "2-63": b"9223372036854775808", "2-64": b"18446744073709551616", "real": b"1.5", "null": b"null",
           "string": b'"1"', "octal": b"010"}


def replaced(line, name, value):
    """The line with another value, as no encoder need print it, of a member."""
    data = {**line, name: "VALUE"}
    return json.dumps(data, separators=(",", ":")).encode().replace(b'"VALUE"', value)


def bad_lines():
    """name -> function of a good line, and of that of another message, that returns what stands there instead."""
    found = {
        "empty": lambda line, other: b"",
        "nul": lambda line, other: b"\0" * 100,
        "eight-bit": lambda line, other: bytes(range(128, 256)),
        "array": lambda line, other: b"[]",
        "number": lambda line, other: b"7",
        "empty-object": lambda line, other: b"{}",
        "two-in-one": lambda line, other: json.dumps(line).encode() * 2,
        "duplicate-key": lambda line, other: json.dumps(line).encode()[:-1] + b',"uidl":"twice"}',
        "utf-16": lambda line, other: json.dumps(line).encode("utf-16").replace(b"\n", b""),
        "deep": lambda line, other: b'{"x":' * 10_000 + b"1" + b"}" * 10_000,
        "deep-in-a-line": lambda line, other: b"[" * 2000 + b"]" * 2000,
        "million-entries": lambda line, other: b'{"x":[' + b"0," * 1_000_000 + b"0]}",
        "long": lambda line, other: replaced(line, "x", b'"' + b"x" * 5000 + b'"'),
        "colours": lambda line, other: b"\x1b[31mred\x1b[0m %s%n",
        "cut": lambda line, other: json.dumps(line).encode()[:-2],
        "no-uidl": lambda line, other: json.dumps({**line, "uidl": ""}).encode(),
        "uid-0": lambda line, other: replaced(line, "uid", b"0"),
        "uid-2-32": lambda line, other: replaced(line, "uid", b"4294967296"),
        "long-guid": lambda line, other: replaced(line, "guid", b'"' + b"g" * 101 + b'"'),
        "nul-in-guid": lambda line, other: replaced(line, "guid", b'"g\\u0000"'),
        "no-hash": lambda line, other: replaced(line, "hash", b"{}"),
        "devices-array": lambda line, other: replaced(line, "devices", b"[]"),
        # what is a line, but not a true one
        "other-guid": lambda line, other: replaced(line, "guid", b'"of-nobody"'),
        "other-again": lambda line, other: json.dumps(other).encode(),
        "far-uid": lambda line, other: replaced(line, "uid", b"4294967295"),
        "downloaded-in-the-future": lambda line, other: replaced(line, "downloaded", b"4085000000"),
        "downloaded-at-the-end-of-time": lambda line, other: replaced(line, "downloaded", b"9223372036854775807"),
        "gone-in-the-future": lambda line, other: replaced(line, "gone", b"4085000000"),
        "two-lines": lambda line, other: json.dumps(line).encode() + b"\n" + json.dumps(other).encode(),
    }
    for name in ("uid", "size", "downloaded", "gone"):
        for label, value in NUMBERS.items():
            found["%s-%s" % (name, label)] = lambda line, other, name=name, value=value: replaced(line, name, value)
    for label, value in (("cr", b'"a\\r"'), ("lf", b'"a\\nb"'), ("bare-cr", b'"a\r"'), ("space", b'"a b"'),
                         ("del", b'"\x7f"'), ("escaped-del", b'"\\u007f"'), ("dot", b'"."'), ("nul", b'"a\\u0000b"'),
                         ("71-octets", b'"' + b"u" * 71 + b'"'), ("8-bit", '"ä"'.encode()),
                         ("invalid-utf-8", b'"\xff"'), ("overlong-utf-8", b'"\xc0\xae"'),
                         ("lone-surrogate", b'"\\ud800"'),
                         ("number", b"1"), ("array", b'["a"]')):
        found["uidl-" + label] = lambda line, other, value=value: replaced(line, "uidl", value)
    return found


BAD = bad_lines()


def all_valid(uidls):
    return all(re.fullmatch(r"[!-~]{1,70}", uidl) and uidl != "." for uidl in uidls)


def check_uidls(user, found, kept):
    """Those that are KEPT are what they were, none is there twice, and the next session tells the same ones."""
    assert len(found) == len(set(found)) and all_valid(found)
    assert {index: found[index] for index in kept} == kept
    assert user.told() == found
    assert not user.server.log_lines(user, "(Fatal|Panic)")
    assert not [line for line in user.server.log_lines(user) if re.search(r"[^\t -~]", line)]


@pytest.mark.parametrize("form", ["maildir", "mdbox"])
def test_bad_lines(server, new_user, form):
    """Each second message has a bad line; the others keep their UIDLs. Two lines with one UIDL are no damage: without
    pop3_uidl_duplicates = rename, Dovecot tells it for both."""
    user = new_user(form)
    user.append([mailgen.message(number, 400) for number in range(1, 2 * len(BAD) + 1)])
    before = user.told()
    lines = journal_damage.content_of(user.journal_path).splitlines()
    assert len(lines) == 1 + len(before) == 1 + 2 * len(BAD)
    for index, name in enumerate(BAD):
        good, other = json.loads(lines[2 * index + 2]), json.loads(lines[2 * index + 1])
        lines[2 * index + 2] = BAD[name](good, other)
    journal_damage.put(user, user.journal_path, b"\n".join(lines) + b"\n")
    disasters.uidvalidity_changed(user)
    check_uidls(user, user.told(), dict(list(enumerate(before))[::2]))
    line, = server.wait_log(user, "UIDLs recovered")
    assert "Error" not in line


def whole(user):
    return journal_damage.content_of(user.journal_path)


NO_JOURNAL = {
    "empty": lambda user: b"",
    "line-end": lambda user: b"\n",
    "nuls": lambda user: b"\0" * 8192,
    "all-octets": lambda user: bytes(range(256)) * 300,
    "no-line-end": lambda user: b"x" * 500_000,
    "line-ends": lambda user: b"\n" * 100_000,
    "first-line-only": lambda user: whole(user).split(b"\n", 1)[0] + b"\n",
    "state": lambda user: journal_damage.content_of(user.state_path),
    "message": lambda user: mailgen.message(1),
}


@pytest.mark.parametrize("name", NO_JOURNAL)
def test_what_is_no_journal(new_user, name):
    """All is told anew, each UIDL for one message, and recorded."""
    user = new_user(messages=6)
    user.told()
    journal_damage.put(user, user.journal_path, NO_JOURNAL[name](user))
    disasters.uidvalidity_changed(user)
    check_uidls(user, user.told(), {})
    assert len(user.journal()) == 6


FIRST_LINES = {
    "garbled": lambda line: line.replace(b"epoch", b"ep#ch"),
    "deep": lambda line: b"[" * 3000,
    "long": lambda line: b"x" * 10_000,
    "generation-twice": lambda line: line.replace(b"{", b'{"generation":1,'),
    "generation-2-32": lambda line: b'{"version":1,"epoch":1,"generation":4294967296}',
    "version-string": lambda line: line.replace(b'"version":1', b'"version":"2"'),
}


@pytest.mark.parametrize("name", FIRST_LINES)
def test_bad_first_line(new_user, name):
    """It costs nothing: the other lines are whole, and there is no other journal."""
    user = new_user(messages=6)
    before = user.told()
    first, rest = whole(user).split(b"\n", 1)
    journal_damage.put(user, user.journal_path, FIRST_LINES[name](first) + b"\n" + rest)
    disasters.uidvalidity_changed(user)
    check_uidls(user, user.told(), dict(enumerate(before)))


def test_anchors_without_a_journal(new_user):
    """The state knows three messages by itself."""
    user = new_user(messages=9)
    before = user.told()
    os.unlink(user.journal_path)
    disasters.uidvalidity_changed(user)
    check_uidls(user, user.told(), {index: before[index] for index in (3, 7, 8)})


def test_cut_at_any_byte(new_user):
    """With a state that fits, and with one that is lost, too."""
    user = new_user(messages=3)
    before = user.told()
    text, state = whole(user), journal_damage.content_of(user.state_path)
    for size in range(0, len(text), 61):
        journal_damage.put(user, user.journal_path, text[:size])
        user.write_state(state)
        disasters.uidvalidity_changed(user)
        lines = text[:size].count(b"\n")
        check_uidls(user, user.told(), {index: before[index] for index in range(3) if index + 1 < lines})
        os.unlink(user.state_path)
        journal_damage.put(user, user.journal_path, text[:size])
        disasters.uidvalidity_changed(user)
        check_uidls(user, user.told(), {index: before[index] for index in range(3) if index + 1 < lines})


def test_journal_of_a_later_version(server, new_user):
    """It is not used and not changed, as the state may know what it says."""
    user = new_user(messages=3)
    user.told()
    journal_damage.journal_of_a_later_version(user)
    disasters.uidvalidity_changed(user)
    before = whole(user)
    state_check.leave_alone(user.home)
    with user.session() as pop3:
        pop3.send(b"UIDL\r\n")
        assert pop3.drain().decode() == expect.NO_UIDLS + "\r\n"
    assert whole(user) == before
    line, = server.wait_log(user, "Error: pop3_policy: ")
    assert "messages.jsonl" in line and "version 2 is newer than version 1" in line


def test_a_million_lines(server, new_user):
    """Of one message: the last one is true, and the session is not the end of the process."""
    user = new_user(messages=2)
    before = user.told()
    text = whole(user)
    line = text.splitlines(True)[1]
    journal_damage.put(user, user.journal_path, text + line * 300_000)
    disasters.uidvalidity_changed(user)
    check_uidls(user, user.told(), dict(enumerate(before)))
    assert os.path.getsize(user.journal_path) < 2000
    assert len(server.wait_log(user, "UIDLs recovered")) == 1


def test_older_copies(new_user):
    """State, journal or both from a backup: what was told since is told again, or for no other message."""
    user = new_user(messages=3)
    user.told()
    state, text = journal_damage.content_of(user.state_path), whole(user)
    user.append([mailgen.message(number) for number in range(4, 7)])
    known = user.told()
    new_state, new_text = journal_damage.content_of(user.state_path), whole(user)
    for old in ({"state"}, {"journal"}, {"state", "journal"}):
        user.write_state(state if "state" in old else new_state)
        journal_damage.put(user, user.journal_path, text if "journal" in old else new_text)
        assert user.told() == known
    # the same, and the mailbox is not what it was
    for old in ({"state"}, {"journal"}, {"state", "journal"}):
        user.write_state(state if "state" in old else new_state)
        journal_damage.put(user, user.journal_path, text if "journal" in old else new_text)
        disasters.uidvalidity_changed(user)
        check_uidls(user, user.told(), dict(enumerate(known[:3])))
        user.told()


def test_journal_of_somebody_else(new_user):
    """State and journal of another user, copied by a mistake: nobody's mail gets a UIDL that another one has."""
    other, user = new_user(messages=4), new_user(messages=4)
    theirs = other.told()
    user.told()
    for path in ("state_path", "journal_path"):
        journal_damage.put(user, getattr(user, path), journal_damage.content_of(getattr(other, path)))
    found = user.told()
    assert len(set(found)) == 4 and all_valid(found)
    assert user.told() == found
    assert len(user.uids()) == len(theirs)


def huge(user):
    os.truncate(user.journal_path, 1 << 40)


def is_fifo(user):
    os.unlink(user.journal_path)
    os.mkfifo(user.journal_path, 0o600)
    os.chown(user.journal_path, users.UID, users.GID)


def is_device(user):
    os.unlink(user.journal_path)
    os.mknod(user.journal_path, 0o020600, os.makedev(1, 5))
    os.chown(user.journal_path, users.UID, users.GID)


def is_socket(user):
    os.unlink(user.journal_path)
    os.mknod(user.journal_path, 0o140600)
    os.chown(user.journal_path, users.UID, users.GID)


def is_of_another_owner(user):
    os.chown(user.journal_path, users.UID + 1, users.GID)
    os.chmod(user.journal_path, 0o666)


PLACES = [huge, is_fifo, is_device, is_socket, is_of_another_owner, journal_damage.journal_is_link,
          journal_damage.journal_is_folder, journal_damage.journal_has_mode_000]


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
def test_no_file_of_ours(server, new_user, place):
    """A poll does not need it. When it is needed, the session is refused, at once, and what is there is left alone; the
    log has the path and what is wrong."""
    user = new_user(messages=3)
    before = user.told()
    place(user)
    state_check.leave_alone(user.home)
    assert user.told() == before
    assert not server.log_lines(user, "Error")
    disasters.uidvalidity_changed(user)
    info = os.lstat(user.journal_path)
    state = journal_damage.content_of(user.state_path)
    for _ in range(2):
        with user.session() as pop3:
            pop3.send(b"UIDL\r\n")
            assert pop3.drain().decode() == expect.NO_UIDLS + "\r\n"
    after = os.lstat(user.journal_path)
    assert (after.st_ino, after.st_mode, after.st_size, after.st_mtime) == (
        info.st_ino, info.st_mode, info.st_size, info.st_mtime)
    assert journal_damage.content_of(user.state_path) == state
    assert all("messages.jsonl" in line for line in server.wait_log(user, "Error: pop3_policy: ", 2))
