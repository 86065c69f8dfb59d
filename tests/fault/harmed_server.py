# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Processes of a running server that are harmed: what the server executes for a service is a script that says how."""

import os

import lab


class Service:
    """The script NAME of a server, which runs COMMAND. It must be able to write the log, whoever it is."""

    def __init__(self, server, name, command):
        self.path = os.path.join(server.root, "run-" + name)
        self.command = command
        self.log = os.path.join(server.root, "calls")
        with open(self.log, "w", encoding="ascii"):
            os.chmod(self.log, 0o666)

    def harm(self, folder, variables):
        """Processes that start from now on are harmed at calls below the folder."""
        self.write({"LD_PRELOAD": lab.library(), "FAULT_BELOW": folder, **variables})

    def leave_alone(self):
        self.write({})

    def write(self, environment):
        text = "".join("%s='%s'\nexport %s\n" % (key, value, key) for key, value in environment.items())
        with open(self.path + ".new", "w", encoding="ascii") as file:
            file.write("#!/bin/sh\n%sexec %s \"$@\"\n" % (text, " ".join(self.command)))
        os.chmod(self.path + ".new", 0o755)
        os.rename(self.path + ".new", self.path)

    def calls(self):
        """What was written down since the last time."""
        found = [call for call in lab.read_calls(self.log) if call.counts]
        os.truncate(self.log, 0)
        return found
