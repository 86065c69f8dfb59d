# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Random histories: what is to happen, as steps that can be left out without a change of the others. A message is named
by a number below 1, the part of the mailbox that lies before it."""

import dataclasses
import random
import typing

from lab import FORMATS, UIDL_FORMATS
from maildrop import VIEWS, Rules
from retention_oracle import DAY

HOUR = 3600
# a Wednesday that is later than any file of these tests
FIRST = 1_956_657_600
SIZES = [420, 900, 1500, 1500, 4000, 12000]
LARGE = 200_000
EXEMPT = ["FLAGGED", "FLAGGED", "KEYWORD keep", "none", "FLAGGED OR KEYWORD keep", "SUBJECT 7"]
FLAGS = ["flagged", "junk", "keep", "seen"]
QUOTAS = ["", "", "6msg/day", "20k/day", "3msg/hour 30k/week", "4k/hour 40msg/month", "1M/day 12msg/week", "500k/month"]
SESSION_ENDS = {"quit": 20, "drop": 3, "kill": 2, "term": 1, "cut": 2, "cut with QUIT": 1}
STEPS = {"session": 16, "deliver": 7, "flag": 4, "expunge": 2, "move_out": 1, "move_back": 1, "copy": 1, "rules": 3,
         "pass_time": 7, "step_clock": 1.5, "run": 3, "run_forced": 1, "dry_run": 1, "polls": 2, "disaster": 3,
         "damage": 1.5, "backup": 1.5, "restore": 1, "uidl_format": 0.7, "quota_reset": 0.4, "check": 0.7}
MEANWHILE = {"session": 4, "deliver": 3, "flag": 2, "expunge": 2, "run": 2}
DISASTERS = {"indexes": 3, "map": 1, "cache": 2, "uidlist": 3, "uidlist torn": 2, "uidvalidity": 3}
DAMAGE = {"state deleted": 2, "state broken": 2, "journal deleted": 2, "journal torn": 3, "folder deleted": 1}
COMMANDS = {"RETR": 10, "TOP 0": 3, "TOP 3": 2, "TOP 9999999": 1, "DELE": 3, "LIST": 1, "UIDL": 1, "STAT": 1, "RSET": 1,
            "NOOP": 1, "CAPA": 1}


@dataclasses.dataclass
class Step:
    name: str
    # what it is made of, each of which can be left out
    parts: list
    args: dict

    def __str__(self):
        return "%s %s %s" % (self.name, self.parts, self.args or "")


@dataclasses.dataclass
class Plan:
    seed: int
    form: str
    first: int
    settings: dict
    devices: typing.Tuple[str, ...]
    steps: list


def pick(chance, weights):
    return chance.choices(list(weights), list(weights.values()))[0]


class Planner:
    def __init__(self, seed):
        self.chance = random.Random(seed)
        self.seed = seed

    def plan(self, length):
        chance = self.chance
        self.devices = chance.choice([("none",), ("laptop", "phone"), ("laptop", "phone")])
        settings = {"pop3_uidl_format": chance.choice([UIDL_FORMATS[0], *UIDL_FORMATS]),
                    "pop3_uidl_duplicates": "rename"}
        if chance.random() < 0.2:
            settings["pop3_no_flag_updates"] = "yes"
        first = FIRST + chance.randrange(400 * 24) * HOUR + chance.randrange(HOUR)
        steps = [self.step("rules"), self.step("deliver"), self.step("session")]
        steps += [self.step(pick(chance, STEPS)) for _ in range(length)]
        steps += [self.step("session"), self.step("run_forced"), self.step("check")]
        return Plan(self.seed, FORMATS[self.seed % len(FORMATS)], first, settings, self.devices, steps)

    def step(self, name):
        parts, args = getattr(self, name, lambda: ([], {}))()
        return Step(name, parts, args)

    def place(self):
        return min(round(self.chance.random(), 3), 0.999)

    def places(self, most):
        return [self.place() for _ in range(self.chance.randint(1, most))]

    def maybe(self, share, *choices):
        return self.chance.choice(choices) if self.chance.random() < share else None

    # -- each kind of step: (parts, args)

    def rules(self):
        chance, maybe = self.chance, self.maybe
        found = Rules(
            keep_downloaded=maybe(0.5, 0, HOUR, DAY, 5 * DAY, 14 * DAY, 40 * DAY),
            keep_undownloaded=maybe(0.3, 3 * DAY, 10 * DAY, 30 * DAY, 60 * DAY),
            max_messages=maybe(0.3, 1, 4, 8), max_size=maybe(0.2, 1, 5000, 20000),
            exempt=chance.choice(EXEMPT), report_only=chance.random() < 0.06, move=chance.random() < 0.35)
        if len(self.devices) > 1 and chance.random() < 0.4:
            found.keep_devices = self.devices
        view = chance.choice(["ALL"] * 4 + list(VIEWS))
        found.views = {device: view for device in [*self.devices, "user"]}
        if chance.random() < 0.15:
            found.views[self.devices[-1]] = chance.choice(list(VIEWS))
        return [], {"rules": found, "quota": chance.choice(QUOTAS), "throttles": chance.random() < 0.15,
                    "denies_top": chance.random() < 0.2, "fast": chance.random() < 0.85}

    def deliver(self):
        chance = self.chance
        sizes = [chance.choice(SIZES) if chance.random() < 0.95 else LARGE for _ in range(chance.choice([1, 1, 2, 4]))]
        return [(size, chance.random() < 0.1) for size in sizes], {
            "way": chance.choice(["append", "append", "lda", "file"]), "looks": chance.random() < 0.4}

    def session(self):
        chance = self.chance
        parts = []
        for verb in chance.sample(["STAT", "UIDL", "LIST"], chance.choice([3, 3, 3, 2, 1])):
            parts.append((verb + " all", 0))
        for _ in range(chance.choice([0, 1, 2, 4, 7])):
            parts.append((pick(chance, COMMANDS), self.place()))
        args = {"device": chance.randrange(len(self.devices)), "end": pick(chance, SESSION_ENDS),
                "looks": chance.random() < 0.5}
        if chance.random() < 0.15:
            args["at"] = chance.randint(1, len(parts))
            args["meanwhile"] = [self.inner(pick(chance, MEANWHILE)) for _ in range(chance.randint(1, 2))]
        return parts, args

    def inner(self, name):
        step = self.step(name)
        step.args.pop("meanwhile", None)
        return step

    def flag(self):
        return self.places(4), {"flag": self.chance.choice(FLAGS), "on": self.chance.random() < 0.6}

    def expunge(self):
        return self.places(2), {}

    def move_out(self):
        return self.places(2), {}

    def move_back(self):
        return self.places(2), {}

    def copy(self):
        return self.places(1), {}

    def pass_time(self):
        return [], {"hours": self.chance.choice([0.1, 1, 5, 12, 24, 24, 48, 24 * 7, 24 * 15])}

    def step_clock(self):
        return [], {"hours": self.chance.choice([1, 5, 24, 24 * 5, 24 * 20, 24 * 45]) * self.chance.choice([1, 1, -1])}

    def polls(self):
        return [], {"device": self.chance.randrange(len(self.devices))}

    def disaster(self):
        return [pick(self.chance, DISASTERS)], {}

    def damage(self):
        return [pick(self.chance, DAMAGE)], {}

    def uidl_format(self):
        return [], {"text": self.chance.choice(UIDL_FORMATS)}


def plan(seed, length):
    return Planner(seed).plan(length)
