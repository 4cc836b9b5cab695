"""What the office asks of the box's models: which are running now, and that their states be written at once."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gateway.deriving import Deriving


@dataclass(frozen=True, slots=True)
class RunningModels:
    """`running` is asked each time, because a reload changes it."""

    running: Callable[[], Deriving]
    keep_states: Callable[[], Awaitable[None]]
