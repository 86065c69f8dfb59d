# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""What a session answered, step by step."""

import expect
from pop3 import LineClosed, is_multi


class Record:
    def __init__(self):
        self.steps = []

    @property
    def answers(self):
        return [answer for _, answer in self.steps]

    @property
    def data(self):
        return b"".join(self.answers)

    def must_equal(self, other, name):
        """Only the answers are compared: an APOP command differs each time."""
        for (step, answer), (_, expected) in zip(self.steps, other.steps):
            assert answer == expected, "%s differs after %r" % (name, step[:200])
        assert len(self.steps) == len(other.steps), name

    def with_expire(self):
        """What the plugin must answer to a user without rules where stock Dovecot has answered this: one more line in
        each reply to CAPA after login, and nothing else. No other reply can have that of CAPA in it: what looks like
        its end is dot stuffed."""
        record = Record()
        record.steps = [(step, answer.replace(expect.STOCK_CAPA, expect.capa("NEVER"))) for step, answer in self.steps]
        return record

    def run(self, pop3, script):
        """Sends each step and reads the replies to its lines, until the other side closes."""
        for step in script:
            if pop3.closed:
                return
            start = pop3.position
            try:
                pop3.send(step)
                for command in step.split(b"\n")[:-1]:
                    pop3.read_reply(is_multi(command))
            except (LineClosed, ConnectionError):
                pop3.drain()
            self.steps.append((step, bytes(pop3.received[start:pop3.position])))

    def end(self, pop3):
        """Closes the sending side and reads what still comes."""
        if not pop3.closed:
            pop3.finish()
        rest = pop3.drain()
        if rest:
            self.steps.append((b"", rest))
