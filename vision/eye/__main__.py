"""The eye as its own process: orders over standard input, what it says over standard output. Started by the gateway.

It holds the model and no connection to anything but its parent, and ends when that is gone. It shuts itself in first
(`vision.process.confinement`). `logging` goes to standard
error, which the parent keeps.
"""

import logging
import os
import queue
import sys
import threading
import time
from pathlib import Path
from typing import BinaryIO

import cv2

from screens.log_limit import LogLimit
from vision.camera.frame_slot import FrameSlotReader
from vision.eye.models import ModelShelf
from vision.eye.needs import eye_needs
from vision.eye.parts import open_model, open_parts
from vision.eye.said import Said, said_bytes
from vision.eye.turn import Slot, Turn
from vision.eye.watched import Order
from vision.eye.wire import read_order
from vision.process.confinement import confine

ALIVE_EVERY_NS = 1_000_000_000
NICENESS = 2
"""Judging may wait a moment; the gateway's own loop may not."""


def main() -> int:
    """Turn until the parent is gone."""
    said = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not get between the messages
    os.nice(NICENESS)
    lacks = ",".join(confine(eye_needs(sys.argv[1:])))
    cv2.setNumThreads(1)
    log_to = logging.StreamHandler()
    log_to.setFormatter(logging.Formatter("%(levelname)s logger=%(name)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[LogLimit(log_to)])
    orders: queue.SimpleQueue[Order | None] = queue.SimpleQueue()
    threading.Thread(target=_hear, args=(sys.stdin.buffer, orders), daemon=True).start()
    shelf = ModelShelf(open_model)
    turn = Turn(shelf, _open_slot, lambda watched: open_parts(watched, shelf, time.time_ns(), time.monotonic_ns()))
    turn.lacks = lacks
    try:
        _run(turn, orders, said)
    except BrokenPipeError:
        return 0
    return 0


def _run(turn: Turn, orders: "queue.SimpleQueue[Order | None]", said: BinaryIO) -> None:
    alive_at_ns = 0
    while True:
        if not _obey_waiting(turn, orders, said):
            return
        now_mono_ns = time.monotonic_ns()
        for observation in turn.step(time.time_ns(), now_mono_ns):
            _say(said, observation)
        if now_mono_ns - alive_at_ns >= ALIVE_EVERY_NS:
            alive_at_ns = now_mono_ns
            _say(said, turn.alive())
        time.sleep(turn.next_due_ns(time.monotonic_ns()) / 1e9)


def _obey_waiting(turn: Turn, orders: "queue.SimpleQueue[Order | None]", said: BinaryIO) -> bool:
    """Follow what has come; False when the parent is gone. An order that cannot be followed is said and left."""
    while not orders.empty():
        order = orders.get()
        if order is None:
            return False
        try:
            answer = turn.obey(order)
        except (ValueError, OSError) as error:
            turn.last_fault = f"{type(error).__name__}: {error}"[:500]
            continue
        if answer is not None:
            _say(said, answer)
    return True


def _say(said: BinaryIO, message: Said) -> None:
    said.write(said_bytes(message))
    said.flush()


def _hear(stream: BinaryIO, orders: "queue.SimpleQueue[Order | None]") -> None:
    try:
        while True:
            orders.put(read_order(stream))
    except EOFError:
        orders.put(None)


def _open_slot(path: str, camera: str) -> Slot:
    return FrameSlotReader(Path(path), camera)


if __name__ == "__main__":
    sys.exit(main())
