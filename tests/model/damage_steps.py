# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Steps of a history: files of the plugin are damaged or deleted."""

import os
import shutil

from comparison import Comparison
from counters import Counters


class DamageSteps(Comparison):
    def do_damage(self, parts):
        for part in parts:
            getattr(self, "damage_" + part.replace(" ", "_"))()
            self.is_damaged = self.needs_session = self.was_damaged = True

    def lose_counters(self):
        self.counters.windows = Counters().windows
        self.drop.seen = None

    def lose_state(self):
        self.lose_counters()
        if self.has_no_journal:
            self.drop.lose_state()
        elif self.is_torn():
            # of the message whose line it was nothing is known now
            self.drop.forget_uidls()

    def damage_state_deleted(self):
        if os.path.exists(self.lab.state_path()):
            os.unlink(self.lab.state_path())
            self.lose_state()

    def damage_state_broken(self):
        path = self.lab.state_path()
        if os.path.exists(path):
            os.truncate(path, os.path.getsize(path) // 2)
            self.lose_state()

    def downloads_are_late(self):
        """What the journal does not say counts from when that is found."""
        self.has_lost_lines = True
        for message in self.drop.known.values():
            for device, span in message.downloads.items():
                message.downloads[device] = span[0], float("inf")
            message.unsettled = self.lab.now
        self.drop.refresh()

    def damage_journal_deleted(self):
        path = self.lab.state_path("messages.jsonl")
        if os.path.exists(path):
            os.unlink(path)
            self.has_no_journal = True
            self.downloads_are_late()
            if self.is_stored:
                self.drop.forget_uidls()

    def damage_journal_torn(self):
        """In the middle of its last line."""
        path = self.lab.state_path("messages.jsonl")
        if os.path.exists(path):
            with open(path, "rb") as file:
                lines = file.read().splitlines(keepends=True)
            if len(lines) > 1:
                os.truncate(path, os.path.getsize(path) - len(lines[-1]) // 2)
                self.downloads_are_late()

    def damage_folder_deleted(self):
        shutil.rmtree(self.lab.state_dir, ignore_errors=True)
        self.lose_counters()
        self.drop.lose_state()
