# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Messages that move instead of being expunged: none is lost on the way."""

import contextlib
import os
import re
import subprocess

import pytest

import dovecot_conf
import mailgen
import retention
import user as users
from dovecot import LIBEXEC
from retention import each_format, fetch, fields, left, poll, said, taken


@each_format
def test_move(server, new_user, form):
    user = new_user(form, messages=5, **fields(keep_downloaded="3d", expire_action="move Archive"))
    retention.mark(user, "2", "+FLAGS", r"(\Answered work)")
    fetch(user, 2, 4)
    before = retention.labels(user)
    server.clock.advance(days=3)
    uidls = poll(user)
    assert left(user) == [1, 3, 5]
    assert retention.contents(user, "Archive") == [mailgen.message(2), mailgen.message(4)]
    flags_only = (lambda labels: [flags for flags, _ in labels]) if form == "mbox" else list
    # what a line of an mbox says is local time, and the IMAP server of these tests lives elsewhere
    assert flags_only(retention.labels(user, "Archive")) == flags_only([before[1], before[3]])
    assert said(user) == ["retention moved 2 messages, %d bytes: 2 downloaded" % (2 * len(mailgen.message(2)))]
    fetch(user, 1)
    server.clock.advance(days=3)
    assert poll(user) == [uidls[0], uidls[2], uidls[4]]
    assert left(user, "Archive") == [2, 4, 1]
    assert poll(user) == [uidls[2], uidls[4]]


def harmed_pop3(root):
    """Once there is a file "harm": somebody removes the folder above the one that is made."""
    text = """
        if [ -e {root}/harm ]; then
            exec strace -D -q -e trace=mkdir -e inject=mkdir:error=ENOENT:when=3 -o {root}/trace {pop3} "$@"
        fi
        exec {pop3} "$@"
    """.format(root=root, pop3=os.path.join(LIBEXEC, "pop3"))
    return ["sh", "-c", text, "pop3"]


@pytest.mark.native
@pytest.mark.parametrize("form", ["sdbox", "mdbox"])
def test_place_that_is_removed_as_it_is_made(start_server, make_user_on, form):
    """The mailbox that the rule names is made again."""
    server = start_server(settings=fields(keep_downloaded="0", expire_action="move Archive"), pop3_command=harmed_pop3)
    user = make_user_on(server)(form, messages=2)
    poll(user)
    with open(os.path.join(server.root, "harm"), "w", encoding="ascii"):
        pass
    fetch(user, 1)
    with open(os.path.join(server.root, "trace"), encoding="utf-8") as file:
        assert re.search(r"/Archive.*INJECTED", file.read())
    assert left(user) == [2] and left(user, "Archive") == [1]
    assert taken(user, "moved") == 1 and not server.log_lines(user, "Error: ")


PLACES = {"maildir": "Maildir/.Archive", "mbox": "mail/Archive", "sdbox": "sdbox/mailboxes/Archive",
          "mdbox": "mdbox/mailboxes/Archive"}


@each_format
def test_no_place_to_move_to(server, new_user, form):
    """Nothing is lost, each session says so, and the messages go when there is a place."""
    user = new_user(form, messages=3, **fields(keep_downloaded="0", expire_action="move Archive"))
    poll(user)
    path = os.path.join(user.home, PLACES[form])
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="ascii") as file:
        file.write("no mailbox\n")
    user.own_home()
    fetch(user, 1, 2)
    poll(user)
    assert left(user) == [1, 2, 3]
    assert len(server.wait_log(user, "Error: .*retention has to wait: Archive")) == 2
    assert not taken(user, "moved")
    os.unlink(path)
    poll(user)
    assert left(user) == [3] and left(user, "Archive") == [1, 2]
    assert taken(user, "moved") == 2


@pytest.mark.parametrize("place", ["INBOX/", "Inbox", "../x", "nowhere/./a"])
def test_odd_places(server, new_user, place):
    """Whatever comes of such a name, no message is lost."""
    user = new_user(messages=2, **fields(keep_downloaded="0", expire_action="move " + place))
    with user.connect() as pop3:
        if pop3.login(user.name, user.password).ok:
            pop3.retr(1)
            pop3.quit()
    server.wait_idle()
    assert left(user) == [1, 2] or taken(user, "moved") == 1
    assert not taken(user)


@each_format
def test_over_quota(start_server, make_user_on, form):
    """A move within a quota takes nothing of it, as for an IMAP client."""
    extra = {"2.3": "plugin {\n  quota = count:User quota\n  quota_vsizes = yes\n  quota_rule = *:storage=4k\n"
                    "  quota_grace = 0\n}\n",
             "2.4": 'quota "User quota" {\n  driver = count\n  storage_size = 4k\n  storage_grace = 0\n}\n'}
    server = start_server(plugins=["quota"], extra=extra[dovecot_conf.LINE])
    user = make_user_on(server)(form, messages=2, **fields(keep_downloaded="0", expire_action="move Archive"))
    fetch(user, 1, 2)
    assert left(user) == [] and left(user, "Archive") == [1, 2]
    assert taken(user, "moved") == 2


def fill(folder, room):
    """Leaves so many bytes in a file system."""
    with open(os.path.join(folder, "full"), "wb", buffering=0) as file:
        with contextlib.suppress(OSError):
            while True:
                file.write(b"x" * 4096)
        file.truncate(file.tell() - room)


@pytest.mark.parametrize("form", ["maildir", "sdbox"])
def test_target_on_a_full_disk(server, new_user, form):
    """All copies or none, of what is tried after the first one."""
    user = new_user(form, messages=5, size=50000, **fields(keep_downloaded="0", expire_action="move Archive"))
    poll(user)
    with retention.selected(user) as imap:
        imap.create("Archive")
    place = os.path.join(user.home, PLACES[form])
    options = "mode=0700,size=512k,uid=%d,gid=%d" % (users.UID, users.GID)
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", place], check=True)
    try:
        fill(place, 120000)
        fetch(user, 1, 2, 3, 4)
        assert left(user) == [2, 3, 4, 5] and left(user, "Archive") == [1]
        assert server.wait_log(user, "Error: .*retention has to wait: ")
        assert taken(user, "moved") == 1
    finally:
        server.wait_idle()
        user.mail.lose("the file system of Archive goes")
        subprocess.run(["umount", "--lazy", place], check=True)
    poll(user)
    assert left(user) == [5] and left(user, "Archive") == [2, 3, 4]
