# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Reads the log of a server as it grows: nothing may be in it that nobody has done something for."""

import collections
import re

KILLED, PANIC, ABORTED = "killed", "panic", "aborted"
# {what it is: pattern}
USUAL = {
    "login": r"(pop3|imap)-login: Info: (Login|Logged in|Disconnected|Aborted login)",
    "session": r"(pop3|imap)\([^)]*\)<\d+><[^>]*>: Info: Disconnected: ",
    "delivery": r"lmtp\(.*: Info: (Connect from|Disconnect from|msgid=)",
    "downloads": r"pop3\(.*: Info: pop3_policy: (downloaded|quota used up|retention expunged|retention moved|UIDLs)",
    "auth": r"auth(-worker)?(\([^)]*\))?(<[^:]*>)?: (request \[\d+\]: )?Info: ",
    KILLED: r"Fatal: master: service\(pop3\): child \d+ killed with signal 9",
    PANIC: r"Panic: event_reason_code_prefix\(\): name has ':' \(pop3, cmd_foo:bar\)",
    "trace": r"pop3\(.*: Error: Raw backtrace: ",
    ABORTED: r"Fatal: master: service\(pop3\): child \d+ killed with signal 6",
    # before it has told its master that it is there
    "killed early": r"master: Error: service\(pop3\): command startup failed, throttling for ",
    "worker of a reload": r"auth: Error: auth-worker: Aborted \w+ request for ",
    "master": r"master: (Info|Warning): (Dovecot v|SIGHUP received|Killed with|Sent SIGTERM|service\()",
}
SESSION_END = re.compile(r"(pop3|imap|lmtp)\([^)]*\)<(\d+)><[^>]*>: Info: (Disconnected: |msgid=)")
USER = re.compile(r"\((user\d+)\)")


class Logs:
    """USERS is {name: patterns of what the harm that is done to this user may leave in the log}."""

    def __init__(self, server):
        self.server = server
        self.position = 0
        self.users = {}
        self.patterns = [(name, re.compile(pattern)) for name, pattern in USUAL.items()]
        self.found = collections.Counter()
        self.sessions = collections.Counter()
        self.unknown = collections.Counter()
        self.examples = {}

    def read(self):
        """What is new."""
        end = self.server.log_size()
        text = self.server.log_from(self.position)
        whole = text.rfind("\n") + 1
        self.position = end - len(text[whole:].encode("utf-8", "surrogateescape")) if whole else self.position
        for line in text[:whole].splitlines():
            self.line(line)

    def line(self, line):
        # without the time
        line = line[16:]
        ended = SESSION_END.search(line)
        if ended:
            self.sessions[int(ended.group(2))] += 1
        for name, pattern in self.patterns:
            if pattern.search(line):
                self.found[name] += 1
                return
        user = USER.search(line)
        for pattern in self.users.get(user and user.group(1), ()):
            if re.search(pattern, line):
                self.found[pattern] += 1
                return
        shape = re.sub(r"[0-9a-f]{8,}|\d+", "N", re.sub(r"<[^>]*>|\([^)]*\)|/\S+", "", line))[:160]
        self.unknown[shape] += 1
        self.examples.setdefault(shape, line)
