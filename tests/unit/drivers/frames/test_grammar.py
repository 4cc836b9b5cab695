"""What a grammar may say, and above all what it may not."""

import copy
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from drivers.frames.grammar import Grammar, mark_bytes
from drivers.frames.settings import FramesTable
from tests.fakes.frames_box import BINARY, DEVICES, DUST, TEXT, shipped

GRAMMAR: dict[str, Any] = {
    "frame": {"start": "&", "end": "!"},
    "body": {"kind": "separated", "separators": ["$"]},
    "fields": {"who": {"index": 0}, "what": {"index": 1}, "flag": {"index": 2}},
    "kind": "what",
    "identity": ["who"],
    "messages": [{"name": "data", "is": ["3"], "values": True, "reply": "ok"}, {"name": "login", "is": ["0"]}],
    "replies": {"ok": {"kind": "acknowledge", "parts": [{"echo": "who"}, {"constant": "$"}, {"echo": "what"}]}},
    "commands": ["0", "6", "LOCK"],
}


def grammar(**changes: Any) -> Grammar:
    return Grammar.model_validate(GRAMMAR | changes)


def refused(**changes: Any) -> str:
    with pytest.raises(ValidationError) as error:
        grammar(**changes)
    return str(error.value.errors()[0]["msg"])


def reply(*parts: dict[str, str], kind: str = "acknowledge") -> dict[str, Any]:
    return {"ok": {"kind": kind, "parts": list(parts)}}


def test_it_is_taken_as_it_stands() -> None:
    assert grammar().answer_framing.start == "&"


@pytest.mark.parametrize("kind", ["command", "setting", "time", "lock", "query", "Acknowledge", ""])
def test_no_other_kind_of_reply_has_a_name(kind: str) -> None:
    assert "'acknowledge' or 'heartbeat'" in refused(replies=reply({"echo": "who"}, kind=kind))


def test_a_reply_is_made_of_constants_and_echoes_only() -> None:
    for part in ({"time": "now"}, {"value": "load_t"}, {"text": "x"}, {"setting": "interval"}):
        assert "Extra inputs" in refused(replies=reply(part))  # type: ignore[arg-type]
    assert "either constant or echo" in refused(replies=reply({}))
    assert "either constant or echo" in refused(replies=reply({"constant": "a", "echo": "who"}))


def test_a_reply_that_echoes_nothing_is_none() -> None:
    assert "echoes nothing" in refused(replies=reply({"constant": "OK"}))


@pytest.mark.parametrize("constant", ["6", "$6$", "$LOCK", "x=LOCK", "0"])
def test_a_reply_says_no_command(constant: str) -> None:
    assert "says the command" in refused(replies=reply({"echo": "who"}, {"constant": constant}))


def test_a_message_whose_echo_would_be_a_command_gets_no_reply() -> None:
    messages = [GRAMMAR["messages"][0], {"name": "login", "is": ["0"], "reply": "ok"}]
    assert refused(messages=messages) == "Value error, reply ok to message login says the command 0"


