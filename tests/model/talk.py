# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""One POP3 session: its commands, and what the model says of each reply."""

import mailgen
from pop3 import Reply, is_multi

WHOLE = 9999999


class Replies:
    def __init__(self):
        self.data = b""
        self.position = 0

    def read(self, command):
        """The next reply; None if there is none, or it is not whole."""
        end = self.data.find(b"\r\n", self.position) + 2
        if end == 1:
            return None
        line = self.data[self.position:end]
        if not (is_multi(command.encode()) and line.startswith(b"+OK")):
            self.position = end
            return Reply(line)
        # the line end of the first line may be the one before the final dot
        last = self.data.find(b"\r\n.\r\n", end - 2) + 5
        if last == 4:
            return None
        self.position = last
        return Reply(line, self.data[end:last])


class Talk:
    """CHECK(condition, *words) complains. Messages are known by the keys of the maildrop."""

    def __init__(self, drop, counters, device, check):
        self.drop = drop
        self.counters = counters
        self.device = device
        self.check = check
        self.shown = drop.shown(device)
        self.deleted = set()
        self.got = []
        self.quit = False
        self.refused = self.told = 0
        self.replies = Replies()
        # commands in the order in which they are sent, with the keys of their messages
        self.sent = []
        self.largest = 0
        # the session may end when it is asked for the UIDLs of messages that others have removed
        self.loses_uidls = False
        self.has_topped = False

    # -- commands

    def command(self, verb, place):
        """As the client sends it."""
        if verb.endswith(" all") or verb in ("STAT", "RSET", "NOOP", "CAPA", "QUIT"):
            text, key = verb.replace(" all", ""), None
        elif not self.shown:
            text, key = "NOOP", None
        else:
            number = int(place * len(self.shown)) + 1
            key = self.shown[number - 1]
            word, *lines = verb.split()
            text = " ".join([word, str(number), *lines])
            if key not in self.drop.messages:
                # others have taken it meanwhile
                text, key = "NOOP", None
        self.sent.append((text, key))
        return text

    def largest_place(self):
        """Of a message that no buffer holds, or None."""
        large = [place for place, key in enumerate(self.shown) if self.drop.known[key].size > 150_000 and
                 key in self.drop.messages and key not in self.deleted]
        return (large[0] + 0.5) / len(self.shown) if large else None

    def lease(self):
        return self.counters.lease(self.largest, self.has_topped)

    # -- replies

    def hear(self, data):
        """All of what the client has got until now; complains if there is less than a reply for each command."""
        self.replies.data = data
        while self.sent:
            text, key = self.sent.pop(0)
            reply = self.replies.read(text)
            if reply is None and text == "UIDL" and self.loses_uidls:
                # as without the plugin
                self.sent.clear()
                return
            self.check(reply is not None, "no reply to", text, data[self.replies.position:][:300])
            self.judge(text, key, reply)

    def judge(self, text, key, reply):
        word = text.split()[0]
        if key is not None and key in self.deleted:
            self.check(not reply.ok, text, "of a deleted message:", reply)
        elif word in ("RETR", "TOP"):
            self.judge_message(text, key, reply)
        elif key is not None and key not in self.drop.messages and not reply.ok:
            # it was taken while this was under way
            pass
        else:
            self.check(reply.ok, text, reply)
            judge_one = getattr(self, "judge_" + word.lower(), None)
            if judge_one is not None:
                judge_one(key, reply)

    def left(self):
        return [(number, self.drop.known[key]) for number, key in enumerate(self.shown, 1) if key not in self.deleted]

    def judge_stat(self, _key, reply):
        there = [message for _, message in self.left()]
        wanted = "+OK %d %d" % (len(there), sum(message.size for message in there))
        self.check(reply.text == wanted, "STAT is", reply.text, "and should be", wanted)

    def judge_list(self, key, reply):
        if key is not None:
            wanted = "+OK %d %d" % (self.shown.index(key) + 1, self.drop.known[key].size)
            self.check(reply.text == wanted, "LIST is", reply.text, "and should be", wanted)
            return
        wanted = ["%d %d" % (number, message.size) for number, message in self.left()]
        self.check(reply.lines == wanted, "LIST is", reply.lines, "and should be", wanted)

    def judge_uidl(self, key, reply):
        if key is not None:
            self.judge_uidls([key], [reply.text.split(" ", 1)[1]])
            return
        keys = [key for key in self.shown if key not in self.deleted]
        self.check(len(reply.lines) == len(keys), "UIDL has", reply.lines)
        self.judge_uidls(keys, reply.lines)
        told = [line.split(" ")[1] for line in reply.lines]
        self.check(len(set(told)) == len(told), "one UIDL is that of two:", told)

    def judge_uidls(self, keys, lines):
        for key, line in zip(keys, lines):
            number, uidl = line.split(" ")
            self.check(int(number) == self.shown.index(key) + 1, "UIDL has", lines)
            self.told += 1
            reason = self.drop.tell(key, uidl)
            self.check(reason is None, reason)

    def judge_capa(self, _key, reply):
        wanted = "EXPIRE " + self.drop.rules.expire()
        self.check(wanted in reply.lines, wanted, "is not in", reply.lines)

    def judge_dele(self, key, _reply):
        self.deleted.add(key)

    def judge_rset(self, _key, _reply):
        self.deleted.clear()

    def judge_quit(self, _key, _reply):
        self.quit = True

    # -- downloads

    def judge_message(self, text, key, reply):
        message = self.drop.known[key]
        lines = None if text.startswith("RETR") else int(text.split()[-1])
        is_whole = lines is None or lines >= mailgen.body(message.data).count(b"\n") + 1
        verdict = self.verdict(message, lines, is_whole)
        if key not in self.drop.messages and not reply.ok:
            return
        if not reply.ok:
            self.refused += 1
            self.check(reply.text.startswith("-ERR [SYS/TEMP] "), text, reply)
            self.check(verdict != "yes", text, "of", message.size, "is refused:", reply.text, self.counters.windows)
            return
        self.check(verdict != "no", text, "of", message.size, "is served,", self.counters.windows)
        self.check(mailgen.number_of(reply.message) == message.mail, text, "is another message")
        if is_whole:
            self.check(mailgen.body(reply.message) == mailgen.body(message.data), text, "is not what was delivered")
            self.check(len(reply.message) == message.size, text, "has", len(reply.message), "and not", message.size)
        self.largest = max(self.largest, message.size)
        # TOP counts as a message if it may have sent a whole one
        self.has_topped = self.has_topped or lines is not None
        is_download = lines is None or lines > 0 and self.counters.denies_top
        messages = (1, 1) if is_download else (0, 1) if is_whole else (0, 0)
        self.counters.count((reply.wire_size, reply.wire_size), messages)
        if lines is None or lines >= 1_000_000:
            self.got.append(key)

    def verdict(self, message, lines, is_whole):
        if lines == 0:
            return "yes"
        if lines is None or is_whole or self.counters.denies_top:
            # a part of a message must have room as far as it goes
            return self.counters.verdict(message.size if is_whole else 0, message.wire)
        return "yes"

    def hear_cut(self, data, with_quit):
        """The client went away in the middle of the reply to the last command but QUIT."""
        (text, key), *_ = self.sent
        message = self.drop.known[key]
        self.sent.clear()
        begun = data[self.replies.position:]
        if begun.startswith(b"-ERR"):
            self.check(key in self.deleted or self.verdict(message, None, True) != "yes", text, "is refused:", begun)
            self.quit = with_quit
        else:
            self.check(self.verdict(message, None, True) != "no", text, "of", message.size, "is served,",
                       self.counters.windows)
            self.counters.count((len(begun), message.wire), (1, 1))
