# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""The table of what clients suffered from disasters, with stock Dovecot and with the plugin."""

import collections

import dovecot_conf

# messages downloaded twice, messages never got
Figures = collections.namedtuple("Figures", "twice missed")
CLIENT_MARKS = {"fetchmail": "f", "getmail6": "g", "mpop": "m"}


class Matrix:
    """Rows are disasters, columns are mailbox formats."""

    def __init__(self, columns):
        self.columns = columns
        self.cells = {}

    def add(self, name, form, client, figures):
        words = ["%d/%d" % (found.twice, found.missed) for found in (figures["stock"], figures["plugin"])]
        clients = self.cells.setdefault((name, form), {})
        text = " → ".join(words)
        clients[text] = clients.get(text, "") + CLIENT_MARKS[client]

    def cell(self, name, form):
        clients = self.cells.get((name, form), {})
        return ", ".join("%s (%s)" % (text, marks) for text, marks in clients.items())

    def rows(self):
        names = list(dict.fromkeys(name for name, _ in self.cells))
        return [[name] + [self.cell(name, form) for form in self.columns] for name in names]

    def markdown(self):
        title = ("Dovecot %s: messages downloaded twice/missed, stock → with the plugin, by fetchmail (f), getmail6 "
                 "(g) or mpop (m)" % dovecot_conf.version())
        rows = [["disaster"] + self.columns] + self.rows()
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        lines = ["| %s |" % " | ".join(word.ljust(width) for word, width in zip(row, widths)) for row in rows]
        rule = "|%s|" % "|".join("-" * (width + 2) for width in widths)
        return "\n".join([title, "", lines[0], rule] + lines[1:]) + "\n"
