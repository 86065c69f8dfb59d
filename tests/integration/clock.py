# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""The clock of a private server: libfaketime in pop3 and doveadm only, so that login, auth and anvil keep real time."""

import calendar
import contextlib
import datetime
import glob
import math
import os
import time

# Central Europe without the need of tzdata: summer time from the last Sunday of March to the last one of October.
TZ = "CET-1CEST,M3.5.0/2,M10.5.0/3"
YEAR = time.gmtime().tm_year + 2


def library():
    found = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")
    assert found, "libfaketime is not installed"
    return found[0]


def last_sunday(month, year=YEAR):
    day = calendar.monthrange(year, month)[1]
    while datetime.date(year, month, day).weekday() != 6:
        day -= 1
    return datetime.date(year, month, day)


def quiet_noon():
    """A Wednesday five past noon that is far from the end of any window."""
    day = datetime.date(YEAR, 11, 10)
    while day.weekday() != 2:
        day += datetime.timedelta(days=1)
    return datetime.datetime.combine(day, datetime.time(12, 5))


@contextlib.contextmanager
def zone():
    """The process is in TZ."""
    saved = os.environ.get("TZ")
    os.environ["TZ"] = TZ
    time.tzset()
    try:
        yield
    finally:
        if saved is None:
            del os.environ["TZ"]
        else:
            os.environ["TZ"] = saved
        time.tzset()


def epoch(local):
    """Seconds since 1970 of a naive local time in TZ."""
    with zone():
        return int(time.mktime(local.timetuple()[:8] + (-1,)))


class Clock:
    def __init__(self, directory):
        self.path = os.path.join(directory, "clock")
        self.offset = 0
        self.set(quiet_noon())

    def set(self, local):
        """Sets the time for sessions that begin from now on; naive datetimes are local time in TZ."""
        self.set_epoch(epoch(local))

    def set_noon(self, goes_back):
        """The quiet noon. A process that lives on waits until a clock that went back is again where it was, or ends: for
        those it stays as it is for some minutes, unless it GOES_BACK."""
        minutes = (self.now() - epoch(quiet_noon())) / 60
        if goes_back or not 0 <= minutes < 10:
            self.set(quiet_noon())

    def set_epoch(self, seconds):
        # rounded up, so that the asked for second is reached
        self.offset = math.ceil(seconds - time.time())
        self.write("%+d\n" % self.offset)

    def freeze(self, seconds):
        """Stops the clock at a second since 1970, for what does no more than to ask it for the time."""
        with zone():
            self.write(time.strftime("%Y-%m-%d %H:%M:%S\n", time.localtime(seconds)))

    def write(self, text):
        temporary = self.path + ".new"
        with open(temporary, "w", encoding="ascii") as file:
            file.write(text)
        os.chmod(temporary, 0o644)
        os.rename(temporary, self.path)

    def advance(self, **kwargs):
        self.set_epoch(self.now() + datetime.timedelta(**kwargs).total_seconds())

    def now(self):
        return time.time() + self.offset

    def environment(self):
        return {
            "LD_PRELOAD": library(),
            "FAKETIME_TIMESTAMP_FILE": self.path,
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
            "TZ": TZ,
        }
