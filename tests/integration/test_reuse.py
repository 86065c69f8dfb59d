# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""A pop3 process that serves many users, one after the other, keeps nothing of one for the next."""

import re

import dovecot_conf
import expect

REUSE = "service_count = 100" if dovecot_conf.LINE == "2.3" else "restart_request_count = 100"


def test_many_users_in_one_process(start_server, make_user_on):
    server = start_server(extra="service pop3 {\n  %s\n  process_limit = 1\n}\n" % REUSE)
    new_user = make_user_on(server)
    users = [(new_user(messages=4, quota="2msg/day"), 2), (new_user(messages=4), 4),
             (new_user(messages=4, quota="3msg/day"), 3), (new_user(messages=4, quota="unlimited"), 4)]
    bad = new_user(quota="3msg/dya")
    for round_ in range(3):
        for user, limit in users:
            with user.session() as pop3:
                served = sum(pop3.retr(number).ok for number in range(1, 5))
                assert served == (limit if limit == 4 or round_ == 0 else 0)
                pop3.quit()
        assert bad.refused_login() == expect.MISCONFIGURED
    pids = set()
    for user, _ in users + [(bad, 0)]:
        pids.update(re.search(r"<(\d+)><", line).group(1) for line in server.wait_log(user, "Disconnected"))
    assert len(pids) == 1
    server.stop()
