# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Users of whom a power loss takes something in the middle of a session."""

import dataclasses

import lab
import power
from scenarios import ALL, COMMANDS, COUNT, NOW, SCENARIOS, Scenario, Stage, known_and_new

DELAY = {"pop3_policy_login_delay": "1s"}
LOGIN_DELAY = Scenario("login delay", {**COUNT, **DELAY}, known_and_new)
WINDOW = "day"


class Victim:
    """A user in the session of a scenario, with all states that a power loss may leave in it."""

    def __init__(self, parent, form, scenario):
        self.scenario = scenario
        self.stage = Stage(parent, form, scenario)
        self.place = self.stage.home
        self.home = self.place.home
        # download what they like, and take nothing away
        self.later = self.place.lab("later", {**COUNT, **(DELAY if scenario is LOGIN_DELAY else {})})
        self.stock = self.place.lab("stock")
        self.counted = self.count()
        self.reply, self.disk = b"", None
        # the first time an access time may be written, and no other time
        self.place.recorded(self.run)
        calls = self.place.recorded(self.run, data=1)
        self.before = self.disk.now()
        self.after = power.Disk(self.home).now()
        self.states = power.possible_states(self.disk, calls)

    def run(self, variables):
        self.disk = power.Disk(self.home)
        done = self.stage.programs.session(COMMANDS, variables)
        assert done.status == 0 and lab.said_goodbye(done.reply), done
        self.reply = done.reply

    def count(self):
        """What the quota has counted today."""
        state = self.place.read_state()
        return state["quota"]["windows"][WINDOW] if state else {"bytes": 0, "messages": 0}

    def states_of_ours(self):
        """Those of our own folder, each with the mail as it was before the session, and with that after it."""
        found = {}
        for state in self.states:
            key = tuple(row[:2] for row in state.image.rows(lab.STATE_DIR, True))
            same = found.setdefault(key, dataclasses.replace(state))
            same.told_first = min(same.told_first, state.told_first)
            same.told_last = max(same.told_last, state.told_last)
        for state in found.values():
            yield dataclasses.replace(state, image=self.before.with_folder(lab.STATE_DIR, state.image))
            yield dataclasses.replace(state, image=self.after.with_folder(lab.STATE_DIR, state.image),
                                      told_first=len(self.reply))

    def uidls(self, told):
        """{number: UIDL} of what a client knows that was told this in the session."""
        return {**(lab.told_uidls(told) or {}), **self.stage.known}

    def may_be_gone(self, told):
        """The messages that the rules may have taken when the client had been told this."""
        return self.scenario.downloaded | set(NOW) if self.scenario.goes and lab.said_goodbye(told) else set()
