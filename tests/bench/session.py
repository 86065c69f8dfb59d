# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""One POP3 session with the pop3 binary on pipes, with or without callgrind."""

import glob
import hashlib
import os
import pwd
import re
import subprocess


class SessionError(Exception):
    pass


def commands(*lines):
    return "".join(line + "\r\n" for line in lines).encode("ascii")


def reader():
    """Who reads the mail, for subprocess: Dovecot does not serve root."""
    if os.getuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def give_to_reader(folder):
    owner = reader()
    if owner:
        for path, folders, files in os.walk(folder):
            for name in [".", *folders, *files]:
                os.chown(os.path.join(path, name), owner["user"], owner["group"])


def run(binary, conf, home, sent, wrapper=()):
    """Returns all that the client got, as a digest."""
    # The configuration is read by an exec of doveconf and back, in the same process.
    done = subprocess.run(
        [*wrapper, binary, "-c", conf],
        input=sent,
        capture_output=True,
        check=False,
        cwd=home,
        **reader(),
        env={"USER": "bench", "HOME": home, "PATH": os.environ["PATH"]},
    )
    reply = done.stdout
    if done.returncode != 0 or not reply.endswith(b"+OK Logging out.\r\n") \
            or b"-ERR" in reply:
        raise SessionError(
            f"session of {home} failed ({done.returncode}):\n"
            f"{reply[-500:].decode(errors='replace')}\n"
            f"{done.stderr[-2000:].decode(errors='replace')}"
        )
    return hashlib.sha256(reply).hexdigest()


def instructions(binary, conf, home, sent, outdir):
    """Returns (instructions of the session, digest of what the client got)."""
    os.makedirs(outdir)
    give_to_reader(outdir)
    pattern = os.path.join(outdir, "callgrind.%p")
    digest = run(binary, conf, home, sent, wrapper=(
        "valgrind", "--quiet", "--tool=callgrind", "--trace-children=yes",
        f"--callgrind-out-file={pattern}",
    ))
    total = 0
    for path in glob.glob(os.path.join(outdir, "callgrind.*")):
        with open(path, encoding="ascii", errors="replace") as profile:
            total += sum(
                int(found) for found in re.findall(r"^totals: (\d+)", profile.read(), re.M)
            )
    if total == 0:
        raise SessionError(f"callgrind left no totals in {outdir}")
    return total, digest
