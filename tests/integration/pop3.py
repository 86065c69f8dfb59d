# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""A POP3 client that keeps every byte, pipelines, and can cut the line."""

import base64
import hashlib
import socket
import ssl
import struct

MULTI_ALWAYS = {b"CAPA", b"RETR", b"TOP"}
MULTI_WITHOUT_ARGUMENT = {b"LIST", b"UIDL", b"AUTH"}


class LineClosed(Exception):
    pass


def is_multi(command):
    words = command.strip(b"\r\n").split(b" ")
    name = words[0].upper()
    return name in MULTI_ALWAYS or (name in MULTI_WITHOUT_ARGUMENT and not b"".join(words[1:]))


def plain_token(user, password):
    return base64.b64encode(("\0%s\0%s" % (user, password)).encode()).decode()


class Reply:
    """One reply: its first line, and what came after it if it was of several lines."""

    def __init__(self, line, rest=b""):
        self.line = line
        self.rest = rest

    @property
    def ok(self):
        return self.line.startswith(b"+OK")

    @property
    def wire_size(self):
        """Bytes as a quota counts them: status line, dot stuffing and final dot included."""
        return len(self.line) + len(self.rest)

    @property
    def text(self):
        return self.line.decode("utf-8", "replace").rstrip("\r\n")

    @property
    def lines(self):
        assert self.rest.endswith(b".\r\n")
        return self.rest[:-3].decode("utf-8", "surrogateescape").splitlines()

    @property
    def message(self):
        """The message as it was before dot stuffing."""
        assert self.rest.endswith(b"\r\n.\r\n"), self.rest[-20:]
        body = b"\r\n" + self.rest[:-3]
        return body.replace(b"\r\n..", b"\r\n.")[2:]

    def __repr__(self):
        return "<Reply %s +%d bytes>" % (self.text, len(self.rest))


class Pop3:
    def __init__(self, port, timeout=60, receive_buffer=None, mail=None):
        """What is downloaded and deleted is noted in MAIL, an invariant.Mail, unless commands are sent by send()."""
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.connect(("127.0.0.1", port))
        self.received = bytearray()
        self.position = 0
        self.closed = False
        self.mail = mail
        self.retrieved = {}
        self.deleted = set()
        self.banner = self.read_line()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def cut(self):
        """Ends the connection with a reset, as a line that breaks."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def finish(self):
        """Tells the other side that nothing more will be sent."""
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def send(self, data):
        self.socket.sendall(data)

    def fill(self):
        """Reads once; False at the end of the stream."""
        try:
            data = self.socket.recv(1 << 18)
        except ConnectionError:
            data = b""
        if not data:
            self.closed = True
            return False
        self.received += data
        return True

    def read_until(self, end, start):
        search = start
        while True:
            found = self.received.find(end, search)
            if found >= 0:
                return found
            search = max(start, len(self.received) - len(end) + 1)
            if not self.fill():
                raise LineClosed(bytes(self.received[self.position:]))

    def read_line(self):
        found = self.read_until(b"\n", self.position) + 1
        line = bytes(self.received[self.position:found])
        self.position = found
        return line

    def read_reply(self, multi):
        start = self.position
        line = self.read_line()
        if not multi or not line.startswith(b"+OK"):
            return Reply(line)
        # the line end of the first line may be the one before the final dot
        try:
            found = self.read_until(b"\r\n.\r\n", self.position - 2) + 5
        except LineClosed:
            self.position = start
            raise
        rest = bytes(self.received[self.position:found])
        self.position = found
        return Reply(line, rest)

    def read_exactly(self, size):
        """At least SIZE bytes beyond what was read as replies; returns exactly SIZE of them."""
        while len(self.received) - self.position < size:
            if not self.fill():
                raise LineClosed(bytes(self.received[self.position:]))
        data = bytes(self.received[self.position:self.position + size])
        self.position += size
        return data

    def drain(self):
        """All that still comes until the other side closes."""
        while self.fill():
            pass
        data = bytes(self.received[self.position:])
        self.position = len(self.received)
        return data

    def pipeline(self, *commands):
        """Sends all the commands in one write and returns their replies in order."""
        data = [command.encode() if isinstance(command, str) else command for command in commands]
        self.send(b"".join(command + b"\r\n" for command in data))
        replies = [self.read_reply(is_multi(command)) for command in data]
        for command, reply in zip(data, replies):
            if self.mail is not None and reply.ok:
                self.note(command.upper().split(), reply)
        return replies

    def note(self, words, reply):
        if words[:1] == [b"RETR"]:
            # without any octet it has no line end either
            message = reply.message if len(reply.rest) > 3 else b""
            self.retrieved.setdefault(words[1], []).append(message)
            self.mail.note_shown(message)
        elif words[:1] == [b"DELE"]:
            self.deleted.add(words[1])
        elif words[:1] == [b"RSET"]:
            self.deleted.clear()
        elif words[:1] == [b"QUIT"]:
            self.mail.note_quit([message for found in self.retrieved.values() for message in found],
                                [self.retrieved[number][0] for number in self.deleted & set(self.retrieved)])

    def command(self, command):
        return self.pipeline(command)[0]

    def ok(self, command):
        reply = self.command(command)
        assert reply.ok, "%s: %s" % (command, reply.text)
        return reply

    def login(self, user, password):
        return self.pipeline("USER " + user, "PASS " + password)[1]

    def start_tls(self):
        """Trusts any certificate."""
        self.ok("STLS")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self.socket = context.wrap_socket(self.socket)

    def apop_command(self, user, password):
        challenge = self.banner[self.banner.rindex(b"<"):self.banner.rindex(b">") + 1]
        return "APOP %s %s" % (user, hashlib.md5(challenge + password.encode()).hexdigest())

    def retr(self, number):
        return self.command("RETR %d" % number)

    def uidl(self):
        return dict(line.split(" ", 1) for line in self.ok("UIDL").lines)

    def stat(self):
        words = self.ok("STAT").text.split()
        return int(words[1]), int(words[2])

    def quit(self):
        reply = self.command("QUIT")
        assert self.drain() == b""
        self.close()
        return reply
