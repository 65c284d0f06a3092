"""What reaches the operator's terminal is text, whatever the data holds."""

import json

import pytest

from ops.terminal import fail, harmless, note, say, say_json, show

HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b31m\r\nok\x7f\u202etxt.exe\u2028\U000e0041"
SHOWN = r"\u001b]0;owned\u0007\u001b[2J\u009b31m\r\nok\u007f\u202etxt.exe\u2028\udb40\udc41"


def test_characters_that_command_a_terminal_or_disguise_others_are_written_out() -> None:
    assert harmless(HOSTILE) == SHOWN


@pytest.mark.parametrize("text", ["María 高橋", "👩‍👩‍👧", "می‌خواهم", "[red]", r"a\b"])
def test_a_text_of_people_stays_as_it_is(text: str) -> None:
    assert harmless(text) == text


def test_a_character_that_cannot_be_encoded_is_written_out() -> None:
    assert harmless("a\udcff") == r"a\udcff"


def test_no_way_to_the_terminal_lets_a_command_through(capsys: pytest.CaptureFixture[str]) -> None:
    say(HOSTILE)
    note(HOSTILE)
    fail(HOSTILE)
    show(("Name",), [(HOSTILE,), ((HOSTILE, "red"),)], folds="")
    captured = capsys.readouterr()
    lines = [*captured.out.splitlines(), *captured.err.splitlines()]
    assert len(lines) == 6
    assert not [line for line in lines if "\x1b" in line or "\x9b" in line or "\u202e" in line]
    assert captured.out.count(SHOWN) == 3


def test_json_stays_json_that_says_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    value = {"name": HOSTILE, "other": "高橋"}
    say_json(value)
    written = capsys.readouterr().out
    assert json.loads(written) == value
    assert "高橋" in written
    assert not set("\x1b\x9b\u202e") & set(written)


def test_a_row_stays_on_one_line_in_a_pipe_however_long_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    show(("Id", "Error"), [("1", "word " * 300)], folds="Error")
    assert len(capsys.readouterr().out.splitlines()) == 2
