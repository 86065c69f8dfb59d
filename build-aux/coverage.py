#!/usr/bin/env python3
# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""coverage.py BUILD [--counts DIR] [--minimum PERCENT ROOM...]

Prints which part of the lines of each room of src/ was run, as counted below the build folder BUILD and, for programs
that ran with GCOV_PREFIX below DIR, there. Fails if it is less than the minimum in one of the rooms. The lines of unit
tests do not count."""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("--counts")
    parser.add_argument("--minimum", nargs="+", default=["0"])
    parser.add_argument("--missed", action="store_true", help="print also the lines that did not run")
    return parser.parse_args()


def files_below(folder, suffix):
    for path, _, names in os.walk(folder):
        for name in names:
            if name.endswith(suffix) and not name.startswith("test-") and "-test-" not in name:
                yield os.path.join(path, name)


def read(objects):
    """What gcov knows of these .gcno files, each with its .gcda file or else as never run."""
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run(["gcov", "--json-format", "--stdout", *objects], cwd=folder, stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL, check=False)
    for line in run.stdout.splitlines():
        if line.startswith(b"{"):
            yield json.loads(line)


class Lines:
    """How often each line ran, by (room, file, number)."""

    def __init__(self, build):
        self.counts = {}
        self.build = os.path.abspath(build)
        self.objects = sorted(files_below(os.path.join(self.build, "src"), ".gcno"))

    def add(self, objects):
        for unit in read(objects):
            for file in unit["files"]:
                path = os.path.normpath(os.path.join(unit["current_working_directory"], file["file"]))
                words = path.split("/")
                if len(words) > 3 and words[-3] == "src" and words[-1].endswith(".c") and words[-1][:5] != "test-":
                    for line in file["lines"]:
                        key = (words[-2], words[-1], line["line_number"])
                        self.counts[key] = self.counts.get(key, 0) + line["count"]

    def add_build(self):
        self.add(self.objects)

    def add_prefixed(self, prefix):
        """gcov wants both files of a unit side by side."""
        with tempfile.TemporaryDirectory() as folder:
            pairs = []
            for path in self.objects:
                counts = prefix + path[:-len("gcno")] + "gcda"
                if os.path.exists(counts) and os.path.getsize(counts) > 0:
                    copy = os.path.join(folder, "%d-%s" % (len(pairs), os.path.basename(path)))
                    shutil.copy(path, copy)
                    shutil.copy(counts, copy[:-len("gcno")] + "gcda")
                    pairs.append(copy)
            if pairs:
                self.add(pairs)

    def share(self, room):
        """(lines that ran, all lines)"""
        found = [count for (where, _, _), count in self.counts.items() if where == room]
        return sum(count > 0 for count in found), len(found)

    def missed(self, room):
        """(file, numbers) of the lines that did not run."""
        found = {}
        for (where, file, number), count in sorted(self.counts.items()):
            if where == room and count == 0:
                found.setdefault(file, []).append(number)
        return found.items()


def main():
    args = arguments()
    lines = Lines(args.build)
    lines.add_build()
    if args.counts:
        lines.add_prefixed(os.path.abspath(args.counts))
    minimum, rooms = float(args.minimum[0]), args.minimum[1:]
    below = []
    for room in sorted({room for room, _, _ in lines.counts}):
        ran, total = lines.share(room)
        percent = 100 * ran / total
        print("%-12s %5d of %5d lines, %5.1f %%" % (room, ran, total, percent))
        if room in rooms and percent < minimum:
            below.append(room)
        if args.missed:
            for file, numbers in lines.missed(room):
                print("    %s: %s" % (file, " ".join(map(str, numbers))))
    missing = [room for room in rooms if lines.share(room)[1] == 0]
    if below or missing:
        sys.exit("less than %g %% of the lines run in: %s" % (minimum, ", ".join(below + missing)))


main()
