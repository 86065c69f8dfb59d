# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Steps of a history: commands of doveadm, and a look at the files of the plugin."""

import json
import os
import re

import state_check
from comparison import Comparison


class DoveadmSteps(Comparison):
    def doveadm_run(self, *options):
        code, out, errors = self.lab.doveadm("pop3 retention run", *options)
        self.check(not re.search(r"Panic|Fatal|assert", errors), errors)
        count = sum(int(value) for row in json.loads(out or "[]") for name, value in row.items() if name != "bytes")
        self.note(code, count, errors if code else "")
        return code, count, "left to a later run" in errors, errors

    def do_run(self, _parts):
        code, count, is_left, errors = self.doveadm_run()
        self.check(code == 0 or code == 75 and ("--force" in errors or self.needs_session), code, errors)
        if code == 75 and "--force" in errors:
            self.check(not count and self.drop.may_wait(self.span()[1]), "a run has no reason to wait:", errors)
        self.judge_rules("user", code == 0 and not is_left and not self.needs_session, count)
        is_sure = code == 0 and not is_left and not self.needs_session and self.began >= self.drop.high
        self.drop.looked(self.span(), is_sure)

    def do_run_forced(self, _parts):
        code, count, is_left, errors = self.doveadm_run("--force")
        self.check(code == 0 or self.needs_session, code, errors)
        is_sure = not is_left and not self.needs_session
        self.judge_rules("user", is_sure, count, True)
        if is_sure:
            self.drop.forced(self.span())
        else:
            # it may have believed the clock
            self.drop.seen = None
        return count

    def do_dry_run(self, parts):
        """What it says is what a forced run does then."""
        code, would, is_left, errors = self.doveadm_run("--dry-run")
        # it may not write what the journal has lost
        is_left = is_left or "messages.jsonl has lost" in errors and self.has_lost_lines
        self.check(code == 0 or self.needs_session or is_left, code, errors)
        self.look()
        before = self.counts["taken"]
        self.do_run_forced(parts)
        went = self.counts["taken"] - before
        if not (is_left or self.needs_session or self.drop.rules.report_only):
            self.check(would == went, would, "would go, and went", went)

    def do_quota_reset(self, _parts):
        code, _, errors = self.lab.doveadm("pop3 quota reset")
        self.check(code == 0 or self.is_damaged, code, errors)
        self.counters.reset()

    def do_check(self, _parts):
        """Nothing is wrong with the files."""
        if not (self.needs_session or self.is_damaged or self.is_torn()):
            state_check.check_home(self.lab.home)

    def is_torn(self):
        """Whoever has nothing to write leaves the journal as it is."""
        path = self.lab.state_path("messages.jsonl")
        if not os.path.exists(path):
            return False
        with open(path, "rb") as file:
            return not file.read().endswith(b"\n")
