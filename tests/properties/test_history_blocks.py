"""Blocks and roll-ups against the naive computation; traces against the samples they stand for."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from gateway.model.errors import DecodeError
from gateway.model.reading import Quality
from gateway.store.blocks import (
    MINUTE_NS,
    Minutes,
    Polls,
    join_minutes,
    pack_minutes,
    pack_polls,
    roll_up,
    unpack_minutes,
    unpack_polls,
)
from gateway.store.decimation import Trace, TraceBuilder

BASE_NS = 1_700_000_000_000_000_000 // MINUTE_NS * MINUTE_NS
shapes = st.tuples(st.integers(1, 12), st.integers(0, 4))
# Any bit pattern at all, so that NaN payloads and signed zeros are among them.
doubles = st.integers(0, 2**64 - 1).map(lambda bits: np.uint64(bits).view(np.float64))
plain = st.floats(-1e9, 1e9)


@st.composite
def polls(draw: st.DrawFn, values: st.SearchStrategy[float] = plain, spread_min: int = 4) -> Polls:
    p, n = draw(shapes)
    t_ns = draw(npst.arrays(np.int64, p, elements=st.integers(BASE_NS, BASE_NS + spread_min * MINUTE_NS)))
    value = draw(npst.arrays(np.float64, (p, n), elements=values))
    quality = draw(npst.arrays(np.uint8, (p, n), elements=st.integers(0, 2)))
    return Polls(t_ns, np.where(quality == Quality.BAD, np.nan, value) if values is plain else value, quality)


@given(shapes, st.data())
def test_polls_come_back_bit_by_bit(shape: tuple[int, int], data: st.DataObject) -> None:
    bits = data.draw(npst.arrays(np.uint64, shape))
    t_ns = data.draw(npst.arrays(np.int64, shape[0]))
    quality = data.draw(npst.arrays(np.uint8, shape))
    back = unpack_polls(pack_polls(Polls(t_ns, bits.view(np.float64), quality)))
    assert (back.t_ns == t_ns).all()
    assert back.value.shape == shape
    assert back.value.tobytes() == bits.tobytes()
    assert back.quality.tobytes() == quality.tobytes()


@pytest.mark.parametrize(
    "value", [np.nan, -0.0, np.inf, -np.inf, 5e-324, np.float64(np.uint64(0x7FF4DEADBEEF0001).view(np.float64))]
)
def test_awkward_doubles_come_back_bit_by_bit(value: float) -> None:
    cells = np.full((2, 3), value)
    back = unpack_polls(pack_polls(Polls(np.zeros(2, np.int64), cells, np.zeros((2, 3), np.uint8))))
    assert back.value.tobytes() == cells.tobytes()


@given(polls())
def test_minutes_come_back_as_they_were(block: Polls) -> None:
    minutes = roll_up(block)
    _assert_same(unpack_minutes(pack_minutes(minutes)), minutes)


@given(polls(), st.data())
def test_bytes_that_are_no_block_are_one_kind_of_error(block: Polls, data: st.DataObject) -> None:
    blob = pack_polls(block)
    cut = data.draw(st.integers(0, len(blob) - 1))
    for broken in (blob[:cut], b"", b"\xff" * len(blob), blob[:4] + b"\x09\x00\x00\x00" + blob[8:]):
        for unpack in (unpack_polls, unpack_minutes):
            with pytest.raises(DecodeError):
                unpack(broken)


def _naive(block: Polls) -> dict[int, list[tuple[float, float, float, int, int]]]:
    found: dict[int, list[tuple[float, float, float, int, int]]] = {}
    minute_of = [int(t) // MINUTE_NS * MINUTE_NS for t in block.t_ns]
    for minute in sorted(set(minute_of)):
        rows = [i for i, m in enumerate(minute_of) if m == minute]
        cells = []
        for column in range(block.value.shape[1]):
            usable = [float(block.value[i, column]) for i in rows if block.quality[i, column] != Quality.BAD]
            worst = max(int(block.quality[i, column]) for i in rows)
            low, high = (min(usable), max(usable)) if usable else (np.nan, np.nan)
            cells.append((low, high, sum(usable) / len(usable) if usable else np.nan, len(usable), worst))
        found[minute] = cells
    return found


def _assert_same(minutes: Minutes, expected: Minutes) -> None:
    assert minutes.minute_ns.tolist() == expected.minute_ns.tolist()
    np.testing.assert_array_equal(minutes.low, expected.low)
    np.testing.assert_array_equal(minutes.high, expected.high)
    np.testing.assert_allclose(minutes.mean, expected.mean, rtol=1e-9, atol=1e-3)
    np.testing.assert_array_equal(minutes.count, expected.count)
    np.testing.assert_array_equal(minutes.quality, expected.quality)


@given(polls())
def test_a_roll_up_agrees_with_counting_by_hand(block: Polls) -> None:
    minutes, naive = roll_up(block), _naive(block)
    assert minutes.minute_ns.tolist() == sorted(naive)
    for row, minute in enumerate(minutes.minute_ns.tolist()):
        for column, (low, high, mean, count, quality) in enumerate(naive[minute]):
            np.testing.assert_equal(minutes.low[row, column], low)
            np.testing.assert_equal(minutes.high[row, column], high)
            np.testing.assert_allclose(minutes.mean[row, column], mean, rtol=1e-9, atol=1e-3)
            assert (minutes.count[row, column], minutes.quality[row, column]) == (count, quality)


@given(polls(), st.data())
def test_minutes_of_parts_join_to_the_minutes_of_the_whole(block: Polls, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(block.t_ns)))
    parts = [
        roll_up(Polls(block.t_ns[piece], block.value[piece], block.quality[piece]))
        for piece in (slice(0, cut), slice(cut, None))
        if len(block.t_ns[piece])
    ]
    _assert_same(join_minutes(parts), roll_up(block))


def test_a_number_that_is_none_counts_for_nothing_whatever_its_quality() -> None:
    value = np.array([[np.nan], [np.inf], [2.0], [4.0]])
    minutes = roll_up(Polls(np.full(4, BASE_NS), value, np.zeros((4, 1), np.uint8)))
    assert (minutes.low[0, 0], minutes.high[0, 0], minutes.mean[0, 0], minutes.count[0, 0]) == (2.0, 4.0, 3.0, 2)


samples = st.lists(
    st.tuples(st.integers(0, 999), st.floats(-1e6, 1e6), st.sampled_from([0, 0, 0, 1, 2])), min_size=1, max_size=200
)


def _trace(series: list[tuple[int, float, int]], limit: int, pieces: int) -> Trace:
    builder = TraceBuilder(0, 999, limit)
    t_ns = np.array([t for t, _, _ in series], dtype=np.int64)
    value = np.array([v if q != Quality.BAD else np.nan for _, v, q in series])
    quality = np.array([q for _, _, q in series], dtype=np.uint8)
    for part in np.array_split(np.arange(len(series)), pieces):
        builder.feed(t_ns[part], value[part], quality[part])
    return builder.finish()


@settings(max_examples=80)
@given(samples, st.integers(2, 30), st.integers(1, 9))
def test_a_trace_keeps_to_its_limit_and_shows_every_peak(
    series: list[tuple[int, float, int]], limit: int, pieces: int
) -> None:
    trace = _trace(series, limit, pieces)
    assert len(trace.t_ns) <= limit
    assert (np.diff(trace.t_ns) >= 0).all()
    assert trace.decimated == (len(series) > limit)
    width = -(-1000 // (limit // 2))
    shown: dict[int, list[float]] = {}
    for t, value, quality in zip(trace.t_ns.tolist(), trace.value.tolist(), trace.quality.tolist(), strict=True):
        assert np.isnan(value) == (quality == Quality.BAD)
        shown.setdefault(t // width, []).append(value)
    real: dict[int, list[float]] = {}
    for t, value, quality in series:
        real.setdefault(t // width, []).append(np.nan if quality == Quality.BAD else value)
    assert set(shown) == set(real), "no bucket with samples vanishes"
    for bucket, values in real.items():
        known = [v for v in values if not np.isnan(v)]
        if known:
            assert np.nanmin(shown[bucket]) == min(known)
            assert np.nanmax(shown[bucket]) == max(known)
        else:
            assert all(np.isnan(v) for v in shown[bucket]), "a gap stays a gap"


@settings(max_examples=80)
@given(samples, st.integers(2, 30), st.integers(2, 9))
def test_thinning_piece_by_piece_keeps_the_same_extremes(
    series: list[tuple[int, float, int]], limit: int, pieces: int
) -> None:
    whole, in_pieces = _trace(series, limit, 1), _trace(series, limit, pieces)
    np.testing.assert_array_equal(whole.t_ns, in_pieces.t_ns)
    np.testing.assert_array_equal(whole.value, in_pieces.value)


def test_a_trace_without_samples_is_empty() -> None:
    trace = TraceBuilder(0, 10, 2).finish()
    assert (len(trace.t_ns), trace.decimated) == (0, False)


@pytest.mark.parametrize(("from_ns", "to_ns", "limit"), [(10, 9, 10), (0, 10, 1), (0, 10, 0)])
def test_a_trace_with_bad_bounds_is_refused(from_ns: int, to_ns: int, limit: int) -> None:
    with pytest.raises(ValueError, match="a trace needs from <= to"):
        TraceBuilder(from_ns, to_ns, limit)


def test_samples_outside_the_range_are_left_out() -> None:
    builder = TraceBuilder(10, 20, 100)
    builder.feed(np.array([9, 10, 20, 21]), np.arange(4.0), np.zeros(4, np.uint8))
    assert builder.finish().t_ns.tolist() == [10, 20]
