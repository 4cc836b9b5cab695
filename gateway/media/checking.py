"""The bodies of a data folder against its chain, and their export: for the command line, beside a running box or not.

In: a data folder. Out: which bodies are what was sealed, which are damaged, gone, let go or were never there; files.
Reads the chain itself, never the index: what is checked must not be asked of what could be wrong.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gateway.evidence.evidence import RecordKind
from gateway.media.kept import MediaClass, MediaItem, MediaState
from gateway.media.rendition import Blur
from gateway.media.sealing import read_case, read_media
from gateway.media.shelf import DamagedError, MediaShelf, NotKeptError
from gateway.store.alert_store import KeptRecord, open_for_reading

SUFFIXES = {"image/jpeg": ".jpg", "video/mp4": ".mp4"}


@dataclass(frozen=True, slots=True)
class BodyCheck:
    """Counts of items, and the digests of those that are not what was sealed. `missing` were never kept, with their
    reason in the chain."""

    sound: int
    expired: int
    missing: int
    damaged: tuple[str, ...]
    gone: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether every body that should be there is there and is what was sealed."""
        return not self.damaged and not self.gone


@dataclass(frozen=True, slots=True)
class Exported:
    """One item of an export: where its file is, or why there is none."""

    item: MediaItem
    path: Path | None
    reason: str = ""


def sealed_items(folder: Path, alarm_id: str = "") -> list[MediaItem]:
    """What the chain says of every item (of one alarm), the newest word on each. Raises FileNotFoundError."""
    newest: dict[tuple[str, MediaClass, int], MediaItem] = {}
    for record in open_for_reading(folder).all_evidence():
        if record.kind in (RecordKind.MEDIA, RecordKind.MEDIA_EXPIRED):
            newest |= {item.identity: item for item in read_media(record).items}
    return [item for item in newest.values() if not alarm_id or item.alarm_id == alarm_id]


def check_bodies(folder: Path) -> BodyCheck:
    """Read every body that the chain says is kept, and compare."""
    shelf, items = MediaShelf(folder), sealed_items(folder)
    kept = [item for item in items if item.state is MediaState.KEPT]
    outcome = {item.sha256: _look(shelf, item.sha256) for item in kept}
    return BodyCheck(
        sound=sum(outcome[item.sha256] == "sound" for item in kept),
        expired=sum(item.state is MediaState.EXPIRED for item in items),
        missing=sum(item.state is MediaState.MISSING for item in items),
        damaged=tuple(sorted(sha256 for sha256, how in outcome.items() if how == "damaged")),
        gone=tuple(sorted(sha256 for sha256, how in outcome.items() if how == "gone")),
    )


def _look(shelf: MediaShelf, sha256: str) -> str:
    try:
        shelf.read(sha256)
    except DamagedError:
        return "damaged"
    except NotKeptError:
        return "gone"
    return "sound"


def export_bodies(folder: Path, into: Path, alarm_id: str, blur: Blur) -> Iterator[Exported]:
    """Copy the bodies of one alarm (of all, when empty) into a folder, one file an item, digest checked. Outside an
    open case stills have their faces blurred, and clips, which cannot be blurred, stay behind."""
    shelf, open_cases = MediaShelf(folder), _open_cases(folder)
    into.mkdir(parents=True, exist_ok=True)
    for item in sealed_items(folder, alarm_id):
        if item.state is not MediaState.KEPT:
            yield Exported(item, None, item.reason or str(item.state))
            continue
        yield _exported(item, shelf, into, None if item.alarm_id in open_cases else blur)


def _exported(item: MediaItem, shelf: MediaShelf, into: Path, blur: Blur | None) -> Exported:
    if blur is not None and item.media_class is MediaClass.CLIP:
        return Exported(item, None, "no case is open: a clip shows faces")
    try:
        body = shelf.read(item.sha256)
        shown = body if blur is None else blur(body, item)
    except (DamagedError, NotKeptError, ValueError) as error:
        return Exported(item, None, f"{type(error).__name__}: {error}")
    name = f"{item.record_seq}-{item.media_class}-{item.place}-{item.sha256[:16]}"
    path = into / f"{name}{'-blurred' if blur is not None else ''}{SUFFIXES.get(item.media_type, '.bin')}"
    path.write_bytes(shown)
    return Exported(item, path)


def _open_cases(folder: Path) -> set[str]:
    """The alarms whose case is open."""
    said: dict[str, list[KeptRecord]] = {}  # by what they are filed under
    for record in open_for_reading(folder).all_evidence():
        if record.kind == RecordKind.MEDIA_CASE:
            said.setdefault(record.alarm_id, []).append(record)
    cases = [read_case(records) for records in said.values()]
    return {case.alarm_id for case in cases if case is not None and case.open}
