# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""State files with contents that nobody should leave: what cannot be read is set aside, and mail is never lost."""

import json
import os

import pytest

from damage import QUOTA, download, healthy


def text(**replaced):
    """A state as text, with its day counter changed: values are JSON text, which may be what no encoder prints."""
    data = json.dumps(healthy())
    for name, value in replaced.items():
        data = data.replace('"%s": %s' % (name, json.dumps(healthy()["quota"]["windows"]["day"][name])),
                            '"%s": %s' % (name, value), 1)
    return data.encode()


def version(value):
    return json.dumps(healthy()).replace('"version": 1', '"version": ' + value).encode()


def contents():
    """name -> bytes that are no state."""
    whole = json.dumps(healthy(), indent=1).encode()
    found = {"empty": b"", "space": b" \n\n", "nul": b"\0", "nuls": b"\0" * 4096, "word": b"state", "array": b"[]",
             "number": b"1", "null": b"null", "string": b'"x"', "empty-object": b"{}", "two": whole + whole,
             "tail": whole + b"x", "nul-at-the-end": whole + b"\0", "bom": b"\xef\xbb\xbf" + whole,
             "utf-16": whole.decode().encode("utf-16"), "single-quotes": whole.replace(b'"', b"'"),
             "invalid-utf-8": whole.replace(b'"version"', b'"x": "\xff\xfe", "version"'),
             "overlong-utf-8": whole.replace(b'"version"', b'"x": "\xc0\xaf", "version"'),
             "lone-surrogate": whole.replace(b'"version"', b'"x": "\\ud800", "version"'),
             "duplicate-key": whole.replace(b'"version"', b'"version": 1, "version"'),
             "duplicate-counter": whole.replace(b'"messages"', b'"messages": 0, "messages"'),
             "deep": b"[" * 10_000 + b"]" * 10_000,
             "deep-member": whole.replace(b'"version"', b'"x": ' + b'{"x":' * 10_000 + b"1" + b"}" * 10_000 +
                                          b', "version"'),
             "million": b'{"version": 1, "x": [' + b"0," * 1_000_000 + b"0]}",
             "huge": b'{"version": 1, "x": "' + b"x" * 20_000_000 + b'"}',
             "quota-array": b'{"version": 1, "quota": []}', "quota-null": b'{"version": 1, "quota": null}',
             "windows-string": b'{"version": 1, "quota": {"windows": "x"}}',
             "day-number": b'{"version": 1, "quota": {"windows": {"day": 5}}}',
             "day-empty": b'{"version": 1, "quota": {"windows": {"day": {}}}}'}
    for name in ("start", "bytes", "messages"):
        for label, value in (("nan", "NaN"), ("infinity", "Infinity"), ("1e999", "1e999"), ("negative", "-1"),
                             ("2-63", "9223372036854775808"), ("2-64", "18446744073709551616"), ("real", "1.5"),
                             ("string", '"1"'), ("null", "null"), ("true", "true"), ("array", "[]"), ("octal", "01"),
                             ("minus-2-63", "-9223372036854775809")):
            found["%s-%s" % (name, label)] = text(**{name: value})
    for label, value in (("0", "0"), ("negative", "-1"), ("string", '"1"'), ("null", "null"), ("real", "1.0")):
        found["version-" + label] = version(value)
    return found


CONTENTS = contents()


def set_aside(user):
    return sorted(name for name in os.listdir(user.state_dir) if name.startswith("state.json.corrupt-"))


@pytest.mark.parametrize("name", sorted(CONTENTS))
def test_corrupt_content_is_set_aside(server, new_user, name):
    user = new_user(messages=1, quota=QUOTA)
    user.write_state(CONTENTS[name])
    assert download(user) == [True]
    aside = set_aside(user)
    assert len(aside) == 1 and len(aside[0]) == len("state.json.corrupt-20281115T110500Z")
    with open(os.path.join(user.state_dir, aside[0]), "rb") as file:
        assert file.read() == CONTENTS[name]
    assert user.used()[1] == 1
    lines = server.wait_log(user, "Error: pop3_policy: ")
    assert len(lines) == 1 and aside[0] in lines[0], lines
    assert download(user) == [True]
    assert user.used()[1] == 2 and len(set_aside(user)) == 1


def test_cut_at_any_byte(new_user):
    user = new_user(messages=1, quota=QUOTA)
    whole = json.dumps(healthy()).encode()
    for size in range(0, len(whole), 7):
        user.write_state(whole[:size])
        assert download(user) == [True], size
        assert user.used()[1] == 1, size
        for name in set_aside(user):
            os.unlink(os.path.join(user.state_dir, name))


def test_corrupt_files_in_one_second(new_user):
    """None takes the place of another. Six sessions take less than five seconds."""
    user = new_user(messages=1, quota=QUOTA)
    broken = [b"broken %d" % number for number in range(6)]
    for content in broken:
        user.write_state(content)
        assert download(user) == [True]
    found = set()
    for name in set_aside(user):
        with open(os.path.join(user.state_dir, name), "rb") as file:
            found.add(file.read())
    assert found == set(broken)


@pytest.mark.parametrize("start, used", [(2 ** 63 - 1, 3), (2 ** 40, 3), (2 ** 31 - 1, 3), (0, 3), (0, 2 ** 63 - 1),
                                         (2 ** 63 - 1, 2 ** 63 - 1)])
def test_absurd_but_whole_numbers(server, new_user, start, used):
    """Times that no clock shows and counts that nothing reaches: counted on, without a crash."""
    user = new_user(messages=1, quota=QUOTA + " 1G/week")
    state = healthy(start=start)
    for counter in state["quota"]["windows"].values():
        counter.update(bytes=used, messages=used)
    user.write_state(state)
    with user.session() as pop3:
        reply = pop3.retr(1)
        assert reply.ok or "[SYS/TEMP]" in reply.text
        assert reply.ok == (start == 0)
        pop3.quit()
    user.quota()
    assert not server.log_lines(user, "(Fatal|Panic)")
    assert not set_aside(user)


def test_start_in_the_future_ends(server, new_user):
    """A clock that was once wrong by ten years does not lock a user out for as long."""
    user = new_user(messages=1, quota=QUOTA)
    user.write_state(healthy(used=3, start=int(server.clock.now()) + 10 * 365 * 24 * 3600))
    assert download(user) == [False]
    server.clock.advance(days=1)
    assert download(user) == [True]


def test_unknown_members_are_kept(new_user):
    user = new_user(messages=1, quota=QUOTA)
    state = healthy()
    extra = {"deep": [1, 2.5, None, True, {"x": "ä€\U0001f600\u0001"}], "big": 2 ** 62}
    for part in (state, state["quota"], state["quota"]["windows"], state["quota"]["windows"]["day"]):
        part["later"] = extra
    state["journal"] = {"generation": 7}
    user.write_state(state)
    assert download(user) == [True]
    after = user.state()
    for part in (after, after["quota"], after["quota"]["windows"], after["quota"]["windows"]["day"]):
        assert part["later"] == extra
    assert after["journal"] == {"generation": 7}
    assert user.used()[1] == 1


def test_missing_members_are_made(new_user):
    for state in ({"version": 1}, {"version": 1, "quota": {}}, {"version": 1, "quota": {"windows": {}}}):
        user = new_user(messages=1, quota=QUOTA)
        user.write_state(state)
        assert download(user) == [True]
        assert user.used()[1] == 1 and not set_aside(user)
