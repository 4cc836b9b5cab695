"""What every asset model is to the pipeline: named inputs, named outputs, one step, and a state that can be kept.

    points of drivers --> values (n,) --> Derivation.step --> derived points (m,) --> history, window, rules

A derived point is a point like any other, delivered by a virtual device (`crane-1:derived`, `group:north`), so that
history, staleness, rules, alarms, evidence and curves need not know that nothing was read on a wire.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from gateway.model.quantity import Point

Values = NDArray[np.float64]
Times = NDArray[np.int64]
Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]


@dataclass(frozen=True, slots=True)
class AssetEvent:
    """Something that an asset model noticed and that is kept for good: a working cycle, a baseline, a climb.

    `content` is what is recorded; units are in its names. `kind` such as "crane_cycle" chooses the table.
    """

    asset: str
    kind: str
    at_ns: int
    content: Mapping[str, Json]


class Derivation(Protocol):
    """One asset model, fed by the pipeline. Deterministic: the same steps give the same outputs and the same state.

    `device` is the virtual device that delivers `outputs`; `inputs` are point ids (also derived ones of models that
    come before it). `period_s` 0: a step at each poll that brings one of the inputs; else a step each such period.
    """

    device: str
    inputs: tuple[str, ...]
    outputs: tuple[Point, ...]
    period_s: float

    def step(self, value: Values, observed_at_ns: Times, now_ns: int) -> Values | None:
        """The outputs (m,) from the inputs' values (n,). NaN in: not known (missing, stale, BAD or SUSPECT). NaN out:
        not known; it becomes quality BAD, so that every rule on it says UNKNOWN. None: nothing new to say.

        `observed_at_ns` (n,) is when each input's value was observed, 0 where never; `now_ns` is the time of the poll
        (or of the period), UTC ns, and never runs backwards by more than the window allows for late samples.
        """
        ...

    def take_events(self) -> Sequence[AssetEvent]:
        """Events since the last call, each once."""
        ...

    def saved(self) -> Json:
        """The state to keep, as plain JSON (numbers, texts, lists, mappings)."""
        ...

    def restore(self, saved: Json) -> None:
        """Go on from a kept state. Raises ValueError when it does not fit this model (another version, other tables):
        the caller then starts anew and says so."""
        ...


@runtime_checkable
class Remembering(Protocol):
    """A model that speaks seldom (a pit point: once a day) and still stands by what it said before a restart."""

    def last_said(self) -> tuple[int, Values] | None:
        """When it spoke last (UTC ns, the time of the reading), and what; None when it has not spoken."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Ahead:
    """What time alone makes of a model's outputs: output i grows by `per_h[i]` an hour (0: it stays), from what it was
    at the last step on, until one of the times `turns_ns` (k,) (UTC ns) is reached. After it the model may say
    something else."""

    turns_ns: Times
    per_h: Values


@runtime_checkable
class Foreseeing(Derivation, Protocol):
    """A model with a period that knows what it would say, step by step, as long as its inputs say nothing new and none
    of them goes stale. Whoever has no time to lose may leave those steps out."""

    def ahead(self, now_ns: int) -> Ahead:
        """As seen from its last step, `now_ns` or before."""
        ...
