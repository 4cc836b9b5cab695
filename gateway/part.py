"""What a part of the box may bring: a thing that the site has or does, complete in its own folder.

    start    built in order --> begin --> jobs run --> resume
    reload   prepare --> stale jobs stop --> what `prepare` returned (one turn of the event loop) --> reloaded, jobs run
    stop     one `Stop` after the other --> close, what was built last first

A part overrides what it brings; everything else is nothing. The composition holds the list of parts. In: nothing. Out:
the border between the parts and those who start, ask, reload and stop them. Knows no part.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum, auto
from types import MappingProxyType
from typing import Generic, Protocol, TypeVar

from fastapi import FastAPI

from gateway.model.repair import Repair

ChangeT_contra = TypeVar("ChangeT_contra", contravariant=True)
"""What a reload changes: the settings before and after. Given by who composes the parts."""


class Stop(IntEnum):
    """The steps of an orderly stop. Each is over before the next begins."""

    FACE = auto()
    """Nobody asks any more. Fields are polled and judged until what waits has left."""
    FIELD = auto()
    """Nothing new comes in."""
    JUDGING = auto()
    QUEUE = auto()
    """What is queued is judged."""
    PICTURES = auto()
    RECORD = auto()
    """That the box stops is put in line."""
    SEALED = auto()
    """What is in line is on the disk."""
    SENT = auto()
    """What was sealed last has had its moment to leave."""
    REST = auto()
    """Every other job."""
    LET_GO = auto()
    """Receivers are let go, states are written."""


@dataclass(frozen=True, slots=True)
class Job:
    """A coroutine that runs from the start until the step `ends` of the stop; whenever it ends before, it is started
    again. `name` is what health says of it."""

    name: str
    run: Callable[[], Awaitable[None]]
    ends: Stop = Stop.REST


class StoreFile(Protocol):
    """A store that a part has opened."""

    @property
    def repair(self) -> Repair | None:
        """What the start had to repair; None when nothing."""

    def close(self) -> None:
        """Finish the writes and let go of the file."""


def nothing() -> None:
    """A reload that changes nothing here."""


class Part(Generic[ChangeT_contra]):
    """One thing of the box. Its constructor opens its stores and takes over what was open. `files`: those stores, by
    the name of their file; the start says what it had to repair, the stop closes them."""

    files: Mapping[str, StoreFile] = MappingProxyType({})

    def routes(self, app: FastAPI) -> None:
        """Its pages, answers and metrics on the web face. They find what pages share as `app.state.pages`."""

    async def begin(self) -> None:
        """What has to be done before any job runs."""

    def jobs(self) -> Sequence[Job]:
        """What runs now. A reload asks again."""
        return ()

    async def resume(self) -> None:
        """Beside the running jobs: what the last run left over. Cancelled by the stop."""

    async def prepare(self, change: ChangeT_contra) -> Callable[[], None]:  # noqa: ARG002
        """Build what a reload needs beside what runs; nothing has changed when it raises. What is returned goes on by
        it and does not wait: no reading is judged half by old and half by new settings. Parts go on in their order."""
        return nothing

    def stale(self, change: ChangeT_contra) -> Collection[str]:  # noqa: ARG002
        """Names of the jobs that a reload ends before it goes on; those that `jobs` has then are started."""
        return ()

    async def reloaded(self) -> None:
        """After all parts have gone on, before new jobs run."""

    async def stop(self, step: Stop) -> None:
        """Its share of a step, while the jobs of that step end. What it does before it waits comes before that."""

    def close(self) -> None:
        """Let go of what is open beside its `files`. No job runs any more."""
