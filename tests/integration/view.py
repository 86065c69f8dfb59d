# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""What the tests of pop3_policy_view share."""

import collections
import os

import invariant
import mailgen
import retention

JUNK = "NOT KEYWORD $Junk"
# a message of 1500 octets has fewer, one of 9000 has more
SMALL = "SMALLER 5000"
LARGE = 9000

# numbers of messages as mailgen has them, and their UIDLs, in the order of POP3
Shown = collections.namedtuple("Shown", "numbers uidls")


def view(query, **more):
    """Userdb fields."""
    return {"pop3_policy_view": query, **more}


def junk(user, numbers, is_junk=True):
    """Marks messages by their numbers in IMAP: junk(user, "2,5")."""
    retention.mark(user, numbers, "+FLAGS" if is_junk else "-FLAGS", "($Junk)")


def words(reply):
    return [line.split(" ") for line in reply.lines]


def look(pop3):
    """What a session shows, when all of its commands agree about it."""
    stat, listed, told = pop3.pipeline("STAT", "LIST", "UIDL")
    count, total = map(int, stat.text.split()[1:])
    numbers = [str(number) for number in range(1, count + 1)]
    sizes, uidls = dict(words(listed)), dict(words(told))
    assert (list(sizes), list(uidls)) == (numbers, numbers)
    assert sum(map(int, sizes.values())) == total
    found = []
    for number in numbers:
        one_size, one_uidl, top, whole = pop3.pipeline(*["%s %s" % (command, number) for command in ("LIST", "UIDL")],
                                                       "TOP %s 0" % number, "TOP %s 999999" % number)
        assert one_size.text.split() == ["+OK", number, sizes[number]]
        assert one_uidl.text.split() == ["+OK", number, uidls[number]]
        assert len(whole.message) == int(sizes[number])
        found.append(mailgen.number_of(whole.message))
        assert mailgen.number_of(top.message) == found[-1]
    for number in (0, count + 1, count + 7):
        pop3.ok("NOOP")
        for command in ("RETR %d", "TOP %d 0", "LIST %d", "UIDL %d", "DELE %d"):
            line = first_line(pop3, command % number)
            assert line.startswith("-ERR"), (command % number, line)
    return Shown(found, [uidls[number] for number in numbers])


def first_line(pop3, command):
    """An error has no more, whatever the command."""
    pop3.send(command.encode() + b"\r\n")
    return pop3.read_line().decode("ascii", "replace")


def shown(user):
    """What a session shows that changes nothing."""
    with user.session() as pop3:
        found = look(pop3)
        assert pop3.quit().ok
    user.server.wait_idle()
    return found


def viewed(new_user, user, query, **fields):
    """Another login of the same user, who is shown a part: the mail and the state are the same."""
    other = new_user(user.form, home=user.home, **view(query, **{**user.fields, **fields}))
    os.rmdir(other.home)
    other.home = user.home
    invariant.share(user, other)
    return other


def uidls_of(user):
    """The UIDL of each message that is shown, by its number."""
    return dict(zip(*shown(user)))


def only(uidls, *numbers):
    """What is shown if it is these messages."""
    return Shown(list(numbers), [uidls[number] for number in numbers])
