# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Fixtures: a private server for all tests, others where settings must differ, users, and checks after each test."""

import contextlib
import itertools
import os
import re
import shutil
import subprocess
import tempfile

import pytest

import dicts
import invariant
import mailgen
import state_check
import under
from credentials import CredentialServer
from dovecot import Server
from matrix import Matrix
from polling import unmount

FORMATS = ["maildir", "mbox", "sdbox", "mdbox"]

SERVERS = []


def pytest_addoption(parser):
    parser.addoption("--under", choices=under.TOOLS, help="a tool to run Dovecot's programs under")
    parser.addoption("--one-each", action="store_true", help="each test once, with one of its parameters")
    parser.addoption("--build", help="the build folder whose modules are tested, in the place of the installed ones")


def leads_workers(config):
    """Whether this process of pytest-xdist only hands out tests to others (-n 2)."""
    return not hasattr(config, "workerinput") and bool(config.getoption("numprocesses", None))


def pytest_configure(config):
    if config.getoption("under") and not leads_workers(config):
        under.start(config.getoption("under"), config.getoption("build"))
        config.add_cleanup(under.TOOL.stop)


def one_each(items):
    """One item of each test, in turns the first, second and so on, so that all formats of mailboxes are among them."""
    same = {}
    for item in items:
        same.setdefault((item.module, item.originalname), []).append(item)
    return [found[number % len(found)] for number, found in enumerate(same.values())]


def pytest_collection_modifyitems(config, items):
    """Under a tool, all else takes much more time and memory, and there is another tool in between."""
    left_out = {item for item in items if under.TOOL and item.get_closest_marker("native")}
    if config.getoption("one_each"):
        left_out.update(set(items) - set(one_each(items)))
    config.hook.pytest_deselected(items=[item for item in items if item in left_out])
    items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session", autouse=True)
def needs_root():
    assert os.geteuid() == 0, "these tests start mail servers and must be run as root"


@pytest.fixture(scope="session", autouse=True)
def watched_deliveries():
    invariant.watch()


@pytest.fixture(scope="session")
def memory_disk(needs_root):
    """Thousands of small files and as many calls of fsync: on a busy disk they take longer than all the rest. Every
    fixture that starts servers asks for it by name, so that it goes after them."""
    path = tempfile.mkdtemp(prefix="pop3-policy-", dir="/tmp")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0755,size=3g", "none", path], check=True)
    Server.base = path
    yield
    Server.base = "/tmp"
    # helpers of a server may outlive its master by a moment
    unmount(path)
    os.rmdir(path)


@contextlib.contextmanager
def running(server):
    """Starts a server, and keeps its log and its users in sight of the checks after each test."""
    SERVERS.append(server)
    try:
        yield server.start()
    finally:
        SERVERS.remove(server)
        server.remove()


@pytest.fixture(scope="session")
def shared_server(memory_disk):
    """Has the plugin, and no global quota: users bring their own."""
    with running(Server()) as found:
        yield found


# conversions need the same separator in all formats
ONE_SEPARATOR = "namespace inbox {\n  inbox = yes\n  separator = /\n}\n"


@pytest.fixture(scope="module")
def stock_and_plugin(memory_disk):
    """Two servers that differ in nothing but the plugin, with true clocks, as UIDVALIDITY is a time."""
    with contextlib.ExitStack() as stack:
        yield {name: stack.enter_context(running(Server(plugin=name == "plugin", faked=False, extra=ONE_SEPARATOR)))
               for name in ("stock", "plugin")}


@pytest.fixture
def server(shared_server):
    """The shared server, its clock set to a time at which no window ends soon."""
    shared_server.clock.set_noon(goes_back=not under.reuses_processes())
    return shared_server


@pytest.fixture
def reported():
    """Fails a test in which the tool has found something, also something that began before it."""
    yield
    found = under.complaints()
    assert not found, "\n".join(found)


def pytest_sessionfinish(session):
    """What long-lived processes have told when they ended with the last server."""
    config = session.config
    config.stash.setdefault(LATE, []).extend(under.complaints())
    if hasattr(config, "workeroutput"):
        config.workeroutput["late"] = config.stash[LATE]
        config.workeroutput["matrix"] = matrix_table(config)
    if config.stash[LATE]:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    """Takes what a worker of pytest-xdist has to tell; one that crashed has nothing."""
    told = getattr(node, "workeroutput", {})
    node.config.stash.setdefault(LATE, []).extend(told.get("late", []))
    if told.get("matrix"):
        node.config.stash[TABLE] = told["matrix"]


