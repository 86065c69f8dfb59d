# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Messages for the tests: ordinary ones that can be told apart, and special ones."""

import itertools
import os
import re

# part of every message, so that no two tests have the same one; its length never changes
TEST = itertools.count(1)
token = "%08d" % 0

HEADER = ("From: sender %(number)d <sender%(number)d@example.org>\r\n"
          "To: user@example.org\r\n"
          "Subject: message %(number)d\r\n"
          "Message-ID: <%(number)d@pop3-policy.test>\r\n"
          "Date: Tue, 01 Sep 2020 10:00:00 +0200\r\n"
          "X-Number: %(number)d\r\n"
          "MIME-Version: 1.0\r\n"
          "Content-Type: text/plain; charset=utf-8\r\n"
          "\r\n")


def new_test():
    global token  # pylint: disable=global-statement
    token = "%08d" % next(TEST)


def message(number, size=1500):
    """An ordinary message of about SIZE bytes with CRLF line ends."""
    header = (HEADER % {"number": number}).encode()
    line = "This is line %%06d of message %06d of test %s: all seventy bytes." % (number, token)
    lines = max(1, (size - len(header)) // (len(line % 1) + 2))
    return header + b"".join((line % i).encode() + b"\r\n" for i in range(lines))


def messages(count, size=1500):
    return [message(number, size) for number in range(1, count + 1)]


def without_message_id(number, size=1500):
    return re.sub(rb"Message-ID: [^\r]*\r\n", b"", message(number, size))


def body(data):
    """What no server, client or delivery changes of a message: the text without its header, with bare line ends."""
    return data.replace(b"\r\n", b"\n").split(b"\n\n", 1)[1].rstrip(b"\n")


def number_of(data):
    """The number of a message made by message(), wherever a client has put it."""
    found = re.findall(rb"^X-Number: (\d+)\r?$", data, re.M)
    assert len(found) == 1, "%d messages in one" % len(found)
    return int(found[0])


def special():
    """What a POP3 server must carry unharmed, as it may lie in a mailbox; name -> bytes as stored."""
    head = b"Subject: special\nMessage-ID: <special@pop3-policy.test>\n\n"
    return {
        "dots": head + b".\n..\n...\n.dot at the start\n..two\nend\n",
        "only-dots": head + b".\n" * 50,
        "dot-crlf": head.replace(b"\n", b"\r\n") + b".\r\n..\r\n.\r\n",
        "last-dot-without-line-end": head + b"text\n.",
        "last-dots-without-line-end": head + b"text\n..",
        "no-line-end": head + b"text without end",
        "nul": head + b"a\0b\0\0c\n\0\n",
        "nul-in-header": b"Subject: a\0b\n\ntext\n",
        "long-line": head + b"x" * (1 << 20) + b"\nend\n",
        "long-header": b"Subject: " + b"y" * 100000 + b"\n\ntext\n",
        "many-headers": b"".join(b"X-%d: %d\n" % (i, i) for i in range(3000)) + b"\ntext\n",
        "no-header": b"\nonly a body\n",
        "no-body": b"Subject: only a header\n",
        "no-body-no-line-end": b"Subject: only a header",
        "empty-body": b"Subject: nothing after the empty line\n\n",
        "one-line-end": b"\n",
        "eight-bit": head + bytes(range(128, 256)) + b"\n" + "äöü €\n".encode(),
        "bare-cr": head + b"a\rb\rc\n\r\n\rd\r\r\ne\r",
        "crlf": head.replace(b"\n", b"\r\n") + b"one\r\ntwo\r\n\r\nthree\r\n",
        "mixed": head + b"one\r\ntwo\nthree\r\nfour\n\r\n\n",
        "body-of-line-ends": head + b"\n" * 5000,
        "cr-cr-lf": head + b"one\r\r\ntwo\r\r\n",
        "looks-like-an-answer": head + b"-ERR Message 1 expunged.\n+OK\n.\n+OK Logging out.\n",
        "from-lines": head + b"From here on\n>From there\n",
        "header-with-bare-lf-dot": b"Subject: x\n.X-Dot: y\n\n.\n",
    }


def write_maildir(path, messages_):
    """Messages in a maildir, with names that sort in their order."""
    for folder in ("", "cur", "new", "tmp"):
        os.makedirs(os.path.join(path, folder), mode=0o700, exist_ok=True)
    for number, data in enumerate(messages_, 1):
        with open(os.path.join(path, "new", "%d.M%06dP1.test" % (1_500_000_000 + number, number)), "wb") as file:
            file.write(data)
