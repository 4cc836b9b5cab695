"""The platforms that the settings name, with their maps read and everything about them checked.

In: settings. Out: `Place`s. Raises ValueError with every fault: the desk does not start with a map that says nonsense.
"""

import ipaddress
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from docking.fault import MapError
from docking.loading import load_platform
from docking.platform import Platform
from docking.quantities import RecordKind
from docking.secret_names import secret_names
from docking.shelf import map_path, shipped_names
from regulator.base.settings import DockingSettings

OFFERED = frozenset({RecordKind.ALARM, RecordKind.AI_ALARM, RecordKind.HAZARD})
"""What a desk can say. Real-time records and cycles stay with the boxes that measured them."""


@dataclass(frozen=True, slots=True)
class Place:
    """One platform: how the settings name it, and its map."""

    settings: DockingSettings
    platform: Platform

    @property
    def name(self) -> str:
        """The name that the settings give to the platform."""
        return self.settings.name

    def credentials(self) -> dict[str, str]:
        """Read anew at every run. Raises LookupError that names the file, never what is in it."""
        found = dict(self.settings.ids)
        for name, path in self.settings.secret_files.items():
            try:
                found[name] = path.read_text("utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                raise LookupError(f"{name}: {path} cannot be read ({type(error).__name__})") from None
            if not found[name]:
                raise LookupError(f"{name}: {path} is empty")
        return found


def open_places(settings: Sequence[DockingSettings]) -> tuple[Place, ...]:
    """Every platform of the settings, opened; raises ValueError."""
    faults: list[str] = []
    places = [place for each in settings for place in _open(each, faults)]
    names = [each.name for each in settings]
    faults += [f"docking: {name}: named twice" for name in sorted({n for n in names if names.count(n) > 1})]
    if faults:
        raise ValueError("\n".join(faults))
    return tuple(places)


def _open(settings: DockingSettings, faults: list[str]) -> Iterator[Place]:
    mine = f"docking: {settings.name}"
    try:
        platform = load_platform(map_path(settings.platform))
    except MapError as error:
        faults += [f"{mine}: {fault}" for fault in error.faults]
        if not settings.platform.endswith(".yaml"):
            faults.append(f"{mine}: platform: expected one of {', '.join(shipped_names())}, or a path ending in .yaml")
        return
    needed, given = platform.transport.credentials, {*settings.ids, *settings.secret_files}
    faults += [f"{mine}: secret_files: {name} is missing" for name in sorted(needed - given)]
    faults += [f"{mine}: {name}: no credential of {platform.name}" for name in sorted(given - needed)]
    faults += [
        f"{mine}: ids: {name}: a secret by its name (not shown), expected its file under secret_files"
        for name in secret_names(settings.ids)
    ]
    if settings.ca_file is not None and not settings.ca_file.is_file():
        faults.append(f"{mine}: ca_file: {settings.ca_file} is no file, expected a PEM file of authorities")
    if not OFFERED & platform.records.keys():
        faults.append(f"{mine}: the map has none of alarm, ai_alarm and hazard, which are what a desk can say")
    if not _safe(settings):
        faults.append(f"{mine}: url: expected https://..., or http:// with allow_plain_http: true")
    yield Place(settings, platform)


def _safe(settings: DockingSettings) -> bool:
    parts = urlsplit(settings.url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username:
        return False
    if parts.scheme == "https" or settings.allow_plain_http or parts.hostname == "localhost":
        return True
    try:
        return ipaddress.ip_address(parts.hostname).is_loopback
    except ValueError:
        return False
