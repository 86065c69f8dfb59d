# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""The figures as they are printed, each with its bound."""


class Table:
    def __init__(self):
        self.broken = 0
        print(f"{'what':36} {'stock':>15} {'plugin':>15} {'ratio':>7}  bound", flush=True)

    def verdict(self, holds):
        self.broken += not holds
        return "ok" if holds else "BROKEN"

    def ratio(self, title, stock, plugin, bound):
        ratio = plugin / stock
        print(f"{title:36} {stock:15,} {plugin:15,} {ratio:7.4f}"
              f"  <= {bound:.2f} {self.verdict(ratio <= bound)}", flush=True)

    def number(self, title, stock, plugin, bound):
        print(f"{title:36} {stock:>15} {plugin:15,} {'':7}"
              f"  <= {bound} {self.verdict(plugin <= bound)}", flush=True)

    def more(self, title, stock, plugin, bound):
        """The plugin's figure may be so much above the other one."""
        print(f"{title:36} {stock:15,} {plugin:15,} {'':7}"
              f"  <= +{bound:,} {self.verdict(plugin <= stock + bound)}", flush=True)
