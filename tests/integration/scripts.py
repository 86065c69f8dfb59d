# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Recorded lists of commands, for sessions that must be the same with and without the plugin. A script is a list of
steps; each is sent in one write, and the replies to it are read before the next one."""

NAMES = ["STAT", "LIST", "UIDL", "RETR", "TOP", "DELE", "NOOP", "RSET", "CAPA", "LAST", "USER", "PASS", "APOP", "AUTH",
         "STLS", "LANG", "UTF8", "XTND", "FOO", "RETRX", "LIS", "QUITX"]
NUMBERS = [b"0", b"-1", b"+1", b"1", b"01", b"2", b"3x", b"x", b"1 2", b"1  ", b" 2", b"1.0", b"20000", b"2147483648",
           b"4294967295", b"4294967296", b"4294967297", b"18446744073709551615", b"18446744073709551616",
           b"1" * 60, b"%s", b"%n%u", b"\xff", b"1\t2"]
TOP_LINES = [b"0", b"1", b"2", b"10", b"4294967297", b"18446744073709551615", b"18446744073709551616", b"-1", b"x",
             b"1 1", b"  3", b"5 ", b"1.5"]


def line(text):
    return (text if isinstance(text, bytes) else text.encode()) + b"\r\n"


def patient(commands, every=10):
    """The commands with a good one among them so often that no session ends for too many bad ones."""
    steps = []
    for number, command in enumerate(commands):
        if number % every == every - 1:
            steps.append(line("NOOP"))
        steps.append(command)
    return steps


def every_case(name):
    mixed = "".join(letter.lower() if index % 2 else letter for index, letter in enumerate(name))
    return [name, name.lower(), mixed]


def all_commands():
    steps = [line("STAT"), line("LIST"), line("UIDL"), line("CAPA")]
    for name in NAMES:
        for spelling in every_case(name):
            steps += [line(spelling), line(spelling + " "), line(spelling + " arg")]
    for name in ("LIST", "UIDL", "RETR", "TOP", "DELE", "STAT", "NOOP"):
        steps += [line(name.encode() + b" " + number) for number in NUMBERS]
        steps.append(line("RSET"))
    for lines_ in TOP_LINES:
        steps.append(line(b"TOP 1 " + lines_))
        steps.append(line(b"top 2 " + lines_))
    return patient(steps) + [line("QUIT")]


def odd_lines():
    odd = [b"\r\n", b"\n", b"STAT\n", b"stat\nlist 1\n", b"STAT\r\r\n", b" STAT\r\n", b"STAT \r\n", b"\tSTAT\r\n",
           b"STAT\0\r\n", b"\0\r\n", b"\0STAT\r\n", b"RETR 1\0\r\n", b"RETR \0001\r\n", b"RE\0TR 1\r\n",
           b"TOP 1\0 0\r\n", "ÄÖÜ\r\n".encode(), b"\xff\xfe\r\n", b"%s%s%n %x\r\n", b"-\r\n", b"+OK\r\n",
           b"RETR\t1\r\n", b"LIST 1\r\r\n", b".\r\n", b"NOOP " + b"x" * 249 + b"\r\n",
           b"NOOP " + b"x" * 505 + b"\r\n", b"x" * 255 + b"\r\n", b"x" * 512 + b"\r\n",
           b"RETR " + b"0" * 300 + b"1\r\n", b"NOOP " + b"x" * 2000 + b"\r\n"]
    return patient(odd) + [line("QUIT")]


def long_line(size):
    """A line of SIZE octets with its line end."""
    return [line("STAT"), line(b"NOOP " + b"x" * (size - 7)), line("STAT"), line("QUIT")]


def bad_commands():
    return [line("BAD%d" % number) for number in range(25)]


def bad_numbers_in_one_packet():
    return [b"".join(line("RETR 0") for _ in range(30))]


def deletions(count):
    """Every change of what is marked; the last ones stand at QUIT."""
    last = count
    return [line(text) for text in (
        "DELE 1", "DELE 1", "RETR 1", "TOP 1 0", "LIST 1", "UIDL 1", "STAT", "LIST", "UIDL", "RSET", "STAT",
        "RETR 2", "RETR 2", "RETR 1", "DELE %d" % last, "DELE 2", "LIST", "UIDL", "RSET", "RETR 1", "DELE 2",
        "DELE %d" % last, "LAST", "STAT", "LIST", "UIDL")] + [b"QUIT\r\nSTAT\r\nNOOP\r\nRETR 1\r\n"]


def deletions_without_quit(count):
    return deletions(count)[:-1]


def one_packet(count):
    """Everything at once, and more after QUIT."""
    commands = ["CAPA", "STAT", "LIST", "UIDL", "NOOP"]
    for number in range(1, count + 1):
        commands += ["TOP %d 1" % number, "RETR %d" % number]
    commands += ["FOO", "RETR 0", "DELE 1", "RETR 1", "QUIT", "STAT", "RETR 2"]
    return [b"".join(line(command) for command in commands)]


def read_all(count):
    steps = [line("STAT"), line("LIST"), line("UIDL")]
    for number in range(1, count + 1):
        steps += [line("RETR %d" % number), line("LIST %d" % number), line("UIDL %d" % number)]
        steps += [line("TOP %d %s" % (number, lines_)) for lines_ in ("0", "1", "2", "5", "100000", "9999999999")]
    return steps + [line("DELE 1"), line("QUIT")]


def large(count):
    """For a mailbox of thousands of messages: the lists are long enough to fill every buffer."""
    return [line(text) for text in (
        "STAT", "LIST", "UIDL", "LIST %d" % count, "UIDL %d" % count, "LIST %d" % (count + 1), "RETR %d" % count,
        "RETR 5", "TOP 7 3", "DELE 3", "DELE %d" % (count // 2), "LIST", "UIDL", "STAT")] + [
            b"LIST\r\nUIDL\r\nRETR 1\r\nLIST\r\nQUIT\r\n"]
