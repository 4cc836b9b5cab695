"""A child process that was taken over: says what it wants where a capture or an eye process should speak.

hostile_child.py eye WHAT MARK          over standard output, as the eye does
hostile_child.py capture WHAT MARK CAM  over the socket that standard input is, as a capture does

It says one good message first, so that the gateway believes that it lives; then WHAT:

pickle      a pickle that creates the file MARK when it is loaded, behind its length
pickled     the same where head and body should be
oversize    lengths of four gigabytes, and zeros behind them
broken      half of a JSON object
deep        a million brackets, as many as fit
types       the good message with every value replaced by one of another type
extra       the good message with a key more
nan         the good message with NaN, written as Python's json does, for a number
infinite    the same with 9e999
zeros       zeros without end
endless     good messages without end
binary      a picture, a text for the evidence or an answer that is none
grandchild  nothing more, ends, and leaves a process behind that holds every pipe open
stderr      a line without end on standard error, then broken
"""

import json
import os
import pickle
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from vision.camera.capture_state import CaptureReport

LENGTHS = struct.Struct("!II")
PICTURE = {"captured_at_ns": 1, "frame_seq": 1, "width_px": 2, "height_px": 2, "boxes": [], "length": 4}
OBSERVATION: dict[str, Any] = {
    **{"kind": "observation", "camera": "cam-1", "captured_at_ns": 1, "received_at_ns": 1},
    **{"values": {"usable": 1.0}, "counts": {}, "said": 2, "still": PICTURE, "fired": [], "edge_state": 0},
    "people": {"smallest": 0.03, "seen": [["judged", 0.9, 0.1], ["too_small", 0.4, 0.0]]},
}
OBSERVATION_BODY = b"{}\xff\xd8\xff\xd9"
ALIVE: dict[str, Any] = {"kind": "alive", "cameras": 1, "turns": 1, "models": {}, "faults": {}, "last_fault": ""}
REPORT: dict[str, Any] = {"kind": "report", **CaptureReport().to_plain(), "link": "connecting", "phase": "opening"}


class Trap:
    """Loading its pickle creates a file."""

    def __init__(self, mark: Path) -> None:
        self._mark = mark

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return Path.touch, (self._mark,)


def framed(head: bytes, body: bytes = b"") -> bytes:
    return LENGTHS.pack(len(head), len(body)) + head + body


def other_types(value: Any) -> Any:
    if isinstance(value, bool) or value is None:
        return "yes"
    return {int: "1", float: [1.0], str: 7, dict: [], list: {}}[type(value)]


def said(face: str, what: str, mark: Path) -> Iterator[bytes]:
    """The good message first; then, where it has no end, again and again."""
    yield framed(json.dumps(ALIVE if face == "eye" else REPORT).encode())
    while what in ("zeros", "endless"):
        yield bytes(65_536) if what == "zeros" else good(face)
    yield garbage(face, what, mark)


def good(face: str, **changes: Any) -> bytes:
    message, body = (OBSERVATION, OBSERVATION_BODY) if face == "eye" else (REPORT, b"")
    return framed(json.dumps({**message, **changes}).encode(), body)


def garbage(face: str, what: str, mark: Path) -> bytes:
    number = "captured_at_ns" if face == "eye" else "frames_per_s"
    trap = pickle.dumps(Trap(mark))
    unasked = framed(json.dumps({"kind": "part", "id": 2**40}).encode(), b"never asked for")
    return {
        "pickle": struct.pack("!I", len(trap)) + trap,
        "pickled": framed(trap, trap),
        "oversize": LENGTHS.pack(2**32 - 1, 2**32 - 1),
        "broken": framed(json.dumps(OBSERVATION).encode()[:-9]),
        "deep": framed(b"[" * 65_000),
        "types": good(face, **{number: "1"}),
        "extra": good(face, __class__="os.system"),
        "nan": good(face, **{number: float("nan")}),
        "infinite": good(face, **{number: "......"}).replace(b'"......"', b"   9e999"),
        "binary": framed(json.dumps(OBSERVATION).encode(), b"{}<svg") if face == "eye" else unasked,
    }[what]


def main(face: str, what: str, mark: Path) -> int:
    if what == "stderr":
        os.write(2, b"x" * 300_000)
        what = "broken"
    say: Callable[[bytes], object] = sys.stdout.buffer.write
    if face == "capture":
        say = socket.socket(fileno=os.dup(0)).sendall
    for octets in said(face, what, mark):
        say(octets)
        sys.stdout.flush()
        if what == "grandchild":
            if os.fork():
                return 0
            os.setsid()
            break
    time.sleep(60)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
