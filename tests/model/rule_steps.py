# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Steps of a history: rules change, and time goes by."""

import dovecot_conf
from comparison import Comparison
from counters import limits

HOUR = 3600


class RuleSteps(Comparison):
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

    def do_pass_time(self, _parts, hours):
        self.lab.now += int(hours * HOUR)

    def do_step_clock(self, _parts, hours):
        self.lab.now += int(hours * HOUR)


def query_text(query):
    """A dollar sign would be that of a variable on 2.3."""
    return '"%s"' % query if dovecot_conf.LINE == "2.3" else query
