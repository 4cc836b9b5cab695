"""Which byte and word order makes a point's words plausible: every order is tried and scored. Pure.

In: a table and several samples of its words. Out: one `OrderGuess` a point, and what the device as a whole looks like.

A score lies between 0 and 1 and is the product of two shares, lifted where the physics fits:

    believable   samples inside the instrument's range; a float between 0 and 1e-6 counts as outside: it is what an
                 ordinary number turns into when its halves are swapped, and no instrument on a site shows it
    smooth       how little the value jumps from one sample to the next, against its size

Zero reads as zero in every order and says nothing. Whether load, rated load and moment agree (moment_pct is 100 times
load over rated) is looked at separately, because the three need not be laid out alike.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drivers.modbus.decode import compile_table
from drivers.modbus.registers import BIT_FUNCTIONS, Words
from drivers.modbus.settings import ModbusTable, RegisterPoint
from drivers.numbers.types import ByteOrder
from gateway.model.reading import Quality

TINY = 1e-6
GOOD_SCORE = 0.6
MARGIN = 0.2
MOMENT_TOLERANCE_PCT = 5.0

Blocks = Sequence[Words | None]


@dataclass(frozen=True, slots=True)
class OrderScore:
    """One order tried on one point: the newest value it gives (NaN when not believable), and its score."""

    order: ByteOrder
    value: float
    score: float


@dataclass(frozen=True, slots=True)
class OrderGuess:
    """All orders tried on a point, best first. `better` is one that fits where the configured one does not, or None."""

    key: str
    configured: ByteOrder
    tried: tuple[OrderScore, ...]
    better: ByteOrder | None


def guess_orders(table: ModbusTable, samples: Sequence[Blocks]) -> tuple[OrderGuess, ...]:
    """Try every order on every point that has one (registers that hold whole numbers or floats), in table order."""
    values = {order: _decoded(table, order, samples) for order in ByteOrder}
    return tuple(
        _guess(table, point, {order: values[order][:, i] for order in _orders_of(point)})
        for i, point in enumerate(table.points)
        if _orders_of(point)
    )


def device_order(guesses: Sequence[OrderGuess]) -> ByteOrder | None:
    """The order that the device looks like, when more points ask for it than fit the configured one; else None."""
    asked = Counter(guess.better for guess in guesses if guess.better is not None)
    if not asked:
        return None
    order, votes = asked.most_common(1)[0]
    fitting = sum(1 for guess in guesses if guess.better is None and _informative(guess) and len(guess.tried) > 2)
    return order if votes > fitting else None


def moment_disagrees(values: dict[str, float]) -> float | None:
    """How far the displayed moment is from 100 x load / rated, percentage points, when it is too far; else None."""
    load_t, rated_t, moment_pct = (values.get(key, np.nan) for key in ("load_t", "rated_t", "moment_pct"))
    if not np.isfinite([load_t, rated_t, moment_pct]).all() or rated_t <= 0:
        return None
    off = moment_pct - 100 * max(0.0, load_t) / rated_t
    return float(off) if abs(off) > MOMENT_TOLERANCE_PCT else None


def _orders_of(point: RegisterPoint) -> tuple[ByteOrder, ...]:
    if point.function in BIT_FUNCTIONS or point.type.is_field:
        return ()
    return tuple(ByteOrder) if point.type.words > 1 else (ByteOrder.ABCD, ByteOrder.BADC)


def _decoded(table: ModbusTable, order: ByteOrder, samples: Sequence[Blocks]) -> NDArray[np.float64]:
    """Values as if every point had this order, shape (samples, points); NaN where not believable."""
    points = tuple(point.model_copy(update={"order": None}) for point in table.points)
    decoder = compile_table(table.model_copy(update={"order": order, "points": points}))
    decoded = [decoder.decode(blocks) for blocks in samples]
    return np.array([np.where(quality != Quality.BAD, value, np.nan) for value, quality in decoded])


def _guess(table: ModbusTable, point: RegisterPoint, values: dict[ByteOrder, NDArray[np.float64]]) -> OrderGuess:
    configured = table.order_of(point)
    tried = [OrderScore(order, float(v[-1]), _score(v, is_float=point.type.is_float)) for order, v in values.items()]
    tried.sort(key=lambda one: (-one.score, one.order != configured))
    same = {ByteOrder.CDAB: ByteOrder.ABCD, ByteOrder.DCBA: ByteOrder.BADC}
    shown = configured if configured in values else same[configured]  # one word: only the bytes matter
    own = next(one for one in tried if one.order is shown)
    best = tried[0]
    better = best.order if best.score >= GOOD_SCORE and best.score - own.score > MARGIN else None
    return OrderGuess(point.key, configured, tuple(tried), better)


def _score(values: NDArray[np.float64], *, is_float: bool) -> float:
    known = np.isfinite(values)
    if is_float:
        known &= (values == 0) | (np.abs(values) >= TINY)
    if not known.any():
        return 0.0
    kept = values[known]
    size = float(np.abs(kept).max())
    jump = float(np.abs(np.diff(kept)).mean()) / size if len(kept) > 1 and size > 0 else 0.0
    return float(known.mean()) * (1 - min(1.0, jump))


def _informative(guess: OrderGuess) -> bool:
    """Whether the orders differ at all on this point."""
    return len({round(one.score, 6) for one in guess.tried}) > 1
