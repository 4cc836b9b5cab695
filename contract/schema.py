"""JSON Schema of every message, generated from the models, for platforms that implement either end.

In: nothing. Out: one schema a name, envelope and reply included; `python -m contract.schema` prints them all.
`docs/contract.md` explains them.
"""

import json
from typing import Any

from pydantic import BaseModel

from contract.envelope import Envelope, Reply, SignedText
from contract.mailbox import MAILBOX_KINDS
from contract.messages import REPLY_KINDS, UP_KINDS, ChainCheckpoint, MailboxMessage, ReceiptText


def json_schemas() -> dict[str, Any]:
    """Schemas by name: `envelope`, `reply`, `signed_text`, `receipt_text`, `chain_checkpoint`, `mailbox_message`,
    and by direction

    `up.<kind>` (an envelope's body), `reply.<kind>` (a reply's body), `mailbox.<kind>` (a mailbox message's body).
    """
    models: dict[str, type[BaseModel]] = {
        "envelope": Envelope,
        "reply": Reply,
        "signed_text": SignedText,
        "receipt_text": ReceiptText,
        "chain_checkpoint": ChainCheckpoint,
        "mailbox_message": MailboxMessage,
    }
    models |= {f"up.{kind}": model for kind, model in UP_KINDS.items()}
    models |= {f"reply.{kind}": model for kind, model in REPLY_KINDS.items()}
    models |= {f"mailbox.{kind}": model for kind, model in MAILBOX_KINDS.items()}
    return {name: _schema(name, model) for name, model in models.items()}


def _schema(name: str, model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:sitewarden:contract:1:{name}",
    } | schema


if __name__ == "__main__":
    print(json.dumps(json_schemas(), ensure_ascii=False, indent=1))
