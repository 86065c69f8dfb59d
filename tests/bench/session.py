# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""One POP3 session with the pop3 binary on pipes, with or without callgrind; and other programs of the server."""

import glob
import hashlib
import os
import pwd
import re
import subprocess
import tempfile


class SessionError(Exception):
    pass


# What the programs say when they run by themselves; the plugin speaks through them.
COMPLAINT = re.compile(r"\b(Warning|Error|Fatal|Panic): ")


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


def where(home):
    """How a program runs for the mail in home, for subprocess."""
    return {
        "cwd": home,
        "env": {"USER": "bench", "HOME": home, "PATH": os.environ["PATH"]},
        **reader(),
    }


def failed(home, returncode, reply, complaints):
    return SessionError(
        f"session of {home} failed ({returncode}):\n"
        f"{reply[-500:].decode(errors='replace')}\n"
        f"{complaints[-2000:]}"
    )


def check(home, returncode, reply, stderr, ending):
    complaints = stderr.decode(errors="replace")
    if returncode != 0 or not reply.endswith(ending) or b"-ERR" in reply \
            or COMPLAINT.search(complaints):
        raise failed(home, returncode, reply, complaints)


def run(command, home, sent, wrapper=()):
    """Returns all that the client got, as a digest. With sent=None the program is none that has a client."""
    # The configuration is read by an exec of doveconf and back, in the same process.
    done = subprocess.run(
        [*wrapper, *command],
        input=sent or b"",
        capture_output=True,
        check=False,
        **where(home),
    )
    check(home, done.returncode, done.stdout, done.stderr,
          b"" if sent is None else b"+OK Logging out.\r\n")
    return hashlib.sha256(done.stdout).hexdigest()


def instructions(command, home, sent, outdir):
    """Returns (instructions of the session, digest of what the client got)."""
    os.makedirs(outdir)
    give_to_reader(outdir)
    pattern = os.path.join(outdir, "callgrind.%p")
    digest = run(command, home, sent, wrapper=(
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


def read_until(output, ending):
    """What comes up to that, or up to the end."""
    reply = bytearray()
    while not reply.endswith(ending):
        got = output.read1(65536)
        if not got:
            break
        reply += got
    return bytes(reply)


def kilobytes(path, name):
    with open(path, encoding="ascii") as lines:
        return int(re.search(rf"^{name}:\s+(\d+) kB$", lines.read(), re.M).group(1))


def memory(command, home, listing):
    """KB that the process has had at most when it has sent this listing."""
    with tempfile.TemporaryFile() as log:
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=log, **where(home)) as process:
            process.stdin.write(commands(listing))
            process.stdin.flush()
            reply = read_until(process.stdout, b"\r\n.\r\n")
            most = kilobytes(f"/proc/{process.pid}/status", "VmHWM")
            process.stdin.write(commands("QUIT"))
            process.stdin.close()
            reply += process.stdout.read()
        log.seek(0)
        check(home, process.returncode, reply, log.read(), b"+OK Logging out.\r\n")
    return most
