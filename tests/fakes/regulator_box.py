"""What the regulator uplink's tests share: a box's context, settings, items."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from contract.canonical import canonical_bytes
from contract.chain import ChainHead
from gateway.model.alert import OutboxItem
from gateway.ports import Clock, UplinkContext
from gateway.uplinks.regulator import KIND, RegulatorUplink
from kit.clock import SimulatedClock, SystemClock
from tests.fakes.contract_box import alarm_body
from tests.fakes.regulator import FakeRegulator

BOX, PROJECT = "box-1", "P-1"


class Chain:
    """Stands where the app's recorder is asked for the head."""

    def __init__(self) -> None:
        self.head = ChainHead()


@asynccontextmanager
async def regulator_uplink(
    folder: Path,
    regulator: FakeRegulator,
    clock: Clock | None = None,
    chain: Chain | None = None,
    project: str = PROJECT,
    **changes: Any,
) -> AsyncIterator[RegulatorUplink]:
    """An uplink whose box lives in `folder`; the code file is written when it is missing."""
    code = folder / "enrol-code"
    if not code.exists():
        code.write_text(regulator.code_for(BOX))
    fields = {"name": "regulator", "kind": "regulator", "url": regulator.url, "enrol_code": {"file": str(code)}}
    fields |= {"mailbox_wait_s": 5, "reply_timeout_s": 5} | changes
    head = chain or Chain()
    context = UplinkContext(BOX, project, folder, clock or SystemClock(), lambda: head.head)
    uplink = KIND.build(KIND.settings.model_validate(fields), context)
    assert isinstance(uplink, RegulatorUplink)
    try:
        yield uplink
    finally:
        await uplink.close()


def item(
    key: str, kind: str = "alarm_transition", body: dict[str, Any] | None = None, created_at_ns: int = 0
) -> OutboxItem:
    content = canonical_bytes(alarm_body(key) if body is None else body)
    return OutboxItem(1, "regulator", key, kind, content, created_at_ns or SystemClock().now_ns(), 0)


def simulated() -> SimulatedClock:
    """A simulated clock that shows the machine's time, so that ages of items are what a test says."""
    return SimulatedClock(SystemClock().now_ns())


async def until(condition: Callable[[], bool], clock: SimulatedClock, step_s: float = 1.0) -> None:
    """Let simulated time pass until something real has happened; raises TimeoutError after 20 s of ours."""
    breath = threading.Event()
    async with asyncio.timeout(20):
        while not condition():
            await clock.advance(step_s)
            await asyncio.to_thread(breath.wait, 0.005)


async def stop(task: "asyncio.Task[None]") -> None:
    """Cancel and wait."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
