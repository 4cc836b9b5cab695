"""Forms that nobody forged, as routes get them:

    def judge(request: Request, form: Form) -> Response:
        verdict = form["verdict"]                 # each field once, the last one
        reasons = form.every("reason")            # all of them
        photos = form.files("photo")              # Upload(name, media_type, content)

`Form` is read and checked before a route in a thread is called. Lengths were checked by the guard before.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import IO, Annotated

from fastapi import Depends
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request

from kit.web.guarding import fits
from kit.web.shell import FORGED
from regulator.base.model.refusals import RefusedError
from regulator.base.web.visitor import visitor_of

MOST_FILES = 20
MOST_FIELDS = 2000


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it came. `name` is what a browser said: to be shown, never used as a path."""

    name: str
    media_type: str
    content: bytes


class FormValues(Mapping[str, str]):
    """The texts of a form, and its files."""

    def __init__(self, texts: Mapping[str, tuple[str, ...]], files: Mapping[str, tuple[Upload, ...]]) -> None:
        self._texts, self._files = texts, files

    def __getitem__(self, name: str) -> str:
        """Raises RefusedError 422 that names the missing field, so that a route need not."""
        if name not in self._texts:
            raise RefusedError(422, "field_missing", f"缺少字段 {name}", f"the field {name} is missing", name)
        return self._texts[name][-1]

    def __contains__(self, name: object) -> bool:
        return name in self._texts

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)

    def get(self, name: str, default: str = "") -> str:  # type: ignore[override]
        """The field, or what stands for it."""
        return self._texts[name][-1] if name in self._texts else default

    def every(self, name: str) -> tuple[str, ...]:
        """All values of a field, in order."""
        return self._texts.get(name, ())

    def files(self, name: str) -> tuple[Upload, ...]:
        """The files of a field; one that was left empty is none."""
        return self._files.get(name, ())


@dataclass(frozen=True, slots=True)
class SpooledUpload:
    """A file that may be large: what is longer than a mebibyte lies on the disk until the request is answered."""

    name: str
    file: IO[bytes]


@asynccontextmanager
async def spooled_upload(request: Request, field: str) -> AsyncIterator[SpooledUpload | None]:
    """The one file of a form, after the same check; None when none was chosen. Raises RefusedError 403."""
    async with request.form(max_files=1, max_fields=MOST_FIELDS) as data:
        if not fits(str(data.get("csrf") or ""), visitor_of(request).csrf):
            raise RefusedError(403, "forged_form", *FORGED, "csrf")
        found = data.get(field)
        chosen = found if isinstance(found, UploadFile) and found.filename else None
        yield SpooledUpload(str(chosen.filename), chosen.file) if chosen is not None else None


async def checked_form(request: Request) -> FormValues:
    """The form, after the check that this visitor's page made it. Raises RefusedError 403, 422."""
    async with request.form(max_files=MOST_FILES, max_fields=MOST_FIELDS) as data:
        values = await _values(data)
    if not fits(values.get("csrf"), visitor_of(request).csrf):
        raise RefusedError(403, "forged_form", *FORGED, "csrf")
    return values


Form = Annotated[FormValues, Depends(checked_form)]


async def _values(data: FormData) -> FormValues:
    texts: dict[str, tuple[str, ...]] = {}
    files: dict[str, tuple[Upload, ...]] = {}
    for name, value in data.multi_items():
        if isinstance(value, UploadFile):
            if value.filename:
                came = Upload(value.filename, value.content_type or "", await value.read())
                files[name] = (*files.get(name, ()), came)
        else:
            texts[name] = (*texts.get(name, ()), _clean(name, value))
    return FormValues(texts, files)


def _clean(name: str, value: str) -> str:
    """PostgreSQL keeps no NUL, and no half of a character can be written."""
    if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
        words = (f"字段 {name} 含有无法保存的字符", f"the field {name} holds a character that cannot be kept")
        raise RefusedError(422, "bad_character", *words, name)
    return value
