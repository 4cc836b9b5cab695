"""Cameras' own operating scores on disk: one file a version, named by its digest, only ever added.

    thresholds/<camera>/v0003-<sha256>.json     exactly these bytes have this digest; the chain holds it too

`sitewarden vision adapt` adds a version; the running box finds it, seals it and judges by it (`score_desk`). A file
that was changed or cut off is named in `faults` and not used; the newest good version counts. Blocking: call from a
thread.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from gateway.model.camera_scores import CameraScores, read_scores
from gateway.model.errors import StoreError
from kit.durable import sync_folder, write_whole

FOLDER: Final = "thresholds"
_FILE: Final = re.compile(r"v(\d{4,9})-([0-9a-f]{64})\.json")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_MOST_BYTES: Final = 1 << 20


class NothingToUndoError(LookupError):
    """The camera is judged by its model's own scores."""


@dataclass(frozen=True, slots=True)
class KeptScores:
    """One version as it lies on the disk; `sha256` is that of its file."""

    scores: CameraScores
    sha256: str


@dataclass(frozen=True, slots=True)
class NewScores:
    """What is to be a version: for which model, which scores, by whom, when, and what they were made on."""

    camera: str
    model: str
    scores: Mapping[str, float]
    made_by: str
    made_at_ns: int
    figures: Mapping[str, Any]


class ScoreStore:
    """The versions of every camera, read anew at each question: another process may have added one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / FOLDER

    def versions(self, camera: str) -> tuple[KeptScores, ...]:
        """Every version that can still be read, the oldest first."""
        return self._read(camera)[0]

    def faults(self, camera: str) -> tuple[str, ...]:
        """Files that cannot be used, and why."""
        return self._read(camera)[1]

    def newest(self, camera: str) -> KeptScores | None:
        """The version that counts; None where the camera never had one."""
        kept = self.versions(camera)
        return kept[-1] if kept else None

    def add(self, new: NewScores) -> KeptScores:
        """One more version; on the disk when this returns. Raises StoreError."""
        before = self.newest(new.camera)
        instead_of = before.scores.in_force if before is not None else 0
        number = self._next_number(new.camera)
        made = (new.model, dict(new.scores), new.made_at_ns, new.made_by, instead_of, None, dict(new.figures))
        return self._keep(CameraScores(new.camera, number, *made))

    def undo(self, camera: str, made_by: str, made_at_ns: int) -> KeptScores:
        """The version before the one in force, or the model's own scores, once more, as a new version. Raises
        NothingToUndoError, StoreError."""
        kept = {each.scores.version: each.scores for each in self.versions(camera)}
        in_force = kept[max(kept)].in_force if kept else 0
        if not in_force:
            raise NothingToUndoError(f"{camera}: is judged by its model's own scores, there is nothing to undo")
        back_to = kept[in_force].instead_of if in_force in kept else 0
        there = kept.get(back_to)
        scores, model = (dict(there.scores), there.model) if there is not None else ({}, kept[max(kept)].model)
        back_to = back_to if there is not None else 0
        number = self._next_number(camera)
        return self._keep(CameraScores(camera, number, model, scores, made_at_ns, made_by, in_force, back_to))

    def _keep(self, scores: CameraScores) -> KeptScores:
        body = json.dumps(scores.document(), ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
        kept = KeptScores(read_scores(json.loads(body)), hashlib.sha256(body).hexdigest())
        place = self._place(scores.camera)
        try:
            place.mkdir(parents=True, exist_ok=True)
            sync_folder(place.parent)
            write_whole(place / f"v{scores.version:04d}-{kept.sha256}.json", body)
        except OSError as error:
            raise StoreError(f"{scores.camera}: the scores could not be kept: {error.strerror}") from None
        return kept

    def _next_number(self, camera: str) -> int:
        numbers = [int(found[1]) for path in self._files(camera) if (found := _FILE.fullmatch(path.name))]
        return max(numbers, default=0) + 1

    def _read(self, camera: str) -> tuple[tuple[KeptScores, ...], tuple[str, ...]]:
        kept, faults = [], []
        for path in self._files(camera):
            try:
                kept.append(_version(path, camera))
            except (OSError, ValueError, StoreError) as error:
                faults.append(f"{path.name}: {error}")
        return tuple(kept), tuple(faults)

    def _files(self, camera: str) -> list[Path]:
        return sorted(self._place(camera).glob("v*.json"))

    def _place(self, camera: str) -> Path:
        """The folder of a camera; no name leads out of it. Raises StoreError."""
        if not _NAME.fullmatch(camera):
            raise StoreError(f"found camera {camera[:80]!r}, expected a device id")
        return self._folder / camera


def _version(path: Path, camera: str) -> KeptScores:
    """Raises OSError, ValueError (CameraScoresError among them), StoreError."""
    found = _FILE.fullmatch(path.name)
    if found is None:
        raise ValueError("expected a name like v0001-<digest>.json")
    if path.stat().st_size > _MOST_BYTES:
        raise StoreError("is too large")
    body = path.read_bytes()
    if hashlib.sha256(body).hexdigest() != found[2]:
        raise StoreError("was changed: its digest differs from its name")
    scores = read_scores(json.loads(body))
    if (scores.camera, scores.version) != (camera, int(found[1])):
        raise ValueError(f"found version {scores.version} of {scores.camera}, expected {found[1]} of {camera}")
    return KeptScores(scores, found[2])
