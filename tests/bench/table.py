# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""The figures as they are printed, each with its bound."""

# By how much two measurements of the same may differ: in KB, which the kernel counts by the page, and in parts of 1.
KB_ALIKE = 256
ALIKE = 0.001


class Table:
    def __init__(self, self_check):
        """Both sides are stock in a self-check, and then no bound counts but that they are alike."""
        self.self_check = self_check
        self.broken = 0
        second = "stock" if self_check else "plugin"
        print(f"{'what':36} {'stock':>15} {second:>15} {'ratio':>7}  bound", flush=True)

    def print(self, title, stock, plugin, ratio, bound, holds):
        self.broken += not holds
        print(f"{title:36} {stock:>15} {plugin:>15} {ratio:>7}  {bound} {'ok' if holds else 'BROKEN'}", flush=True)

    def ratio(self, title, stock, plugin, bound):
        ratio = plugin / stock
        if self.self_check:
            shown, holds = f"1 +- {ALIKE}", abs(ratio - 1) <= ALIKE
        else:
            shown, holds = f"<= {bound:.2f}", ratio <= bound
        self.print(title, f"{stock:,}", f"{plugin:,}", f"{ratio:.4f}", shown, holds)

    def number(self, title, stock, plugin, bound):
        self.print(title, stock, f"{plugin:,}", "", f"<= {bound}", plugin <= bound)

    def more(self, title, stock, plugin, bound):
        """The plugin's figure may be so many KB above the other one."""
        if self.self_check:
            bound = KB_ALIKE
        self.print(title, f"{stock:,}", f"{plugin:,}", "", f"<= +{bound:,}", plugin <= stock + bound)
