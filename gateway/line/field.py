"""The drivers of the site as one part: one a link, each with a sink that keeps it on the right points.

In: the kinds of drivers, the links of the settings, the queue before the pipeline. Out: readings in the queue; those of
unproven points marked. A reload stops the drivers of changed links alone.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

from gateway.line.arming import UnprovenSink, read_arming
from gateway.line.part import LinePart
from gateway.line.reload import Change, LinkSink
from gateway.line.stall_watch import AskedDevice
from gateway.part import Job, Part, Stop
from gateway.ports import Driver, DriverKind, ReadingSink
from gateway.settings import Settings


class FieldPart(Part[Change]):
    """`cranes` names the assets that a known-load check arms; `told` hears of the drivers before they run."""

    def __init__(
        self,
        kinds: Mapping[str, DriverKind],
        line: LinePart,
        settings: Settings,
        cranes: Callable[[Settings], Sequence[str]],
        told: Callable[[Sequence[Driver]], None],
    ) -> None:
        self._kinds, self._line, self._settings, self._cranes, self._told = kinds, line, settings, cranes, told
        self._aim(settings)
        self.sinks = {link.settings.id: self._sink(settings) for link in settings.links}
        self.drivers = [self._built(settings, link.settings.id) for link in settings.links]
        told(self.drivers)

    def asked(self) -> list[AskedDevice]:
        """The devices that are polled, and how often."""
        return [
            AskedDevice(device.settings.id, device.point_index, getattr(device.settings, "poll_ms", 0) * 1_000_000)
            for link in self._settings.links
            if self._kinds[link.settings.driver].asks
            for device in link.devices
        ]

    def jobs(self) -> Sequence[Job]:
        """One for each link, named by its id."""
        running = zip(self._settings.links, self.drivers, strict=True)
        return [
            Job(_job(link.settings.id), _run(driver, self.sinks[link.settings.id]), Stop.FIELD)
            for link, driver in running
        ]

    def stale(self, change: Change) -> Collection[str]:
        """Those of links that are gone or changed."""
        return [_job(name) for name in (*change.found.links_removed, *change.found.links_changed)]

    async def prepare(self, change: Change) -> Callable[[], None]:
        """The drivers of new and changed links are built; the others go on."""
        new = [*change.found.links_added, *change.found.links_changed]
        fresh = {name: self._built(change.new, name) for name in new}
        return lambda: self._switch(change, fresh)

    def _switch(self, change: Change, fresh: Mapping[str, Driver]) -> None:
        """Running drivers go on under the new point numbers."""
        new, links = change.new, [link.settings.id for link in change.new.links]
        kept = {link.settings.id: driver for link, driver in zip(change.old.links, self.drivers, strict=True)}
        self._settings = new
        self.drivers = [fresh.get(name) or kept[name] for name in links]
        self._told(self.drivers)
        self._aim(new)
        sinks = {name: sink for name, sink in self.sinks.items() if name not in fresh}
        self.sinks = {name: sinks.get(name) or self._sink(new) for name in links}
        for sink in self.sinks.values():
            sink.retarget(new.points, self._into)

    def _aim(self, settings: Settings) -> None:
        """Where readings go: straight into the queue, or past the marking of what is unproven."""
        self.arming = read_arming(self._line.stores.folder, self._cranes(settings))
        suspects, intake = self.arming.suspects(settings.points), self._line.intake
        self._into: ReadingSink = UnprovenSink(intake, suspects) if suspects.any() else intake

    def _sink(self, settings: Settings) -> LinkSink:
        return LinkSink(settings.points, self._into, self._line.intake)

    def _built(self, settings: Settings, name: str) -> Driver:
        link = next(link for link in settings.links if link.settings.id == name)
        return self._kinds[link.settings.driver].build(link, self._line.clock)


def _job(link: str) -> str:
    return f"driver:{link}"


def _run(driver: Driver, sink: ReadingSink) -> Callable[[], Awaitable[None]]:
    return lambda: driver.run(sink)
