# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""What the plugin tells Dovecot's event system: what is documented, and what was sent."""

import json
import os
import re
import time

import dovecot_conf

TREE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
# of Dovecot itself, in events below the one of the user
OF_DOVECOT = {"user", "session", "service", "duration", "local_ip", "local_port", "remote_ip", "remote_port",
              "net_in_bytes", "net_out_bytes", "reason_code", "log_prefix"}

# every event of the plugin goes to the log, as JSON
EXPORTER = {
    "2.3": """
event_exporter pop3_policy_log {
  format = json
  format_args = time-rfc3339
  transport = log
}
metric pop3_policy_exported {
  filter = event=pop3_policy_*
  exporter = pop3_policy_log
  exporter_include = name fields
}
""",
    "2.4": """
event_exporter pop3_policy_log {
  driver = log
  format = json
  time_format = rfc3339
}
metric pop3_policy_exported {
  filter = event=pop3_policy_*
  exporter = pop3_policy_log
}
""",
}[dovecot_conf.LINE]


def read(*path):
    with open(os.path.join(TREE, *path), encoding="utf-8") as file:
        return file.read()


def documented():
    """The tables of doc/events.md: {event: {field: words that it may have, or None}}."""
    found = {}
    for section in re.split(r"^### ", read("doc", "events.md"), flags=re.M)[1:]:
        name = section.split("\n", 1)[0].strip("`")
        rows = re.findall(r"^\| `(\w+)` \| ([^|]*) \|", section, flags=re.M)
        found[name] = {field: re.findall("`([^`]*)`", words) or None for field, words in rows}
    return found


def wait_quiet(server):
    """Events go through the stats process, into whose sockets nobody can look."""
    size = -1
    while size != server.log_size():
        size = server.log_size()
        time.sleep(0.03)


def exported(server, user):
    """The events of a user as Dovecot tells them."""
    wait_quiet(server)
    found = [json.loads(text) for text in re.findall(r'\{"event":"pop3_policy_.*\}', server.log())]
    return [event for event in found if event["fields"].get("user") == user.name]


def sent(server, user, name=None):
    """The events of a user as (name, {field: value}), without the fields of Dovecot; with NAME the fields of those."""
    found = [(event["event"], {key: value for key, value in event["fields"].items() if key not in OF_DOVECOT})
             for event in exported(server, user)]
    return [fields for found_name, fields in found if found_name == name] if name else found
