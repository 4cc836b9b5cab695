"""An eye process that says what it is told on its command line, in the eye's own wire: `told_eye.py WHAT`.

judges   two observations for every camera it is given, then it lives on and answers; each wants one more "+" kept
dies     one observation, then it ends with status 3
hangs    says that it is alive once, then nothing more
mute     never says anything
"""

import os
import sys
import time
from typing import Any

import numpy as np

from gateway.model.picture import Picture
from vision.eye.said import Said, said_bytes
from vision.eye.watched import Alive, AskReference, Forget, Redraw, ReferenceFrame, Watched
from vision.eye.wire import read_order
from vision.sight.observation import Observation


def say(message: Said) -> None:
    sys.stdout.buffer.write(said_bytes(message))
    sys.stdout.buffer.flush()


def observation(camera: str, survey: int, edge_state: bytes = b"") -> Observation:
    now_ns = time.time_ns()
    values = {"bare_head_1": 1.0, "usable": 1.0, "edge_open_1": float("nan"), "survey": float(survey)}
    return Observation(camera, now_ns, now_ns, values, b'{"model":"told"}', edge_state=edge_state)


def answer(order: Any) -> None:
    if isinstance(order, AskReference):
        say(ReferenceFrame(order.number, Picture(order.camera, 1, 1, 2, 2, "image/jpeg", b"\xff\xd8\xff\xd9", "d")))
    elif isinstance(order, Redraw):
        say(observation(order.survey.camera, order.survey.version))
    elif isinstance(order, Watched):
        for _ in range(2):
            say(observation(order.camera, order.survey.version, order.edge_state + b"+"))
    else:
        assert isinstance(order, Forget)


def main(what: str) -> int:
    if what == "mute":
        time.sleep(600)
    say(Alive(0, 1))
    if what == "hangs":
        time.sleep(600)
    assert np.__version__  # as heavy to start as it must be
    assert "SECRET_OF_THE_TEST" not in os.environ
    while True:
        try:
            order = read_order(sys.stdin.buffer)
        except EOFError:
            return 0
        answer(order)
        if what == "dies":
            print("the eye fell over", file=sys.stderr)
            return 3


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
