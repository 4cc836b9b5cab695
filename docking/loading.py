"""Reads a platform's map and refuses it with every fault at once, each with file, line, key and what was expected.

In: a path. Out: a `Platform`, or MapError. What is refused: an unknown key, quantity, choice or placeholder; a unit
that the quantity cannot become; a code that does not fit its field; a choice without a code; a field without a source.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from docking.document import KeyPath, MapDocument, read_map
from docking.fault import MapError, Words
from docking.field_checking import checked_field
from docking.platform import FieldMap, Platform, RecordMap, ReplyRule
from docking.quantities import RecordKind
from docking.schema import PlatformSection, RecordSection, ReplySection
from docking.transport_checking import checked_transport
from docking.wording import expected, nearest, one_of, shown

M = TypeVar("M", bound=BaseModel)


def load_platform(path: Path) -> Platform:
    """The platform of one map. Raises MapError with every fault of the file."""
    document = read_map(path)
    platform = _platform(document) if isinstance(document.data, dict) else None
    if document.data is not None and not isinstance(document.data, dict):
        document.add((), Words("no mapping", "不是键值组"), Words("a platform map", "平台映射"))
    if document.faults or platform is None:
        raise MapError(document.faults)
    return platform


def _platform(document: MapDocument) -> Platform | None:
    data = dict(document.data)
    records = _records(document, data.pop("records", None))
    section = checked(PlatformSection, document, (), data, extra=("records",))
    if section is None:
        return None
    transport = checked_transport(document, section.transport)
    _check_zone(document, section.time_zone)
    return Platform(
        name=section.platform,
        title_zh=section.title_zh,
        title_en=section.title_en,
        source=section.source,
        certainty=section.certainty,
        time_zone=section.time_zone,
        transport=transport,
        reply=_reply(document, section.reply),
        records=records,
    )


def checked(schema: type[M], document: MapDocument, path: KeyPath, data: Any, extra: Iterable[str] = ()) -> M | None:
    """The data as an instance; None when there are faults, which the document then holds."""
    try:
        return schema.model_validate(data)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            _note(document, schema, path, detail, extra)
        return None


def _note(
    document: MapDocument, schema: type[BaseModel], path: KeyPath, detail: ErrorDetails, extra: Iterable[str]
) -> None:
    place = _place(document, path, detail["loc"])
    found, kind = detail["input"], detail["type"]
    if kind == "extra_forbidden":
        known = sorted({*_known(schema, detail["loc"][:-1]), *extra})
        near = nearest(detail["loc"][-1], known)
        document.add(place, Words("an unknown key", "未知的键"), one_of(known, near))
    elif kind == "missing":
        missing = (*path, *detail["loc"])
        document.add(missing, Words("nothing", "缺少"), Words("this key, it is required", "必须填写此键"))
    else:
        document.add(place, shown(found), expected(detail))
        document.faults[:] = dict.fromkeys(document.faults)  # each branch of a union says it again


def _place(document: MapDocument, base: KeyPath, loc: tuple[int | str, ...]) -> KeyPath:
    """Pydantic's location without what names a branch of a union."""
    path = base
    for step in loc:
        if (*path, step) in document.lines:
            path = (*path, step)
    return path


def _known(schema: type[BaseModel], loc: tuple[int | str, ...]) -> set[str]:
    models = [schema]
    for step in loc:
        inner = [model.model_fields[step].annotation for model in models if step in model.model_fields]
        models = [found for annotation in inner for found in _models(annotation)] or models
    return {name for model in models for name in model.model_fields}


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in getattr(annotation, "__args__", ()) for model in _models(part)]


def _records(document: MapDocument, data: Any) -> Mapping[RecordKind, RecordMap]:
    known = [kind.value for kind in RecordKind]
    one_of = Words(f"one of: {', '.join(known)}", f"以下之一：{'、'.join(known)}")
    if not isinstance(data, dict) or not data:
        document.add(("records",), Words("no records", "没有记录"), one_of)
        return {}
    found: dict[RecordKind, RecordMap] = {}
    for name, raw in data.items():
        path: KeyPath = ("records", name)
        if name not in known:
            document.add(path, Words(f"the record {name}", f"记录 {name}"), one_of)
            continue
        section = checked(RecordSection, document, path, raw)
        if section is not None:
            found[RecordKind(name)] = _record(document, path, RecordKind(name), section)
    return found


def _record(document: MapDocument, path: KeyPath, kind: RecordKind, section: RecordSection) -> RecordMap:
    fields: list[FieldMap] = []
    seen: dict[str, int] = {}
    for i, raw in enumerate(section.fields):
        place = (*path, "fields", i)
        if raw.name in seen:
            first = seen[raw.name]
            found = Words(f"{raw.name}, already on line {first}", f"{raw.name}，已在第 {first} 行出现")
            document.add((*place, "name"), found, Words("each field once", "每个字段一次"))
        seen.setdefault(raw.name, document.line(place))
        field = checked_field(document, place, kind, raw)
        if field is not None:
            fields.append(field)
    return RecordMap(
        kind=kind,
        path=section.path,
        fields=tuple(fields),
        batch=section.batch,
        wrap=section.wrap,
        replay=section.replay,
        every_s=section.every_s,
        fresh_s=section.fresh_s,
    )


def _reply(document: MapDocument, section: ReplySection) -> ReplyRule:
    lists = {name: frozenset(map(code_text, getattr(section, name))) for name in _LISTS}
    for i, name in enumerate(_LISTS):
        for other in _LISTS[:i]:
            for code in sorted(lists[name] & lists[other]):
                found = Words(f"code {code}, which is {other} already", f"代码 {code} 已在 {other} 中")
                document.add(("reply", name), found, Words("each code once", "每个代码只出现一次"))
    return ReplyRule(
        at=section.at,
        words_at=section.words_at,
        http_refused=frozenset(section.http_refused),
        give_up_after=section.give_up_after,
        **lists,
    )


_LISTS = ("accepted", "duplicate", "refused", "token", "later")


def code_text(code: object) -> str:
    """A code of a reply as text: true, 1, 1.0 and "1" are told apart only where JSON does."""
    return str(code).lower() if isinstance(code, bool) else str(code)


def _check_zone(document: MapDocument, name: str) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        document.add(("time_zone",), Words(repr(name), repr(name)), Words("an IANA zone", "IANA 时区名"))
