# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""What a disk may hold when the power fails. A folder is recorded as it is before a program runs; the calls of the
program are then played on it one by one, and after each call every state comes out that a file system may leave.

Names. Most file systems keep the order of all changes of names, and an fsync of anything makes all before it durable
(ORDERED: ext4, xfs). Others promise less: an fsync of a file makes durable that file's own name, one of a folder the
names in it, and of the other changes any may be there without the rest, but those of the same name stay in their order
(LOOSE: btrfs).

Data. What was written and not synced may be there, be missing, be there up to one of the writes, or be zeros of the
right size (no file system of today that keeps names in order does that, but for ext4 with data=writeback)."""

import dataclasses
import os
import shutil
import stat

import user as users

# how much of the order of names is kept
ORDERED, LOOSE = "ordered", "loose"
# what became of data that was not synced
ALL, MISSING, PARTLY, ZEROS = "data there", "data missing", "data partly there", "zeros for data"

# of new ones: no program here makes others
FILE_MODE, FOLDER_MODE = 0o600, 0o700
# -1, as the C library may have it
UNCHANGED = (-1, 0xffffffff)


@dataclasses.dataclass(frozen=True)
class Rights:
    mode: int
    uid: int
    gid: int


class Node:
    """A file or a folder, wherever its names are. DATA are the contents after each write since it was synced, the first
    one those that are safe; None is a folder. RIGHTS are of the same kind."""

    def __init__(self, rights, data=None, mtime=None):
        self.rights = [rights]
        self.data = None if data is None else [data]
        self.mtime = mtime

    @property
    def is_folder(self):
        return self.data is None

    @property
    def is_dirty(self):
        return self.rights[-1] != self.rights[0] or self.data is not None and self.data[-1] != self.data[0]

    def touch(self):
        """From now on its time is that of now."""
        self.mtime = None

    def change(self, data):
        if data != self.data[-1]:
            self.data.append(data)
        self.touch()

    def change_rights(self, **changed):
        self.rights.append(dataclasses.replace(self.rights[-1], **changed))

    def sync(self):
        del self.rights[:-1]
        if self.data is not None:
            del self.data[:-1]

    # -- (contents, rights) of which all is there, or what is safe

    def newest(self):
        return self.data and self.data[-1], self.rights[-1]

    def safe(self):
        return self.data and self.data[0], self.rights[0]

    def zeros(self):
        """The size is the new one; what was safe and still is the same is there."""
        if self.is_folder:
            return self.newest()
        safe, new = self.data[0], self.data[-1]
        kept = len(safe) if new.startswith(safe) else 0
        return new[:kept] + bytes(len(new) - kept), self.rights[-1]


@dataclasses.dataclass(eq=False)
class Change:
    """Of names: {path: number of the node, or None for a name that is gone}."""

    text: str
    names: dict

    def apply(self, names):
        for path, number in self.names.items():
            if number is None:
                names.pop(path, None)
            else:
                names[path] = number

    def touches(self, paths):
        return not paths.isdisjoint(self.names)

    @property
    def folders(self):
        return {os.path.dirname(path) for path in self.names}


def applied(names, changes):
    names = dict(names)
    for change in changes:
        change.apply(names)
    return names


class Ordered:
    """The names of a file system that keeps all of them in their order."""

    def __init__(self, names):
        self.durable = dict(names)
        self.pending = []

    def sync(self, _node_number, _folder):
        self.durable = applied(self.durable, self.pending)
        self.pending = []

    def choices(self):
        """(what they are, names) of each state that is possible; the last one has all changes."""
        for count in range(len(self.pending) + 1):
            yield "%d of %d names" % (count, len(self.pending)), applied(self.durable, self.pending[:count])


class Loose(Ordered):
    """The names of a file system that makes durable what it was asked for, and the rest when it likes."""

    def sync(self, node_number, folder):
        """FOLDER is the path of the node if it is one."""
        asked = [change for change in self.pending
                 if (folder in change.folders if folder is not None else node_number in change.names.values())]
        done = self.with_earlier(asked)
        self.durable = applied(self.durable, done)
        self.pending = [change for change in self.pending if change not in done]

    def with_earlier(self, asked):
        """And the earlier changes of the same names."""
        paths, found = set(), []
        for change in reversed(self.pending):
            if change in asked or change.touches(paths):
                paths.update(change.names)
                found.append(change)
        return found[::-1]

    def without(self, left_out):
        """All but this one, and the later ones of the same names."""
        paths, found = set(), []
        for change in self.pending:
            if change is left_out or change.touches(paths):
                paths.update(change.names)
            else:
                found.append(change)
        return found

    def choices(self):
        yield "no names", dict(self.durable)
        for change in self.pending:
            yield "without " + change.text, applied(self.durable, self.without(change))
            yield "only " + change.text, applied(self.durable, self.with_earlier([change]))
        yield "all names", applied(self.durable, self.pending)


class Image:
    """What has a name on the disk: PATHS in their order, and of each (contents, rights), where no contents are a folder,
    and the time, None for that of now."""

    def __init__(self, paths, things, mtimes):
        self.paths = paths
        self.things = things
        self.mtimes = mtimes

    @property
    def key(self):
        return self.paths, self.things

    def files(self):
        """{path: (contents, rights)}"""
        return dict(zip(self.paths, self.things))

    def rows(self, folder, are_in):
        """Those that are in the folder, or those that are not."""
        return [row for row in zip(self.paths, self.things, self.mtimes)
                if (row[0] == folder or row[0].startswith(folder + "/")) == are_in]

    def with_folder(self, folder, other):
        """The same, but what is in the folder is that of the other image."""
        return Image(*zip(*sorted(self.rows(folder, False) + other.rows(folder, True), key=lambda row: row[0])))

    def build(self, home):
        """HOME is then as after the power loss."""
        shutil.rmtree(home)
        paths = [os.path.join(home, path) if path else home for path in self.paths]
        for path, (contents, rights) in zip(paths, self.things):
            if contents is None:
                os.mkdir(path)
            else:
                with open(path, "wb") as file:
                    file.write(contents)
            os.chown(path, rights.uid, rights.gid)
            os.chmod(path, rights.mode)
        # files in them change the times of folders
        for path, mtime in reversed(list(zip(paths, self.mtimes))):
            if mtime is not None:
                os.utime(path, ns=(mtime, mtime))


class Disk:
    """The folder HOME and the calls that OWNER made below it. Paths are relative to it, "" is HOME."""

    def __init__(self, home, owner=(users.UID, users.GID)):
        self.home = home
        self.owner = owner
        self.nodes = []
        self.numbers = {}
        self.names = {}
        self.take_up()
        self.orders = {ORDERED: Ordered(self.names), LOOSE: Loose(self.names)}

    def take_up(self):
        """All that is there, which is safe."""
        self.add_found("", self.home)
        for path, folders, files in os.walk(self.home):
            for name in sorted(folders + files):
                full = os.path.join(path, name)
                self.add_found(os.path.relpath(full, self.home), full)

    def add_found(self, path, full):
        info = os.lstat(full)
        assert stat.S_ISDIR(info.st_mode) or stat.S_ISREG(info.st_mode), full
        if info.st_ino not in self.numbers:
            data = None
            if stat.S_ISREG(info.st_mode):
                with open(full, "rb") as file:
                    data = file.read()
            self.add(info.st_ino, Node(Rights(stat.S_IMODE(info.st_mode), info.st_uid, info.st_gid), data,
                                       info.st_mtime_ns))
        self.names[path] = self.numbers[info.st_ino]

    def add(self, inode, node):
        self.numbers[inode] = len(self.nodes)
        self.nodes.append(node)
        return self.numbers[inode]

    # -- calls

    def path(self, full):
        return "" if full == self.home else os.path.relpath(full, self.home)

    def rename_names(self, text, names):
        change = Change(text, names)
        change.apply(self.names)
        for folder in change.folders & set(self.names):
            self.nodes[self.names[folder]].touch()
        for order in self.orders.values():
            order.pending.append(change)

    def apply(self, call):
        """One call; who has failed has changed nothing."""
        name = call.name if call.result >= 0 else "utime"
        if name in ("create", "mkdir"):
            node = Node(Rights(FOLDER_MODE, *self.owner)) if name == "mkdir" else Node(
                Rights(FILE_MODE, *self.owner), b"")
            path = self.path(call.path)
            self.rename_names("%s %s" % (name, path), {path: self.add(call.inode, node)})
        elif name in ("rename", "renameat", "link", "linkat"):
            self.move(name, self.path(call.path), self.path(call.path2))
        elif name in ("unlink", "unlinkat", "rmdir"):
            path = self.path(call.path)
            self.rename_names("%s %s" % (name, path), {path: None})
        elif name in ("fsync", "fdatasync"):
            self.sync(call)
        elif name in ("write", "pwrite", "writev"):
            self.write(self.nodes[self.numbers[call.inode]], call.offset, call.data)
        elif name in ("ftruncate", "truncate", "empty"):
            node = self.nodes[self.numbers[call.inode]]
            size = 0 if name == "empty" else call.offset
            node.change(node.data[-1][:size].ljust(size, b"\0"))
        elif name == "fchmod":
            self.nodes[self.numbers[call.inode]].change_rights(mode=call.offset)
        elif name == "fchown":
            self.nodes[self.numbers[call.inode]].change_rights(
                **{key: value for key, value in (("uid", call.offset), ("gid", call.size)) if value not in UNCHANGED})
        else:
            # what changes neither names nor data
            assert name in ("utime", "utimes", "futimens"), name

    @staticmethod
    def write(node, offset, data):
        old = node.data[-1].ljust(offset, b"\0")
        node.change(old[:offset] + data + old[offset + len(data):])

    def move(self, name, old, new):
        number = self.names[old]
        if name in ("link", "linkat"):
            self.rename_names("link to " + new, {new: number})
            return
        names = {old: None, new: number}
        if self.nodes[number].is_folder:
            # all below it has another path as well
            for path, below in self.names.items():
                if path.startswith(old + "/"):
                    names[path] = None
                    names[new + path[len(old):]] = below
        self.rename_names("rename %s to %s" % (old, new), names)

    def sync(self, call):
        number = self.numbers.get(call.inode)
        if number is None:
            return
        node = self.nodes[number]
        node.sync()
        for order in self.orders.values():
            order.sync(number, self.path(call.path) if node.is_folder else None)

    # -- states

    def reachable(self, names):
        """(paths, numbers of the nodes) of what is in a folder that is there."""
        paths, numbers = [], []
        there = set()
        for path in sorted(names):
            if path == "" or path.rpartition("/")[0] in there:
                number = names[path]
                paths.append(path)
                numbers.append(number)
                if self.nodes[number].is_folder:
                    there.add(path)
        return tuple(paths), numbers

    def image(self, reachable, data_of):
        paths, numbers = reachable
        nodes = [self.nodes[number] for number in numbers]
        return Image(paths, tuple(map(data_of, nodes)), [node.mtime for node in nodes])

    def now(self):
        """What the program sees."""
        return self.image(self.reachable(self.names), Node.newest)

    def states(self):
        """(order, data, what it is, image) of each state that may be left if the power fails now."""
        dirty = [number for number, node in enumerate(self.nodes) if node.is_dirty]
        for order, found in self.orders.items():
            for text, names in found.choices():
                reachable = self.reachable(names)
                yield order, ALL, text, self.image(reachable, Node.newest)
                if dirty:
                    yield order, MISSING, text, self.image(reachable, Node.safe)
                    yield order, ZEROS, text, self.image(reachable, Node.zeros)
        # what one file lacks is the same for all orders
        for number in dirty:
            yield from self.one_differs(reachable, number)

    def one_differs(self, reachable, number):
        """All is there but for a part of one file."""
        paths, numbers = reachable
        differing = self.nodes[number]
        text = ", ".join(path for path, other in zip(paths, numbers) if other == number)
        choices = [(MISSING, differing.safe()), (ZEROS, differing.zeros())]
        choices += [(PARTLY, (data, differing.rights[-1])) for data in (differing.data or [])[1:-1]]
        for kind, thing in choices:
            yield ORDERED, kind, text or "no name", self.image(
                reachable, lambda node, thing=thing: thing if node is differing else node.newest())


@dataclasses.dataclass
class State:
    """A state that may be left at some of the calls: at the first of them the client had been told TOLD_FIRST octets,
    at the last of them TOLD_LAST."""

    image: Image
    order: str
    data: str
    text: str
    told_first: int
    told_last: int

    @property
    def is_usual(self):
        """Whether a file system of today, as it is by default, may leave it."""
        return self.order == ORDERED and self.data != ZEROS

    def __str__(self):
        return "%s, %s, %s" % (self.order, self.data, self.text)


class States:
    """All distinct states that come up, in this order, apart for file systems of which one promises more."""

    def __init__(self):
        self.found = {}
        self.current = []

    def take(self, disk, where, told):
        self.current = []
        for order, data, text, image in disk.states():
            state = State(image, order, data, "%s, at %s" % (text, where), told, told)
            state = self.found.setdefault((state.is_usual, image.key), state)
            state.told_last = told
            self.current.append(state)

    def tell(self, told):
        for state in self.current:
            state.told_last = told

    def all(self):
        """Without those that have an equal one which was to be expected all the while."""
        for (is_usual, images), state in self.found.items():
            usual = self.found.get((True, images))
            if is_usual or usual is None or state.told_first < usual.told_first or state.told_last > usual.told_last:
                yield state


def possible_states(disk, calls):
    """What a power loss may leave while the calls are made; DISK is then as after all of them."""
    states = States()
    told = 0
    for call in calls:
        if call.is_tell:
            told += call.result
            states.tell(told)
        else:
            disk.apply(call)
            states.take(disk, "call %d, %s %s" % (call.number, call.name, disk.path(call.path)), told)
    return list(states.all())
