"""Stream parameters of H.264 and H.265: found at the head of a key frame, to see when they change.

In: Annex B bytes (ITU-T H.264 annex B, H.265 annex B). Out: the parameter sets as bytes, and the name by which a
browser knows the codec (RFC 6381). Decodes nothing.
"""

from collections.abc import Iterator

_START = b"\0\0\1"
_H264_SETS = (7, 8)
_H264_PICTURES = (1, 2, 3, 4, 5)
_H265_SETS = (32, 33, 34)
_H264_SPS = 7


def parameter_sets(body: bytes, codec: str) -> bytes:
    """The parameter sets before the first slice, each with a start code; empty when there are none."""
    found = []
    for unit in _units(body):
        kind = _kind(unit, codec)
        if kind in (_H264_SETS if codec == "h264" else _H265_SETS):
            found.append(b"\0" + _START + unit)
        elif kind in _H264_PICTURES if codec == "h264" else kind < _H265_SETS[0]:
            break
    return b"".join(found)


def browser_codec(sets: bytes) -> str:
    """`avc1.PPCCLL` of an H.264 sequence parameter set: profile, constraints, level; empty without one."""
    for unit in _units(sets):
        if _kind(unit, "h264") == _H264_SPS and len(unit) > 3:
            return "avc1." + unit[1:4].hex()
    return ""


def _kind(unit: bytes, codec: str) -> int:
    if not unit:
        return -1
    return unit[0] & 0x1F if codec == "h264" else (unit[0] >> 1) & 0x3F


def _units(body: bytes) -> Iterator[bytes]:
    at = body.find(_START)
    while at >= 0:
        begin = at + len(_START)
        at = body.find(_START, begin)
        yield (body[begin:] if at < 0 else body[begin:at]).rstrip(b"\0")
