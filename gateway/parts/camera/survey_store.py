"""Surveys on disk: one file a version, named by its digest, beside the pictures they were drawn on.

    surveys/<camera>/v0003-<sha256>.json     exactly these bytes have this digest; the chain holds it too
    surveys/<camera>/<sha256>.jpg            a reference picture, by day or by night; several versions may share one

Versions of a camera are numbered through; each belongs to a preset of it, or to none where the camera stands.
Files are only ever added, each written whole and synced before anybody is told. In: a survey and its reference picture.
Out: versions as they were kept. A file that is damaged is left where it is and named in `faults`; the newest good
version counts. Reads at the start, then knows what there is. Blocking: call from a thread.
"""

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.model.errors import StoreError
from gateway.model.survey import Survey, SurveyError
from kit.durable import sync_folder, write_whole

FOLDER: Final = "surveys"
_FILE: Final = re.compile(r"v(\d{4,9})-([0-9a-f]{64})\.json")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class KeptSurvey:
    """One version as it lies on the disk; `sha256` is that of its file."""

    survey: Survey
    sha256: str


class SurveyStore:
    """The versions of every camera. `read` makes a survey from plain data or raises SurveyError."""

    def __init__(self, folder: Path, read: Callable[[object], Survey]) -> None:
        self._folder = folder / FOLDER
        self._read = read
        self._kept: dict[str, list[KeptSurvey]] = {}
        self.faults: dict[str, tuple[str, ...]] = {}
        """By camera: each file that cannot be used, and why."""
        for path in sorted(self._folder.glob("*")) if self._folder.exists() else ():
            if path.is_dir():
                self._load(path)

    def versions(self, camera: str) -> tuple[KeptSurvey, ...]:
        """Every version that can still be read, the oldest first."""
        return tuple(self._kept.get(camera, ()))

    def newest(self, camera: str, preset: str = "") -> KeptSurvey | None:
        """The version of a preset that counts; None when nothing good was ever drawn, or it was given up."""
        return self.in_force(camera).get(preset)

    def in_force(self, camera: str) -> dict[str, KeptSurvey]:
        """The newest version of each preset that was not given up; under "" that of a camera that stands."""
        newest = {kept.survey.preset: kept for kept in self.versions(camera)}
        return {preset: kept for preset, kept in newest.items() if not kept.survey.given_up}

    def next_number(self, camera: str) -> int:
        """A number that no file of this camera bears, be it a damaged one."""
        numbers = [int(found[1]) for path in self._files(camera) if (found := _FILE.fullmatch(path.name))]
        return max(numbers, default=0) + 1

    def reference(self, camera: str, sha256: str) -> bytes:
        """A reference picture. Raises StoreError when it is not there or not what was kept."""
        if not _DIGEST.fullmatch(sha256):
            raise StoreError(f"{camera}: found digest {sha256[:80]!r}, expected 64 hexadecimal digits")
        path = self._place(camera) / f"{sha256}.jpg"
        try:
            body = path.read_bytes()
        except OSError as error:
            raise StoreError(f"{path.name}: cannot be read: {error.strerror}") from None
        if hashlib.sha256(body).hexdigest() != sha256:
            raise StoreError(f"{path.name}: is not the picture that was kept")
        return body

    def keep(self, survey: Survey, reference: bytes, night: bytes = b"") -> KeptSurvey:
        """Keep one more version; on the disk when this returns. `night` is the reference by night, where it has one.
        Raises StoreError, and SurveyError when it could not be read back."""
        body = document_bytes(survey)
        self._read(json.loads(body))
        if not survey.given_up and hashlib.sha256(reference).hexdigest() != survey.reference_sha256:
            raise StoreError(f"{survey.camera}: the reference picture is not the one that was drawn on")
        if survey.night_sha256 and hashlib.sha256(night).hexdigest() != survey.night_sha256:
            raise StoreError(f"{survey.camera}: the reference by night is not the one that was confirmed")
        kept = KeptSurvey(survey, hashlib.sha256(body).hexdigest())
        place = self._place(survey.camera)
        try:
            place.mkdir(parents=True, exist_ok=True)
            sync_folder(place.parent)
            if not survey.given_up:
                write_whole(place / f"{survey.reference_sha256}.jpg", reference)
            if survey.night_sha256:
                write_whole(place / f"{survey.night_sha256}.jpg", night)
            write_whole(place / f"v{survey.version:04d}-{kept.sha256}.json", body)
        except OSError as error:
            raise StoreError(f"{survey.camera}: the drawing could not be kept: {error.strerror}") from None
        self._kept.setdefault(survey.camera, []).append(kept)
        return kept

    def _load(self, place: Path) -> None:
        faults = []
        for path in self._files(place.name):
            try:
                self._kept.setdefault(place.name, []).append(self._survey(path, place.name))
            except (OSError, ValueError, StoreError) as error:
                faults.append(f"{path.name}: {error}")
        if faults:
            self.faults[place.name] = tuple(faults)

    def _survey(self, path: Path, camera: str) -> KeptSurvey:
        """One version with its picture. Raises OSError, ValueError (SurveyError among them), StoreError."""
        found = _FILE.fullmatch(path.name)
        if found is None:
            raise ValueError("expected a name like v0001-<digest>.json")
        body = path.read_bytes()
        if hashlib.sha256(body).hexdigest() != found[2]:
            raise StoreError("was changed: its digest differs from its name")
        survey = self._read(json.loads(body))
        if (survey.camera, survey.version) != (camera, int(found[1])):
            raise SurveyError((f"found version {survey.version} of {survey.camera}, expected {found[1]} of {camera}",))
        if not survey.given_up:
            self.reference(camera, survey.reference_sha256)
        if survey.night_sha256:
            self.reference(camera, survey.night_sha256)
        return KeptSurvey(survey, found[2])

    def _files(self, camera: str) -> list[Path]:
        return sorted(self._place(camera).glob("v*.json"))

    def _place(self, camera: str) -> Path:
        """The folder of a camera; no name leads out of it. Raises StoreError."""
        if not _NAME.fullmatch(camera):
            raise StoreError(f"found camera {camera[:80]!r}, expected a device id")
        return self._folder / camera


def document_bytes(survey: Survey) -> bytes:
    """The bytes of a version: JSON with sorted keys, so that equal drawings have equal bytes."""
    return json.dumps(survey.document(), ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
