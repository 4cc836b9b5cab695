"""Messages: decimal texts carry every double, and unknown fields are refused up and ignored down."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from contract.canonical import decimal_text
from contract.mailbox import MAILBOX_KINDS, Order
from contract.messages import STATE_KINDS, AlarmTransition, ChainState, MinutePoint
from contract.packs import pack_sha256
from tests.fakes.contract_box import alarm_body


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_finite_double_has_a_decimal_text_that_fits_and_reads_back(value: float) -> None:
    body = AlarmTransition.model_validate(alarm_body("k", measured=decimal_text(value)))
    assert float(body.measured or "nan") == value


@pytest.mark.parametrize("text", ["", "1.", ".5", "1,5", "+1", "NaN", "inf", "0x10", " 1", "1 ", "１", "1e", "--1"])
def test_what_is_no_decimal_text_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        AlarmTransition.model_validate(alarm_body("k", measured=text))


def test_a_minute_without_values_has_no_numbers() -> None:
    fields = {"point_id": "p", "unit": "", "min": None, "max": None, "mean": None, "count": 0, "quality": 2}
    assert MinutePoint.model_validate(fields).mean is None


def test_up_refuses_and_down_ignores_unknown_fields() -> None:
    with pytest.raises(ValidationError):
        AlarmTransition.model_validate(alarm_body("k", surprise=1))
    fields = {"state": "ok", "verified_seq": 1, "highest_seq": 1, "surprise": 1}
    assert ChainState.model_validate(fields).state == "ok"


def test_an_order_needs_its_deadline() -> None:
    fields = {"order_id": "o", "number": "1", "title_zh": "", "words": "", "legal_basis": "", "severity": "P1"}
    with pytest.raises(ValidationError, match="deadline_at_ns"):
        Order.model_validate(fields)


PERMIT = {
    "permit_id": "p-1",
    "version": 1,
    "number": "2026-017",
    "work": "climbing",
    "holder": "A",
    "issued_by": "B",
    "valid_from_ns": 1,
    "valid_until_ns": 2,
}
WARNING = {
    "warning_id": "w-1",
    "version": 1,
    "kind": "rainstorm",
    "level": "red",
    "source": "B",
    "valid_from_ns": 1,
    "valid_until_ns": 2,
}


@pytest.mark.parametrize(
    ("kind", "fields", "wrong"),
    [
        ("order_state", {"order_id": "o", "state": "returned", "changed_at_ns": 1}, {"state": "deleted"}),
        ("work_permit", PERMIT, {"work": "digging"}),
        ("work_permit", PERMIT, {"version": 0}),
        ("weather_warning", WARNING, {"level": "purple"}),
        ("weather_warning", WARNING, {"kind": "snow"}),
    ],
)
def test_what_the_regulator_tells_of_orders_permits_and_weather_is_checked(kind, fields, wrong) -> None:
    model = MAILBOX_KINDS[kind]
    assert model.model_validate(fields | {"of_a_later_version": 1}).model_dump().items() >= fields.items()
    with pytest.raises(ValidationError):
        model.model_validate(fields | wrong)


def box_state(**changes: Any) -> dict[str, Any]:
    pack = {"name": "national", "sha256": "a" * 64, "origin": "shipped"}
    said = {"software": "0.1.0", "started_at_ns": 1, "settings_sha256": "b" * 64, "rule_packs": [pack]}
    return said | {"models": [{"name": "heads 3", "sha256": "c" * 12, "cameras": 2}], "clock": "kept"} | changes


@pytest.mark.parametrize(
    "changes",
    [
        {"clock": "fine"},
        {"settings_sha256": "short"},
        {"rule_packs": [{"name": "national", "sha256": "a" * 64, "origin": "somewhere"}]},
        {"models": [{"name": "heads", "sha256": "c" * 11, "cameras": 1}]},
        {"rule_packs": [{"name": "n", "sha256": "a" * 64, "origin": "site"}] * 101},
        {"another": 1},
    ],
)
def test_a_box_says_what_it_is_exactly_or_not_at_all(changes: dict[str, Any]) -> None:
    assert STATE_KINDS["box_state"].model_validate(box_state())
    with pytest.raises(ValidationError):
        STATE_KINDS["box_state"].model_validate(box_state(**changes))


@pytest.mark.parametrize("name", ["../evil.yaml", "a/b.yaml", "evil.py", ".yaml", "Großes.yaml"])
def test_a_rule_packs_file_cannot_leave_its_folder(name: str) -> None:
    offer = {"offer_id": "k", "name": "wind", "sha256": "a" * 64, "files": [{"name": "wind.yaml", "text": "x"}]}
    assert MAILBOX_KINDS["rule_pack"].model_validate(offer)
    with pytest.raises(ValidationError):
        MAILBOX_KINDS["rule_pack"].model_validate(offer | {"files": [{"name": name, "text": "x"}]})


def test_a_packs_digest_counts_names_and_texts_and_nothing_else() -> None:
    assert pack_sha256({"a.yaml": "1", "b.yaml": "2"}) == pack_sha256({"b.yaml": "2", "a.yaml": "1"})
    assert pack_sha256({"a.yaml": "1"}) != pack_sha256({"b.yaml": "1"})
    assert pack_sha256({"a.yaml": "1"}) != pack_sha256({"a.yaml": "1\n"})
