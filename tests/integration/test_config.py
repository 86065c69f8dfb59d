# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""The configuration file that is shipped, and the plugin in other processes than pop3."""

import json
import os
import re
import smtplib
import subprocess

import pytest

import disasters
import dovecot_conf
import mailgen
import retention
from conftest import ONE_SEPARATOR
from dovecot import LIBEXEC
from uidl_doveadm import told

INSTALLED = "/etc/dovecot/conf.d/90-pop3-policy.conf"
TREE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "conf.d", dovecot_conf.LINE,
                    "90-pop3-policy.conf")


def shipped():
    with open(INSTALLED if os.path.exists(INSTALLED) else TREE, encoding="utf-8") as file:
        return file.read()


def uncommented():
    """Directives are the lines with "#" and no space after it."""
    return re.sub(r"^#(?=[^\s#])", "", shipped(), flags=re.M)


def included(folder, text):
    path = os.path.join(str(folder), "90-pop3-policy.conf")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return "!include %s\n" % path


def doveconf(server, *args):
    return subprocess.run(["doveconf", "-c", server.conf, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, check=False)


def test_installed_file_is_the_one_of_the_tree():
    with open(TREE, encoding="utf-8") as file:
        assert shipped() == file.read()


def test_as_shipped_nothing_is_switched_on(start_server, make_user_on, tmp_path):
    assert not [line for line in shipped().splitlines() if line and not line.startswith("#")]
    server = start_server(plugin=False, extra=included(tmp_path, shipped()))
    result = doveconf(server, "-n")
    assert (result.returncode, result.stderr) == (0, "")
    user = make_user_on(server)(messages=2)
    with user.session() as pop3:
        assert pop3.retr(2).ok
        pop3.quit()
    assert not os.path.exists(user.state_dir)
    assert not server.log_lines(user, "pop3_policy")


def test_example_is_accepted_and_enforced(start_server, make_user_on, tmp_path):
    text = uncommented()
    assert len([line for line in text.splitlines() if line and not line.startswith("#")]) >= 7
    server = start_server(plugin=False, extra=included(tmp_path, text))
    result = doveconf(server, "-n")
    assert (result.returncode, result.stderr) == (0, "")
    for name in ("pop3_policy_quota", "pop3_policy_quota_top", "pop3_policy_state", "pop3_policy_on_error",
                 "pop3_policy_login_delay", "pop3_policy_login_burst", "pop3_policy_uidl_alarm",
                 "pop3_policy_fast_polls", "pop3_policy_keep_downloaded", "pop3_policy_view",
                 "pop3_policy_keep_undownloaded", "pop3_policy_keep_max_messages", "pop3_policy_keep_max_size",
                 "pop3_policy_expire_action", "pop3_policy_exempt", "pop3_policy_report_only",
                 "pop3_policy_keep_devices", "pop3_policy_quota_warning", "pop3_policy_quota_action",
                 "pop3_policy_rate"):
        assert name in doveconf(server, "-a").stdout, name
    user = make_user_on(server)(messages=3)
    limits = {key: row["limit"] for key, row in user.quota().items()}
    assert limits == {("day", "bytes"): str(500 << 20), ("day", "messages"): "10000", ("month", "bytes"): str(5 << 30)}
    with user.session() as pop3:
        assert pop3.retr(1).ok
        pop3.quit()
    # retention writes the state once more, when the client is gone
    server.wait_idle()
    state = user.state()
    assert state["quota"]["windows"]["day"]["messages"] == 1
    state["quota"]["windows"]["day"]["messages"] = 9999
    user.write_state(state)
    with user.session() as pop3:
        assert pop3.retr(2).ok
        assert pop3.retr(3).text.startswith("-ERR [SYS/TEMP] Download quota used up (10000 messages a day)")
        pop3.quit()


def test_example_removes_nothing(start_server, make_user_on, tmp_path):
    """Who takes all "#" away is told what would go."""
    server = start_server(plugin=False, extra=included(tmp_path, uncommented()))
    retention.true_time(server)
    user = make_user_on(server)(messages=3)
    retention.fetch(user, 1)
    rows = json.loads(user.doveadm("-f", "json", "pop3", "retention", "status", "-u", user.name))
    assert [row["rule"] for row in rows] == ["downloaded", "undownloaded", "max_messages", "max_size"]
    server.clock.advance(days=15)
    retention.poll(user)
    assert retention.left(user) == [1, 2, 3]
    assert len(server.wait_log(user, "retention would have taken .*: 1 downloaded")) == 1


def test_only_pop3_and_doveadm_have_the_plugin_of_the_example(start_server, tmp_path):
    server = start_server(plugin=False, extra=included(tmp_path, uncommented()))
    assert "pop3_policy" not in doveconf(server, "-h", "mail_plugins").stdout
    for protocol, has_plugin in (("pop3", True), ("doveadm", True), ("imap", False), ("lda", False)):
        found = doveconf(server, "-f", "protocol=" + protocol, "-h", "mail_plugins").stdout
        assert ("pop3_policy" in found) == has_plugin, protocol


def test_conversion_with_the_plugin_of_the_example(start_server, make_user_on, tmp_path):
    """doveadm backup hands over what clients are told."""
    extra = included(tmp_path, uncommented()) + ONE_SEPARATOR
    server = start_server(plugin=False, extra=extra, faked=False)
    user = make_user_on(server)(messages=3)
    uidls = told(user)
    disasters.uidvalidity_changed(user)
    assert told(user) == uidls
    # so that the new mailbox alone must know them
    disasters.convert(user, "mdbox")
    disasters.state_folder_deleted(user)
    assert told(user) == uidls


def test_other_services_with_the_plugin_enabled_globally(server, new_user):
    """imap, lmtp, lda and doveadm load it too, and count nothing."""
    user = new_user(quota="1msg/day")
    user.append([mailgen.message(1)])
    with smtplib.LMTP(os.path.join(server.root, "lmtp")) as lmtp:
        lmtp.sendmail("sender@example.org", [user.name], mailgen.message(2).decode())
    subprocess.run([os.path.join(LIBEXEC, "dovecot-lda"), "-c", server.conf, "-d", user.name], input=mailgen.message(3),
                   env=server.environment(), check=True)
    assert len(user.flags()) == 3
    user.doveadm("fetch", "-u", user.name, "text", "mailbox", "INBOX")
    assert not os.path.exists(user.state_dir)
    with user.session() as pop3:
        assert [pop3.retr(number).ok for number in (1, 2, 3)] == [True, False, False]
        pop3.quit()
    assert not re.search(r"%s.*(Error|Fatal|Panic):" % re.escape(user.name), server.log())


@pytest.mark.parametrize("scope", ["global", "pop3"])
def test_plugin_beside_others(start_server, make_user_on, scope):
    """Together with the plugins that people have."""
    names = ["quota", "mail_log", "notify"] + (["pop3_policy"] if scope == "pop3" else [])
    block = dovecot_conf.mail_plugins(names)
    extra = "protocol pop3 {\n%s\n}\n" % block
    server = start_server(plugin=scope == "global", extra=extra)
    user = make_user_on(server)(messages=3, quota="2msg/day")
    with user.session() as pop3:
        assert [pop3.retr(number).ok for number in (1, 2, 3)] == [True, True, False]
        pop3.ok("DELE 1")
        pop3.quit()
    server.wait_log(user, "expunge")
    assert len(user.flags()) == 2
