"""Messages from the regulator: sealed into the chain, kept in the inbox, then acknowledged."""

from contract.canonical import Canonical
from gateway.evidence.evidence import RecordKind
from gateway.evidence.sealed_messages import filed_under
from gateway.line.recorder import Entry, Recorder
from gateway.ports import Clock
from gateway.uplinks.regulator_mailbox import DownMessage, MessageHandler


async def seal_order(down: DownMessage, keep: MessageHandler, recorder: Recorder, clock: Clock, uplink: str) -> None:
    """Returns once the message is durable; an OSError of `keep` means that it will be delivered again. `uplink` is the
    name of the regulator's uplink, where answers go.

    Receipts are neither sealed nor kept: the outbox holds them already, and a sealed receipt would be a new record with
    a receipt of its own, without end.
    """
    message = down.message
    if message.kind == "receipt":
        return
    signed = down.signed
    content: dict[str, Canonical] = {
        "text": signed.text,
        "alg": signed.alg,
        "key_id": signed.key_id,
        "signature": signed.signature,
        "uplink": uplink,
    }
    about = filed_under(message.kind, message.body)
    await recorder.record(Entry(RecordKind.MESSAGE, clock.now_ns(), content, about=about))
    await keep(down)
