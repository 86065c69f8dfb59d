# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Policies, and what a session with each of them may do otherwise than one of stock Dovecot with the same input."""

import re

import home

OUR_CAPA_LINES = re.compile(rb"^(EXPIRE|LOGIN-DELAY) [^\r\n]*\r\n", re.M)
DENIED = re.compile(rb"-ERR \[SYS/TEMP\] (Download quota used up|Message does not fit in)[^\r\n]*\r\n")
SERVED = re.compile(rb"^\+OK \d+ octets\r$", re.M)
MAX_BAD_COMMANDS = 20
TOO_MANY = b"-ERR Too many bad commands.\r\n"
GOODBYE = b"+OK Logging out.\r\n"
DELETED = b"+OK Logging out, messages deleted.\r\n"


class Wrong(Exception):
    """The session did what it must not do."""


def expect(condition, text, *details):
    if not condition:
        raise Wrong("\n".join([text, *(repr(detail) for detail in details)]))


def reply_end(reply, start):
    """Behind the reply of several lines that begins there."""
    end = reply.find(b"\r\n.\r\n", start)
    return len(reply) if end < 0 else end + 5


class Setup:
    """No policy that a client notices: octet for octet what stock Dovecot says."""

    image = "known"
    policy = {}

    def expected(self, stock, _ours):
        return stock

    def prepare_stock(self, _path):
        pass

    def judge_mail(self, _ours, before, stock_files, our_files):
        expect(our_files == stock_files, "other messages are there", sorted(stock_files ^ our_files))
        expect(our_files <= before, "messages from nowhere")

    def judge(self, stock, ours):
        said = OUR_CAPA_LINES.sub(b"", ours)
        expected = self.expected(stock, said)
        expect(said == expected, "the reply differs", *first_difference(expected, said))


def first_difference(expected, said):
    at = next((at for at, (a, b) in enumerate(zip(expected, said)) if a != b), min(len(expected), len(said)))
    return b"expected " + expected[max(at - 60, 0):at + 100], b"but said " + said[max(at - 60, 0):at + 100]



class Quota(Setup):
    """RETR, and TOP that is as good, are refused when three messages were sent."""

    policy = {"pop3_policy_quota": "3msg/day"}
    messages = 3

    @staticmethod
    def has_too_many(ours):
        """The last refusal is one bad command, where a reply is none; those before it do not count."""
        later = ours[list(DENIED.finditer(ours))[-1].end():]
        return later.endswith(TOO_MANY) and len(re.findall(rb"^-ERR ", later, re.M)) > MAX_BAD_COMMANDS

    def expected(self, stock, ours):
        """What stock says, with the refusals of OURS in the place of replies."""
        expected, at = b"", 0
        for denied in DENIED.finditer(ours):
            size = denied.start() - len(expected)
            if size < 0 or stock[at:at + 3] != b"+OK" and size == 0:
                break
            expected += stock[at:at + size] + denied.group()
            at = reply_end(stock, at + size)
        expected += stock[at:]
        if at and self.has_too_many(ours):
            return expected[:len(ours) - len(TOO_MANY)] + TOO_MANY
        return expected

    def judge(self, stock, ours):
        super().judge(stock, ours)
        served = len(SERVED.findall(ours))
        expect(served <= self.messages, "%d messages were served" % served)


class QuotaTop(Quota):
    """Each TOP with body lines is refused, too; the limit is of octets."""

    policy = {"pop3_policy_quota": "1k/day", "pop3_policy_quota_top": "deny"}
    # all that have less octets than that
    messages = 100

    def judge(self, stock, ours):
        super().judge(stock, ours)
        sizes = [int(reply.split()[1]) for reply in SERVED.findall(ours)]
        expect(sum(sizes[:-1]) < 1024, "%d octets were served" % sum(sizes))


class Keep0(Setup):
    """What was downloaded whole is removed, and nothing else."""

    # messages as they are sent, by the names of their files
    sent = {}
    policy = {"pop3_policy_keep_downloaded": "0", "pop3_policy_exempt": ""}

    def judge_mail(self, ours, before, stock_files, our_files):
        gone = stock_files - our_files
        expect(our_files <= stock_files, "deleted messages are there", sorted(our_files - stock_files))
        expect(not gone or ours.endswith((GOODBYE, DELETED)), "messages went without QUIT", sorted(gone))
        for name in gone:
            expect(self.sent[name] in ours, "a message went that was not downloaded", name)


class Forever(Setup):
    """Every rule that there is, none of which is due; a device; report only."""

    policy = {"pop3_policy_keep_downloaded": "14d", "pop3_policy_keep_undownloaded": "90d",
              "pop3_policy_keep_max_messages": "1000", "pop3_policy_keep_max_size": "1G",
              "pop3_policy_expire_action": "move Trash", "pop3_policy_device": "phone",
              "pop3_policy_keep_devices": "phone laptop", "pop3_policy_report_only": "yes",
              "pop3_policy_quota": "1G/day 1000msg/hour", "pop3_policy_rate": "1G/s"}


class Recovered(Setup):
    """The mailbox is another one with the same mail, which has its old UIDLs."""

    image = "lost"
    uidls = {}

    def expected(self, stock, _ours):
        for new, old in self.uidls.items():
            stock = stock.replace(new, old)
        return stock


class View(Setup):
    """Clients see a mailbox without the flagged messages."""

    policy = {"pop3_policy_view": "UNFLAGGED"}

    def prepare_stock(self, path):
        home.remove_flagged(path)

    def judge_mail(self, ours, before, stock_files, our_files):
        flagged = before - our_files - (before - stock_files)
        expect(stock_files <= our_files and not flagged, "messages are missing", sorted(stock_files - our_files))
        expect(len(our_files) == len(stock_files) + len(home.FLAGGED), "messages are there",
               sorted(our_files - stock_files))


class Slow(Setup):
    """Nothing is taken from what earlier sessions have learnt."""

    policy = {"pop3_policy_fast_polls": "no"}


SETUPS = {"plain": Setup(), "quota": Quota(), "quota-top": QuotaTop(), "keep-0": Keep0(), "forever": Forever(),
          "recovered": Recovered(), "view": View(), "slow": Slow()}
