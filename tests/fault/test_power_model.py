# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""The model of a disk by itself, with calls that nobody made: which states it says may be left, and which not."""

import dataclasses
import os

import pytest

import power
from power import ALL, LOOSE, MISSING, ORDERED, PARTLY, ZEROS


@dataclasses.dataclass
class Call:
    """As the library notes them, of files that are known by their numbers."""

    name: str
    inode: int
    path: str
    path2: str = "-"
    offset: int = 0
    size: int = 0
    data: bytes = b""
    result: int = 0
    number: int = 0
    is_tell: bool = False


class Folder:
    """A folder with a file "old", and calls on it."""

    def __init__(self, path):
        self.path = str(path)
        with open(self.full("old"), "wb") as file:
            file.write(b"1")
        self.old = os.stat(self.full("old")).st_ino
        self.top = os.stat(self.path).st_ino
        self.disk = power.Disk(self.path)

    def full(self, name):
        return os.path.join(self.path, name) if name else self.path

    def call(self, name, inode, path, path2=None, **more):
        self.disk.apply(Call(name, inode, self.full(path), path2 and self.full(path2), **more))

    def left(self, *kinds):
        """{name: contents} of each state of these kinds, without what is the same in all."""
        return [{path: contents for path, (contents, _) in image.files().items() if path}
                for order, data, _, image in self.disk.states() if (order, data) in kinds]


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path)


def replace(folder, sync=True, number=7, data=b"2"):
    """As a file is replaced that is not to be lost."""
    folder.call("create", number, "new")
    folder.call("write", number, "new", data=data)
    if sync:
        folder.call("fdatasync", number, "new")
    folder.call("rename", number, "new", "old")


def test_nothing_done(folder):
    """What was there is safe."""
    assert folder.left((ORDERED, ALL), (LOOSE, ALL)) == [{"old": b"1"}] * 3


def test_replaced_file_is_whole(folder):
    replace(folder)
    for kind in (ALL, MISSING, ZEROS):
        assert all(found["old"] in (b"1", b"2") for found in folder.left((ORDERED, kind), (LOOSE, kind)))
    assert {"old": b"2"} in folder.left((ORDERED, ALL))
    folder.call("fsync", folder.top, "")
    for kind in (ALL, MISSING, ZEROS, PARTLY):
        assert all(found == {"old": b"2"} for found in folder.left((ORDERED, kind), (LOOSE, kind)))


def test_replaced_file_that_was_not_synced(folder):
    """The name may be there before the contents."""
    replace(folder, sync=False, data=b"22")
    assert {"old": b""} in folder.left((ORDERED, MISSING))
    assert {"old": b"\0\0"} in folder.left((ORDERED, ZEROS))


def test_appended(folder):
    """Of several writes the first ones may be there; what was there is not touched by zeros."""
    folder.call("write", folder.old, "old", offset=1, data=b"2")
    folder.call("write", folder.old, "old", offset=2, data=b"3")
    assert {"old": b"12"} in folder.left((ORDERED, PARTLY))
    assert {"old": b"1\0\0"} in folder.left((ORDERED, ZEROS))
    assert {"old": b"1"} in folder.left((ORDERED, MISSING))
    assert {"old": b"123"} in folder.left((ORDERED, ALL))


def test_names_keep_their_order(folder):
    folder.call("create", 7, "a")
    folder.call("create", 8, "b")
    assert {"old": b"1", "b": b""} not in folder.left((ORDERED, ALL), (ORDERED, MISSING))
    assert {"old": b"1", "b": b""} in folder.left((LOOSE, ALL))
    # a file's fsync is enough for all names before it, or for its own only
    folder.call("fsync", 8, "b")
    assert all("a" in found for found in folder.left((ORDERED, ALL)))
    assert {"old": b"1", "b": b""} in folder.left((LOOSE, ALL))
    folder.call("fsync", folder.top, "")
    assert all("a" in found and "b" in found for found in folder.left((LOOSE, ALL)))


def test_changes_of_one_name_keep_their_order(folder):
    """Nothing goes back to what was there before the last."""
    replace(folder)
    replace(folder, number=8, data=b"3")
    found = folder.left((LOOSE, ALL))
    # the fsync of the second file has made its first name safe, which the first one had before
    assert {"old": b"3"} in found and {"old": b"2", "new": b"3"} in found
    assert len({tuple(state.items()) for state in found}) == 2
    folder.call("fsync", 8, "old")
    assert folder.left((LOOSE, ALL)) == [{"old": b"3"}] * len(folder.left((LOOSE, ALL)))


def test_folders(folder):
    """What is in a folder that is not there is not there; a folder takes all in it along."""
    folder.call("mkdir", 7, "a")
    folder.call("create", 8, "a/x")
    assert {"old": b"1", "a": None} in folder.left((LOOSE, ALL))
    assert not any("a/x" in found and "a" not in found for found in folder.left((LOOSE, ALL), (ORDERED, ALL)))
    folder.call("rename", 7, "a", "b")
    assert {"old": b"1", "b": None, "b/x": b""} in folder.left((ORDERED, ALL))
    folder.call("unlink", 8, "b/x")
    assert {"old": b"1", "b": None} in folder.left((ORDERED, ALL))


def test_truncated(folder):
    folder.call("ftruncate", folder.old, "old", offset=3)
    assert {"old": b"1\0\0"} in folder.left((ORDERED, ALL))
    folder.call("ftruncate", folder.old, "old", offset=0)
    assert {"old": b""} in folder.left((ORDERED, ALL)) and {"old": b"1"} in folder.left((ORDERED, MISSING))


def test_rights(folder):
    """They are lost as contents are, and built as they are."""
    folder.call("fchmod", folder.old, "old", offset=0o640)
    folder.call("fchown", folder.old, "old", offset=20002, size=-1)
    found = {image.files()["old"][1] for _, _, _, image in folder.disk.states()}
    before = os.stat(folder.full("old"))
    assert found == {power.Rights(before.st_mode & 0o7777, before.st_uid, before.st_gid),
                     power.Rights(0o640, 20002, before.st_gid)}


def test_failed_call_changes_nothing(folder):
    folder.call("rename", folder.old, "old", "new", result=-28)
    assert folder.left((ORDERED, ALL)) == [{"old": b"1"}]


def test_built(folder):
    """A state is built with contents, rights and old times; what was changed has a time of now."""
    folder.call("fchmod", folder.old, "old", offset=0o640)
    replace(folder, number=7)
    folder.call("link", 7, "old", "other")
    now = folder.disk.now()
    old = power.Disk(folder.path).now()
    now.build(folder.path)
    with open(folder.full("other"), "rb") as file:
        assert file.read() == b"2"
    assert sorted(os.listdir(folder.path)) == ["old", "other"]
    old.build(folder.path)
    assert power.Disk(folder.path).now().key == old.key
    assert os.stat(folder.full("old")).st_mtime_ns == old.mtimes[1]


def test_states_and_what_was_told(folder):
    """A state is known with what the client had been told when it was first and last possible."""
    found = power.possible_states(folder.disk, [
        Call("tell", 0, "-", result=10, is_tell=True),
        Call("create", 7, folder.full("a")),
        Call("tell", 0, "-", result=5, is_tell=True),
        Call("fsync", folder.top, folder.path),
        Call("tell", 0, "-", result=1, is_tell=True)])
    told = {tuple(state.image.paths): (state.told_first, state.told_last) for state in found if state.is_usual}
    assert told == {("", "old"): (10, 15), ("", "a", "old"): (10, 16)}
