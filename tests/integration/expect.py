# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""What a client and the log are told: the exact words."""

import datetime

from clock import epoch


def local(moment):
    """A naive local time of the tests' zone as the plugin prints it."""
    offset = int((moment - datetime.datetime(1970, 1, 1)).total_seconds()) - epoch(moment)
    return moment.strftime("%Y-%m-%d %H:%M ") + "%+03d%02d" % (offset // 3600, offset % 3600 // 60)


def local_seconds(moment):
    return moment.strftime("%Y-%m-%d %H:%M:%S ") + local(moment)[-5:]


def used_up(limit, until):
    return "-ERR [SYS/TEMP] Download quota used up (%s), try again after %s" % (limit, local(until))


def does_not_fit(limit, left, until):
    return "-ERR [SYS/TEMP] Message does not fit in the download quota (%s, %s left), try again after %s" % (
        limit, left, local(until))


MISCONFIGURED = "-ERR [SYS/PERM] POP3 policy of this account is misconfigured."
NO_STATE = "-ERR [SYS/TEMP] POP3 policy state is not available, try again later."
NO_UIDLS = "-ERR [SYS/TEMP] Unique ids of the messages are not available, try again later."

# the reply to CAPA after login, of stock Dovecot
STOCK_CAPA = b"+OK\r\nCAPA\r\nTOP\r\nUIDL\r\nRESP-CODES\r\nPIPELINING\r\nAUTH-RESP-CODE\r\n.\r\n"


def capa(expire):
    """That reply with the plugin: capa("14") or capa("NEVER")."""
    return STOCK_CAPA[:-len(b".\r\n")] + b"EXPIRE " + expire.encode() + b"\r\n.\r\n"


def next_start(window, moment):
    """When the window of MOMENT ends."""
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    if window == "hour":
        return moment.replace(minute=0, second=0, microsecond=0) + datetime.timedelta(hours=1)
    if window == "day":
        return midnight + datetime.timedelta(days=1)
    if window == "week":
        return midnight + datetime.timedelta(days=7 - midnight.weekday())
    first = midnight.replace(day=1)
    return (first + datetime.timedelta(days=32)).replace(day=1)
