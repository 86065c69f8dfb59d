# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Sessions that are harmed: each with the mail and the state that it finds."""

import dataclasses
import functools
import typing

import lab
import mailgen

ALL = {1, 2, 3, 4, 5}
# was in the target of a move before
OLD = 100
# what sessions download that end well, before the one that is harmed and in it
FIRST, NOW = (1, 2), (1, 3, 4)
DEAD = range(101, 171)
COMMANDS = ["UIDL", *map("RETR %d".__mod__, NOW), "QUIT"]
QUOTA = "1000msg/day 1G/day"
ARCHIVE = "Archive"
MOVE = {"pop3_policy_quota": QUOTA, "pop3_policy_keep_downloaded": "0", "pop3_policy_expire_action": "move " + ARCHIVE}
EXPUNGE = {"pop3_policy_quota": QUOTA, "pop3_policy_keep_downloaded": "0"}
COUNT = {"pop3_policy_quota": QUOTA}


def download(programs, numbers):
    done = programs.session(["UIDL", *map("RETR %d".__mod__, numbers), "QUIT"])
    assert done.status == 0 and len(lab.told_messages(done.reply)) == len(numbers), done
    return lab.told_uidls(done.reply)


def deliver(programs, numbers):
    programs.append(map(mailgen.message, numbers))


def known_and_new(programs):
    """Three messages of which two were downloaded, and two that are new."""
    deliver(programs, (1, 2, 3))
    known = download(programs, FIRST)
    deliver(programs, (4, 5))
    return known


def uidvalidity_changed(programs):
    known = known_and_new(programs)
    value = int(programs.doveadm("mailbox status", "uidvalidity", "INBOX").split("uidvalidity=")[1])
    programs.doveadm("mailbox update", "--uid-validity", str(value + 1000), "INBOX")
    return known


def nobody_was_there(programs):
    deliver(programs, sorted(ALL))
    return {}


def many_dead_lines(programs):
    """The next line of the journal is one too many: most are about messages that are gone."""
    deliver(programs, (1, 2, 3, *DEAD))
    known = download(programs, range(1, len(DEAD) + 4))
    programs.doveadm("expunge", "mailbox", "INBOX", "uid", "4:*")
    deliver(programs, (4, 5))
    return {number: known[number] for number in (1, 2, 3)}


def target_exists(programs):
    known = known_and_new(programs)
    programs.doveadm("mailbox create", ARCHIVE)
    done = programs.run("imap", sent=b"1 APPEND %s {%d+}\r\n%s\r\n2 LOGOUT\r\n" % (
        ARCHIVE.encode(), len(mailgen.message(OLD)), mailgen.message(OLD)))
    assert b"1 OK" in done.reply, done
    return known


@dataclasses.dataclass
class Scenario:
    """PREPARE is given programs with the plugin that remove nothing, and returns the UIDLs that clients know by the
    numbers of the messages. DOWNLOADED are messages that no client needs any more."""

    name: str
    policy: dict
    prepare: typing.Callable
    downloaded: typing.Set[int] = frozenset(FIRST)

    @property
    def moves(self):
        return "pop3_policy_expire_action" in self.policy

    @property
    def goes(self):
        """Whether downloaded messages leave the INBOX at the end of a session."""
        return "pop3_policy_keep_downloaded" in self.policy


SCENARIOS = {scenario.name: scenario for scenario in (
    Scenario("recovery, move to a new mailbox", MOVE, uidvalidity_changed),
    # each download is told by an event, and written down as told
    Scenario("move, quota used up", {**MOVE, "pop3_policy_quota": "5msg/day"}, target_exists),
    Scenario("expunge", EXPUNGE, known_and_new),
    Scenario("first session", EXPUNGE, nobody_was_there, frozenset()),
    Scenario("compaction", COUNT, many_dead_lines, ALL),
)}


class Stage:
    """The home of a scenario in one format, ready to be harmed again and again."""

    def __init__(self, parent, form, scenario):
        self.home = lab.Home(parent, form)
        self.scenario = scenario
        self.form = form
        self.programs = self.home.lab("policy", scenario.policy)
        # downloads what it likes, and takes nothing away
        self.quiet = self.home.lab("quiet", {})
        self.known = scenario.prepare(self.home.lab("prepare", COUNT))
        self.home.keep()
        self.counted = self.home.bytes_today()

    def run(self, variables):
        """The session of the scenario."""
        return self.programs.session(COMMANDS, variables)

    def calls(self, opens=False):
        """All calls of the session that count, of one run; with OPENS also those that open a file for reading."""
        return self.recorded(opens)

    @functools.cache
    def recorded(self, opens):
        for _ in range(2):
            # what has run once may find times of files that it has read
            found = self.home.recorded(self.run, **({"open": 1} if opens else {}))
        return [call for call in found if call.counts]
