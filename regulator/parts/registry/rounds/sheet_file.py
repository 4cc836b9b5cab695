"""Reads the check sheets from `desk/sheets/*.yaml`. Raises PackError with file, line and what was expected.

sheets/<kind>.yaml: version 1, sheet (its own name), title_zh, title_en, questions of key, zh, en, hazard_zh, hazard_en
"""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from regulator.base.packs import QUICK_LOADER, PackError, config_root, read_yaml
from regulator.parts.registry.rounds.sheets import Question, SheetBook, SheetKind

Text = Annotated[str, Field(min_length=1, max_length=200)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Question(_Part):
    key: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    zh: Text
    en: Text
    hazard_zh: Text
    hazard_en: Text


class _Sheet(_Part):
    version: Literal[1]
    sheet: Literal["site", "duty"]
    title_zh: Text
    title_en: Text
    questions: Annotated[tuple[_Question, ...], Field(min_length=1, max_length=100)]

    @model_validator(mode="after")
    def _each_once(self) -> "_Sheet":
        keys = [question.key for question in self.questions]
        twice = sorted({key for key in keys if keys.count(key) > 1})
        if twice:
            raise ValueError(f"expected every key once, twice are {', '.join(twice)}")
        return self


def load_sheets(folder: Path | None = None) -> SheetBook:
    """All sheets of a folder (the shipped one by default); every kind must be there."""
    root, faults = folder or config_root() / "desk" / "sheets", list[str]()
    found: dict[SheetKind, tuple[Question, ...]] = {}
    for kind in SheetKind:
        try:
            found[kind] = _read(root / f"{kind.value}.yaml", kind)
        except PackError as error:
            faults.extend(error.faults)
    if faults:
        raise PackError(faults)
    return SheetBook(found)


def _read(path: Path, kind: SheetKind) -> tuple[Question, ...]:
    node = _node(path)
    try:
        read = _Sheet.model_validate(read_yaml(path))
    except ValidationError as error:
        raise PackError(list(_faults(path, node, error))) from error
    if read.sheet != kind.value:
        raise PackError([f"{path}: sheet: expected {kind.value!r}, the file's own name; found {read.sheet!r}"])
    return tuple(Question(each.key, each.zh, each.en, each.hazard_zh, each.hazard_en) for each in read.questions)


def _node(path: Path) -> yaml.Node | None:
    """The file as YAML with the place of every part. Raises PackError: it cannot be read, or is no YAML."""
    try:
        text = path.read_text("utf-8")
        with contextlib.suppress(yaml.YAMLError):
            return yaml.compose(text, QUICK_LOADER)
        return yaml.compose(text, yaml.SafeLoader)
    except (OSError, UnicodeDecodeError) as error:
        raise PackError([f"{path}: cannot be read ({error})"]) from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise PackError([f"{path}: line {line}: no YAML: {error.problem}"]) from error


def _faults(path: Path, node: yaml.Node | None, error: ValidationError) -> Iterator[str]:
    for fault in error.errors():
        key = ".".join(str(part) for part in fault["loc"]) or "(the whole file)"
        where = f"{path}: line {_line(node, fault['loc'])}: {key}"
        yield f"{where}: {fault['msg']}; found {str(fault['input'])[:80]!r}"


def _line(node: yaml.Node | None, loc: Sequence[int | str]) -> int:
    """Where a part stands; of what is missing, where it should be in."""
    for part in loc:
        if isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            node = node.value[part]
        elif isinstance(node, yaml.MappingNode):
            inner = next((value for key, value in node.value if key.value == part), None)
            if inner is None:
                break
            node = inner
    return node.start_mark.line + 1 if node is not None else 1