@pytest.fixture
def own_servers(memory_disk, reported):
    """Holds the servers of one test; apart from start_server so that they live until the last check."""
    with contextlib.ExitStack() as stack:
        yield stack


@pytest.fixture
def start_server(own_servers):
    """Starts servers with other settings: start_server(settings={...})."""
    return lambda **kwargs: own_servers.enter_context(running(Server(**kwargs)))


@pytest.fixture(scope="session", params=dicts.KINDS)
def program(request, memory_disk):
    """The server of a dict; dicts.REDIS_ONLY is for tests that need not see both."""
    found = dicts.program(request.param)
    yield found
    found.remove()


@pytest.fixture(scope="session")
def dict_server(program):
    """Keeps its states in the dict."""
    with running(dicts.host(program, "host-a")) as found:
        yield found


@pytest.fixture
def dict_user(make_user_on, dict_server):
    """new_user on the server whose states are in the dict."""
    dict_server.clock.set_noon(goes_back=not under.reuses_processes())
    return make_user_on(dict_server)


@pytest.fixture
def start_credentials(own_servers):
    """Starts servers with credential files: start_credentials(cache="1M")."""
    return lambda **kwargs: own_servers.enter_context(running(CredentialServer(**kwargs)))


NUMBERS = itertools.count(1)


@pytest.fixture
def new_user(server, request):
    """Makes a user of the shared server: new_user("mbox", messages=10, quota="5msg/day")."""
    return user_maker(server, request)


def user_maker(server, request):
    base = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")[:40].strip("-")

    def make(form="maildir", messages=0, size=1500, quota=None, **fields):
        if quota is not None:
            fields["pop3_policy_quota"] = quota
        user = server.user("%s.%d" % (base, next(NUMBERS)), form, **fields)
        if messages:
            user.append(mailgen.messages(messages, size))
        return user

    return make


@pytest.fixture
def make_user_on(request):
    """make_user_on(server) is new_user for a server of start_server()."""
    return lambda server: user_maker(server, request)


@pytest.fixture(autouse=True)
def logs_and_states(request, own_servers):
    """Remembers where the logs stand, for the report of a failure; checks each state that the test has left behind, and
    removes the homes."""
    known = {server: set(server.users) for server in SERVERS}
    request.node.log_start = {server: len(server.log()) for server in SERVERS}
    yield
    for server in SERVERS:
        for name in set(server.users) - known.get(server, set()):
            home = os.path.join(server.home_root, name)
            state_check.check_home(home)
            shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(autouse=True)
def mail_invariant(logs_and_states):
    """Waits for the end of all sessions, and checks the mail of all users that the test has made, whose homes are there
    until then."""
    mailgen.new_test()
    known = {server: set(server.people) for server in SERVERS}
    starts = {server: server.log_size() for server in SERVERS}
    yield
    found = []
    for server in SERVERS:
        server.wait_idle()
        found += under.undefined(server.log_from(starts.get(server, 0)))
        with server.running_again():
            for name in set(server.people) - known.get(server, set()):
                found += invariant.complaints(server.people[name], starts.get(server, 0))
    assert not found, "\n".join(found)


def shorten(log):
    """Without what Dovecot says for each of its lock files, as only its own clock is faked."""
    return "\n".join(line for line in log.splitlines() if "Created dotlock file's timestamp" not in line)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for server in SERVERS:
            start = getattr(item, "log_start", {}).get(server, 0)
            report.sections.append(("Dovecot log of " + server.root, shorten(server.log()[start:])))


LATE = pytest.StashKey()
MATRIX = pytest.StashKey()
TABLE = pytest.StashKey()


@pytest.fixture(scope="session")
def uidl_matrix(request):
    """Collects the figures of the disasters for the table at the end."""
    return request.config.stash.setdefault(MATRIX, Matrix(FORMATS))


def matrix_table(config):
    found = config.stash.get(MATRIX, None)
    return found.markdown() if found is not None and found.cells else config.stash.get(TABLE, "")


def pytest_terminal_summary(terminalreporter, config):
    for text in config.stash.get(LATE, ()):
        terminalreporter.section("reported at the end")
        terminalreporter.write(text)
    text = matrix_table(config)
    if not text:
        return
    terminalreporter.section("UIDL matrix")
    terminalreporter.write(text)
    path = os.environ.get("UIDL_MATRIX")
    if path:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
