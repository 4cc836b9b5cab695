"""The ring of packets: bounded both ways, whole groups of pictures, the right stretch for a clip."""

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vision.camera.packet_ring import EncodedPacket, PacketRing

SECOND_NS = 1_000_000_000


def packet(at_s: float, *, key: bool = False, epoch: int = 1, size: int = 100) -> EncodedPacket:
    ticks = round(at_s * 90_000)
    return EncodedPacket(bytes(size), round(at_s * SECOND_NS), ticks, ticks, key, epoch)


def filled(seconds: float, *, ring_s: float = 30.0, max_bytes: int = 10**9, key_every: int = 10) -> PacketRing:
    """Ten pictures a second."""
    ring = PacketRing(ring_s, max_bytes)
    for number in range(round(seconds * 10)):
        ring.append(packet(number / 10, key=number % key_every == 0))
    return ring


def test_the_ring_covers_its_seconds_and_begins_with_a_key_frame() -> None:
    ring = filled(100, ring_s=5)
    kept = ring.span(0, 10**15)
    assert kept[0].key
    assert kept[0].at_ns <= 94.9 * SECOND_NS
    assert kept[0].at_ns > 93 * SECOND_NS
    assert kept[-1].at_ns == 99.9 * SECOND_NS


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.booleans(), st.integers(1, 400)), min_size=1, max_size=120),
    st.integers(500, 3000),
    st.floats(0, 4),
)
def test_whatever_comes_the_bounds_hold(packets: list[tuple[bool, int]], max_bytes: int, ring_s: float) -> None:
    ring = PacketRing(ring_s, max_bytes)
    for number, (key, size) in enumerate(packets):
        ring.append(packet(number / 10, key=key, size=size))
        assert ring.size_bytes <= max_bytes
        try:
            kept = ring.span(0, 10**15)
        except LookupError:
            assert ring.size_bytes == 0
            continue
        assert kept[0].key
        assert sum(len(entry.body) for entry in kept) == ring.size_bytes
        later_keys = [entry for entry in kept[1:] if entry.key]
        if later_keys:
            assert later_keys[0].at_ns > kept[-1].at_ns - ring_s * SECOND_NS - 1


def test_a_clip_begins_with_the_key_frame_before_and_ends_in_time() -> None:
    span = filled(20).span(round(5.55 * SECOND_NS), round(8.25 * SECOND_NS))
    assert span[0].key
    assert span[0].at_ns == 5 * SECOND_NS
    assert span[-1].at_ns == 8_200_000_000


def test_a_clip_of_before_the_ring_began_begins_with_the_ring() -> None:
    assert filled(20).span(-5 * SECOND_NS, 2 * SECOND_NS)[0].at_ns == 0


def test_nothing_kept_of_that_time() -> None:
    with pytest.raises(LookupError, match="nothing has been kept"):
        filled(5).span(6 * SECOND_NS, 9 * SECOND_NS)
    with pytest.raises(LookupError, match="nothing has been kept"):
        PacketRing(30, 1000).span(0, 1)
    with pytest.raises(LookupError, match="no picture has come"):
        PacketRing(30, 1000).newest_key()


def test_a_clip_over_a_change_of_the_stream_is_the_longer_stretch() -> None:
    ring = PacketRing(30, 10**6)
    for number in range(100):
        ring.append(packet(number / 10, key=number % 10 == 0, epoch=1 if number < 40 else 2))
    assert {entry.epoch for entry in ring.span(0, 5 * SECOND_NS)} == {1}
    span = ring.span(2 * SECOND_NS, 9 * SECOND_NS)
    assert {entry.epoch for entry in span} == {2}
    assert span[0].at_ns == 4 * SECOND_NS


def test_a_live_viewer_follows_and_is_told_when_it_fell_out() -> None:
    ring = filled(3.5, ring_s=1)
    at = ring.newest_key()
    packets = ring.after(at, 0)
    assert packets is not None
    assert packets[0].key
    assert len(packets) == 5
    assert ring.after(at + 5, 0) == []
    for number in range(60):
        ring.append(packet(3.5 + number / 10, key=number % 10 == 0))
    assert ring.after(at, 0) is None, "thrown away meanwhile"
    ring.close()
    assert ring.after(ring.newest_key(), 0) is None


def test_waiting_for_a_time_ends_when_it_has_been_recorded() -> None:
    ring = filled(1)
    waiting = threading.Thread(target=ring.wait_until, args=(2 * SECOND_NS, 60))
    waiting.start()
    ring.append(packet(2.0))
    waiting.join(timeout=30)
    assert not waiting.is_alive()
    ring.wait_until(99 * SECOND_NS, -1)
