# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Plays a planned history on a real maildrop and on the model of it, and compares the two."""

import traceback

from comparison import Difference
from damage_steps import DamageSteps
from disaster_steps import DisasterSteps
from doveadm_steps import DoveadmSteps
from mail_steps import MailSteps
from rule_steps import RuleSteps
from session_steps import SessionSteps
from standalone import Crash


class History(RuleSteps, MailSteps, SessionSteps, DoveadmSteps, DisasterSteps, DamageSteps):
    def play(self):
        try:
            for number, step in enumerate(self.plan.steps):
                self.do(step, str(number))
                self.lab.now += 60
        except Crash as crash:
            self.log.append("WRONG: crash: %s" % crash)
            raise Difference("\n".join(self.log)) from crash
        except Difference:
            raise
        except Exception as error:
            self.log += [traceback.format_exc(), "WRONG: %r" % error]
            raise Difference("\n".join(self.log)) from error
        finally:
            self.lab.remove()
