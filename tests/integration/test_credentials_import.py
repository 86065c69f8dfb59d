# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""doveadm pop3 password import: from the passwd-file of a site to its credential files."""

import json
import os
import pwd
import random
import signal
import subprocess
import time

import pytest

import dovecot_conf
from conftest import running
from credentials import CredentialServer, argon, dovecot_hash, limits

HASH = "{SHA512-CRYPT}$6$saltsalt$hash"
OTHER_HASH = "{SSHA256}b3RoZXIgaGFzaA=="
SECRET = "correct horse"
DATA_ERROR, NO_INPUT, USAGE = 65, 66, 64


@pytest.fixture(scope="module")
def one_file(memory_disk):
    with running(CredentialServer(cache="1M")) as found:
        yield found


@pytest.fixture(scope="module")
def many_files(memory_disk):
    with running(CredentialServer(per_user=True)) as found:
        yield found


@pytest.fixture
def server(one_file):
    """Without users."""
    one_file.credentials = {}
    one_file.write()
    return one_file


def run(server, lines, *options, file="-", check=False):
    """The result of an import: exit code, rows by their line, and what it logs."""
    data = "".join(line + "\n" for line in lines) if isinstance(lines, list) else lines
    data = data.encode() if isinstance(data, str) else data
    result = server.run_doveadm("-f", "json", "pop3", "password", "import", *options, file, data=data, check=check)
    rows = {int(row["line"]): row for row in json.loads(result.stdout or b"[]")}
    return result.returncode, rows, result.stderr.decode()


def imported(server, lines, *options):
    code, rows, log = run(server, lines, *options)
    assert code == 0, (rows, log)
    return rows, log


def users(server):
    with open(server.path(), encoding="utf-8") as file:
        return json.load(file)["users"]


def stamp(path):
    found = os.stat(path)
    return found.st_ino, found.st_mtime_ns, found.st_size


# -- what is taken over


def test_new(server):
    """Users are added as they are, and what is no user is passed over; the totals are in the log."""
    rows, log = imported(server, [
        "# our users", "", "jane@example.com:%s:1000:8:Jane, J:/home/jane:/bin/sh:userdb_mail=maildir:~/Maildir "
        "userdb_x" % HASH, ":%s" % HASH, "joe:$6$salt$hash", "max:"])
    assert {line: (row["user"], row["result"], row["reason"]) for line, row in rows.items()} == {
        3: ("jane@example.com", "new", "-"), 5: ("joe", "new", "-"), 6: ("max", "new", "-")}
    assert users(server) == {
        "jane@example.com": {"password": HASH, "enabled": True, "fields": {
            "userdb_uid": "1000", "userdb_gid": "8", "userdb_home": "/home/jane",
            "userdb_mail": "maildir:~/Maildir", "userdb_x": ""}},
        "joe": {"password": "$6$salt$hash", "enabled": True}, "max": {"enabled": True}}
    assert "users imported: 0 kept, 3 new, 0 replaced" in log
    assert os.stat(server.path()).st_mode & 0o777 == 0o600
    assert os.stat(server.path()).st_uid == pwd.getpwnam("dovecot").pw_uid


@pytest.mark.parametrize("text", [
    "a:%s\r\nb:%s\r\n" % (HASH, OTHER_HASH), "a:%s\nb:%s" % (HASH, OTHER_HASH), "a:%s\r\nb:%s\r" % (HASH, OTHER_HASH)],
    ids=["crlf", "no-last-end", "torn-crlf"])
def test_line_ends(server, text):
    imported(server, text)
    assert users(server) == {"a": {"password": HASH, "enabled": True}, "b": {"password": OTHER_HASH, "enabled": True}}


def test_file(server, tmp_path):
    """From a file as from the standard input."""
    path = tmp_path / "passwd"
    path.write_text("jane:%s\n" % HASH)
    code, rows, _ = run(server, "", file=str(path))
    assert code == 0 and rows[1]["result"] == "new"
    assert users(server) == {"jane": {"password": HASH, "enabled": True}}


def test_clear_text(server):
    """A password in the clear is hashed at the limits of the passdb, and is nowhere else."""
    rows, log = imported(server, ["jane:{PLAIN}%s" % SECRET, "joe:{CLEARTEXT}joe%s::" % SECRET])
    found = users(server)
    assert limits(found["jane"]["password"]) == limits(argon("x"))
    assert found["jane"]["password"] != found["joe"]["password"]
    assert server.auth("jane", SECRET).ok and server.auth("joe", "joe" + SECRET).ok
    assert not server.auth("jane", "joe" + SECRET).ok
    with open(server.path(), encoding="utf-8") as file:
        assert SECRET not in file.read() + json.dumps(rows) + log


