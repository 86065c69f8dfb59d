# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""doveadm pop3 uidl export and import: UIDLs go out, come back, and nothing else comes in."""

import itertools
import json
import os
import re
import shutil

import pytest

import disasters
import mailgen
from conftest import running
from dovecot import Server
from uidl_doveadm import download, export, failure, rows, run, state_files, target, told

PLACES = pytest.mark.parametrize("socket", [False, True], ids=["local", "over-doveadm-server"])
FORMATS = ["jsonl", "msgno", "courier", "uidlist"]
NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def plain_server(memory_disk):
    """Its clock is the real one: UIDVALIDITY is a time. A conversion needs the same separator in all formats."""
    with running(Server(faked=False, extra="namespace inbox {\n  inbox = yes\n  separator = /\n}\n")) as found:
        yield found


@pytest.fixture
def make(plain_server):
    def make_user(form="maildir", messages=0, **fields):
        user = plain_server.user("transfer%d" % next(NUMBERS), form, **fields)
        if messages:
            user.append(mailgen.messages(messages))
        return user
    return make_user


def forget(user):
    """All that says what the UIDLs were."""
    disasters.await_next_second(user)
    shutil.rmtree(user.state_dir, ignore_errors=True)
    if user.form == "maildir":
        disasters.unlink(disasters.files(user, "dovecot-uidlist"))
        disasters.unlink(disasters.files(user, r"dovecot\.index.*"))
    else:
        disasters.uidvalidity_changed(user)


def import_text(user, text, *args, **kwargs):
    if isinstance(text, str):
        text = text.encode()
    return rows(user, "import", *args, data=text, **kwargs)


def mail_names(user):
    """File names of a maildir in the order of the UIDs."""
    return [os.path.basename(path) for path in disasters.message_files(user)]


def numbered(uidls):
    return "".join("%s %s\n" % item for item in uidls.items())


# -- round trips


def names_of_courier(user):
    """UIDLs that a list of Courier's can say."""
    uidls = {number: "UID%s-1600000000" % number for number in told(user)}
    import_text(user, numbered(uidls), "--format=msgno")
    return uidls


@pytest.mark.parametrize("form, text_format", [("maildir", text_format) for text_format in FORMATS] +
                         [("mdbox", "jsonl"), ("mdbox", "msgno"), ("mbox", "jsonl"), ("mbox", "msgno")])
@PLACES
def test_round_trip(make, form, text_format, socket):
    user = make(form, 4)
    user.append([mailgen.message(9)] * 2)
    uidls = download(user, 2)
    if text_format == "courier":
        uidls = names_of_courier(user)
    text = export(user, text_format, socket)
    assert text == export(user, text_format, not socket)
    assert text.endswith(b"\n") and not text.endswith(b"\n\n")
    forget(user)
    found = import_text(user, text, "--format=" + text_format, socket=socket)
    assert {row["result"] for row in found} == {"new"} and [row["uidl"] for row in found] == list(uidls.values())
    assert told(user) == uidls
    assert export(user, "jsonl").count(b'"downloaded":') == (1 if text_format == "jsonl" else 0)
    assert rows(user, "verify")[0]["result"] == "steady"
    before = state_files(user)
    assert import_text(user, text, "--format=" + text_format, socket=socket) == []
    assert state_files(user) == before


def test_export_formats(make):
    user = make("maildir", 2)
    uidls = names_of_courier(user)
    download(user, 1)
    names = [name.split(":")[0] for name in mail_names(user)]
    assert export(user, "msgno").decode() == numbered(uidls)
    size = len(mailgen.message(1))
    uidvalidity = disasters.uidvalidity(user)
    assert export(user, "courier").decode() == "/3 3 %d\n" % uidvalidity + "".join(
        "%s %d %d:1600000000:0\n" % (name, size, number) for number, name in enumerate(names, 1))
    lines = export(user, "uidlist").decode().splitlines()
    assert re.fullmatch(r"3 V%d N3 G[0-9a-f]{32}" % uidvalidity, lines[0])
    assert lines[1:] == ["%d PUID%d-1600000000 :%s" % (number, number, name) for number, name in enumerate(names, 1)]
    documents = [json.loads(line) for line in export(user, "jsonl").splitlines()]
    assert [(line["uid"], line["uidl"], line["size"], "downloaded" in line) for line in documents] == [
        (1, uidls["1"], size, True), (2, uidls["2"], size, False)]
    assert {line["guid"] for line in documents} == {name.split(",")[0] for name in names}
    assert export(user, "jsonl") == user.server.run_doveadm("pop3", "uidl", "export", *target(user)).stdout


