from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from engine.cli.main import main

TIMES = """\
2026-11-19T02:10:00Z
2026-11-21T03:10:00+01:00

2026-11-20T02:10:00.5Z
2026-11-20t02:10:00z
"""
AT = "-at=2026-11-21T12:00:00Z"


@pytest.fixture
def times(tmp_path: Path) -> str:
    path = tmp_path / "times"
    path.write_text(TIMES)
    return str(path)


def answer(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["retention", *words]) == 0
    out, err = capsys.readouterr()
    assert not err
    return out


def refusal(capsys: pytest.CaptureFixture[str], code: int, *words: str) -> str:
    assert main(["retention", *words]) == code
    out, err = capsys.readouterr()
    assert not out
    return err


def test_json_lists_what_is_kept_with_reasons_and_what_is_removed_newest_first(
    times: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = answer(capsys, "-keep", "daily=2,within=1h", "-times", times, "-json", AT)
    assert json.loads(out) == {
        "keep": [
            {"time": "2026-11-21T02:10:00Z", "reasons": ["daily-1", "within-1h"]},
            {"time": "2026-11-20T02:10:00.500000Z", "reasons": ["daily-2"]},
        ],
        "remove": [{"time": "2026-11-20T02:10:00Z"}, {"time": "2026-11-19T02:10:00Z"}],
    }


def test_the_text_shows_local_times_fates_reasons_and_the_rules_as_a_sentence(
    times: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("-keep", "last=1,daily=2", "-times", times, "-timezone", "Europe/Berlin", AT)
    assert answer(capsys, *words).splitlines() == [
        "keep    2026-11-21 03:10:00+01:00         last-1, daily-1",
        "keep    2026-11-20 03:10:00.500000+01:00  daily-2",
        "remove  2026-11-20 03:10:00+01:00         no rule keeps it",
        "remove  2026-11-19 03:10:00+01:00         no rule keeps it",
        "",
        "rules: the last point and 2 daily (timezone Europe/Berlin)",
        "2 kept, 2 removed",
    ]


def test_flags_take_one_dash_or_two_and_rules_may_be_spread_over_several(
    times: str, capsys: pytest.CaptureFixture[str]
) -> None:
    once = answer(capsys, "-keep", "last=1,within_daily=2d", "-times", times, AT)
    spread = answer(capsys, "--keep=within-daily=2d", "-keep=last=1", "--times", times, f"-{AT}")
    assert spread == once


def test_the_timezone_decides_what_a_day_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "times"
    path.write_text("2026-11-20T23:30:00Z\n2026-11-20T22:30:00Z\n2026-11-20T00:30:00Z\n")
    words = ("-keep", "daily=1", "-times", str(path), AT)
    assert answer(capsys, *words) != answer(capsys, *words[:1], "daily=2", *words[2:])
    assert "1 kept, 2 removed" in answer(capsys, *words)
    assert "3 kept" in answer(
        capsys, "-keep", "daily=3", "-times", str(path), "-timezone", "Europe/Berlin", AT
    )


def test_times_after_now_are_in_the_future(times: str, capsys: pytest.CaptureFixture[str]) -> None:
    out = answer(capsys, "-keep", "last=1", "-times", times, "-at", "2026-11-20T02:10:00Z")
    assert [line.split()[-1] for line in out.splitlines()[:3]] == ["future", "future", "last-1"]
    far = answer(capsys, "-keep", "last=1", "-times", times, "-at", "2026-11-22T00:00:00Z")
    assert "future" not in far


def test_now_is_by_default_the_clock(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "times"
    path.write_text("9998-01-01T00:00:00Z\n2020-01-01T00:00:00Z\n2019-01-01T00:00:00Z\n")
    out = answer(capsys, "-keep", "last=1", "-times", str(path), "-json")
    assert [kept["reasons"] for kept in json.loads(out)["keep"]] == [["future"], ["last-1"]]


def test_times_come_from_standard_input_too(
    times: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from_file = answer(capsys, "-keep", "last=1", "-times", times, AT)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(TIMES.encode())))
    assert answer(capsys, "-keep", "last=1", "-times", "-", AT) == from_file


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "times"
    path.write_bytes(b"\xef\xbb\xbf2026-11-20T02:10:00Z\r\n2026-11-19T02:10:00Z\r\n")
    assert "2 kept, 0 removed" in answer(capsys, "-keep", "last=2", "-times", str(path), AT)


@pytest.mark.parametrize("form", ["-json", "--json", None])
def test_no_times_are_decided_about_too(
    form: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").touch()
    words = ["-keep", "last=2", "-times", str(tmp_path / "empty"), *([form] if form else [])]
    out = answer(capsys, *words)
    if form:
        assert json.loads(out) == {"keep": [], "remove": []}
    else:
        assert out == "rules: the last 2 points (timezone UTC)\n0 kept, 0 removed\n"


@pytest.mark.parametrize("keep", ["last=0", "daily=0,within=0h"])
def test_rules_that_are_switched_off_keep_everything(
    keep: str, times: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = answer(capsys, "-keep", keep, "-times", times, AT)
    assert "every point, as no rule is set" in out
    assert "4 kept, 0 removed" in out
    assert out.count("no-rule") == 4


# -- bad times -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (b"yesterday", "yesterday is no time"),
        (b"2026-11-21", "2026-11-21 is no time"),
        (b"2026-11-21T02:10:00", "add Z or an offset"),
        (b"2026-11-21T02:10Z", "is no time"),
        (b"2026-11-21T02:10:00+0100", "is no time"),
        (b"2026-W47-6T02:10:00Z", "is no time"),
        (b"1763691000", "1763691000 is no time"),
        (b"2026-11-21T02:10:00Z 2026-11-20T02:10:00Z", "more than one time on the line"),
        (b"2026-02-29T02:10:00Z", "does not exist"),
        (b"2026-11-21T24:00:00Z", "does not exist"),
        (b"2026-11-21T02:10:00+25:00", "does not exist"),
        (b"2016-12-31T23:59:60Z", "seconds go to 59 here"),
        (b"0000-01-01T00:00:00Z", "does not exist"),
        (b"0001-01-01T00:00:00+14:00", "does not exist"),
        (b"0001-06-01T00:00:00Z", "write a year from 0002 to 9998"),
        (b"9999-06-01T00:00:00Z", "write a year from 0002 to 9998"),
        (b"\xff\xfe2\x00", "not UTF-8"),
        (b"\x1b[31mred", "\\x1b[31mred is no time"),
        (b"x" * 1000, "x" * 60 + "… is no time"),
        ("２０２６-11-21T02:10:00Z".encode(), "is no time"),
    ],
)
def test_a_line_that_is_no_time_is_named_with_the_way_out(
    line: bytes, complaint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "times"
    path.write_bytes(b"2026-11-21T02:10:00Z\n" + line + b"\n")
    error = refusal(capsys, 1, "-keep", "last=1", "-times", str(path))
    assert f"{path}:2: " in error
    assert complaint in error
    assert "to do: " in error


def test_every_wrong_line_is_named_and_nothing_is_decided(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "times"
    path.write_text("a\n2026-11-21T02:10:00Z\n\nb\n\nc\n")
    error = refusal(capsys, 1, "-keep", "last=1", "-times", str(path))
    assert [line.split(":")[2] for line in error.splitlines() if "no time" in line] == [
        "1",
        "4",
        "6",
    ]


def test_digits_beyond_the_microsecond_are_dropped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "times"
    path.write_text("2026-11-20T02:10:00.123456789Z\n")
    out = answer(capsys, "-keep", "last=1", "-times", str(path), "-json", AT)
    assert json.loads(out)["keep"][0]["time"] == "2026-11-20T02:10:00.123456Z"


@pytest.mark.parametrize("name", ["missing", ".", "nul\0byte"])
def test_a_file_that_cannot_be_read_is_named(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    error = refusal(capsys, 1, "-keep", "last=1", "-times", name)
    assert "the times cannot be read" in error
    assert "because: " in error


# -- wrong usage ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keep", "complaint"),
    [
        ("", "a keep rule is a name and a value"),
        ("daily", "a keep rule is a name and a value"),
        ("daily=", "a keep rule is a name and a value"),
        ("daily=7,", "a keep rule is a name and a value"),
        ("dayly=7", "did you mean daily?"),
        ("Daily=7", "did you mean daily?"),
        ("fortnights=7", "the rules are last, hourly, daily"),
        ("daily=7,daily=8", "daily is given twice"),
        ("daily=-1", "-1 is no count"),
        ("daily=unlimited", "whole number of at most 8 digits, or all"),
        ("daily=1.5", "1.5 is no count"),
        ("daily=999999999", "999999999 is no count"),
        ("daily=٣", "is no count"),
        ("within=36", "a unit is missing after 36"),
        ("within=6m", "write mo for months"),
        ("within=all", "a number is missing before 'a'"),
        ("within_daily=1y6m", "character 4 of the length"),
    ],
)
def test_a_wrong_rule_is_wrong_usage_and_says_what_to_write(
    keep: str, complaint: str, times: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert complaint in refusal(capsys, 64, "-keep", keep, "-times", times)


def test_a_rule_given_by_two_flags_is_given_twice(
    times: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("-keep", "daily=7", "-keep", "daily=8", "-times", times)
    assert "daily is given twice" in refusal(capsys, 64, *words)


@pytest.mark.parametrize(
    "zone", ["Europe/Berln", "", "../../etc/passwd", "/etc/localtime", "Europe"]
)
def test_a_timezone_that_does_not_exist_is_wrong_usage(
    zone: str, times: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("-keep", "daily=7", "-times", times, "-timezone", zone)
    assert "like Europe/Berlin or UTC" in refusal(capsys, 64, *words)


def test_a_now_that_is_no_time_is_wrong_usage(
    times: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("-keep", "daily=7", "-times", times, "-at", "noon")
    assert "-at: noon is no time" in refusal(capsys, 64, *words)


def test_rules_and_times_must_be_given(times: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "-keep is missing" in refusal(capsys, 64, "-times", times)
    assert "-times is missing" in refusal(capsys, 64, "-keep", "last=1")
