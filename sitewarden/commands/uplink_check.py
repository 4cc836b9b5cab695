"""`sitewarden test-uplink`: one clearly marked test message through the real code of one uplink.

In: a site's settings and an uplink's name. Out: the receipt, printed, and an exit status: 0 the receiver took it, 1 it
did not, 2 there is no such uplink or it tells no people. Works on a folder of its own that is removed afterwards: the
box's databases, keys and counts are not touched, and a running gateway does not notice.
"""

import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path

from contract.chain import ChainHead
from gateway.line.channel_checks import CHECK_KIND, check_body, check_key
from gateway.model.alert import OutboxItem, Receipt, ReceiptKind
from gateway.ports import Clock, Notifier, UplinkContext
from gateway.settings import Settings
from gateway.settings.settings import BoundUplink
from kit.clock import SystemClock

EXIT = {ReceiptKind.ACCEPTED: 0, ReceiptKind.REJECTED: 1, ReceiptKind.RETRY: 1}
_UNKNOWN = 2


def run_uplink_check(settings: Settings, name: str, say: Callable[[str], None] = print) -> int:
    """Send the test message, say what became of it, and return the exit status."""
    bound = next((uplink for uplink in settings.uplinks if uplink.name == name), None)
    if bound is None:
        known = ", ".join(uplink.name for uplink in settings.uplinks) or "none"
        say(f"sitewarden: {settings.file} has no uplink {name}; it has: {known}")
        return _UNKNOWN
    receipt = asyncio.run(_ask(settings, bound, SystemClock()))
    if receipt is None:
        say(f"sitewarden: uplink {name} is of kind {bound.kind.name}, which tells no people and takes no test message")
        return _UNKNOWN
    say(f"{name}: {receipt.kind}" + (f": {receipt.detail}" if receipt.detail else ""))
    return EXIT[receipt.kind]


def check_item(settings: Settings, uplink: str, now_ns: int) -> OutboxItem:
    """The row that is sent: kind `test`, never one that a receiver could take for an alarm."""
    key = check_key(settings.box.id, uplink, now_ns)
    body = check_body(key, settings.box.id, settings.site.project_code, now_ns)
    return OutboxItem(0, uplink, key, CHECK_KIND, body, now_ns, 0)


async def _ask(settings: Settings, bound: BoundUplink, clock: Clock) -> Receipt | None:
    with tempfile.TemporaryDirectory(prefix="sitewarden-test-uplink-") as folder:
        context = UplinkContext(settings.box.id, settings.site.project_code, Path(folder), clock, ChainHead)
        uplink = bound.kind.build(bound.settings, context)
        try:
            if not isinstance(uplink, Notifier):
                return None
            (receipt,) = await uplink.send_alerts([check_item(settings, bound.name, clock.now_ns())])
            return receipt
        finally:
            await uplink.close()
