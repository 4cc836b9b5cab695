"""docs/contract.md says what the code does: its examples fit the schemas, its tables are complete."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from contract.envelope import MAX_MESSAGE_BYTES, Envelope, Reply
from contract.faults import FAULTS
from contract.mailbox import MAILBOX_KINDS
from contract.messages import REPLY_KINDS, UP_KINDS, MailboxMessage
from contract.schema import json_schemas
from contract.sequence import WINDOW
from regulator.base.intake.contract_routes import MAX_PART_BYTES
from regulator.base.settings import ReceiverSettings

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "contract.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"<!-- example: (\S+) -->\n```json\n(.*?)```", PAGE, re.DOTALL)
SCHEMAS = json_schemas()


def check(schema: str, value: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator(SCHEMAS[schema]).validate(value)


def test_every_json_block_is_a_named_example() -> None:
    assert len(EXAMPLES) == PAGE.count("```json") >= 6


@pytest.mark.parametrize(("name", "text"), EXAMPLES, ids=[name for name, _ in EXAMPLES])
def test_an_example_fits_schema_and_model(name: str, text: str) -> None:
    value = json.loads(text)
    direction, _, kind = name.partition(".")
    if direction == "up":
        assert Envelope.model_validate(value).kind == kind
        check("envelope", value)
        check(name, value["body"])
        UP_KINDS[kind].model_validate(value["body"])
    elif direction == "reply":
        assert Reply.model_validate(value).kind == kind
        check("reply", value)
        if kind != "error":
            check(name, value["body"])
    else:
        message = MailboxMessage.model_validate(value)
        check("mailbox_message", value)
        check(f"mailbox.{message.kind}", message.body)


def test_every_error_is_on_the_page_with_its_status_and_what_it_is_about() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\d{3}) \| (item|sending) \|", PAGE, re.MULTILINE)
    assert {code: (int(status), about == "item") for code, status, about in rows} == {
        code: (fault.status, fault.about_item) for code, fault in FAULTS.items()
    }


@pytest.mark.parametrize("kind", [*UP_KINDS, *REPLY_KINDS, *MAILBOX_KINDS])
def test_every_kind_is_on_the_page(kind: str) -> None:
    assert f"`{kind}`" in PAGE


def test_the_limits_on_the_page_are_those_in_the_code(tmp_path: Path) -> None:
    settings = ReceiverSettings(tmp_path / "r.db", 0, tmp_path / "code")
    limits = [MAX_MESSAGE_BYTES, MAX_PART_BYTES, settings.max_blob_bytes]
    assert "{} MiB a message, {} MiB a part, {} MiB a file".format(*(limit >> 20 for limit in limits)) in PAGE
    assert f"{WINDOW:,} numbers" in PAGE


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_schema_is_a_schema(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[name])
    assert SCHEMAS[name]["$id"].endswith(name)


def test_no_schema_lets_a_float_through() -> None:
    assert '"type": "number"' not in json.dumps(SCHEMAS)