def test_a_binary_reply_says_no_command_byte() -> None:
    raw = yaml.safe_load((DEVICES / f"{BINARY}.yaml").read_text(encoding="utf-8"))["grammar"]
    Grammar.model_validate(raw | {"commands": ["90"]})
    for command, found in (("80", "80"), ("00", "00")):
        with pytest.raises(ValidationError, match=f"says the command {found}"):
            Grammar.model_validate(raw | {"commands": [command]})


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"kind": "nothing"}, "no field is called nothing"),
        ({"identity": ["nobody"]}, "no field is called nobody"),
        ({"replies": reply({"echo": "nothing"})}, "no field is called nothing"),
        ({"fields": GRAMMAR["fields"] | {"who": {"name": "W"}}}, "field who: its place is none in a separated body"),
        ({"messages": [{"name": "a", "is": ["1"], "reply": "no"}]}, "message a: no reply is called no"),
        ({"messages": [{"name": "a", "is": ["1"], "reply_if_bit": 0}]}, "message a: reply_if_bit needs asks"),
        ({"messages": [{"name": "a", "is": ["1"]}, {"name": "b", "is": ["1"]}]}, "two messages share"),
        ({"messages": [{"name": "a", "is": ["1"]}, {"name": "b"}]}, "without is can never be recognised"),
        ({"kind": None}, "messages are told apart by kind"),
        ({"messages": [{"name": "a", "is": ["1"], "names_caller": False}]}, "no message says who calls"),
        ({"frame": {"start": "&"}}, "without a length a frame needs an end mark"),
        ({"frame": {"start": "&", "length": {"at": 0, "type": "uint8"}}}, "need a checksum"),
        ({"frame": {"start": "&", "end": "!", "length": {"at": 0, "type": "digits"}}}, "digits belongs to type digits"),
        (
            {"frame": {"start": "&", "end": "!", "escape": {"mark": "%", "codes": {"a": "%"}}}},
            "stands for the mark '&'",
        ),
        ({"frame": {"start": "&", "end": "!", "escape": {"mark": "%", "codes": {"a": "&", "b": "!"}}}}, "'%' itself"),
        ({"body": {"kind": "binary", "separators": ["$"]}}, "separators belong to kinds"),
        ({"time": {"fields": ["who"], "format": "%A"}}, "expected s, ms, or a pattern"),
    ],
)
def test_what_leads_nowhere_is_said(changes: dict[str, Any], why: str) -> None:
    assert why in refused(**changes)


def test_marks_in_hexadecimal_and_as_they_are_written() -> None:
    assert mark_bytes("0x7E7D") == mark_bytes("0x7e 7d") == b"\x7e\x7d"
    assert mark_bytes("##") == b"##"
    assert mark_bytes("\r\n") == b"\r\n"
    assert "more than one byte" in refused(frame={"start": "始", "end": "!"})


def table(**changes: Any) -> dict[str, Any]:
    return yaml.safe_load((DEVICES / f"{BINARY}.yaml").read_text(encoding="utf-8")) | changes


@pytest.mark.parametrize(
    ("point", "why"),
    [
        ({"at": 19}, "type belongs to a point of a binary body"),
        ({"index": 3}, "its place is none in a binary body"),
        ({"at": 19, "type": "bits", "bit": 12, "bit_count": 8}, "bits within 0 and 15 of a register"),
        ({"at": 19, "type": "int16", "fault": "nothing"}, "no other point of this table"),
        ({"at": 19, "type": "int16", "decimals": "nothing"}, "nothing is no point of the same message"),
        ({"at": 19, "type": "int16", "message": "heartbeat"}, "expected one with values: true"),
        ({"at": 19, "type": "uint16", "sentinels": [-1]}, "sentinels that occur in"),
        ({"at": 19, "type": "int16", "flag": {"name": "x", "good": ["N"]}}, "flag is for pairs only"),
        ({"at": 19, "type": "int16", "min": 5, "max": 4}, "max is below min"),
    ],
)
def test_a_point_that_cannot_be_is_refused(point: dict[str, Any], why: str) -> None:
    titled = {"key": "x", "title_zh": "x", "title_en": "x", **point}
    with pytest.raises(ValidationError) as error:
        FramesTable.model_validate(table(points=[titled]))
    assert why in str(error.value.errors()[0]["msg"])


def test_a_key_that_stands_twice_is_refused() -> None:
    raw = table()
    raw["points"] = [*raw["points"], copy.deepcopy(raw["points"][0])]
    with pytest.raises(ValidationError, match="point keys stand twice: load_t"):
        FramesTable.model_validate(raw)


@pytest.mark.parametrize("model", [BINARY, TEXT, DUST])
def test_of_every_shipped_grammar_each_reply_is_an_acknowledgement(model: str) -> None:
    grammar = shipped(model).grammar
    assert {reply.kind for reply in grammar.replies.values()} <= {"acknowledge", "heartbeat"}
    assert grammar.replies


def test_what_is_less_sure_than_the_table_is_told() -> None:
    assert shipped(DUST).doubts[-1] == "reply taken: M-M"
    assert shipped(BINARY).doubts == ()