def test_old_hash(server):
    """Who had a password has the same one."""
    imported(server, ["jane:%s::::/home/jane" % dovecot_hash("SHA512-CRYPT", SECRET)])
    answer = server.auth("jane", SECRET, action="login")
    assert answer.ok and answer.fields["home"] == "/home/jane"
    assert not server.auth("jane", "x").ok


# -- what is not


BAD = {
    "max": "no password column",
    "a:%s" % SECRET: "no scheme",
    "b:%s:0" % HASH: "the uid",
    "c:%s::::::nopassword" % HASH: "nopassword cannot be taken over",
    "d:%s::::::userdb_x=1 allow_nets=192.0.2.0/24" % HASH: "extra field 2: allow_nets cannot be taken over",
    "e:%s::::::userdb_mail=mbox:~/%%u" % HASH: "has a %",
    "f:{PLAIN-MD5}" + "0" * 32: "PLAIN-MD5",
    "g:{PLAIN}": "empty",
    "k:{SHA512-CRYPT}$6$rounds=3000000$salt$hash": "asks for 3000000 rounds",
    "l:{NONESUCH}hash": "this Dovecot does not check password hashes of the scheme NONESUCH",
    "m:{SSHA256}!": "a password hash has not the form of the scheme SSHA256: ",
    "n:{ARGON2ID}$argon2id$v=19$m=4194304,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA": "octets of memory, allowed are",
    "o:$argon2id$v=19$m=65536,t=2,p=1$c2FsdHNhbHQ": "no output behind the salt",
    "h\x01:%s" % HASH: "control character",
    "i:%s\x00" % HASH: "NUL",
    "j:{PLAIN}%s" % ("x" * 140000): "too long",
}


def test_bad_lines(server):
    """All of them are told, with nothing secret, and nothing is written: neither what is good."""
    lines = ["good:%s" % HASH]
    for line in BAD:
        lines += [line, "g%d:%s" % (len(lines), HASH)]
    before = stamp(server.path())
    code, rows, log = run(server, lines)
    assert code == DATA_ERROR
    for at, (line, reason) in enumerate(BAD.items()):
        row = rows[2 * at + 2]
        assert row["result"] == "invalid" and reason in row["reason"], (line, row)
    assert "%d invalid lines: nothing was written" % len(BAD) in log
    assert len(rows) == len(lines) and rows[1]["result"] == "new"
    text = json.dumps(rows) + log
    assert SECRET not in text and HASH not in text and "xxxxx" not in text
    assert stamp(server.path()) == before


def test_twice(server):
    """Dovecot takes the first line of a user and complains of the others: here one must go."""
    before = stamp(server.path())
    code, rows, _ = run(server, ["a:%s" % HASH, "b:%s" % HASH, "a:%s" % HASH])
    assert code == DATA_ERROR and rows[3]["result"] == "invalid"
    assert rows[3]["user"] == "a" and "in line 1 already" in rows[3]["reason"]
    assert stamp(server.path()) == before


def test_names(server):
    """A user has the name that auth looks for, so lines can be of the same one."""
    before = stamp(server.path())
    code, rows, _ = run(server, ["Ann:%s" % HASH, "max:%s" % HASH, "ANN:%s" % HASH])
    assert code == DATA_ERROR and rows[3]["result"] == "invalid"
    assert rows[3]["user"] == "ann" and "in line 1 already" in rows[3]["reason"]
    assert stamp(server.path()) == before
    rows, _ = imported(server, ["Ann@Example.ORG:{PLAIN}%s" % SECRET, "max:%s" % HASH])
    assert rows[1]["user"] == "ann@example.org"
    assert sorted(users(server)) == ["ann@example.org", "max"]
    assert server.auth("ANN@example.org", SECRET).ok
    rows, log = imported(server, ["ann@EXAMPLE.org:{PLAIN}%s" % SECRET, "Max:%s" % HASH])
    assert rows == {} and "2 kept" in log


