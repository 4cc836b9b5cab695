"""What a part of the desk may bring: pages and API, jobs, and ears for what boxes send.

    part(desk) --> Part(install, jobs, listeners, takers) --hang_on--> the desk's jobs and ears
                                                          --install--> routes, in the order of `regulator.application`

Each folder below `regulator.parts` has a `part.py` with a function `part(desk)`. It builds what its pages and jobs
share, once a desk. It may fill in a port of the desk (`post`, `open_hazard`); the rest it brings, and `hang_on` puts it
where it belongs. Pages register no jobs.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from fastapi import FastAPI

from regulator.base.desk import CauseListener, Desk, Job
from regulator.base.model.heard import Listener, Taker
from regulator.base.web.pages import Pages

Install = Callable[[FastAPI, Pages], None]


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that the desk does, built for a desk. `listeners` and `takers` by kind of message."""

    install: Install
    jobs: tuple[Job, ...] = ()
    listeners: Mapping[str, Listener] = field(default_factory=dict)
    takers: Mapping[str, Taker] = field(default_factory=dict)
    cause_listeners: tuple[CauseListener, ...] = ()


BuildPart = Callable[[Desk], Part]


def hang_on(desk: Desk, part: Part) -> None:
    """What a part does without its pages: its jobs are run, its ears hear."""
    desk.jobs += part.jobs
    for kind, listener in part.listeners.items():
        desk.listen(kind, listener)
    desk.takers |= part.takers
    desk.cause_listeners += part.cause_listeners
