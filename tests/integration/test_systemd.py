# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""The service and the timer of retention: what they run, and that the package leaves them to the admin."""

import configparser
import glob
import os
import shlex

import pytest

import mailgen
import retention
from retention import DAY, fetch, fields, left, said

pytestmark = pytest.mark.native

NAME = "pop3-policy-retention"
TREE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "systemd")
UNIT_DIR = "/usr/lib/systemd/system"


def read_unit(path):
    unit = configparser.ConfigParser(interpolation=None, strict=True)
    unit.optionxform = str
    with open(path, encoding="utf-8") as file:
        unit.read_file(file)
    return unit


def command(path):
    return shlex.split(read_unit(path)["Service"]["ExecStart"])


def test_package_has_the_units():
    found, template = (command(path) for path in (os.path.join(UNIT_DIR, NAME + ".service"),
                                                  os.path.join(TREE, NAME + ".service.in")))
    assert os.access(found[0], os.X_OK) and os.path.basename(found[0]) == "doveadm"
    assert found[1:] == template[1:]
    timer = read_unit(os.path.join(UNIT_DIR, NAME + ".timer"))
    assert timer["Install"]["WantedBy"] == "timers.target"
    assert timer["Timer"]["OnCalendar"] == "daily"


def test_package_enables_no_unit():
    """No mail goes because a package was installed."""
    assert not glob.glob("/etc/systemd/**/%s.*" % NAME, recursive=True)


def test_what_the_service_runs(start_server, make_user_on):
    """It goes through all users, leaves those alone for whom nothing is due, and does not fail for any."""
    server = start_server(iterate=True)
    retention.true_time(server)
    make = make_user_on(server)
    rules = fields(keep_downloaded="14d", keep_undownloaded="30d")
    due, not_due, no_rule, stranger = make(**rules), make(**rules), make(), make(**rules)
    for user in (due, not_due, no_rule, stranger):
        user.wait_known()
        user.append(mailgen.messages(3))
    fetch(due, 1)
    fetch(no_rule, 1)
    server.clock.advance(days=10)
    fetch(not_due, 1)
    server.clock.advance(seconds=5 * DAY)
    server.doveadm(*command(os.path.join(TREE, NAME + ".service.in"))[1:])
    assert left(due) == [2, 3]
    assert [left(user) for user in (not_due, no_rule, stranger)] == [[1, 2, 3]] * 3
    assert not os.path.exists(stranger.state_dir)
    assert not any(said(user) for user in (not_due, no_rule, stranger))
