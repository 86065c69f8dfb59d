# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Inputs: what a client sends, made up of commands and broken in all ways. The first line of an input names its setup;
PACKET stands where one packet ends and the next one begins."""

import home

PACKET = b"\x1e"
MAX_SIZE = 4000
# no more than a pipe holds
MAX_PACKETS = 200
MESSAGES = len(home.messages())

WORDS = (b"STAT", b"LIST", b"UIDL", b"RETR", b"TOP", b"DELE", b"NOOP", b"RSET", b"LAST", b"CAPA", b"QUIT")
ODD_WORDS = (b"", b" ", b"XTND", b"USER user", b"AUTH PLAIN", b"STLS", b"UTF8", b"retr", b"Top", b"uidl", b"RETR\x00",
             b"foo:bar", b"%s%n%x", b"\xff\xfe", b"A" * 300)
ODD_NUMBERS = (b"0", b"-1", b"+1", b"01", b"4294967295", b"4294967296", b"4294967297", b"18446744073709551615",
               b"18446744073709551617", b"1 ", b" 1", b"1 2", b"1\x00", b"1\x002", b"x", b"1x", b"", b"9" * 40, b"%d")
LINES = (b"0", b"1", b"2", b"5", b"999999", b"1000000", b"4294967297", b"18446744073709551616", b"", b"-1", b"0\x00",
         b"5\x00 1")
ENDS = (b"\r\n", b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r\r\n", b"\r", b"\x00\r\n", b"\x00\n", b"\r\n\r\n")


def number(rnd):
    return rnd.choice(ODD_NUMBERS) if rnd.random() < 0.1 else b"%d" % rnd.randint(1, MESSAGES + 1)


def arguments(rnd, word):
    if word == b"TOP":
        return b" %s %s" % (number(rnd), rnd.choice(LINES))
    if word in (b"RETR", b"DELE") or (word in (b"LIST", b"UIDL") and rnd.random() < 0.4):
        return b" " + number(rnd)
    return b" 1" if rnd.random() < 0.03 else b""


def command(rnd):
    word = rnd.choice(ODD_WORDS) if rnd.random() < 0.06 else rnd.choice(WORDS[:-1])
    end = rnd.choice(ENDS) if rnd.random() < 0.1 else b"\r\n"
    return word + arguments(rnd, word) + end


def with_packets(rnd, data):
    """Packets end where lines do, or anywhere."""
    kind = rnd.randrange(4)
    if kind == 0:
        return data
    if kind == 1:
        return data.replace(b"\n", b"\n" + PACKET)
    for _ in range(rnd.randint(1, 12)):
        at = rnd.randint(0, len(data))
        data = data[:at] + PACKET + data[at:]
    return data


def made_up(rnd, setups):
    data = b"".join(command(rnd) for _ in range(rnd.randint(1, 25)))
    if rnd.random() < 0.8:
        data += b"QUIT\r\n"
    return rnd.choice(setups).encode() + b"\n" + with_packets(rnd, data)


def change_lines(rnd, data):
    lines = data.split(b"\n")
    at = rnd.randrange(len(lines))
    kind = rnd.randrange(5)
    if kind == 0:
        lines.insert(at, command(rnd)[:-1])
    elif kind == 1:
        del lines[at]
    elif kind == 2:
        lines[at:at] = [lines[at]] * rnd.randint(1, 25)
    elif kind == 3:
        other = rnd.randrange(len(lines))
        lines[at], lines[other] = lines[other], lines[at]
    else:
        lines[at] = lines[at].swapcase()
    return b"\n".join(lines)


def change_octets(rnd, data):
    at = rnd.randint(0, len(data))
    kind = rnd.randrange(3)
    if kind == 0:
        return data[:at] + bytes([rnd.choice(b"\r\n\x00 .0123456789\x7f\xff")]) + data[at:]
    if kind == 1:
        return data[:at] + data[at + rnd.randint(1, 4):]
    return data[:at] + bytes([rnd.randrange(256)]) + data[at + 1:]


def changed(rnd, entry, others, setups):
    """Another input that is like ENTRY, with pieces of OTHERS."""
    setup, data = entry.split(b"\n", 1)
    if rnd.random() < 0.2:
        setup = rnd.choice(setups).encode()
    for _ in range(rnd.randint(1, 6)):
        kind = rnd.random()
        if kind < 0.5:
            data = change_lines(rnd, data)
        elif kind < 0.75:
            data = change_octets(rnd, data)
        elif kind < 0.85:
            data = with_packets(rnd, data.replace(PACKET, b""))
        else:
            other = rnd.choice(others).split(b"\n", 1)[1]
            at, start = rnd.randint(0, len(data)), rnd.randint(0, len(other))
            data = data[:at] + other[start:start + rnd.randint(1, 200)] + data[at:]
    return setup + b"\n" + data[:MAX_SIZE]


def packets(data):
    """What is written at once. None is larger than the buffer of the process, which would lose the rest of it."""
    found = []
    for packet in data.split(PACKET):
        found += [packet[start:start + 250] for start in range(0, len(packet), 250)]
    return found[:MAX_PACKETS]
