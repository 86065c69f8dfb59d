# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""What the tests of `doveadm pop3 uidl` share."""

import json
import os

import damage


def target(user, socket=False):
    return ["-u", user.name] + (["-S", os.path.join(user.server.root, "doveadm-server")] if socket else [])


def run(user, action, *args, socket=False, **kwargs):
    """The whole result; kwargs as those of Server.run_doveadm()."""
    return user.server.run_doveadm("-f", "json", "pop3", "uidl", action, *target(user, socket), *args, **kwargs)


def rows(user, action, *args, **kwargs):
    return json.loads(run(user, action, *args, **kwargs).stdout or "[]")


def failure(user, action, *args, **kwargs):
    """Exit code, rows and errors of a command that must fail."""
    result = run(user, action, *args, check=False, **kwargs)
    assert result.returncode != 0, result.stdout
    return result.returncode, json.loads(result.stdout or "[]"), result.stderr.decode()


def export(user, form, socket=False):
    """The raw text, which -f does not change."""
    return user.server.run_doveadm("pop3", "uidl", "export", "--format=" + form, *target(user, socket)).stdout


def told(user):
    """What a POP3 client is told: {number: UIDL}."""
    with user.session() as pop3:
        found = pop3.uidl()
        pop3.quit()
    user.server.wait_idle()
    return found


def download(user, *numbers):
    with user.session() as pop3:
        assert all(pop3.retr(number).ok for number in numbers)
        found = pop3.uidl()
        pop3.quit()
    user.server.wait_idle()
    return found


def state_files(user):
    """The state folder as it is on disk; None if there is none."""
    return damage.snapshot(user.state_dir) if os.path.exists(user.state_dir) else None
