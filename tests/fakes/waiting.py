"""Wait for something that will come true, with a deadline: tests never sleep for a guessed time."""

import threading
import time
from collections.abc import Callable

PAUSE_S = 0.01


def wait_until(condition: Callable[[], object], what: str, within_s: float = 20.0) -> None:
    """Return as soon as `condition()` holds; TimeoutError naming `what` when it does not in time."""
    deadline = time.monotonic() + within_s
    pause = threading.Event()
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {within_s} s")
        pause.wait(PAUSE_S)
