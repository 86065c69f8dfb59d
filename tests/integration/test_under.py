# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""The tools of --under: an error of a program is told once, and a leak if it is ours."""

import os
import subprocess

import pytest

import under
from polling import wait_for

pytestmark = pytest.mark.native

PROGRAM = """
#include <stdlib.h>
#include <string.h>

static char *volatile kept;

int main(int argc, char *argv[])
{
	if (strcmp(argv[1], "leak") == 0) {
		kept = malloc(100);
		kept = NULL;
	} else if (strcmp(argv[1], "beyond") == 0) {
		kept = malloc(argc);
		kept[argc] = 1;
		free(kept);
	} else if (strcmp(argv[1], "shift") == 0) {
		return (argc << (argc + 30)) == 1;
	}
	return 0;
}
"""
FLAGS = {"valgrind": [], "sanitizers": ["-fsanitize=address,undefined"]}


@pytest.fixture(name="make_tool")
def fixture_make_tool():
    tools = []

    def make(name):
        tool = under.Tool(name)
        tools.append(tool)
        tool.make_folders()
        return tool

    yield make
    for tool in tools:
        tool.remove_folders()


def run(tool, folder, what):
    """Runs the program, built from a file in FOLDER, under the tool as programs of Dovecot are."""
    source = os.path.join(tool.folder, folder, "program.c")
    os.makedirs(os.path.dirname(source))
    with open(source, "w", encoding="ascii") as file:
        file.write(PROGRAM)
    subprocess.run(["gcc", "-g", "-O0", *FLAGS[tool.name], "-o", tool.real("program"), source], check=True)
    script = os.path.join(tool.folder, "script")
    with open(script, "w", encoding="ascii") as file:
        file.write("#!/bin/bash\n" + tool.script("program"))
    return subprocess.run(["bash", script, what], stderr=subprocess.PIPE, check=False, text=True,
                          env=dict(os.environ, DOVECOT_CHILD_PROCESS="1")).stderr


@pytest.mark.parametrize("name,folder,what,words", [
    ("valgrind", "src/plugin", "nothing", None), ("valgrind", "src/plugin", "leak", "definitely lost"),
    ("valgrind", "other", "leak", None), ("valgrind", "other", "beyond", "Invalid write of size 1"),
    ("sanitizers", "other", "nothing", None), ("sanitizers", "other", "beyond", "heap-buffer-overflow"),
])
def test_errors_are_told_once(make_tool, name, folder, what, words):
    tool = make_tool(name)
    run(tool, folder, what)
    found = tool.complaints()
    if words is None:
        assert not found
        return
    assert len(found) == 1 and words in found[0], found
    assert not tool.complaints()


def test_undefined_behaviour_is_told_to_the_log(make_tool):
    found, = under.undefined(run(make_tool("sanitizers"), "other", "shift"))
    assert "shift exponent 32" in found
    assert not under.undefined(run(make_tool("sanitizers"), "other", "nothing"))


def test_program_under_valgrind_has_its_name(make_tool):
    """However the process is called by then."""
    tool = make_tool("valgrind")
    with subprocess.Popen(["sh", "-c", "read line; exit", "sh", tool.real("pop3")], stdin=subprocess.PIPE) as process:
        wait_for(lambda: tool.is_program(process.pid, "pop3"), "the program to be there")
        assert not tool.is_program(process.pid, "imap")
