# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""What the state would say of a mailbox if its messages had been downloaded on other days."""

import json
import time

import session

DAY_SECS = 24 * 3600


def write_journal(side, when):
    path = side.state_path("messages.jsonl")
    with open(path, encoding="ascii") as file:
        header, *lines = file.read().splitlines()
    messages = [json.loads(line) for line in lines]
    with open(path, "w", encoding="ascii") as out:
        out.write(header + "\n")
        for message in messages:
            message["downloaded"] = when(message["uid"])
            out.write(json.dumps(message, separators=(",", ":")) + "\n")
    return max(message["uid"] for message in messages)


def write_state(side, last_uid, retention):
    """Without a brief: its checksum would not fit any more, and the next who writes the state makes one."""
    with open(side.state_path(), encoding="ascii") as file:
        state = json.load(file)
    del state["brief"]
    state["uidl"]["downloaded"] = f"1:{last_uid}"
    state["uidl"]["retention"] = retention
    with open(side.state_path(), "w", encoding="ascii") as out:
        json.dump(state, out, separators=(",", ":"))


def download(side, old, old_days):
    """All messages were downloaded yesterday, but that many so many days ago, those of the lowest UIDs. The last look
    at them was yesterday, too."""
    now = int(time.time())
    yesterday, that_day = now - DAY_SECS, now - old_days * DAY_SECS
    last_uid = write_journal(side, lambda uid: that_day if uid <= old else yesterday)
    write_state(side, last_uid, {"checked": yesterday, "oldest_downloaded": that_day})
    session.give_to_reader(side.home)
