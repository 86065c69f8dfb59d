# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Looks for secrets: in files, and in the memory of processes, which is what a core file of them would have."""

import base64
import contextlib
import os
import re
import subprocess
import time
import urllib.parse

from polling import wait_for

NUMBERS = {
    "x86_64": {"exit_group": "231", "fcntl": "72", "openat": "257", "write": "1", "writev": "20"},
    "aarch64": {"exit_group": "94", "fcntl": "25", "openat": "56", "write": "64", "writev": "66"},
}[os.uname().machine]


def base64_forms(data):
    """How it looks within a longer text in base64, wherever it begins: without the letters that its neighbours have a
    part in."""
    for shift in range(3):
        text = base64.b64encode(b"\0" * shift + data).rstrip(b"=")
        yield text[(shift * 8 + 5) // 6:(shift + len(data)) * 8 // 6]


def forms(secret):
    """All the ways in which a text might be written down."""
    data = secret.encode()
    assert len(data) >= 12, "it could be found by accident"
    found = {data, data.upper(), data.lower(), data[::-1], data.hex().encode(), data.hex().upper().encode(),
             urllib.parse.quote(secret, safe="").encode(), urllib.parse.quote_plus(secret).encode(),
             secret.encode("utf-16-le"), *base64_forms(data)}
    return found | {form.replace(b"+", b"-").replace(b"/", b"_") for form in base64_forms(data)}


def found_in(data, secrets):
    """Those of the secrets that are in DATA in any form."""
    return [secret for secret in secrets if any(form in data for form in forms(secret))]


# what Dovecot keeps of its requests until it needs the place: a line from login to auth, and one from auth to a worker
REQUEST = re.compile(rb"(?<=\tresp=)[A-Za-z0-9+/=]+|(?<=PASSV\t)\d+\t[^\t\0\n]*")


def without_requests(data):
    return REQUEST.sub(b"", data)


def files_below(path):
    for folder, _, names in os.walk(path):
        for name in names:
            with contextlib.suppress(OSError):
                full = os.path.join(folder, name)
                if os.path.isfile(full):
                    with open(full, "rb") as file:
                        yield full, file.read()


def memory(pid):
    """All that a process could write to, which is all that can have a secret of ours."""
    found = []
    with open("/proc/%d/maps" % pid, encoding="utf-8", errors="replace") as maps, \
            open("/proc/%d/mem" % pid, "rb", 0) as file:
        for line in maps:
            words = line.split()
            if words[1].startswith("rw") and "[vvar" not in line:
                start, end = (int(word, 16) for word in words[0].split("-"))
                with contextlib.suppress(OSError, ValueError):
                    file.seek(start)
                    found.append(file.read(end - start))
    return b"\n".join(found)


def held_at(calls, tracer):
    """The process that a strace holds at one of CALLS, or None."""

    def current():
        """(process, its call)"""
        with open("/proc/%d/task/%d/children" % (tracer.pid, tracer.pid), encoding="ascii") as file:
            pid = file.read().strip()
        if not pid:
            return None
        # strace begins with some that end at once
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            with open("/proc/%s/syscall" % pid, encoding="ascii") as call:
                return int(pid), call.read()
        return None

    first = current()
    # all other calls of that name take no time
    time.sleep(0.1)
    numbers = [NUMBERS[call] for call in calls.split(",")]
    return first[0] if first and first == current() and first[1].split()[0] in numbers else None


def memory_at(calls, command, data, environment, path=None):
    """(result, memory) of a program as it is about to make the first of CALLS, on PATH if given: it waits there."""
    only = ["-P", path] if path else []
    # pylint: disable=consider-using-with
    tracer = subprocess.Popen(["strace", "-q", "-o", "/dev/null", "-e", "trace=" + calls, *only,
                               "-e", "inject=%s:delay_enter=1000000" % calls, *command], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
    tracer.stdin.write(data)
    tracer.stdin.close()
    tracer.stdin = None
    found = memory(wait_for(lambda: held_at(calls, tracer), "a call of %s by %s" % (calls, " ".join(command))))
    out, errors = tracer.communicate()
    return subprocess.CompletedProcess(command, tracer.returncode, out, errors), found