@pytest.mark.parametrize("form", ["maildir", "mdbox"])
def test_export_of_messages_that_are_not_recorded(make, form):
    """With all that tells them apart, as if a session had taken them in."""
    user = make(form, 2)
    assert len(export(user, "jsonl").splitlines()) == 2 and not os.path.exists(user.state_dir)
    told(user)
    user.append([mailgen.message(3)])
    text = export(user, "jsonl")
    told(user)
    assert export(user, "jsonl") == text
    with open(user.journal_path, "rb") as file:
        assert file.read().split(b"\n", 1)[1] == text


def test_export_of_nothing(make):
    user = make()
    assert export(user, "jsonl") == export(user, "msgno") == b""
    assert len(export(user, "courier").splitlines()) == len(export(user, "uidlist").splitlines()) == 1


@PLACES
def test_export_says_what_it_cannot_say(make, socket):
    """Courier has no word for Dovecot's UIDLs, and dbox no file names."""
    user = make("maildir", 2)
    told(user)
    result = run(user, "export", "--format=courier", socket=socket, check=False)
    assert result.returncode == 65 and b"none of Courier's" in result.stderr and b"2 of 2 messages" in result.stderr
    user = make("mdbox", 1)
    told(user)
    result = run(user, "export", "--format=uidlist", socket=socket, check=False)
    assert result.returncode == 65 and b"no file name" in result.stderr


def test_import_after_a_conversion(make):
    """The file names of a maildir are the GUIDs of what is made of it."""
    user = make("maildir", 3)
    told(user)
    names = mail_names(user)
    disasters.convert(user, "mdbox")
    found = import_text(user, "/1 4 0\n" + "".join("%s 100 %d\n" % (name, 70 + number)
                                                 for number, name in enumerate(names)), "--format=courier")
    assert [row["result"] for row in found] == ["new"] * 3
    assert told(user) == {"1": "UID70", "2": "UID71", "3": "UID72"}


def test_import_of_a_whole_journal(make):
    """As it may come from a backup: first line, later news and messages that are gone."""
    user = make("maildir", 3)
    told(user)
    uidls = download(user, 1, 3)
    user.expunge(2)
    with open(user.journal_path, "rb") as file:
        text = file.read()
    assert len(text.splitlines()) > 4
    forget(user)
    found = import_text(user, text)
    assert sorted(row["result"] for row in found) == ["new", "new", "unknown"]
    assert list(told(user).values()) == [uidls["1"], uidls["3"]]
    assert [row["downloaded"] != "-" for row in rows(user, "list")] == [True, True]


# -- what it does with a list


@PLACES
@pytest.mark.parametrize("form", ["maildir", "mdbox"])
def test_results(make, form, socket):
    user = make(form, 4)
    uidls = told(user)
    found = import_text(user, "+OK\r\n1 %s\r\n2 second\r\n\r\n9 ninth\r\n.\r\n" % uidls["1"], "--format=msgno",
                        socket=socket)
    assert found == [
        {"line": "3", "uid": "2", "uidl": "second", "result": "new", "reason": "-"},
        {"line": "5", "uid": "-", "uidl": "ninth", "result": "unknown", "reason": "there is no such message"}]
    assert told(user) == {**uidls, "2": "second"}
    assert [row["source"] for row in rows(user, "list")] == ["own", "stored", "own", "own"]


def test_totals_are_logged(make):
    user = make("maildir", 3)
    uidls = told(user)
    result = run(user, "import", "--format=msgno", data=b"1 %s\n2 b\n9 c\n" % uidls["1"].encode())
    assert b"UIDLs imported: 1 kept, 1 new, 1 unknown" in result.stderr


@PLACES
def test_dry_run(make, socket):
    user = make("maildir", 3)
    told(user)
    before = state_files(user)
    found = import_text(user, "2 second\n3 third\n", "--format=msgno", "--dry-run", socket=socket)
    assert [(row["uid"], row["result"]) for row in found] == [("2", "new"), ("3", "new")]
    assert state_files(user) == before
    assert import_text(user, "2 second\n3 third\n", "--format=msgno", socket=socket) == found
    assert state_files(user) != before


