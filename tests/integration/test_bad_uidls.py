# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""UIDLs that come from outside, and are none or are there twice: in Dovecot's own list of a maildir, in a header that
a stranger has written, and in the index cache. A session tells what stock Dovecot tells; what is written down is valid
always, and after a disaster each one that was none is another one that no other message has."""

import os
import re

import pytest

import disasters
import mailgen
from conftest import FORMATS
from twins import twin

# octets that stock Dovecot reads from a dovecot-uidlist; it ends a field at a space and the line at LF
STORED = {"cr": b"a\rb", "del": b"a\x7fb", "eight-bit": "ä€".encode(), "invalid-utf-8": b"\xff\xfe\xc0", "dot": b".",
          "71-octets": b"u" * 71, "300-octets": b"u" * 300, "9000-octets": b"u" * 9000, "escape": b"\x1b[31m",
          "tab": b"a\tb", "percent": b"%s%n%d", "json": b'"}],{"uidl":"x"'}
# X-UIDL headers of mail
HEADERS = {**STORED, "space": b"a b", "empty": b"", "folded": b"a\r\n b", "nul": b"a\0b"}


def octets(uidl):
    return uidl.encode("utf-8", "surrogateescape")


def listing(user, retrieve=()):
    """The listing as it is sent, once what the session leaves is written."""
    with user.session() as pop3:
        reply = pop3.ok("UIDL")
        for number in retrieve:
            assert pop3.retr(number).ok
        assert pop3.ok("UIDL").rest == reply.rest
        pop3.quit()
    user.server.wait_idle()
    return reply.rest.split(b"\r\n")[:-2]


def uidls(lines):
    return [line.split(b" ", 1)[1] for line in lines]


def is_valid(uidl):
    return re.fullmatch(rb"[!-~]{1,70}", uidl) is not None and uidl != b"."


def check_after_a_disaster(user, before):
    """What was valid, and told once, is kept; all is valid and unique, and stays so."""
    after = uidls(listing(user))
    assert len(after) == len(before)
    assert all(map(is_valid, after))
    kept = [old for old in uidls(before) if is_valid(old)]
    assert [new for new in after if new in kept] == kept
    # Dovecot itself may have told one for several messages
    new = [uidl for uidl in after if uidl not in kept]
    assert len(new) == len(set(new)) == len(before) - len(kept)
    assert uidls(listing(user, range(1, len(before) + 1))) == after
    assert uidls(listing(user)) == after
    assert not user.server.log_lines(user, "(Fatal|Panic)")
    assert not [line for line in user.server.log_lines(user) if re.search(r"[^\t -~]", line)]


def store_uidls(user, values):
    """Writes UIDLs into dovecot-uidlist, as a program that moves mail may do."""
    path, = disasters.files(user, "dovecot-uidlist")
    with open(path, "rb") as file:
        header, *lines = file.read().splitlines(True)
    assert len(lines) == len(values)
    lines = [line.replace(b" ", b" P%s " % value, 1) for line, value in zip(lines, values)]
    with open(path, "wb") as file:
        file.writelines([header, *lines])


def test_stored_uidls(stock_and_plugin, make_user_on):
    stock = make_user_on(stock_and_plugin["stock"])(messages=len(STORED) + 2)
    listing(stock)
    store_uidls(stock, [*STORED.values(), b"same", b"same"])
    plugin = twin(stock, stock_and_plugin["plugin"])
    for retrieve in ((), range(1, len(STORED) + 3), ()):
        expected = listing(stock, retrieve)
        assert listing(plugin, retrieve) == expected
    # whatever is in the journal is valid: state_check looks at it
    assert len(plugin.journal()) > 2
    disasters.uidlist_deleted(plugin)
    check_after_a_disaster(plugin, expected)


def with_headers(values):
    return [b"X-UIDL: " + value + b"\r\n" + mailgen.message(number, 600) for number, value in enumerate(values, 1)]


@pytest.mark.parametrize("form", FORMATS)
def test_headers_of_strangers(stock_and_plugin, make_user_on, form):
    """pop3_reuse_xuidl believes them."""
    fields = {"pop3_reuse_xuidl": "yes"}
    stock = make_user_on(stock_and_plugin["stock"])(form, **fields)
    stock.import_maildir(with_headers(HEADERS.values()))
    plugin = twin(stock, stock_and_plugin["plugin"])
    for retrieve in ((), range(1, len(HEADERS) + 1), ()):
        expected = listing(stock, retrieve)
        assert len(expected) == len(HEADERS)
        assert listing(plugin, retrieve) == expected
    disasters.uidvalidity_changed(plugin)
    check_after_a_disaster(plugin, expected)


@pytest.mark.parametrize("form", FORMATS)
def test_stranger_repeats_a_uidl(stock_and_plugin, make_user_on, form):
    """New mail whose X-UIDL header is the UIDL of a message that the client has: it would never be downloaded. It gets
    one of its own."""
    user = make_user_on(stock_and_plugin["plugin"])(form, pop3_reuse_xuidl="yes")
    user.import_maildir(with_headers([b"first"]) + [mailgen.message(2)])
    known = uidls(listing(user, (1, 2)))
    assert known[0] == b"first"
    # also the one that Dovecot would make up for the message after that
    guess = re.sub(rb"^0000000.", b"00000005", known[1])
    more = with_headers([known[0], known[1], guess])
    user.append(more + [mailgen.message(9)])
    found = uidls(listing(user, range(1, 7)))
    assert found[:2] == known and len(set(found)) == 6 and all(map(is_valid, found))
    assert uidls(listing(user)) == found


def test_without_the_setting_headers_mean_nothing(stock_and_plugin, make_user_on):
    """A stranger can make two messages one elsewhere (Mailutils): not here."""
    user = make_user_on(stock_and_plugin["plugin"])()
    user.append(with_headers([b"same", b"same", b"same"]))
    found = uidls(listing(user, (1, 2, 3)))
    assert b"same" not in found and len(set(found)) == 3
    disasters.uidvalidity_changed(user)
    assert uidls(listing(user)) == found


def test_index_cache_that_lies(stock_and_plugin, make_user_on):
    """Stored UIDLs are in the index cache for speed. One of another message, or that is none, does not count."""
    user = make_user_on(stock_and_plugin["plugin"])(messages=3)
    listing(user)
    disasters.uidvalidity_changed(user)
    known = listing(user)
    first, second = uidls(known)[:2]
    path, = disasters.files(user, r"dovecot\.index\.cache")
    with open(path, "rb") as file:
        text = file.read()
    # as a copy of another message brings it along; it comes first, as Dovecot then adds other values to the file
    lies = [text.replace(b":1:" + first, b":2:" + second)]
    lies += [text.replace(first, bad) for bad in (b"\x01" * len(first), b" " * len(first), b"\xff" * len(first))]
    for lie in lies:
        assert lie != text
        with open(path, "r+b") as file:
            file.write(lie)
        assert listing(user) == known
        assert not user.server.log_lines(user, "(Fatal|Panic)")
    os.unlink(path)
    assert listing(user) == known