def test_no_name(memory_disk):
    """What is no name after the format is told with its line."""
    text = {"2.3": "%d", "2.4": "%{user | domain}"}[dovecot_conf.LINE]
    server = CredentialServer(extra="auth_username_format = %s\n" % text)
    code, rows, _ = run(server, ["a@b:%s" % HASH, "jane:%s" % HASH])
    server.remove()
    assert code == DATA_ERROR and (rows[1]["user"], rows[1]["result"]) == ("b", "new")
    assert (rows[2]["user"], rows[2]["result"]) == ("jane", "invalid") and "bad name of a user" in rows[2]["reason"]


def test_no_input(server, tmp_path):
    code, _, log = run(server, "", file=str(tmp_path / "missing"))
    assert code == NO_INPUT and "No such file or directory" in log
    code, _, log = run(server, "", file=str(tmp_path))
    assert code == NO_INPUT and "cannot be read" in log
    result = server.run_doveadm("pop3", "password", "import", check=False)
    assert result.returncode == USAGE


# -- who is there already


def test_again(server):
    """The same file twice changes nothing; also passwords in the clear are known again."""
    lines = ["a:%s:1:2::/h::userdb_x=y" % HASH, "b:{PLAIN}%s" % SECRET, "c:"]
    imported(server, lines)
    before = stamp(server.path())
    rows, log = imported(server, lines)
    assert rows == {} and "3 kept, 0 new, 0 replaced" in log
    assert stamp(server.path()) == before


@pytest.mark.parametrize("known, line, reason", [
    (HASH, OTHER_HASH, "another password"), (HASH, "", "another password"), ("", HASH, "another password"),
    (HASH, "{PLAIN}x", "another password"), (HASH, HASH + "::::/home", "another list of fields"),
    (HASH + "::::/home", HASH, "another list of fields"),
    (HASH + "::::/home", HASH + "::::/other", "another list of fields")])
def test_conflict(server, known, line, reason):
    """Nothing is written over what is there, neither are others added."""
    imported(server, ["a:" + known])
    before = stamp(server.path())
    code, rows, log = run(server, ["b:%s" % HASH, "a:" + line])
    assert code == DATA_ERROR and rows[2]["result"] == "conflict" and reason in rows[2]["reason"]
    assert "1 conflicts, 0 invalid lines: nothing was written" in log
    assert stamp(server.path()) == before


def test_replace(server):
    """Hash and fields change at once, what the list knows nothing of stays."""
    app = {"id": "k7qmx3", "hash": argon("secret"), "label": "phone"}
    server.set("jane", password=argon(SECRET), enabled=True, protocols=["pop3"], fields={"userdb_old": "x"},
               app_passwords=[app], unknown=[1])
    server.set("joe", password=argon(SECRET), enabled=False)
    server.set("max", password=argon(SECRET))
    # and auth knows it by heart
    assert server.auth("jane", SECRET).ok and server.auth("jane", SECRET).ok
    rows, log = imported(server, ["jane:%s:1:2" % argon("new"), "joe:{PLAIN}new", "ann:%s" % HASH], "--replace")
    assert [row["result"] for row in rows.values()] == ["replaced", "replaced", "new"]
    assert "0 kept, 1 new, 2 replaced" in log
    found = users(server)
    assert found["jane"].pop("password") != argon(SECRET)
    assert found["jane"] == {"enabled": True, "protocols": ["pop3"], "app_passwords": [app], "unknown": [1],
                             "fields": {"userdb_uid": "1", "userdb_gid": "2"}}
    assert found["joe"]["enabled"] is False and found["max"] == server.credentials["max"]
    assert server.auth("jane", "new").ok and not server.auth("jane", SECRET).ok
    assert not server.auth("joe", "new").ok


def test_broken_user(server):
    """What cannot be read is not written over."""
    server.write_text(server.path(), '{"version":1,"users":{\n"a":{x},\n"b":{}\n}}\n')
    before = stamp(server.path())
    code, rows, _ = run(server, ["a:%s" % HASH], "--replace")
    assert code == DATA_ERROR and rows[1]["result"] == "conflict" and "line 2 column 6" in rows[1]["reason"]
    assert stamp(server.path()) == before
    # the others are not held up by it
    imported(server, ["c:%s" % HASH])
    with open(server.path(), encoding="utf-8") as file:
        assert '"a":{x},\n"b":{},\n"c":{"password"' in file.read()


