"""People's orders to count anew: a pit point's baseline (初始值), a crane's tilt after erection.

In: who orders what, and why. Out: the running model has it, its state is kept, and the chain says who ordered it. The
model itself makes the event that a baseline came into force, once the readings for it have come.
"""

from contract.canonical import Canonical, decimal_text
from gateway.evidence.evidence import RecordKind
from gateway.line.recorder import Entry, Recorder
from gateway.model.id_numbers import mask_id_numbers
from gateway.parts.crane.model.crane import CraneDerivation
from gateway.parts.pit.model.description import Baseline
from gateway.parts.pit.model.point import PitPointDerivation
from gateway.parts.pit.running_models import RunningModels
from gateway.ports import Clock


class NoSuchModelError(LookupError):
    """The box has no such monitoring point, or no such crane."""


class OvertakenError(ValueError):
    """A later baseline is in force at the point already."""


class ZeroOrders:
    """The one way by which people tell a model to count anew."""

    def __init__(self, models: RunningModels, recorder: Recorder, clock: Clock) -> None:
        self._models = models
        self._recorder = recorder
        self._clock = clock

    async def baseline(self, asset: str, point: str, order: Baseline) -> int:
        """A point's baseline; the number of the sealed order. Raises NoSuchModelError and OvertakenError."""
        model = self._model(f"{asset}:{point}")
        if not isinstance(model, PitPointDerivation):
            raise NoSuchModelError(f"{asset}:{point}")
        if not model.order_baseline(order):
            raise OvertakenError(point)
        content: dict[str, Canonical] = {
            "point": point,
            "kind": order.kind.value,
            "since_ns": order.at_ns,
            "zero": None if order.zero is None else decimal_text(order.zero),
            "carried": None if order.carried is None else decimal_text(order.carried),
            "readings": order.readings,
        }
        return await self._seal(asset, "pit_baseline_ordered", (order.by, order.reason), content)

    async def tilt_baseline(self, asset: str, user: str, reason: str) -> int:
        """From now on the crane's tilt counts from what it is; the number of the sealed order."""
        model = self._model(asset)
        if not isinstance(model, CraneDerivation):
            raise NoSuchModelError(asset)
        model.learn_tilt_baseline()
        return await self._seal(asset, "crane_tilt_baseline_ordered", (user, reason), {})

    def _model(self, device: str) -> object:
        """The model of a virtual device; a crane's is also found by the crane's id."""
        for model in self._models.running().models:
            if model.device == device or (isinstance(model, CraneDerivation) and model.device == f"{device}:derived"):
                return model
        raise NoSuchModelError(device)

    async def _seal(self, asset: str, event: str, by: tuple[str, str], content: dict[str, Canonical]) -> int:
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
