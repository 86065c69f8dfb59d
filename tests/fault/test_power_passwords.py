# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""The power fails while doveadm changes a credential file. The file is then whole, with its rights, and as it was or as
it shall be; once the command has ended well it is as it shall be. The next command works.

POP3_POLICY_FAULTS and POP3_POLICY_SEED: see power_share.py."""

import dataclasses
import os
import subprocess

import pytest

import lab
import power
from credentials import CredentialServer
from power_share import SEED, STEP, share
from test_password_faults import CHANGES, DOVECOT, NEXT, Folder, fits

ROOT = 0, 0
# all change the file in the same way, but for that one that makes it
TRIED = list(CHANGES) if STEP else ["set", "set, no file"]


@pytest.fixture(params=TRIED)
def folder(request, memory_disk):
    server = CredentialServer(cache="1M")
    yield Folder(server, CHANGES[request.param])
    server.remove()


def recorded_states(folder):
    """Those of the change. What the client was told is that the command has ended."""
    folder.again()
    disk = power.Disk(folder.server.folder, ROOT)
    variables = lab.fault(log=folder.log, data=1, below=folder.server.folder)
    variables["LD_PRELOAD"] = lab.library()
    # doveadm empties its environment of all but what it is told to keep
    done = subprocess.run(["doveadm", "-c", folder.server.conf, "pop3", *folder.change.words],
                          input=folder.change.data.encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True,
                          env={**os.environ, **variables, "DOVECOT_PRESERVE_ENVS": " ".join(variables)})
    calls = [call for call in lab.read_calls(folder.log) if call.counts]
    assert len(calls) > 5
    end = dataclasses.replace(calls[-1], name="tell", result=1)
    states = power.possible_states(disk, calls + [end])
    assert disk.now().files() == power.Disk(folder.server.folder, ROOT).now().files()
    return states


def check(folder, state):
    """After the power loss."""
    state.image.build(folder.server.folder)
    users = folder.read()
    is_done = folder.change.is_done(users)
    assert is_done or users == folder.before and state.told_last == 0
    assert users.get("joe") == folder.before.get("joe")
    if users:
        found = os.stat(folder.server.path())
        assert (found.st_uid, found.st_gid, found.st_mode & 0o7777) == (DOVECOT.pw_uid, DOVECOT.pw_gid, 0o600), found
    done = folder.command(["password", "set", "--create", "-u", "jane"], NEXT, None)
    assert done.status == 0, done
    users = folder.read()
    assert fits(NEXT, users["jane"]) and users.get("joe") == folder.before.get("joe")
    assert set(os.listdir(folder.server.folder)) == {"all.json", "all.json.lock"}
    folder.check_rights()


def test_power_loss(folder):
    states = recorded_states(folder)
    assert len(states) > 10
    failures = []
    for state in share(states):
        try:
            check(folder, state)
        except AssertionError as error:
            failures.append("%s: %s" % (state, error))
    assert not failures, "seed %s: %s" % (SEED, "\n".join(failures))
