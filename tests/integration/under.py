# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""The same tests with Dovecot's programs under a tool: pytest --under=valgrind, sanitizers or coverage.

In the mount namespace of this test run alone a script stands in the place of each program, and runs it under the tool,
so that nothing of a test has to know. The modules are those of a build folder where the tool needs it."""

import ctypes
import glob
import os
import re
import shutil
import subprocess
import tempfile

import served

TOOLS = ("valgrind", "sanitizers", "coverage")
LIBEXEC = "/usr/lib/dovecot"
DOVEADM = "/usr/bin/doveadm"
PROGRAMS = (DOVEADM, *(os.path.join(LIBEXEC, name)
                       for name in ("auth", "doveadm-server", "dovecot-lda", "imap", "lmtp", "pop3")))
# loaded by doveconf, too, which runs as it is
NOT_REPLACED = "_settings.so"
CLONE_NEWNS = 0x20000

VALGRIND = ["--tool=memcheck", "--leak-check=full", "--show-leak-kinds=definite", "--keep-debuginfo=yes", "--vgdb=no",
            "--num-callers=30", "--fullpath-after=", "--error-limit=no", "--child-silent-after-fork=no"]
# What Debian has in its place is a script: it drops variables with a slash in the name, settings for Dovecot 2.3.
VALGRIND_BIN = "/usr/bin/valgrind.bin"
ASAN = "detect_leaks=0:detect_odr_violation=0:verify_asan_link_order=0"
# below the build folder, for coverage.py
COUNTS = "integration-counts"
# of each service that serves many users, which Dovecot holds against the limits of auth
PROCESSES = 100
UBSAN = "print_stacktrace=1"

# what a frame of ours looks like, with and without debug information
OURS = re.compile(r"/src/(auth|compat|credentials|dict|doveadm|fast-polls|maildrop|passdb|plugin|policy|retention|"
                  r"settings|state)/[\w.-]+\.[ch]:\d+\)|/modules/[\w/-]*(pop3_policy|auth_json|authdb_json)[\w]*\.so")
# by whoever started it
ENDED = re.compile(r"Process terminating with default action of signal \d+ \(SIG(QUIT|TERM)\)")
LEAK = re.compile(r"are (definitely|indirectly) lost in loss record|is (definitely|indirectly) lost in loss record")


def library(name):
    """Where the compiler has a library of its own."""
    return subprocess.run(["gcc", "-print-file-name=" + name], stdout=subprocess.PIPE, text=True,
                          check=True).stdout.strip()


def shared_library(name):
    """The library itself, where the compiler may have only a text for the linker."""
    return os.path.realpath(library(name))


def undefined(text):
    """What UndefinedBehaviorSanitizer has told: to the log, as it does not know its own file where
    AddressSanitizer is, too."""
    return [line for line in text.splitlines() if ": runtime error: " in line]


def exports(**variables):
    """A script of the shell that sets variables for a program and, through DOVECOT_PRESERVE_ENVS, until its end."""
    first, names = min(variables), " ".join(variables)
    lines = ['%s="%s"' % item for item in variables.items()]
    lines.append('DOVECOT_PRESERVE_ENVS="${DOVECOT_PRESERVE_ENVS:+$DOVECOT_PRESERVE_ENVS }%s"' % names)
    return 'if [ -z "${%s-}" ]; then\n%sfi\n' % (first, "".join("\texport %s\n" % line for line in lines))


class Tool:
    """Runs the programs, and reads what has been reported since it was asked last."""

    def __init__(self, name, build=None):
        self.name = name
        self.build = build and os.path.abspath(build)
        self.folder = tempfile.mkdtemp(prefix="pop3-policy-under-", dir="/tmp")
        self.reports = os.path.join(self.folder, "reports")
        self.read = {}
        self.known = os.path.join(os.path.dirname(os.path.abspath(__file__)), "valgrind.supp")

    def make_folders(self):
        os.chmod(self.folder, 0o755)
        for folder in ("reports", "real", "scripts"):
            os.mkdir(os.path.join(self.folder, folder))
        os.chmod(self.reports, 0o777)

    def remove_folders(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self):
        own_mounts()
        self.make_folders()
        for program in PROGRAMS:
            if os.path.exists(program):
                self.replace(program)
        if self.build:
            self.replace_modules()
        if self.name == "coverage":
            self.make_counts()

    def stop(self):
        for program in PROGRAMS:
            subprocess.run(["umount", program], stderr=subprocess.DEVNULL, check=False)
        if self.name == "coverage":
            shutil.copytree(self.reports, os.path.join(self.build, COUNTS), dirs_exist_ok=True)
        self.remove_folders()

    def is_program(self, pid, name):
        """Whether a process is the program NAME, which valgrind gives a name of its own."""
        try:
            with open("/proc/%s/cmdline" % pid, "rb") as file:
                return self.real(name).encode() in file.read().split(b"\0")
        except OSError:
            return False

    # -- in the place of

    def real(self, program):
        return os.path.join(self.folder, "real", os.path.basename(program))

    def replace(self, program):
        script = os.path.join(self.folder, "scripts", os.path.basename(program))
        shutil.copy2(program, self.real(program))
        with open(script, "w", encoding="utf-8") as file:
            file.write("#!/bin/bash\n" + self.script(program))
        os.chmod(script, 0o755)
        mount("--bind", script, program)

    def script(self, program):
        return getattr(self, self.name)(program, 'exec -a "$0" %s "$@"\n' % self.real(program))

    def valgrind(self, program, natively):
        # Started by hand it becomes doveconf, which starts it anew by the name that it was called.
        first = 'if [ -z "${DOVECONF_ENV-}${DOVECOT_CONFIG_FD-}${DOVECOT_CHILD_PROCESS-}" ]; then\n%sfi\n' % natively
        options = [*VALGRIND, "--suppressions=" + self.known, # the kernel gives numbers of processes again
                   "--log-file=%s/valgrind.%%p.$EPOCHREALTIME" % self.reports]
        return first + 'exec %s %s %s "$@"\n' % (VALGRIND_BIN, " ".join(options), self.real(program))

    def sanitizers(self, _program, natively):
        libraries = ":".join(shared_library(name) for name in ("libasan.so", "libubsan.so"))
        return exports(ASAN_OPTIONS="%s:log_path=%s/asan" % (ASAN, self.reports),
                       UBSAN_OPTIONS=UBSAN,
                       # libfaketime waits for ever if it is not the first
                       LD_PRELOAD="${LD_PRELOAD:+$LD_PRELOAD:}" + libraries) + natively

    def coverage(self, _program, natively):
        return exports(GCOV_PREFIX=self.reports) + natively

    def replace_modules(self):
        for path in glob.glob(LIBEXEC + "/modules/**/*.so", recursive=True):
            ours = glob.glob(os.path.join(self.build, "src/*/.libs", os.path.basename(path)))
            if ours and not path.endswith(NOT_REPLACED):
                copy = os.path.join(self.folder, os.path.basename(path))
                shutil.copy2(ours[0], copy)
                mount("--bind", copy, path)

    # -- reports

    def make_counts(self):
        """Programs of all users add to the same files, and one of auth may begin as root."""
        for path in glob.glob(os.path.join(self.build, "src/*/.libs/*.gcno")):
            counts = self.reports + path[:-len("gcno")] + "gcda"
            os.makedirs(os.path.dirname(counts), exist_ok=True)
            with open(counts, "wb"):
                os.chmod(counts, 0o666)

    def complaints(self):
        """Errors that were reported since the last call. What a program leaks is told at its end only."""
        found = []
        if self.name == "coverage":
            return found
        for path in sorted(glob.glob(self.reports + "/*.*")):
            with open(path, encoding="utf-8", errors="replace") as file:
                text = file.read()
            seen = self.read.get(path, 0)
            blocks = text if self.name == "sanitizers" else "\n\n".join(errors(text))
            self.read[path] = len(blocks)
            if len(blocks) != seen:
                # a process that has started itself anew writes the report from its beginning
                new = blocks[seen:] if len(blocks) > seen else blocks
                found += ["%s:\n%s" % (os.path.basename(path), new)] * bool(new.strip())
        return found


def errors(report):
    """The errors in a report of valgrind that is perhaps not complete. Only our own leaks count."""
    text = re.sub(r"(?m)^==\d+== ?", "", report)
    for block in text.split("\n\n"):
        if not re.search(r"^\s+at 0x", block, re.M):
            continue
        if ENDED.search(block) or LEAK.search(block) and not OURS.search(block):
            continue
        yield block


def mount(*args):
    subprocess.run(["mount", *args], check=True)


def own_mounts():
    """What is mounted from now on is seen by this process and its children only."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    if subprocess.run(["mount", "--make-rprivate", "/"], stderr=subprocess.DEVNULL, check=False).returncode == 0:
        return
    # in a chroot the root is no mount, and whoever made it has to have seen to that
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        assert " shared:" not in file.read(), "run this in a mount namespace of its own (unshare --mount)"


