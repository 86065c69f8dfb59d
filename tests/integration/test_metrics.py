# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""The example metrics and the dashboard: counted by Dovecot, scraped by the real Prometheus, asked as Grafana does."""

import itertools
import json
import math
import re
import subprocess

import pytest

import clock
import disasters
import dovecot_conf
import events
import mailgen
from conftest import running
from dovecot import Server, free_ports
from polling import wait_for
from prometheus import Prometheus
from retention import fetch, fields

PORT = "port = 9900"
# what Grafana puts in the place of its own variables, so that it has two scrapes in it and is not over soon
VARIABLES = {"$__rate_interval": "5m", "$__interval": "1m", "$__range": "1h"}


def example(line=dovecot_conf.LINE):
    return events.read("doc", "examples", "metrics-%s.conf" % line)


def dashboard():
    return json.loads(events.read("doc", "examples", "grafana-dashboard.json"))


def panels(found):
    for panel in found["panels"]:
        yield panel
        yield from panels(panel) if "panels" in panel else ()


def queries():
    for panel in panels(dashboard()):
        for target in panel["targets"]:
            text = target["expr"]
            for name, value in VARIABLES.items():
                text = text.replace(name, value)
            yield panel["title"], text


def metric_names(text):
    return re.findall(r"^metric (\w+) {", text, re.M)


@pytest.fixture(scope="module")
def http_port():
    return free_ports(["http"])["http"]


@pytest.fixture(scope="module")
def counting(memory_disk, http_port):
    """A server with the example as it is, but for the port."""
    assert example().count(PORT) == 1
    extra = example().replace(PORT, "port = %d" % http_port)
    with running(Server(extra=extra)) as server:
        server.clock.set(clock.quiet_noon())
        yield server


def test_example_is_accepted(counting):
    result = subprocess.run(["doveconf", "-c", counting.conf, "-n"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    for name in metric_names(example()):
        assert re.search(r"^metric %s \{" % name, result.stdout, re.M), name


def test_examples_of_both_lines_are_about_the_same():
    old, new = example("2.3"), example("2.4")
    for pattern in (r"^metric (\w+)", r"filter = (.*)", r"description = (.*)"):
        assert re.findall(pattern, old, re.M) == re.findall(pattern, new, re.M)
    assert set(re.findall(r"event=(\w+)", old)) == set(events.documented())
    labels = {word for words in re.findall(r"group_by = (.*)", old) for word in words.split()}
    assert labels == set(re.findall(r"group_by (\w+) {", new))
    # names of users and devices are no labels
    assert labels == {"outcome", "window", "resource", "percent", "rule", "reason", "effect"}
    summed = {word for words in re.findall(r"fields = (.*)", old) for word in words.split()}
    assert summed == set(re.findall(r"^    (\w+) = yes", new, re.M))


class Text:
    """A text that is made when it is needed."""

    def __init__(self, make):
        self.make = make

    def __str__(self):
        return self.make()


def cause_everything(make):
    """Each event at least once, by sessions that do what users do."""
    limited = make(messages=4, quota="4msg/day")
    fetch(limited, 1, 2, 3)
    with limited.session() as pop3:
        assert pop3.retr(4).ok and not pop3.retr(1).ok
    large = make(messages=5, quota="5msg/day")
    fetch(large, 1, 2, 3, 4)
    expired = make(messages=2, **fields(keep_downloaded="0"))
    fetch(expired, 1)
    moved = make(messages=3)
    fetch(moved, 1)
    disasters.uidvalidity_changed(moved)
    moved.told()
    # the journal is still there: all of it is recovered, too
    moved.write_state(b"{")
    moved.told()
    return {"pop3_policy_sessions": 7, "pop3_policy_sessions_empty": 2, "pop3_policy_sessions_1m": 5,
            "pop3_policy_sessions_10m": 0, "pop3_policy_sessions_100m": 0, "pop3_policy_sessions_more": 0,
            "pop3_policy_quota_denied": 1, "pop3_policy_quota_threshold": 2,
            "pop3_policy_expired": 1, "pop3_policy_uidl_recovered": 2, "pop3_policy_state_failed": 1}


def test_prometheus_and_dashboard(counting, http_port, make_user_on, tmp_path):
    """What Prometheus knows is what has happened, and every query of the dashboard has an answer."""
    with Prometheus(tmp_path, http_port) as prometheus:
        prometheus.wait_scraped()
        counts = cause_everything(make_user_on(counting))
        grouped = set(re.findall(r"^metric (\w+) {(?:(?!\n}).)*?group_by", example(), re.M | re.S))

        def known():
            return {name: sum(number for _, number in prometheus.query(
                "dovecot_%s_%s" % (name, "count" if name in grouped else "total"))) for name in counts}

        wait_for(lambda: known() == counts, Text(lambda: "%r, not %r" % (counts, known())), 60)
        target, = prometheus.targets()
        assert (target["health"], target["lastError"]) == ("up", "")

        check_labels(prometheus)
        check_sums(prometheus)
        # what changes between two scrapes has a rate
        make_user_on(counting)(messages=1).told()
        for title, text in queries():
            wait_for(lambda: is_answer(prometheus.query(text)), "an answer to %s: %s" % (title, text), 60)


def is_answer(found):
    return found and all(math.isfinite(number) for _, number in found)


def check_labels(prometheus):
    """The counters by their labels, as the dashboard asks for them."""
    def by(name, last, *labels):
        return {tuple(row[label] for label in labels): number
                for row, number in prometheus.query('dovecot_%s_total{%s!=""}' % (name, last))}

    assert by("pop3_policy_sessions", "outcome", "outcome") == {("quit",): 6, ("dropped",): 1}
    assert by("pop3_policy_quota_denied", "resource", "window", "resource") == {("day", "messages"): 1}
    assert by("pop3_policy_quota_threshold", "percent", "percent") == {("80",): 1, ("100",): 1}
    assert by("pop3_policy_expired", "rule", "rule") == {("downloaded",): 1}
    assert by("pop3_policy_state_failed", "effect", "reason", "effect") == {("corrupt", "continued"): 1}


def check_sums(prometheus):
    """Sums of fields, where Dovecot tells them."""
    found = prometheus.query('dovecot_pop3_policy_sessions_bytes_total{outcome="quit"}')
    if dovecot_conf.LINE == "2.3":
        assert found == []
    else:
        size = len(mailgen.message(1))
        assert 9 * size < found[0][1] < 10 * size
        assert prometheus.query('dovecot_pop3_policy_expired_count_total{rule!=""}')[0][1] == 1


def test_dashboard_is_sound():
    """Ids are unique, panels do not lie over each other, and all is asked of metrics that the examples have."""
    found = list(panels(dashboard()))
    assert len({panel["id"] for panel in found}) == len(found)
    for one, other in itertools.combinations([panel["gridPos"] for panel in found], 2):
        assert (one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"] or
                one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]), (one, other)
    for panel in found:
        assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24
        names = [target["refId"] for target in panel["targets"]]
        assert names and len(set(names)) == len(names)
    asked = {name for _, text in queries()
             for name in re.findall(r"dovecot_(pop3_policy_\w+?)(?:_bytes|_duration_seconds)?_total\b", text)}
    assert asked == set(metric_names(example()))
