"""JSON that a stranger wrote: read with bounds, in every encoding that programs write."""

import time

import pytest

from modules.foreign_json import JsonBounds, JsonNotRead, parse_json, read_json


@pytest.mark.parametrize(
    ("data", "value"),
    [
        ("[1, NaN]", "[1, nan]"),
        (b'\xef\xbb\xbf{"a": "caf\xc3\xa9"}', "{'a': 'café'}"),
        (b"\xff\xfe" + '{"a": 1}'.encode("utf-16-le"), "{'a': 1}"),
        ('"\\ud83d\\ude00"', "'😀'"),
        ('{"\\ud800": ["\\ud800"]}', "{'\ufffd': ['\ufffd']}"),
        ('"\ud800"', "'\ufffd'"),
        ("[" * 32 + "]" * 32, "[" * 32 + "]" * 32),
        ('"' + ",[{" * 50_000 + '"', "'" + ",[{" * 50_000 + "'"),
    ],
    ids=lambda each: repr(each)[:30],
)
def test_json_is_read_whatever_wrote_it(data, value):
    assert repr(parse_json(data, "x.json")) == value


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("[" * 33 + "]" * 33, "deep"),
        ("[" * 100_000, "deep"),
        ('{"a":' * 50_000, "deep"),
        ("[" + "{}," * 200_000 + "1]", "more than 100000 values"),
        (b"[" + b" " * (5 << 20) + b"]", "larger than 4 MB"),
        ("1" * 5000, "not JSON"),
        ("{", "not JSON"),
        ("", "not JSON"),
        (b'"caf\xe9"', "no text in UTF-8: byte 4"),
        (b"\xff\xfe\x00", "no text in UTF-8"),
    ],
    ids=lambda each: repr(each)[:30],
)
def test_what_is_too_much_or_no_json_is_refused_at_once(data, reason):
    started = time.process_time()
    with pytest.raises(JsonNotRead, match=reason) as refused:
        parse_json(data, "x.json")
    assert str(refused.value).startswith("x.json")
    assert time.process_time() - started < 0.5


def test_a_file_is_read_no_further_than_its_bound(tmp_path):
    path = tmp_path / "large.json"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(JsonNotRead, match=r"large\.json is larger than 1 kB"):
        read_json(path, bounds=JsonBounds(bytes=1024))
