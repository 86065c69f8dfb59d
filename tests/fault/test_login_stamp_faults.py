# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Each call that writes down a login is harmed. Nobody is kept out of his mail by a disk that takes no writes, and the
next login is counted again."""

import os
import shutil

import pytest

import harms
import lab
import mailgen
import state_check
from dovecot import LIBEXEC, Server
from harmed_server import Service
from pop3 import LineClosed

DELAY = {"pop3_policy_login_delay": "1 hour"}
NAME = "login.json"


@pytest.fixture(scope="module")
def server(memory_disk):
    found = Server(settings=DELAY, faked=False)
    found.pop3 = Service(found, "pop3", [os.path.join(LIBEXEC, "pop3")])
    found.pop3.leave_alone()
    with found:
        yield found


class Logins:
    """The first login of a user, or one that was there before, long ago."""

    def __init__(self, server, was_there):
        self.server = server
        self.user = server.user("jane" if was_there else "joe")
        self.user.append([mailgen.message(1)])
        self.image = os.path.join(server.root, "image-of-" + self.user.name)
        if was_there:
            assert self.login(None).startswith("+OK")
            path = os.path.join(self.user.state_dir, NAME)
            with open(path, "w", encoding="ascii") as file:
                file.write('{"version":1,"next":%20d}\n' % 1_000_000_000)
        shutil.copytree(self.user.home, self.image)

    def again(self):
        shutil.rmtree(self.user.home)
        shutil.copytree(self.image, self.user.home)
        self.user.own_home()

    def login(self, variables):
        """The reply to a login, "" if the session was killed."""
        if variables is None:
            self.server.pop3.leave_alone()
        else:
            self.server.pop3.harm(self.user.home, variables)
        try:
            with self.user.connect() as pop3:
                reply = pop3.login(self.user.name, self.user.password)
                if reply.ok:
                    pop3.quit()
                return reply.text
        except LineClosed:
            return ""
        finally:
            self.server.wait_idle()

    def calls(self, **more):
        self.again()
        assert self.login(lab.fault(log=self.server.pop3.log, **more)).startswith("+OK")
        return [call for call in self.server.pop3.calls() if call.path.endswith(NAME)]

    def check(self, point):
        """After a login with this fault."""
        self.again()
        killed = point.fault in ("before", "after", "half")
        reply = self.login(point.variables())
        if point.fault in ("EIO", "EMFILE"):
            assert reply.startswith(("+OK", "-ERR [SYS/TEMP]")), reply
        else:
            assert reply == "" if killed else reply.startswith("+OK"), reply
        if point.fault != "half":
            # else the log has an error, and the file is written anew
            state_check.check_login(os.path.join(self.user.state_dir, NAME))
        reply = self.login(None)
        # whoever was counted comes too early now
        assert reply.startswith(("+OK", "-ERR [LOGIN-DELAY]")), reply
        assert self.login(None).startswith("-ERR [LOGIN-DELAY]")
        state_check.check_login(os.path.join(self.user.state_dir, NAME))


@pytest.fixture(params=[False, True], ids=["first", "another"])
def logins(request, server):
    return Logins(server, request.param)


def test_harmed_login(logins, fault_table):
    points = list(harms.points(logins.calls(), logins.calls(open=1)))
    assert {"write"} <= {point.call.name for point in points}
    failures = []
    for point in points:
        known = len(failures)
        try:
            logins.check(point)
        except AssertionError as error:
            failures.append("%s at call %d, %s %s: %s" % (point.fault, point.call.number, point.call.name,
                                                        point.call.path, error))
        fault_table.add(point, len(failures) > known, False)
    assert not failures, "\n".join(failures)
