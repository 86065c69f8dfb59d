#!/usr/bin/env python3
# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""check-log-lines.py SRC FAQ: each line that the code can log is in the FAQ, and each line of the FAQ can be logged.

A line of the FAQ is what stands in backquotes in the first column of a table. "..." in it stands for
anything. A format that is nothing but "%s" has its words from elsewhere: lines made of it
need not be in the FAQ, but may be, if a string of the sources has such words.
"""

import glob
import re
import sys

CALLS = re.compile(r"\b(e_(?:error|warning|info)|i_(?:error|warning|info|fatal))\(")
TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"|(\w+)|(\S)')
CONVERSION = re.compile(r"%%|%[-+ #0]*[\d*]*(?:\.[\d*]+)?(?:hh|h|ll|l|j|z|t)?[a-zA-Z]")
DEFINITION = re.compile(r'^#[ \t]*define (\w+)[ \t]+((?:\\\n|[^\n])*"(?:\\\n|[^\n])*)$', re.M)
# Conversions of inttypes.h and Dovecot's.
NUMBER = re.compile(r"PRI[a-zA-Z_0-9]+")
# What has fewer letters of its own says nothing.
LETTERS = 10


# What may have quotes in it that begin no string.
NO_STRING = re.compile(r"""("(?:[^"\\\n]|\\.)*")|/\*.*?\*/|'(?:[^'\\\n]|\\.)+'""", re.S)


def without_comments(text):
    return NO_STRING.sub(lambda found: found.group(1) or "\n" * found.group().count("\n") or " ", text)


def sources(folder):
    for path in sorted(glob.glob(folder + "/*/*.c") + glob.glob(folder + "/*/*.h")):
        if not re.search(r"/test-[^/]*$", path):
            with open(path, encoding="utf-8") as file:
                yield path, without_comments(file.read())


class Macros(dict):
    """Macros that stand for a string."""

    def add(self, text):
        for name, value in DEFINITION.findall(text):
            self.setdefault(name, value)

    def join(self, text):
        """The string that these literals and macros come to, or None if there is anything else."""
        result = ""
        for literal, name, other in TOKEN.findall(text.replace("\\\n", " ")):
            if other:
                return None
            if NUMBER.fullmatch(name):
                result += "lu"
            elif name:
                value = self.join(self[name]) if name in self else None
                if value is None:
                    return None
                result += value
            else:
                result += re.sub(r"\\(.)", lambda found: {"n": "\n"}.get(found.group(1), found.group(1)), literal)
        return result


def arguments(text, at):
    """The arguments of the call whose parenthesis was opened before this place."""
    found, begin, depth = [], at, 0
    while depth >= 0:
        if text[at] == '"':
            at = re.compile(r'"(?:[^"\\]|\\.)*"').match(text, at).end() - 1
        elif text[at] in "([{":
            depth += 1
        elif text[at] in ")]}":
            depth -= 1
        if (text[at] == "," and depth == 0) or depth < 0:
            found.append(text[begin:at])
            begin = at + 1
        at += 1
    return found


def formats(folder, macros):
    """(place, format) of everything that is logged."""
    for path, text in sources(folder):
        for call in CALLS.finditer(text):
            words = arguments(text, call.end())
            place = f"{path}:{text.count(chr(10), 0, call.start()) + 1}"
            if call.group(1).startswith("e_"):
                words = words[1:]
            # one of two formats
            choices = re.split(r"[?:](?=\s*\")", words[0]) if "?" in words[0] else ["", words[0]]
            for choice in choices[1:]:
                yield place, macros.join(choice)


def strings(folder, macros):
    for _path, text in sources(folder):
        for found in re.finditer(r'"(?:[^"\\]|\\.)*"(?:\s*(?:"(?:[^"\\]|\\.)*"|[A-Z_]+(?:64|32)?\b))*', text):
            joined = macros.join(found.group())
            if joined is not None:
                yield joined


def fixed_letters(form):
    return len(re.sub(r"[^a-zA-Z]", "", CONVERSION.sub("", form)))


def pattern(form):
    return "".join("%" if part == "%%" else ".*" if CONVERSION.fullmatch(part) else re.escape(part)
                   for part in re.split(f"({CONVERSION.pattern})", form))


def faq_lines(path):
    with open(path, encoding="utf-8") as file:
        for line in file:
            cell = re.match(r"\| ((?:`[^`]+`(?:, )?)+) \|", line)
            if cell:
                yield from re.findall(r"`([^`]+)`", cell.group(1))


def main():
    folder, faq = sys.argv[1:]
    macros = Macros()
    for _path, text in sources(folder):
        macros.add(text)
    lines = list(faq_lines(faq))
    bad, logged = 0, []
    for place, form in formats(folder, macros):
        if form is None:
            print(f"{place}: cannot read the format")
            bad += 1
        elif fixed_letters(form) >= LETTERS:
            logged.append(form)
            if not any(re.fullmatch(pattern(form), line) for line in lines):
                print(f"{place}: not in {faq}: {form}")
                bad += 1
    said = [form for form in strings(folder, macros) if fixed_letters(form) >= LETTERS]
    for line in lines:
        if not any(re.fullmatch(pattern(form), line) for form in logged) and \
                not any(re.search(pattern(form), line) for form in said):
            print(f"{faq}: nothing logs this: {line}")
            bad += 1
    if not lines or not logged:
        print(f"{len(lines)} lines, {len(logged)} formats: that cannot be")
        bad += 1
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