def test_dry_run_without_a_state(make):
    user = make("maildir", 1)
    assert [row["result"] for row in import_text(user, "1 a\n", "--format=msgno", "-n")] == ["new"]
    assert not os.path.exists(user.state_dir)


def test_messages_swap_their_uidls(make):
    user = make("maildir", 3)
    uidls = told(user)
    found = import_text(user, "1 %s\n2 %s\n" % (uidls["2"], uidls["1"]), "--format=msgno")
    assert [row["result"] for row in found] == ["new", "new"]
    assert told(user) == {"1": uidls["2"], "2": uidls["1"], "3": uidls["3"]}


def test_download_times_are_taken_over(make):
    user = make("maildir", 2)
    told(user)
    lines = [json.loads(line) for line in export(user, "jsonl").splitlines()]
    lines[0]["downloaded"] = 1_600_000_000
    assert import_text(user, "".join(json.dumps(line) + "\n" for line in lines)) == []
    assert [row["downloaded"][:4] for row in rows(user, "list")] == ["2020", "-"]
    download(user, 1)
    assert [row["downloaded"][:4] for row in rows(user, "list")] == ["2020", "-"]
    import_text(user, "1 first\n", "--format=msgno")
    assert [(row["uidl"], row["downloaded"][:4]) for row in rows(user, "list")][0] == ("first", "2020")


LONG = "x" * 71
INVALID = [
    ("msgno", "1 a\n2 %s\n" % LONG, 2, "UIDL of 71 octets, expected 1 to 70"),
    ("msgno", "1 a\n\n2 b c\n", 3, "octet 0x20 at position 2"),
    ("msgno", "1 a\n2 b\x1b[0m\n", 2, "octet 0x1b at position 2"),
    ("msgno", "1 a\n2 \xe4\n", 2, "octet 0xc3 at position 1"),
    ("msgno", "1 a\nzwei b\n", 2, "expected a message number"),
    ("msgno", "1 a\n0 b\n", 2, "expected a message number"),
    ("msgno", "1 a\n2 \0\n", 2, "line has a NUL"),
    ("msgno", "1 a\n2 %s\n" % ("y" * 5000), 2, "line is too long, expected at most 1024 octets"),
    ("msgno", "1 a\n2 %s" % ("y" * 300_000), 2, "line is too long, expected at most 1024 octets"),
    ("msgno", "1 a\n.\n2 b\n", 3, "line after the last dot"),
    ("jsonl", "{\n", 1, "column"),
    ("jsonl", "\x1b[0m\n", 1, "column"),
    ("jsonl", '{"uidl":\x01\x7f}\n', 1, "column"),
    ("jsonl", '{"size":1,"guid":"g","uidl":"%s"}\n' % LONG, 1, "uidl"),
    ("jsonl", '{"size":1,"guid":"g","uidl":"a"}\n[]\n', 2, "not a JSON object"),
    ("courier", "/9 1 2\nfile 1 2:3\n", 1, "bad first line"),
    ("uidlist", "2 V1 N2\n1 Pa :file\n", 1, "bad first line"),
    ("uidlist", "3 V1 N2\n1 P%s :file\n" % LONG, 2, "UIDL of 71 octets"),
]


@pytest.mark.parametrize("text_format, text, number, reason", INVALID,
                         ids=["%s-%d" % (case[0], index) for index, case in enumerate(INVALID)])
def test_invalid_lines(make, text_format, text, number, reason):
    """Nothing is written, the error has the number of the line, and no octet of it that could do harm."""
    user = make("maildir", 2)
    told(user)
    before = state_files(user)
    code, found, errors = failure(user, "import", "--format=" + text_format, data=text.encode())
    assert code == 65
    assert "line %d: " % number in errors and reason in errors and "nothing was written" in errors
    assert not re.search(r"[^\n\x20-\x7e]", errors)
    row, = [row for row in found if row["line"] == str(number)]
    assert (row["result"], row["uid"], row["uidl"]) == ("invalid", "-", "-") and reason in row["reason"]
    assert state_files(user) == before


