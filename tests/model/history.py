# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Plays a planned history on a real maildrop and on the model of it, and compares the two."""

import json
import os
import re
import shutil
import signal
import time
import traceback

import dovecot_conf
import mailgen
import state_check
from counters import Counters, begins, limits
from lab import Lab
from maildrop import Maildrop
from standalone import Crash
from talk import Talk

HOUR = 3600
IMAP_FLAGS = {"flagged": r"\Flagged", "junk": "$Junk", "keep": "keep", "seen": r"\Seen"}
ROW = re.compile(rb"FETCH \(UID (\d+) FLAGS \(([^)]*)\) RFC822\.SIZE (\d+) "
                 rb"BODY\[HEADER\.FIELDS \(X-NUMBER\)\] \{\d+\}\r\nX-Number: (\d+)", re.I)
SIGNALS = {"kill": signal.SIGKILL, "term": signal.SIGTERM}


class Difference(AssertionError):
    pass


class History:
    def __init__(self, plan, base):
        self.plan = plan
        self.lab = Lab(base, plan.form)
        self.lab.now = plan.first
        self.drop = Maildrop()
        self.counters = Counters()
        self.settings = dict(plan.settings)
        self.rules_args = None
        self.number = 0
        self.log = []
        self.began = plan.first
        # a session has to find out first what the mailbox is now
        self.needs_session = False
        # UIDLs may have been stored that are not those of Dovecot
        self.is_stored = False
        # the journal was lost, and not written anew
        self.has_no_journal = False
        self.is_damaged = False
        self.has_lost_lines = self.was_damaged = False
        self.saved = None
        # so that nobody believes a test that has tested nothing
        self.counts = {"sessions": 0, "taken": 0, "refused": 0, "told": 0, "hidden": 0, "disasters": 0}

    def play(self):
        try:
            for number, step in enumerate(self.plan.steps):
                self.do(step, str(number))
                self.lab.now += 60
        except Crash as crash:
            self.log.append("WRONG: crash: %s" % crash)
            raise Difference("\n".join(self.log)) from crash
        except Difference:
            raise
        except Exception as error:
            self.log += [traceback.format_exc(), "WRONG: %r" % error]
            raise Difference("\n".join(self.log)) from error
        finally:
            self.lab.remove()

    def do(self, step, number):
        self.began = self.lab.now
        self.log.append("%s. %d %s" % (number, self.began, step))
        getattr(self, "do_" + step.name)(step.parts, **step.args)

    def note(self, *words):
        self.log[-1] += " " + " ".join(map(str, words))

    def check(self, is_true, *words):
        if not is_true:
            there = ["%d: %s" % (key, {name: value for name, value in vars(message).items() if name != "data"})
                     for key, message in self.drop.messages.items()]
            raise Difference("\n".join([*self.log, *there, str(self.drop.rules), "high %s seen %s" % (
                self.drop.high, self.drop.seen), "WRONG: " + " ".join(map(str, words))]))

    def span(self):
        return self.began, self.lab.now

    def choose(self, places, among):
        """Different ones, in their order."""
        return sorted({int(place * len(among)) for place in places}) if among else []

    def keys(self, places):
        there = list(self.drop.messages)
        return [there[place] for place in self.choose(places, there)]

    def imap(self, *commands):
        reply = self.lab.imap(*commands)
        bad = re.findall(rb"^\d+ (?:NO|BAD).*", reply, re.M)
        self.check(not bad, commands, bad)
        return reply

    # -- what there is

    def rows(self, mailbox, is_settled=True):
        """(uid, flags, size, number of the mail) of each message, as stock Dovecot has it."""
        reply = self.imap("STATUS %s (MESSAGES)" % mailbox, "EXAMINE " + mailbox,
                          "UID FETCH 1:* (UID FLAGS RFC822.SIZE BODY.PEEK[HEADER.FIELDS (X-NUMBER)])")
        found = [(int(uid), {name for name, flag in IMAP_FLAGS.items() if flag.encode().lower() in flags.lower().split()},
                  int(size), int(number)) for uid, flags, size, number in ROW.findall(reply)]
        count = int(re.search(rb"STATUS \"?%s\"? \(MESSAGES (\d+)\)" % mailbox.encode(), reply).group(1))
        self.check(count == len(found) or not is_settled, "%d of %d messages of" % (len(found), count), mailbox, reply)
        return found

    def gone(self):
        """Who is not there any more."""
        there = self.drop.messages
        by_uid = {message.uid: key for key, message in there.items() if message.uid is not None}
        free = [key for key, message in there.items() if message.uid is None]
        found = []
        for uid, flags, size, mail in self.rows("INBOX"):
            key = by_uid.get(uid)
            if key is None:
                key = next((key for key in free if there[key].mail == mail), None)
                self.check(key is not None, "message %d (UID %d) should not be there" % (mail, uid))
                free.remove(key)
            message = there[key]
            self.check((message.mail, message.size) == (mail, size), "UID", uid, "is", mail, "of", size, message)
            self.check(message.flags - {"seen"} == flags - {"seen"}, "flags of", mail, "are", flags)
            message.uid = uid
            found.append(key)
        self.check(found == [key for key in there if key in found], "the order is", found)
        return [key for key in there if key not in found]

    def look(self):
        gone = self.gone()
        self.check(not gone, "lost is", gone)

    def relearn(self):
        """The order of messages is another one, and flags may be lost; some may be there that were removed."""
        drop, order = self.drop, []
        free = list(drop.messages)
        for uid, flags, size, mail in self.settled_rows():
            key = next((key for key in free if drop.known[key].mail == mail), None)
            if key is None:
                key = self.come_back(mail)
            else:
                free.remove(key)
            message = drop.known[key]
            self.check(message.size == size, mail, "has", size)
            message.uid = uid
            if message.flags != flags:
                message.flags, message.unsettled = set(flags), self.lab.now
            order.append(key)
        if self.lab.form == "mdbox":
            # of copies that share their storage it finds one
            free = [key for key in free if drop.known[key].mail not in {drop.known[other].mail for other in order}]
        self.check(not free, "lost in a disaster is", [drop.known[key].mail for key in free])
        drop.reorder(order)
        for key in order:
            message = drop.known[key]
            copies = [other for other in order if drop.known[other].mail == message.mail]
            if len(copies) > 1:
                # nobody can tell which is which
                message.uidl = None
                message.doubtful = True
        drop.saved = [mail for _, _, _, mail in self.rows("Saved")] if drop.saved else []
        if drop.archive:
            drop.archive = [mail for _, _, _, mail in self.rows("Archive")]

    def settled_rows(self):
        """Stock Dovecot may need some sessions to notice what has happened."""
        wanted = {message.mail for message in self.drop.messages.values()}
        for _ in range(5):
            self.imap()
            self.lab.now += 5
            rows = self.rows("INBOX", is_settled=False)
            if wanted <= {mail for _, _, _, mail in rows}:
                break
        return self.rows("INBOX")

    def come_back(self, mail):
        """A message that was removed."""
        found = [key for key, message in self.drop.known.items() if message.mail == mail and
                 key not in self.drop.messages]
        self.check(found, "there is", mail, "that nobody has delivered, or once more")
        message = self.drop.known[found[-1]]
        message.uidl = None
        message.doubtful = True
        message.unsettled = self.lab.now
        for device, span in message.downloads.items():
            message.downloads[device] = span[0], float("inf")
        self.drop.messages[found[-1]] = message
        return found[-1]

    # -- rules

    def do_rules(self, _parts, rules, quota, throttles, denies_top, fast):
        self.rules_args = rules, quota, throttles, denies_top, fast
        self.configure()
        self.drop.change_rules(rules, self.lab.now)
        self.counters.limits = limits(quota)
        self.counters.throttles = throttles and bool(quota)
        self.counters.denies_top = denies_top

    def configure(self):
        rules, quota, throttles, denies_top, fast = self.rules_args

        def text(value, form, none):
            return none if value is None else form % value

        policy = {
            "pop3_policy_quota": quota or "unlimited", "pop3_policy_fast_polls": "yes" if fast else "no",
            "pop3_policy_quota_action": "throttle 1G/s" if throttles else "deny",
            "pop3_policy_quota_top": "deny" if denies_top else "headers",
            "pop3_policy_uidl_alarm": "100", "pop3_policy_exempt": rules.exempt,
            "pop3_policy_keep_downloaded": text(rules.keep_downloaded, "%ds", "forever"),
            "pop3_policy_keep_undownloaded": text(rules.keep_undownloaded, "%ds", "forever"),
            "pop3_policy_keep_max_messages": text(rules.max_messages, "%d", "unlimited"),
            "pop3_policy_keep_max_size": text(rules.max_size, "%db", "unlimited"),
            "pop3_policy_expire_action": "move Archive" if rules.move else "expunge",
            "pop3_policy_report_only": "yes" if rules.report_only else "no",
            "pop3_policy_keep_devices": ",".join(rules.keep_devices) or "none"}
        self.lab.configure(self.settings, {
            device: {**policy, "pop3_policy_view": query_text(rules.views[device]),
                     "pop3_policy_device": "none" if device == "user" else device}
            for device in [*self.plan.devices, "user"]})

    def do_uidl_format(self, _parts, text):
        self.is_stored = True
        self.settings["pop3_uidl_format"] = text
        self.configure()
        self.becomes_another()

    # -- time

    def do_pass_time(self, _parts, hours):
        self.lab.now += int(hours * HOUR)

    def do_step_clock(self, _parts, hours):
        self.lab.now += int(hours * HOUR)

    # -- what IMAP and others do

    def do_deliver(self, parts, way, looks):
        made = []
        there = list(self.drop.messages.values())
        for size, has_dots in parts:
            self.number += 1
            data = mailgen.message(self.number, size)
            if has_dots:
                data += b".\r\n..\r\n.dots\r\n" * 20
            made.append((self.number, data))
        if way == "file" and self.lab.form not in ("maildir", "mbox") or not there and way == "file":
            way = "append"
        if way == "lda" and self.lab.form == "maildir":
            # the file would have the time of the file system
            way = "append"
        for number, data in made:
            self.deliver_one(way, number, data)
            self.drop.deliver_mail(number, data, self.span())
        if looks:
            self.look()

    def deliver_one(self, way, number, data):
        if way == "file":
            self.lab.deliver_file("%d.M%dP1.file" % (self.lab.now, number), data)
        elif way == "lda":
            self.lab.lda(data)
        else:
            date = imap_date(self.lab.now)
            self.imap(b'APPEND INBOX "%s" {%d+}\r\n%s' % (date, len(data), data))

    def do_copy(self, parts):
        """A second one of the same message, by IMAP."""
        for key in self.keys(parts):
            message = self.drop.known[key]
            place = list(self.drop.messages).index(key) + 1
            self.imap("COPY %d INBOX" % place)
            copy = self.drop.messages[self.drop.deliver_mail(message.mail, message.data, self.span(),
                                                             message.delivered[0])]
            copy.flags = set(message.flags)
            self.look()

    def sequence(self, keys):
        there = list(self.drop.messages)
        return ",".join(str(there.index(key) + 1) for key in keys)

    def do_flag(self, parts, flag, on):
        keys = self.keys(parts)
        if keys:
            self.imap("STORE %s %sFLAGS.SILENT (%s)" % (self.sequence(keys), "+" if on else "-", IMAP_FLAGS[flag]))
        for key in keys:
            self.drop.flag(key, flag, on, self.span()[1])

    def do_expunge(self, parts):
        keys = self.keys(parts)
        if keys:
            self.imap(r"STORE %s +FLAGS.SILENT (\Deleted)" % self.sequence(keys), "EXPUNGE")
            self.drop.take(keys)

    def do_move_out(self, parts):
        keys = self.keys(parts)
        if not keys:
            return
        if not self.drop.saved:
            self.lab.imap("CREATE Saved")
        self.imap("MOVE %s Saved" % self.sequence(keys))
        self.drop.saved += [message.mail for message in self.drop.take(keys)]

    def do_move_back(self, parts):
        places = self.choose(parts, self.drop.saved)
        if not places:
            return
        self.imap("SELECT Saved", "MOVE %s INBOX" % ",".join(str(place + 1) for place in places))
        for mail in [self.drop.saved[place] for place in places]:
            old = next(message for message in self.drop.known.values() if message.mail == mail)
            message = self.drop.messages[self.drop.deliver_mail(mail, old.data, self.span(), old.delivered[0])]
            # it may be known still
            message.doubtful = True
        self.drop.saved = [mail for place, mail in enumerate(self.drop.saved) if place not in places]
        self.relearn_flags()

    def relearn_flags(self):
        """Of messages that were elsewhere meanwhile."""
        rows = self.rows("INBOX")
        for (_, flags, _, _), message in zip(rows, self.drop.messages.values()):
            if flags != message.flags:
                message.flags, message.unsettled = flags, self.lab.now
        self.look()

    # -- sessions

    def do_session(self, parts, device, end, looks, at=None, meanwhile=()):
        device = self.plan.devices[device % len(self.plan.devices)]
        if self.lab.form == "mbox":
            self.drop.forget_copies()
        talk = Talk(self.drop, self.counters, device, self.check)
        self.counts["sessions"] += 1
        self.counts["hidden"] += len(self.drop.messages) - len(talk.shown)
        self.note(device, [self.drop.known[key].mail for key in talk.shown])
        there = list(self.drop.messages)
        commands = list(parts)
        if end.startswith("cut"):
            place = talk.largest_place()
            if place is None:
                end = "drop"
        if at is None or self.lab.form == "mbox":
            at, meanwhile = len(commands), ()
        first = [talk.command(*command) for command in commands[:at]]

        def then(data):
            self.counters.roll((self.began, self.lab.now))
            talk.hear(data)
            self.play_meanwhile(talk, meanwhile)
            later = commands[at:]
            if end == "quit":
                later = [*later, ("QUIT", 0)]
            elif end.startswith("cut"):
                later = [("RETR", place), *[("QUIT", 0)] * (end == "cut with QUIT")]
            return [talk.command(*command) for command in later]

        began = self.began
        done = self.lab.pop3(device, first, then, "cut" if end.startswith("cut") else SIGNALS.get(end, "eof"))
        self.began = began
        if end.startswith("cut"):
            talk.hear_cut(done.reply, end == "cut with QUIT")
        else:
            talk.hear(done.reply)
        self.read_log(done)
        self.counts["refused"] += talk.refused
        self.counts["told"] += talk.told
        self.ended(talk, device, there, end, looks)

    def play_meanwhile(self, talk, steps):
        if not steps:
            return
        self.counters.held = talk.lease()
        for number, step in enumerate(steps):
            self.do(step, "  meanwhile %d" % number)
        self.counters.held = [0, 0]
        self.log.append("  and then")

    def read_log(self, done):
        self.check(not re.search(r"Panic|Fatal|assert", done.log), done.log)
        errors = [line for line in done.complaints if "pop3_policy" in line and "Error" in line]
        self.check(self.was_damaged or not errors, *errors)

    def ended(self, talk, device, there, end, looks):
        if end == "kill":
            self.lab.unlock()
            more = talk.lease()
            if talk.largest:
                self.counters.count((0, more[0]), (0, more[1]))
        else:
            for key in there:
                self.drop.known[key].is_recorded = True
            self.has_no_journal = False
            self.drop.high = max(self.drop.high, self.lab.now) if not self.drop.rules.is_forever() else self.drop.high
            self.check_counters()
        if talk.quit:
            self.quit(talk, device, looks)
        elif looks:
            self.look()
        if end != "kill":
            self.needs_session = self.is_damaged = False

    def quit(self, talk, device, looks):
        self.drop.uses_pop3 = True
        self.drop.downloaded_by(device, talk.got, self.span())
        self.drop.take(key for key in talk.deleted if key in self.drop.messages)
        may_wait = self.drop.may_wait(self.span()[1]) or self.needs_session
        if looks or not self.drop.rules.is_forever():
            self.judge_rules(device, must=not may_wait)
        self.drop.looked(self.span())

    def check_counters(self):
        """What state.json says of the quota."""
        state = self.lab.state()
        if state is None or not self.counters.limits:
            return
        self.counters.roll(self.span())
        for name, window in self.counters.windows.items():
            counter = state.get("quota", {}).get("windows", {}).get(name)
            if counter is None or window.doubt is not None or counter["start"] > self.lab.now:
                continue
            octets, messages = counter["bytes"], counter["messages"]
            if begins(name, counter["start"]) != window.start:
                octets = messages = 0
            more = self.counters.held
            self.check(window.octets[0] <= octets <= window.octets[1] + more[0] and
                       window.messages[0] <= messages <= window.messages[1] + more[1],
                       "counted are", name, counter, window)

    def do_polls(self, _parts, device):
        """The second of two polls, between which nothing happens, writes nothing."""
        device = self.plan.devices[device % len(self.plan.devices)]
        poll = [("STAT all", 0), ("UIDL all", 0), ("LIST all", 0)]
        stamps = None
        for _ in range(3):
            stamps = self.lab.stamps()
            self.do_session(poll, self.plan.devices.index(device), "quit", True)
        self.check(self.lab.stamps() == stamps, "a poll has written", stamps, self.lab.stamps())

    # -- retention

    def judge_rules(self, actor, must, count=None, is_forced=False):
        span, drop = self.span(), self.drop
        drop.look_as(actor, span[1])
        gone = self.gone()
        self.counts["taken"] += len(gone)
        mails = [drop.known[key].mail for key in gone]
        self.note("went", mails)
        if drop.rules.move and gone:
            drop.archive += mails
            found = [mail for _, _, _, mail in self.rows("Archive")]
            self.check(sorted(found) == sorted(drop.archive), "Archive has", found, "and not", drop.archive)
        if count is not None and not drop.rules.report_only:
            self.check(count == len(gone), "doveadm says", count)
        reason = drop.complain(gone, span, is_forced)
        self.check(reason is None, reason)
        if must:
            reason = drop.overdue(self.began, is_forced)
            self.check(reason is None, reason)

    def doveadm_run(self, *options):
        code, out, errors = self.lab.doveadm("pop3 retention run", *options)
        self.check(not re.search(r"Panic|Fatal|assert", errors), errors)
        count = sum(int(value) for row in json.loads(out or "[]") for name, value in row.items() if name != "bytes")
        self.note(code, count, errors if code else "")
        return code, count, "left to a later run" in errors, errors

    def do_run(self, _parts):
        code, count, is_left, errors = self.doveadm_run()
        self.check(code == 0 or code == 75 and ("--force" in errors or self.needs_session), code, errors)
        if code == 75 and "--force" in errors:
            self.check(not count and self.drop.may_wait(self.span()[1]), "a run has no reason to wait:", errors)
        self.judge_rules("user", code == 0 and not is_left and not self.needs_session, count)
        is_sure = code == 0 and not is_left and not self.needs_session and self.began >= self.drop.high
        self.drop.looked(self.span(), is_sure)

    def do_run_forced(self, _parts):
        code, count, is_left, errors = self.doveadm_run("--force")
        self.check(code == 0 or self.needs_session, code, errors)
        is_sure = not is_left and not self.needs_session
        self.judge_rules("user", is_sure, count, True)
        if is_sure:
            self.drop.forced(self.span())
        return count

    def do_dry_run(self, parts):
        """What it says is what a forced run does then."""
        code, would, is_left, errors = self.doveadm_run("--dry-run")
        # it may not write what the journal has lost
        is_left = is_left or "messages.jsonl has lost" in errors and self.has_lost_lines
        self.check(code == 0 or self.needs_session or is_left, code, errors)
        self.look()
        before = self.counts["taken"]
        self.do_run_forced(parts)
        went = self.counts["taken"] - before
        if not (is_left or self.needs_session or self.drop.rules.report_only):
            self.check(would == went, would, "would go, and went", went)

    def do_quota_reset(self, _parts):
        code, _, errors = self.lab.doveadm("pop3 quota reset")
        self.check(code == 0 or self.is_damaged, code, errors)
        self.counters.reset()

    def do_check(self, _parts):
        """Nothing is wrong with the files."""
        if not (self.needs_session or self.is_damaged or self.is_torn()):
            state_check.check_home(self.lab.home)

    def is_torn(self):
        """Whoever has nothing to write leaves the journal as it is."""
        path = self.lab.state_path("messages.jsonl")
        if not os.path.exists(path):
            return False
        with open(path, "rb") as file:
            return not file.read().endswith(b"\n")

    # -- disasters

    def becomes_another(self):
        """What was not written down is not known any more."""
        self.counts["disasters"] += 1
        self.needs_session = True
        self.drop.forget_uidls(only_unrecorded=not self.has_no_journal)
        self.drop.forget_copies()

    def do_disaster(self, parts):
        for part in parts:
            if not self.drop.messages:
                return
            if getattr(self, "disaster_" + part.replace(" ", "_"))() is not False:
                self.becomes_another()
                self.is_stored = True
                self.relearn()

    def unlink(self, pattern):
        for path in self.lab.files(pattern):
            os.unlink(path)

    def disaster_indexes(self):
        self.unlink(r"dovecot\.index.*")
        self.resync()

    def disaster_map(self):
        """Of mdbox, which says where messages lie."""
        self.unlink(r"dovecot\.(map\.)?index.*")
        self.resync()

    def resync(self):
        """They may show no message before somebody has them look into their files."""
        if self.lab.form in ("sdbox", "mdbox"):
            self.lab.doveadm("force-resync", "*", stock=True)

    def disaster_cache(self):
        self.unlink(r"dovecot\.index\.cache")

    def disaster_uidlist(self):
        if self.lab.form != "maildir":
            return False
        os.unlink(os.path.join(self.lab.home, "Maildir/dovecot-uidlist"))
        return True

    def disaster_uidlist_torn(self):
        if self.lab.form != "maildir":
            return False
        path = os.path.join(self.lab.home, "Maildir/dovecot-uidlist")
        with open(path, "rb") as file:
            text = file.read()
        # a size that is cut would be another size, which is no matter of ours
        os.truncate(path, text.rindex(b"\n", 0, len(text) // 2 + 1) + 1 if len(text) > 200 else 0)
        return True

    def disaster_uidvalidity(self):
        reply = self.imap()
        value = int(re.search(rb"UIDVALIDITY (\d+)", reply).group(1)) + 1000
        code, _, errors = self.lab.doveadm("mailbox update", "--uid-validity", str(value), "INBOX", stock=True)
        self.check(code == 0, errors)

    def do_backup(self, _parts):
        self.look()
        self.lab.save()
        self.saved = [(key, message.uid, set(message.flags)) for key, message in self.drop.messages.items()], \
            list(self.drop.saved), list(self.drop.archive)

    def do_restore(self, _parts):
        """What came since is lost, and what went is there again."""
        if self.saved is None:
            return
        self.lab.restore()
        self.becomes_another()
        self.is_stored = True
        rows, self.drop.saved, self.drop.archive = self.saved[0], list(self.saved[1]), list(self.saved[2])
        for key in [key for key in self.drop.messages if key not in [key for key, _, _ in rows]]:
            del self.drop.messages[key]
        self.relearn()

    # -- files of the plugin

    def do_damage(self, parts):
        for part in parts:
            getattr(self, "damage_" + part.replace(" ", "_"))()
            self.is_damaged = self.needs_session = self.was_damaged = True

    def lose_counters(self):
        self.counters.windows = Counters().windows
        self.drop.seen = None

    def damage_state_deleted(self):
        if os.path.exists(self.lab.state_path()):
            os.unlink(self.lab.state_path())
            self.lose_counters()
            if self.has_no_journal:
                self.drop.lose_state()

    def damage_state_broken(self):
        path = self.lab.state_path()
        if os.path.exists(path):
            os.truncate(path, os.path.getsize(path) // 2)
            self.lose_counters()
            if self.has_no_journal:
                self.drop.lose_state()

    def downloads_are_late(self):
        """What the journal does not say counts from when that is found."""
        self.has_lost_lines = True
        for message in self.drop.known.values():
            for device, span in message.downloads.items():
                message.downloads[device] = span[0], float("inf")
            message.unsettled = self.lab.now
        self.drop.refresh()

    def damage_journal_deleted(self):
        path = self.lab.state_path("messages.jsonl")
        if os.path.exists(path):
            os.unlink(path)
            self.has_no_journal = True
            self.downloads_are_late()
            if self.is_stored:
                self.drop.forget_uidls()

    def damage_journal_torn(self):
        """In the middle of its last line."""
        path = self.lab.state_path("messages.jsonl")
        if os.path.exists(path):
            with open(path, "rb") as file:
                lines = file.read().splitlines(keepends=True)
            if len(lines) > 1:
                os.truncate(path, os.path.getsize(path) - len(lines[-1]) // 2)
                self.downloads_are_late()

    def damage_folder_deleted(self):
        shutil.rmtree(self.lab.state_dir, ignore_errors=True)
        self.lose_counters()
        self.drop.lose_state()


def query_text(query):
    """A dollar sign would be that of a variable on 2.3."""
    return '"%s"' % query if dovecot_conf.LINE == "2.3" else query


def imap_date(now):
    return time.strftime("%d-%b-%Y %H:%M:%S +0000", time.gmtime(now)).encode()
