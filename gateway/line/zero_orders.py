"""People's orders to count anew: a pit point's baseline (初始值), a crane's tilt after erection.

In: who orders what, and why. Out: the running model to tell, its state kept, and a record in the chain of who ordered
it. Knows no kind of model: each part tells its own.
"""

from typing import TypeVar

from contract.canonical import Canonical
from gateway.evidence.evidence import RecordKind
from gateway.line.recorder import Entry, Recorder
from gateway.line.running_models import RunningModels
from gateway.model.id_numbers import mask_id_numbers
from gateway.ports import Clock

M = TypeVar("M")


class NoSuchModelError(LookupError):
    """The box has no such monitoring point, or no such crane."""


class ZeroOrders:
    """The one way by which people tell a model to count anew."""

    def __init__(self, models: RunningModels, recorder: Recorder, clock: Clock) -> None:
        self._models = models
        self._recorder = recorder
        self._clock = clock

    def model(self, device: str, kind: type[M]) -> M:
        """The running model of a virtual device. Raises NoSuchModelError."""
        found = next((model for model in self._models.running().models if model.device == device), None)
        if not isinstance(found, kind):
            raise NoSuchModelError(device)
        return found

    async def seal(self, asset: str, event: str, by: tuple[str, str], content: dict[str, Canonical]) -> int:
        """What the model was told: sealed and kept. `by` is who and why. The number of the sealed order."""
        user, reason = (mask_id_numbers(text) for text in by)
        at_ns = self._clock.now_ns()
        whole: dict[str, Canonical] = {
            "asset": asset,
            "event": event,
            "observed_at_ns": at_ns,
            "content": {"by": user, "reason": reason, **content},
        }
        record = await self._recorder.record(Entry(RecordKind.ASSET_EVENT, at_ns, whole))
        await self._models.keep_states()
        return record.seq
