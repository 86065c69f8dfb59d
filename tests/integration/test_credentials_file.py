# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""A credential file that cannot be used, files for each user, and settings that are wrong."""

import contextlib
import json
import os
import re
import stat
import time

import pytest

import dovecot_conf
from conftest import running, user_maker
from credentials import FAILED, TEMPORARY, CredentialServer, argon, in_lines
from polling import wait_for
from user import User

RIGHT = dovecot_conf.PASSWORD


@pytest.fixture(scope="module")
def server(memory_disk):
    with running(CredentialServer()) as found:
        yield found


@pytest.fixture(scope="module")
def many_files(memory_disk):
    with running(CredentialServer(per_user=True)) as found:
        yield found


@pytest.fixture
def user(server, request):
    return user_maker(server, request)()


def ghost(server, name="ghost"):
    """A user of whom the server knows nothing."""
    return User(server, name, "maildir", {})


# -- a file that cannot be used


def pretty(server):
    return json.dumps({"version": 1, "users": server.credentials}, indent=2) + "\n"


def bad_json(server):
    server.write_text(server.path(), '{\n  "version": 1,\n  "users": {\n    "jane": {"password": oops}\n  }\n}\n')


def half(server):
    text = pretty(server)
    server.write_text(server.path(), text[:len(text) // 2])


def half_of_lines(server):
    text = in_lines(server.credentials)
    server.write_text(server.path(), text[:len(text) // 2])


def empty(server):
    server.write_text(server.path(), "")


def half_written(server):
    """In the same file, as by a program that does not know better."""
    text = pretty(server)
    with open(server.path(), "w", encoding="utf-8") as file:
        file.write(text[:-10])


def other_version(server):
    server.write_text(server.path(), '{"version":2,"users":{}}\n')


def no_object(server):
    server.write_text(server.path(), "[]\n")


def twice(server):
    entry = json.dumps({"password": argon("x")})
    server.write_text(server.path(), '{"version": 1, "users": {"a": %s, "a": %s}}' % (entry, entry))


def removed(server):
    os.unlink(server.path())


def unreadable(server):
    os.chown(server.path(), 0, 0)


def too_open(server):
    os.chmod(server.path(), 0o644)


def group_writes(server):
    os.chmod(server.path(), 0o660)


def link(server):
    os.rename(server.path(), server.path() + ".real")
    os.symlink(server.path() + ".real", server.path())


def directory(server):
    os.unlink(server.path())
    os.mkdir(server.path(), 0o700)
    server.own(server.path())


def fifo(server):
    os.unlink(server.path())
    os.mkfifo(server.path(), 0o600)
    server.own(server.path())


def closed_folder(server):
    os.chmod(server.folder, 0)


BREAKS = {
    bad_json: r"line 4 column 29", half: r"line \d+ column \d+", half_of_lines: r"line \d+ column \d+",
    empty: r"line 1 column \d+", half_written: r"line \d+ column \d+", other_version: r"version",
    no_object: r"not a JSON object", twice: r"line 1 column \d+", removed: r"No such file or directory",
    unreadable: r"Permission denied", too_open: r"has mode 0644, .* expected 0600", group_writes: r"has mode 0660",
    link: r"is a link", directory: r"is not a regular file", fifo: r"is not a regular file",
    closed_folder: r"Permission denied",
}


# a file in which nothing can be found, so that there is no copy either
HOPELESS = [closed_folder]


def copy_path(server):
    """What workers use that start while the file is broken."""
    return server.path() + ".good"


def read_copy(server):
    """The users in it."""
    with open(copy_path(server), encoding="utf-8") as file:
        return json.load(file)["users"]


def undo(server):
    os.chmod(server.folder, 0o700)
    if os.path.isdir(server.path()):
        os.rmdir(server.path())
    server.write()


@pytest.mark.parametrize("damage", BREAKS, ids=lambda damage: damage.__name__)
def test_broken_file(server, user, damage):
    """Who was in the file before gets in, with the right password only; anybody else is told to come again, not that
    there is no such user. The log says what is wrong, and where. All is as before when the file is mended."""
    # the log says the same thing once a minute, and this is another file for it
    server.kill_workers()
    assert server.login_reply(user, RIGHT).startswith("+OK")
    damage(server)
    start = server.log_size()
    other = ghost(server)
    try:
        assert server.login_reply(user, RIGHT).startswith("+OK")
        wrong, unknown, right = server.replies((user, "x"), (other, RIGHT), (user, RIGHT))
        assert wrong == FAILED and unknown.startswith(TEMPORARY) and right.startswith("+OK")
        first, *more = server.wait_auth_lines(None, "Error", start=start)
        assert re.search(BREAKS[damage], first), first
        assert server.path() in first and "users who were in it before still can log in" in first
        assert all("(%s," % other.name in line for line in more), more
        assert not server.auth_lines(other, "unknown user|mismatch", start)
    finally:
        undo(server)
    server.set(user.name, password=argon("new"))
    assert server.login_reply(user, "new").startswith("+OK")
    assert server.replies((other, RIGHT), (user, RIGHT)) == [FAILED] * 2


@pytest.mark.parametrize("damage", [damage for damage in BREAKS if damage not in HOPELESS],
                         ids=lambda damage: damage.__name__)
def test_broken_file_and_new_worker(server, user, request, damage):
    """A worker that has never seen the file as it was lets in the same users as one that has, by the copy; nobody who
    was taken out before. When the file is mended, it is what counts."""
    gone = user_maker(server, request)()
    server.kill_workers()
    assert server.auth_all((user, RIGHT), (gone, RIGHT)) == [True] * 2
    server.settle()
    assert gone.name in read_copy(server)
    known = server.credentials.pop(gone.name)
    server.write()
    # the worker that has just written a copy would wait for some seconds
    server.kill_workers()
    assert server.login_reply(user, RIGHT).startswith("+OK")
    server.settle()
    assert read_copy(server) == server.credentials

    server.kill_workers()
    damage(server)
    start = server.log_size()
    other = ghost(server)
    try:
        for _ in range(2):
            wrong, right, *others = server.replies((user, "x"), (user, RIGHT), (other, RIGHT), (gone, RIGHT))
            assert wrong == FAILED and right.startswith("+OK")
            assert all(reply.startswith(TEMPORARY) for reply in others)
        first = server.wait_auth_lines(None, "Error", start=start)[0]
        assert re.search(BREAKS[damage], first), first
        assert server.path() in first and "users who were in it before still can log in" in first
        assert not server.auth_lines(None, "Warning|Panic|Fatal", start)
        assert read_copy(server) == server.credentials
    finally:
        undo(server)
    server.set(user.name, password=argon("new"))
    assert server.login_reply(user, "new").startswith("+OK")
    assert server.replies((other, RIGHT), (gone, RIGHT), (user, RIGHT)) == [FAILED] * 3
    server.set(gone.name, **known)


def test_copy(server, user):
    """Nobody may read it who may not read the file; it is written once for a state of the file, and not for failed
    logins."""
    server.kill_workers()
    os.chmod(server.path(), 0o640)
    os.utime(server.path(), (1e9, 1e9))
    assert server.login_reply(user, "x") == FAILED
    server.settle()
    assert not os.path.exists(copy_path(server)) or os.stat(copy_path(server)).st_mtime != 1e9
    # so old that another change would show
    wait_for(lambda: time.time() - os.stat(server.path()).st_ctime > 4, "the clock")
    made = None
    for _ in range(2):
        server.kill_workers()
        assert server.login_reply(user, RIGHT).startswith("+OK")
        server.settle()
        found = os.stat(copy_path(server))
        assert stat.S_IMODE(found.st_mode) == 0o640
        assert (found.st_uid, found.st_gid) == (os.stat(server.path()).st_uid, os.stat(server.path()).st_gid)
        assert found.st_mtime == 1e9 and made in (None, found.st_ino)
        made = found.st_ino
    assert read_copy(server) == server.credentials
    assert not os.path.exists(copy_path(server) + ".tmp")


@pytest.mark.parametrize("copy", [None, "{", "link", "mode"])
def test_broken_from_the_start(server, user, copy):
    """Where there is no copy, or it is of no use, nobody is known to a new worker: all are told to come again, and get
    in when the file is mended."""
    server.kill_workers()
    with contextlib.suppress(FileNotFoundError):
        os.unlink(copy_path(server))
    if copy:
        server.write_text(copy_path(server), copy if copy == "{" else in_lines(server.credentials),
                          0o644 if copy == "mode" else 0o600)
    if copy == "link":
        os.rename(copy_path(server), server.path() + ".other")
        os.symlink(server.path() + ".other", copy_path(server))
    half(server)
    start = server.log_size()
    for reply in server.replies((user, RIGHT), (user, RIGHT), (user, "x")):
        assert reply.startswith(TEMPORARY)
    line = server.wait_auth_lines(None, "no user in it can log in", start=start)[0]
    assert ("of the copy: %s" % copy_path(server) in line) == (copy is not None)
    server.write()
    assert server.login_reply(user, RIGHT).startswith("+OK")
    server.settle()
    # which brings the copy back
    assert read_copy(server) == server.credentials and not os.path.islink(copy_path(server))


def test_copy_that_cannot_be_written(server, user):
    """Logins are as good as ever, and the log says so once; nothing is tried in a folder that auth may not write."""
    server.kill_workers()
    with contextlib.suppress(FileNotFoundError):
        os.unlink(copy_path(server))
    os.mkdir(copy_path(server))
    start = server.log_size()
    try:
        for _ in range(2):
            assert server.login_reply(user, RIGHT).startswith("+OK")
        server.wait_auth_lines(user=None, pattern="Warning: .*cannot keep a copy of " + re.escape(server.path()),
                               start=start)
        server.settle()
        assert len(server.auth_lines(None, "copy", start)) == 1
    finally:
        os.rmdir(copy_path(server))

    server.kill_workers()
    os.chown(server.folder, 0, os.stat(server.folder).st_gid)
    os.chmod(server.folder, 0o750)
    known, start = sorted(os.listdir(server.folder)), server.log_size()
    try:
        assert server.login_reply(user, RIGHT).startswith("+OK")
        server.settle()
        assert sorted(os.listdir(server.folder)) == known
        assert not server.auth_lines(None, "Warning|Error", start)
    finally:
        server.own(server.folder)
        os.chmod(server.folder, 0o700)


def test_broken_line(server, request):
    """When only the line of one user is wrong, only that user has to come again; the error says where."""
    make = user_maker(server, request)
    first, broken, last = make(), make(), make()
    lines = in_lines({user.name: server.credentials[user.name] for user in (first, broken, last)}).splitlines(True)
    lines[2] = '"%s":{"password":oops},\n' % broken.name
    server.write_text(server.path(), "".join(lines))
    start = server.log_size()
    for user in (first, last):
        assert server.login_reply(user, RIGHT).startswith("+OK")
    assert server.login_reply(broken, RIGHT).startswith(TEMPORARY)
    # where the wrong word ends
    place = "line 3 column %d: " % (lines[2].index("oops") + len("oops"))
    assert place in server.wait_auth_lines(broken, "Error", start=start)[0]


def test_file_that_is_written_again_and_again(server, user):
    """A change is seen by the next login, though the file may have had the same size in the same tick of the clock."""
    for number in range(15):
        password = "word-%02d" % number
        server.set(user.name, password=argon(password))
        assert server.auth(user, password).ok
    assert server.auth_all(*[(user, "word-%02d" % number) for number in range(15)]) == [False] * 14 + [True]


def test_json_in_other_forms(server, user):
    """A file that a person or another program has written is as good."""
    app = server.add_app(user.name)
    logins = [(user, RIGHT), (user, app.text), (user, "x")]
    for text in (pretty(server), json.dumps({"users": server.credentials, "version": 1}),
                 json.dumps({"version": 1, "x": [1], "users": server.credentials}, indent="\t")):
        server.write_text(server.path(), text)
        assert server.auth_all(*logins) == [True, True, False]


# -- a file for each user


def test_file_for_each_user(many_files, request):
    """A file that is not there is a user who is not there; a broken one is the trouble of its user only."""
    make = user_maker(many_files, request)
    user, other = make(), make()
    app = many_files.add_app(user.name)
    assert many_files.login_reply(user, RIGHT).startswith("+OK")
    assert many_files.login_reply(user, app.text).startswith("+OK")
    assert many_files.login_reply(other, app.text) == FAILED

    start = many_files.log_size()
    nobody = ghost(many_files)
    assert many_files.login_reply(nobody, RIGHT) == FAILED
    many_files.wait_auth_lines(nobody, "unknown user", start=start)
    assert not many_files.auth_lines(None, "Error", start)

    many_files.kill_workers()
    many_files.write_text(many_files.path(other.name), "{")
    start = many_files.log_size()
    assert many_files.login_reply(other, RIGHT).startswith(TEMPORARY)
    many_files.wait_auth_lines(None, re.escape(many_files.path(other.name)) + ".*line 1 column", start=start)
    assert many_files.login_reply(user, RIGHT).startswith("+OK")

    # a file of one user has no copy
    assert not [name for name in os.listdir(many_files.folder) if name.endswith(".good")]
    # a user who was removed is gone at once
    many_files.drop(user.name)
    assert many_files.login_reply(user, RIGHT) == FAILED


def test_own_file_of_somebody_else(many_files, request):
    """A file is about the user whose it is, whatever others are in it."""
    user = user_maker(many_files, request)()
    many_files.write_text(many_files.path(user.name), in_lines({"somebody": many_files.credentials[user.name]}))
    assert many_files.login_reply(user, RIGHT) == FAILED
    assert many_files.login_reply(ghost(many_files, "somebody"), RIGHT) == FAILED


def test_folder_that_is_gone(many_files, request):
    """It is not the end of all users."""
    user = user_maker(many_files, request)()
    os.rename(many_files.folder, many_files.folder + ".away")
    try:
        assert many_files.login_reply(ghost(many_files), RIGHT).startswith(TEMPORARY)
    finally:
        os.rename(many_files.folder + ".away", many_files.folder)
    assert many_files.login_reply(user, RIGHT).startswith("+OK")


NAMES = ["../evil", "a/b", "/evil", "..", ".", ".hidden", "a/../../evil"]


def test_names_that_lead_elsewhere(start_credentials):
    """A user's name does not lead out of the folder of the files, nor below it, nor to hidden ones."""
    server = start_credentials(per_user=True, extra="auth_username_chars =\n")
    for folder, names in ((server.root, ["evil.json"]), (server.folder, [".hidden.json", "..json", "...json"]),
                          (os.path.join(server.folder, "a"), ["b.json"]), ("/", ["evil.json"])):
        if folder != "/":
            os.makedirs(folder, exist_ok=True)
            for name in names:
                server.write_text(os.path.join(folder, name), in_lines({user: {"password": argon(RIGHT)}
                                                                        for user in NAMES}))
    os.chmod(os.path.join(server.folder, "a"), 0o755)
    server.set("plain", password=argon(RIGHT))
    assert server.auth("plain", RIGHT).ok
    start = server.log_size()
    assert server.auth_all(*[(name, RIGHT) for name in NAMES]) == [False] * len(NAMES)
    server.wait_auth_lines(None, 'has a "/" or begins with a dot', len(NAMES), start)


def test_path_of_domain_and_local_part(start_credentials):
    server = start_credentials(path="ROOT/credentials/DOMAIN/LOCAL.json")
    for name in ("jane@one.example", "jane@two.example"):
        local, domain = name.split("@")
        path = os.path.join(server.folder, domain, local + ".json")
        os.mkdir(os.path.dirname(path))
        os.chmod(os.path.dirname(path), 0o755)
        server.write_text(path, in_lines({name: {"password": argon(domain)}}))
    # also a domain of which nothing is known, and an address without one
    logins = [(name, word) for name in ("jane@one.example", "jane@two.example", "jane@three.example", "jane")
              for word in ("one.example", "two.example")]
    # 2.4 drops logins that come while the first worker starts
    server.settle()
    assert server.auth_all(*logins) == [True, False, False, True] + [False] * 4


# -- settings

WRONG = [
    ({"path": ""}, r"path: not set, expected"),
    ({"path": None}, r"path: not set, expected"),
    ({"path": "credentials.json"}, r'path: "credentials\.json" is not an absolute path'),
    ({"path": "/x/VARIABLE.json"}, r'path: unknown variable "(s|%\{protocol\})", expected'),
    ({"hash_memory": "2G"}, r"hash_memory: 2147483648 octets, expected 1M to 1G"),
    ({"hash_memory": "512k"}, r"hash_memory: 524288 octets, expected 1M to 1G"),
    ({"hash_memory": "much"}, r"hash_memory.*much"),
    ({"hash_passes": "0"}, r"hash_passes: 0, expected 1 to 100"),
    ({"hash_passes": "101"}, r"hash_passes: 101, expected 1 to 100"),
    ({"hash_passes": "-1"}, r"hash_passes.*-1"),
    ({"pth": "/x"}, r"pth"),
]


@pytest.mark.parametrize("settings,message", WRONG, ids=lambda value: str(value)[:40])
def test_wrong_settings(memory_disk, settings, message):
    """The server, or its auth service, does not start, and says which setting is wrong and what would be right."""
    variable = "%s" if dovecot_conf.LINE == "2.3" else "%{protocol}"
    given = {"path": "/x/all.json", **{key: value and value.replace("VARIABLE", variable)
                                      for key, value in settings.items()}}
    server = CredentialServer(block=given)
    try:
        said = []
        try:
            server.start()
        except AssertionError as error:
            said.append(str(error))
        wait_for(lambda: said or re.search("auth: (Fatal|Error)", server.log()), "a complaint:\n" + server.log())
        assert re.search(message, "".join(said) + server.log())
    finally:
        server.remove()
