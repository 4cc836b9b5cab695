"""Drivers by name: our own, and those of other installed packages (entry points of the group `sitewarden.drivers`).

In: our own kinds, and what the packages of this Python environment announce. Out: a mapping for the settings. Packages
are looked for at the first question, not at import, so that a broken one is reported as a fault like any other; every
fault at once, each naming the package. A package says in its pyproject.toml:

    [project.entry-points."sitewarden.drivers"]
    acme = "acme_crane.driver:KIND"        # a gateway.ports.DriverKind whose name is "acme"
"""

import importlib.metadata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib.metadata import EntryPoint

from gateway.model.errors import ConfigError, Fault
from gateway.ports import DriverKind

GROUP = "sitewarden.drivers"


def installed_entry_points() -> Iterable[EntryPoint]:
    """What the packages of this environment announce."""
    return importlib.metadata.entry_points(group=GROUP)


class DriverShelf(Mapping[str, DriverKind]):
    """Our own drivers and the packages', by name. Any question raises ConfigError when a package is broken."""

    def __init__(
        self, own: Sequence[DriverKind], announced: Callable[[], Iterable[EntryPoint]] = installed_entry_points
    ) -> None:
        self._own = {kind.name: kind for kind in own}
        self._announced = announced
        self._all: dict[str, DriverKind] | None = None

    def __getitem__(self, name: str) -> DriverKind:
        return self._kinds()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._kinds())

    def __len__(self) -> int:
        return len(self._kinds())

    def _kinds(self) -> dict[str, DriverKind]:
        if self._all is None:
            self._all = _with_packages(self._own, self._announced())
        return self._all


def _with_packages(own: Mapping[str, DriverKind], announced: Iterable[EntryPoint]) -> dict[str, DriverKind]:
    kinds, origin = dict(own), dict.fromkeys(own, "sitewarden itself")
    faults: list[Fault] = []
    for entry in sorted(announced, key=lambda entry: (entry.name, entry.value)):
        kind = _loaded(entry, faults)
        if kind is None:
            continue
        if kind.name in kinds:
            faults.append(_fault(entry, f"the name {kind.name}, taken by {origin[kind.name]}", "a name of its own"))
            continue
        kinds[kind.name], origin[kind.name] = kind, _package(entry)
    if faults:
        raise ConfigError(faults)
    return kinds


def _loaded(entry: EntryPoint, faults: list[Fault]) -> DriverKind | None:
    try:
        found = entry.load()
    except (ImportError, AttributeError) as error:
        faults.append(_fault(entry, f"{type(error).__name__}: {error}", f"{entry.value} to be importable"))
        return None
    if not isinstance(found, DriverKind):
        faults.append(_fault(entry, f"a {type(found).__name__} at {entry.value}", "a gateway.ports.DriverKind"))
        return None
    if found.name != entry.name:
        faults.append(_fault(entry, f"a driver called {found.name}", f"one called {entry.name}, as announced"))
        return None
    return found


def _package(entry: EntryPoint) -> str:
    return f"package {entry.dist.name} {entry.dist.version}" if entry.dist is not None else "a package"


def _fault(entry: EntryPoint, found: str, expected: str) -> Fault:
    return Fault(_package(entry), 0, f"{GROUP}:{entry.name}", found, expected)
