"""Steps the asset models between the window and the rules: a poll goes in, derived polls come out.

    poll of a device --> window --> models that read one of its points --> derived polls --> (history, window, rules)
                                         ^                                      |
                                         +---- models that read derived points -+     in the order of the models
    passing of time ------------------> models with a period

A model only reads points that stand before its own in the point table, so a poll sets off each model at most once.
In: what the window knows. Out: `Readings` of virtual devices, and the events that the models noticed. A value that is
not GOOD, or is stale, goes in as NaN; a NaN that comes out is BAD. Does no I/O.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.model.derivation import AssetEvent, Derivation, Json, Remembering
from gateway.model.quantity import PointTable
from gateway.model.reading import BAD, GOOD, Readings
from gateway.rules.window import Window

log = logging.getLogger(__name__)
CLOCK_SKEW_NS = 300_000_000_000
"""How far a device's clock may run ahead of the box (PD)."""
_QUALITY_OF = np.array([BAD, GOOD], dtype=np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class _Bound:
    """A model on this box's points: where its inputs and outputs are. Of its inputs (n,) those that exist (k,) are
    `inputs`, stale after `stale_after_ns`, and stand at `place` in what it is given."""

    order: int
    model: Derivation
    inputs: NDArray[np.intp]
    place: NDArray[np.intp]
    stale_after_ns: NDArray[np.int64]
    nothing: NDArray[np.float64]
    never: NDArray[np.int64]
    outputs: NDArray[np.int32]


class Deriving:
    """All asset models of the box. `models` in an order in which each reads only what stands before it."""

    def __init__(self, models: Sequence[Derivation], points: PointTable) -> None:
        self.models = tuple(models)
        self._points = points
        self._bound = [_bind(i, model, points) for i, model in enumerate(models)]
        self._prompt = [bound for bound in self._bound if bound.model.period_s == 0]
        self._periodic = [bound for bound in self._bound if bound.model.period_s > 0]
        self._due_mono_ns = [0] * len(self._periodic)
        self._set_off: dict[int, tuple[NDArray[np.int32], list[_Bound]]] = {}
        self._events: list[AssetEvent] = []
        self._sources = {bound.model.device: self._devices_of(bound) for bound in self._bound}

    def on_readings(self, readings: Readings, window: Window, mono_ns: int) -> Iterator[Readings]:
        """What one remembered poll makes the models say. The caller remembers each before it asks for the next.

        In the order of the models: one that reads both the poll and what another derives from it steps once, last.
        """
        waiting = {bound.order: bound for bound in self._set_off_by(readings.point_index)}
        while waiting:
            bound = waiting.pop(min(waiting))
            derived = self._step(bound, window, mono_ns, readings.observed_at_ns, readings.received_at_ns)
            if derived is not None:
                yield derived
                waiting.update((each.order, each) for each in self._set_off_by(bound.outputs))

    def on_tick(self, window: Window, mono_ns: int, now_ns: int) -> Iterator[Readings]:
        """What the passing of time makes the models say."""
        for i, bound in enumerate(self._periodic):
            if mono_ns < self._due_mono_ns[i]:
                continue
            period_ns = int(bound.model.period_s * 1e9)
            on_the_grid_ns = self._due_mono_ns[i] + period_ns
            self._due_mono_ns[i] = on_the_grid_ns if on_the_grid_ns > mono_ns else mono_ns + period_ns
            derived = self._step(bound, window, mono_ns, now_ns, now_ns)
            if derived is not None:
                yield derived
                yield from self.on_readings(derived, window, mono_ns)

    def wait_s(self, mono_ns: int, longest_s: float) -> float:
        """How long nothing is due, at most `longest_s`."""
        due_ns = min(self._due_mono_ns, default=mono_ns + int(longest_s * 1e9))
        return min(longest_s, max(0.0, (due_ns - mono_ns) / 1e9))

    def forget(self, point_index: NDArray[np.int32], window: Window) -> None:
        """A sample of these points was skipped: what was derived from them is no longer known either."""
        for bound in self._set_off_by(point_index):
            window.forget(bound.outputs)
            self.forget(bound.outputs, window)

    def sources_of(self, device: str) -> Sequence[str]:
        """The devices that were read on a wire for what a virtual device says; empty for a device that is real."""
        return self._sources.get(device, ())

    def take_events(self) -> Sequence[AssetEvent]:
        """What the models noticed since it was last asked."""
        events, self._events = self._events, []
        return events

    def saved(self) -> Mapping[str, Json]:
        """The state of every model, by device."""
        return {model.device: model.saved() for model in self.models}

    def restore(self, saved: Mapping[str, Json]) -> Sequence[str]:
        """Give each model its kept state; the devices whose state did not fit, and which start anew."""
        refused = []
        for model in self.models:
            if model.device in saved:
                try:
                    model.restore(saved[model.device])
                except ValueError as error:
                    log.warning("event=asset_state_refused device=%s reason=%r", model.device, str(error))
                    refused.append(model.device)
        return refused

    def last_said(self, now_ns: int) -> Iterator[Readings]:
        """After a restart: what models that speak seldom said last and what is not stale yet."""
        for bound in self._bound:
            said = bound.model.last_said() if isinstance(bound.model, Remembering) else None
            if said is not None and len(bound.outputs):
                at_ns, values = said
                longest_ns = int(self._points.stale_after_ns[bound.outputs].max())
                if 0 <= now_ns - at_ns <= longest_ns:
                    yield self._readings(bound, values, at_ns, at_ns)

    def _step(self, bound: _Bound, window: Window, mono_ns: int, at_ns: int, received_at_ns: int) -> Readings | None:
        value, observed_at_ns = _inputs(bound, window, mono_ns)
        if at_ns > received_at_ns + CLOCK_SKEW_NS:
            value = np.full(len(value), np.nan)  # a device whose clock runs ahead says nothing of now
        said = bound.model.step(value, observed_at_ns, at_ns)
        self._events.extend(bound.model.take_events())
        if said is None:
            return None
        return self._readings(bound, said, at_ns, received_at_ns)

    def _readings(self, bound: _Bound, said: NDArray[np.float64], at_ns: int, received_at_ns: int) -> Readings:
        """What a model said as a poll of its virtual device: what is no number is BAD."""
        finite = np.isfinite(said)
        value = np.where(finite, said, np.nan)
        quality = _QUALITY_OF[finite.view(np.uint8)]
        return Readings(bound.model.device, bound.outputs, value, quality, at_ns, received_at_ns)

    def _set_off_by(self, point_index: NDArray[np.int32]) -> list[_Bound]:
        """The models that read one of these points. Drivers hand the same array at every poll, so its identity is
        the key."""
        known = self._set_off.get(id(point_index))
        if known is None or known[0] is not point_index:
            found = [bound for bound in self._prompt if np.isin(bound.inputs, point_index).any()]
            known = self._set_off[id(point_index)] = (point_index, found)
        return known[1]

    def _devices_of(self, bound: _Bound) -> tuple[str, ...]:
        """Devices on a wire behind a model, through other models; the models before it are known already."""
        found: dict[str, None] = {}
        virtual = {each.model.device: each for each in self._bound}
        for index in bound.inputs:
            device = self._points[int(index)].device
            behind = self._devices_of(virtual[device]) if device in virtual else (device,)
            found.update(dict.fromkeys(behind))
        return tuple(found)


def _bind(order: int, model: Derivation, points: PointTable) -> _Bound:
    index = np.array([points.index_of.get(point_id, -1) for point_id in model.inputs], dtype=np.intp)
    outputs = np.array([points.index_of[point.point_id] for point in model.outputs], dtype=np.int32)
    if len(outputs) and (index >= outputs.min()).any():
        raise ValueError(f"{model.device}: reads a point that does not stand before its own")
    known = index >= 0
    inputs, n = index[known], len(index)
    stale_after_ns, place = points.stale_after_ns[inputs], np.flatnonzero(known)
    return _Bound(order, model, inputs, place, stale_after_ns, np.full(n, np.nan), np.zeros(n, dtype=np.int64), outputs)


def _inputs(bound: _Bound, window: Window, mono_ns: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Values (n,), NaN where not known, and when they were observed (n,), 0 where never."""
    index = bound.inputs
    fresh = mono_ns - window.good_mono_ns[index] <= bound.stale_after_ns
    usable = fresh & (window.quality[index] == GOOD)
    said = window.value[index]
    if np.count_nonzero(usable) < len(index):
        said[~usable] = np.nan
    value, observed_at_ns = bound.nothing.copy(), bound.never.copy()
    value[bound.place] = said
    observed_at_ns[bound.place] = window.observed_at_ns[index]
    return value, observed_at_ns