@PLACES
@pytest.mark.parametrize("text, number, reason", [
    ("1 %(2)s\n", 1, "UID 2 is told this UIDL"),
    ("1 same\n2 same\n", 2, "line 1 gives this UIDL to another message"),
    ("1 a\n1 b\n", 2, "line 1 gives the message another UIDL"),
    ("1 %(1)s\n2 %(1)s\n", 2, "line 1 gives this UIDL to another message"),
    ("1 a\n2 b\n3 %(1)s\n4 %(5)s\n", 4, "UID 5 is told this UIDL"),
])
def test_conflicts(make, text, number, reason, socket):
    """One UIDL never means two messages, and no message has two."""
    user = make("maildir", 5)
    uidls = told(user)
    before = state_files(user)
    _, found, errors = failure(user, "import", "--format=msgno", data=(text % uidls).encode(), socket=socket)
    assert "line %d: %s" % (number, reason) in errors
    assert [(row["line"], row["reason"]) for row in found if row["result"] == "conflict"] == [(str(number), reason)]
    assert state_files(user) == before
    assert told(user) == uidls


def test_a_line_said_twice_is_no_conflict(make):
    user = make("maildir", 2)
    uidls = told(user)
    assert [row["line"] for row in import_text(user, "1 a\n1 a\n", "--format=msgno")] == ["1"]
    assert told(user) == {**uidls, "1": "a"}


def test_fingerprints_are_matched_only_if_unique(make):
    """Which of two equal messages is meant cannot be known."""
    source = make("maildir")
    source.append([mailgen.message(1), mailgen.message(2), mailgen.message(2)])
    told(source)
    lines = [json.loads(line) for line in export(source, "jsonl").splitlines()]
    user = make("mdbox")
    user.append([mailgen.message(3), mailgen.message(2), mailgen.message(1)])
    for line in lines:
        line["uidl"] = "old-%d" % line["uid"]
    found = import_text(user, "".join(json.dumps(line) + "\n" for line in lines))
    assert [(row["uid"], row["result"]) for row in found] == [("3", "new"), ("-", "unknown"), ("-", "unknown")]
    assert told(user)["3"] == "old-1"


@PLACES
def test_file_argument(make, plain_server, socket):
    """Also one that only the admin may read."""
    user = make("maildir", 1)
    path = os.path.join(plain_server.root, "list")
    with open(path, "w", encoding="ascii") as file:
        file.write("1 from-file\n")
    os.chmod(path, 0o600)
    assert [row["uidl"] for row in rows(user, "import", "--format=msgno", path, socket=socket)] == ["from-file"]
    assert told(user) == {"1": "from-file"}
    _, _, errors = failure(user, "import", "--format=msgno", os.path.join(plain_server.root, "nothing"), socket=socket)
    assert "No such file or directory" in errors


@PLACES
def test_unknown_format(make, socket):
    user = make("maildir", 1)
    for action in ("export", "import"):
        code, found, errors = failure(user, action, "--format=mbox", data=b"", socket=socket)
        assert found == [] and 'unknown format "mbox", expected jsonl, msgno, courier or uidlist' in errors
        assert code == 64


def test_import_waits_for_a_recovery(make):
    user = make("maildir", 2)
    told(user)
    disasters.uidvalidity_changed(user)
    before = state_files(user)
    _, _, errors = failure(user, "import", "--format=msgno", data=b"1 a\n")
    assert "UIDLs have to be recovered first" in errors
    assert state_files(user) == before


def test_import_of_some_leaves_xuidl_to_a_session(make):
    """Without a session it is not known what the others are called."""
    user = make()
    user.append([mailgen.message(1), b"X-UIDL: own\r\n" + mailgen.message(2)])
    _, _, errors = failure(user, "import", "--format=msgno", data=b"1 a\n")
    assert "pop3_reuse_xuidl" in errors and not os.path.exists(user.state_dir)
    assert len(import_text(user, "1 a\n2 b\n", "--format=msgno")) == 2
    assert told(user) == {"1": "a", "2": "b"}


def test_imported_uidls_are_not_made_up_for_new_mail(make):
    """Where the UID alone is the UIDL, another server has used the numbers that come next here."""
    uid = disasters.UIDL_FORMATS["uid"]
    user = make(messages=3, pop3_uidl_format=uid)
    user.told()
    import_text(user, "1 4\n2 6\n3 3\n", "--format=msgno")
    assert user.told() == ["4", "6", "3"]
    user.append(mailgen.messages(4))
    found = user.told()
    assert found[:3] == ["4", "6", "3"] and len(set(found)) == 7
    assert user.told() == found
    # and no longer than there are such messages
    user.expunge(1, 2)
    user.append([mailgen.message(31)])
    user.told()
    user.expunge(*range(1, 6))
    user.append([mailgen.message(32)])
    user.told()
    assert "imported" not in user.state()["uidl"]