TOOL = None


def reuses_processes():
    """Whether one process serves many users, as valgrind needs more than a second for its beginning."""
    return TOOL is not None and TOOL.name == "valgrind"


def waits_for_next_user(pid, port):
    """Whether a process that serves many users at PORT has ended all of its sessions, or itself."""
    return reuses_processes() and served.waits_for_others(pid) and not served.clients_of([pid], port)[pid]


def is_program(pid, name):
    return TOOL is not None and TOOL.is_program(pid, name)


def settings(unlimited, reuse, stock_auth):
    """For servers: the tools reserve much address space, and REUSE is what makes processes serve many users. With
    STOCK_AUTH nothing of ours is in auth, which then needs no tool that takes its time."""
    text = "default_vsz_limit = %s\n" % unlimited if TOOL else ""
    if reuses_processes():
        for name in ("pop3", "imap", "lmtp", "doveadm"):
            text += "service %s {\n  %s\n  process_limit = %d\n}\n" % (name, reuse, PROCESSES)
        auth = TOOL.real("auth")
        for service, command in (("auth", auth), ("auth-worker", auth + " -w")) if stock_auth else ():
            text += "service %s {\n  executable = %s\n}\n" % (service, command)
    return text


def complaints():
    return TOOL.complaints() if TOOL else []


def start(name, build):
    """Until the end of this test run."""
    global TOOL  # pylint: disable=global-statement
    TOOL = Tool(name, build)
    TOOL.start()
