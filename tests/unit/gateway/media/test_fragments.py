"""Fragmented MP4 from a real muxer, cut wherever the bytes happen to break; what is no MP4 is said to be none."""

import pytest

from gateway.media.fragments import Fragment, FragmentCutter
from tests.fakes.eyes import film, fragments


def cut(body: bytes, step: int) -> list[Fragment]:
    cutter = FragmentCutter()
    return [each for at in range(0, len(body), step) for each in cutter.feed(body[at : at + step])]


@pytest.mark.parametrize("step", [1 << 20, 997, 7])
def test_fragments_are_whole_however_the_bytes_come(step: int) -> None:
    body = film(4, fragmented=True)
    found = cut(body, step)
    assert [each.body for each in found] == fragments(body)
    assert [each.number for each in found] == list(range(len(found)))
    assert [each.key for each in found] == [False, *[True] * (len(found) - 1)]


def test_a_fragment_within_a_group_of_pictures_does_not_begin_with_a_key_frame() -> None:
    first, second = b"\x00\x00\x02\x00", b"\x01\x01\x00\x00"  # an I picture; one that depends on others
    assert [each.key for each in cut(_mp4(first, second), 4096)] == [False, True, False]


@pytest.mark.parametrize("body", [b"\x00\x00\x00\x04free", b"\xff\xff\xff\xffmdat", b"<html>not found</html>"])
def test_what_is_no_mp4_is_refused(body: bytes) -> None:
    with pytest.raises(LookupError, match="no fragmented MP4"):
        cut(body, 4096)


def _mp4(*first_flags: bytes) -> bytes:
    """Fragments whose first samples carry these flags in `trun`."""
    body = _box(b"ftyp", b"isom") + _box(b"moov", b"")
    for flags in first_flags:
        run = b"\x00\x00\x00\x05" + b"\x00\x00\x00\x01" + b"\x00\x00\x00\x10" + flags
        header = b"\x00\x02\x00\x00" + b"\x00\x00\x00\x01"
        track = _box(b"traf", _box(b"tfhd", header) + _box(b"trun", run))
        body += _box(b"moof", _box(b"mfhd", bytes(8)) + track) + _box(b"mdat", b"picture")
    return body


def _box(name: bytes, content: bytes) -> bytes:
    return (len(content) + 8).to_bytes(4, "big") + name + content
