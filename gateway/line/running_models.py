"""The office's requests to the box's models: which are running, and to write their states at once."""

from collections.abc import Awaitable, Callable

from gateway.line.deriving import Deriving


class RunningModels:
    """`running` is asked each time, because a reload changes it; `keep` writes the states of all models."""

    def __init__(self, running: Callable[[], Deriving], keep: Callable[[], Awaitable[None]]) -> None:
        self.running = running
        self._keep = keep

    async def keep_states(self) -> None:
        """Done once what the models know now is on the disk. Twice, because a write that was under way already, and
        that the first call then waits for, does not have it."""
        await self._keep()
        await self._keep()
