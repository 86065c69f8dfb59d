# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""What it costs to ask all users of a server whether mail of theirs has to go."""

import grp
import os
import pwd
import shutil

import homes
import maildir
import retention
import server
import session

COUNT = 500
MESSAGES = 10
SIZE = 1000

# Of 2.3 and of 2.4, against a command that opens no mailbox either. It is 1.1 without the reads of the states, which
# are 0.06 of it on 2.3.
NOT_DUE_BOUND = (1.15, 1.10)


def reader():
    return pwd.getpwuid(session.reader().get("user", os.getuid()))


def make_users(base, state):
    """Returns their passwd-file. They have the state of one whose mailbox was just looked at."""
    user = reader()
    path = os.path.join(base, "passwd")
    with open(path, "w", encoding="ascii") as out:
        for number in range(COUNT):
            home = os.path.join(base, "homes", f"user{number}")
            maildir.fill(home, 0, SIZE)
            shutil.copytree(state, os.path.join(home, homes.STATE))
            out.write(f"user{number}::{user.pw_uid}:{user.pw_gid}::{home}::\n")
    return path


def measure(side):
    command = "pop3 retention run" if side.with_plugin else "purge"
    cost, _ = session.instructions(["doveadm", "-c", side.conf, *command.split(), "-A"], side.home, None,
                                   os.path.join(side.profiles, "all"))
    return cost


def configure(side, workdir, passwd):
    user = reader()
    group = grp.getgrgid(user.pw_gid).gr_name
    with open(side.conf, "w", encoding="ascii") as out:
        out.write(side.dovecot.users_config(workdir, passwd, user.pw_name, group, side.with_plugin, side.settings))


def bench_all(table, pool, stock, plugin):
    plugin.settings = retention.RULES
    plugin.fill(MESSAGES, SIZE)
    plugin.play(["RETR 1", "QUIT"])
    stock.copy_mail(plugin)
    state = os.path.dirname(plugin.state_path())
    os.makedirs(state, exist_ok=True)
    workdir = os.path.dirname(plugin.base)
    passwd = make_users(plugin.base, state)
    session.give_to_reader(plugin.base)
    for side in (stock, plugin):
        configure(side, workdir, passwd)
    with server.running(stock.conf, os.path.join(workdir, "run")):
        costs = list(pool.map(measure, (stock, plugin)))
    table.ratio("retention run -A / purge -A", *costs, plugin.dovecot.of_line(NOT_DUE_BOUND))


BENCHES = {"retention-all": bench_all}