def test_dry_run(server):
    """Says what would be done, in the results and in the exit code, and does nothing."""
    imported(server, ["a:%s" % HASH, "b:%s" % HASH])
    before = stamp(server.path()), sorted(os.listdir(server.folder))
    rows, log = imported(server, ["a:%s" % HASH, "b:%s" % OTHER_HASH, "c:{PLAIN}x"], "--dry-run", "--replace")
    assert [row["result"] for row in rows.values()] == ["replaced", "new"]
    assert "users looked at: 1 kept, 1 new, 1 replaced" in log
    code, rows, _ = run(server, ["b:%s" % OTHER_HASH], "-n")
    assert code == DATA_ERROR and rows[1]["result"] == "conflict"
    assert (stamp(server.path()), sorted(os.listdir(server.folder))) == before


def test_no_file_yet(server):
    """The first import makes the file, for the auth service to read."""
    os.unlink(server.path())
    imported(server, ["jane:{PLAIN}%s" % SECRET])
    assert server.auth("jane", SECRET).ok


# -- many of them


MANY = 10000


def many(hash_text):
    return ["user%d:%s:%d:8:U:/home/%d:/bin/sh:userdb_quota_rule=*:storage=1G" % (at, hash_text, at + 1, at)
            for at in range(MANY)]


@pytest.mark.native
def test_many(server):
    """10,000 users in one file take seconds, new, known and changed."""
    began = time.monotonic()
    imported(server, many(HASH))
    rows, log = imported(server, many(HASH))
    assert rows == {} and "%d kept" % MANY in log
    rows, _ = imported(server, many(OTHER_HASH), "--replace")
    assert len(rows) == MANY and rows[MANY]["result"] == "replaced"
    took = time.monotonic() - began
    found = users(server)
    assert len(found) == MANY and {entry["password"] for entry in found.values()} == {OTHER_HASH}
    assert took < 30


def test_killed(server):
    """Whenever it is killed, the file is the old or the new one, whole, and the next import works."""
    imported(server, many(HASH))
    chance = random.Random(6)
    seen = set()
    options = ["doveadm", "-c", server.conf, "pop3", "password", "import", "--replace", "-"]
    limit = None
    for at in range(12):
        hash_text = "%s%d" % (HASH, at)
        known = {entry["password"] for entry in users(server).values()}
        began = time.monotonic()
        with subprocess.Popen(options, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              env=server.environment()) as process:
            process.stdin.write("\n".join(many(hash_text)).encode())
            process.stdin.close()
            fed = time.monotonic()
            if limit is not None:
                time.sleep(chance.uniform(0, 1.1) * limit)
                process.send_signal(signal.SIGKILL)
            process.wait()
        limit = limit or time.monotonic() - fed
        assert time.monotonic() - began < 30
        found = users(server)
        assert len(found) == MANY
        now = {entry["password"] for entry in found.values()}
        assert now in (known, {hash_text})
        seen.add(now == known)
    assert seen == {True, False}
    imported(server, many(OTHER_HASH), "--replace")
    assert {entry["password"] for entry in users(server).values()} == {OTHER_HASH}


# -- a file for each user


def test_files(many_files):
    """Each user gets a file; a name that would be another path is refused before the first one is written."""
    server = many_files
    code, rows, _ = run(server, ["fa:%s" % HASH, "../fb:%s" % HASH, "x/y:%s" % HASH, ".c:%s" % HASH])
    assert code == DATA_ERROR and {rows[at]["result"] for at in (2, 3, 4)} == {"invalid"}
    assert os.listdir(server.folder) == []
    count = 300
    lines = ["u%d@example.com:%s" % (at, HASH) for at in range(count)]
    _, log = imported(server, lines)
    assert "%d new" % count in log
    for at in range(count):
        assert server.read("u%d@example.com" % at) == {"password": HASH, "enabled": True}
    assert os.stat(server.path("u7@example.com")).st_uid == pwd.getpwnam("dovecot").pw_uid
    # one that is in the way of one user is in the way of all
    lines.append("u%d@example.com:%s" % (count, HASH))
    lines[5] = "u5@example.com:%s" % OTHER_HASH
    code, rows, _ = run(server, lines)
    assert code == DATA_ERROR and rows[6]["result"] == "conflict"
    assert not os.path.exists(server.path("u%d@example.com" % count))
    rows, _ = imported(server, lines, "--replace")
    assert {line: row["result"] for line, row in rows.items()} == {6: "replaced", count + 1: "new"}
    assert server.read("u5@example.com")["password"] == OTHER_HASH
