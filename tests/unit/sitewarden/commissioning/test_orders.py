"""Orders are guessed from plausibility, never from a point that reads the same in all of them."""

from collections.abc import Sequence

import numpy as np
import pytest

from drivers.modbus.encode import encode_table
from drivers.modbus.plan import plan_requests
from drivers.modbus.registers import Words
from drivers.modbus.settings import ModbusTable
from drivers.numbers.types import ByteOrder
from sitewarden.commissioning.orders import device_order, guess_orders, moment_disagrees
from tests.fakes.modbus_binding import point, table
from tests.fakes.staged_crane import crane_table

CRANE = {
    "load_t": 2.37,
    "rated_t": 4.1,
    "moment_pct": 57.8,
    "radius_m": 20.3,
    "hook_m": 15.7,
    "crane_h_m": 48.1,
    "slew_deg": 201.3,
    "wind_ms": 4.23,
    "tilt_deg": 0.05,
    "multiple": 4.0,
}


def samples(shown: ModbusTable, values: dict[str, float], count: int = 3) -> list[Sequence[Words | None]]:
    """What a device lying in `shown`'s order answers while its values creep."""
    found: list[Sequence[Words | None]] = []
    for i in range(count):
        creeping = {key: value * (1 + 0.001 * i) if key != "multiple" else value for key, value in values.items()}
        image = encode_table(shown, creeping)
        found.append(
            [
                np.array([image[r.function][a] for a in range(r.address, r.end)], dtype=np.uint16)
                for r in plan_requests(shown)
            ]
        )
    return found


@pytest.mark.parametrize("wired", list(ByteOrder))
@pytest.mark.parametrize("configured", list(ByteOrder))
def test_the_wired_order_is_found_whatever_is_configured(wired: ByteOrder, configured: ByteOrder) -> None:
    guesses = guess_orders(crane_table(configured), samples(crane_table(wired), CRANE))
    floats = [guess for guess in guesses if len(guess.tried) == 4 and guess.key in CRANE]
    assert len(floats) == 8
    asking = [guess for guess in floats if guess.better]
    assert {guess.better for guess in asking} == (set() if wired is configured else {wired})
    assert len(asking) >= (0 if wired is configured else 7), "48.1 with its bytes swapped reads 3.04, just as good"
    assert device_order(guesses) == (None if wired is configured else wired)
    assert all(guess.tried[0].value == pytest.approx(CRANE[guess.key], rel=0.01) for guess in asking)


def test_zero_says_nothing() -> None:
    guesses = guess_orders(
        crane_table(), samples(crane_table(ByteOrder.CDAB), dict.fromkeys(CRANE, 0.0) | {"multiple": 1})
    )
    assert device_order(guesses) is None
    assert all(guess.better is None for guess in guesses if len(guess.tried) == 4)


def test_a_failed_block_suggests_nothing() -> None:
    guesses = guess_orders(crane_table(), [[None], [None]])
    assert device_order(guesses) is None
    assert {guess.better for guess in guesses} == {None}
    assert all(one.score == 0 for guess in guesses for one in guess.tried)


def test_one_word_has_two_byte_orders_only() -> None:
    swapped = table([point("parts", 0, "uint16", min=1, max=99)], order="BADC")
    (guess,) = guess_orders(table([point("parts", 0, "uint16", min=1, max=99)]), samples(swapped, {"parts": 4}))
    assert [one.order for one in guess.tried] == [ByteOrder.BADC, ByteOrder.ABCD]
    assert guess.better is ByteOrder.BADC


def test_a_jumping_value_scores_less_than_a_steady_one() -> None:
    shown = table([point("p", 0, min=-1e6, max=1e6)])
    steady = guess_orders(shown, samples(shown, {"p": 100.0}))[0].tried[0]
    jumping = guess_orders(shown, [*samples(shown, {"p": 100.0}, 1), *samples(shown, {"p": 10.0}, 1)])[0].tried[0]
    assert jumping.score < steady.score


@pytest.mark.parametrize(
    ("values", "off"),
    [
        ({"load_t": 2.0, "rated_t": 4.0, "moment_pct": 52.0}, None),
        ({"load_t": 2.0, "rated_t": 4.0, "moment_pct": 80.0}, 30.0),
        ({"load_t": 2.0, "rated_t": 0.0, "moment_pct": 80.0}, None),
        ({"load_t": float("nan"), "rated_t": 4.0, "moment_pct": 80.0}, None),
        ({}, None),
    ],
)
def test_moment_is_a_hundred_times_load_over_rated(values: dict[str, float], off: float | None) -> None:
    assert moment_disagrees(values) == (None if off is None else pytest.approx(off))
