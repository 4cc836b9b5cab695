"""The desk's own files: rule packs and the hazard catalogue, from the installed package or a checkout's `config/`.

In: pack names. Out: `RulePacks`. Raises PackError with every fault: the file, the key, what was expected. Knows no
database.
"""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from kit.words import Words
from regulator.base.model.actor import Level
from regulator.base.rules import (
    CountRule,
    DeadlineRule,
    Document,
    Escalation,
    RuleId,
    RulePack,
    RulePacks,
)

Certainty = Literal["V1", "V2", "M-H", "M-M", "PD"]
Text = Annotated[str, Field(min_length=1, max_length=1000)]
QUICK_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The safe loader of libyaml where there is one: an eighth of the time. What it refuses is read again by the one
written in Python, which says better what is wrong."""


class PackError(ValueError):
    """Something is wrong with a file of the desk; `faults` names every place."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)


def config_root() -> Path:
    """The folder that holds `desk/` and `hazards/`: inside the package from a wheel, else at the checkout's root."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "config"
    return installed if installed.is_dir() else package.parent / "config"


def load_packs(names: Sequence[str], folders: Sequence[Path] = ()) -> RulePacks:
    """Packs by name, in this order; `folders` are looked into before the shipped one."""
    looked = [*folders, config_root() / "desk"]
    faults: list[str] = []
    packs: list[RulePack] = []
    for name in names:
        try:
            packs.append(_read(_find(name, looked)))
        except PackError as error:
            faults.extend(error.faults)
    if faults:
        raise PackError(faults)
    return RulePacks(tuple(packs))


def read_yaml(path: Path) -> Any:
    """A file's content. Raises PackError: it cannot be read, or is no YAML."""
    try:
        text = path.read_text("utf-8")
        with contextlib.suppress(yaml.YAMLError):
            return yaml.load(text, QUICK_LOADER)  # noqa: S506 - a safe loader either way
        return yaml.safe_load(text)
    except (OSError, UnicodeDecodeError) as error:
        raise PackError([f"{path}: cannot be read ({error})"]) from error
    except yaml.YAMLError as error:
        raise PackError([f"{path}: no YAML: {' '.join(str(error).split())}"]) from error


def faults_of(path: Path, error: ValidationError) -> Iterator[str]:
    """One line a fault: file, key, what was expected, what was there."""
    for fault in error.errors():
        key = ".".join(str(part) for part in fault["loc"]) or "(the whole file)"
        yield f"{path}: {key}: {fault['msg']}; found {str(fault['input'])[:80]!r}"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Source(_Part):
    rule_zh: Text
    rule_en: Text
    clause: str = ""
    certainty: Certainty


class _Deadline(_Source):
    id: RuleId
    days: Annotated[int, Field(ge=0, le=3650)] = 0
    hours: Annotated[int, Field(ge=0, le=8760)] = 0
    warn_percent: tuple[Annotated[int, Field(ge=1, le=99)], ...] = ()
    warn_before_h: tuple[Annotated[int, Field(ge=1, le=8760)], ...] = ()

    @model_validator(mode="after")
    def _one_unit(self) -> "_Deadline":
        if (self.days > 0) == (self.hours > 0):
            raise ValueError("expected either days or hours, one of them above 0")
        if (self.warn_percent and self.hours) or (self.warn_before_h and self.days):
            raise ValueError("expected warn_percent beside days, warn_before_h beside hours")
        return self


class _Count(_Source):
    id: Annotated[str, Field(pattern=r"^[a-z_]+(\.[a-z_]+)*$")]
    at_least: Annotated[int, Field(ge=1)]
    per: Literal["week", "month", "quarter", "half_year", "year"]


class _Wording(_Part):
    zh: Text
    en: Text


class _Escalation(_Part):
    city_after_days: Annotated[int, Field(ge=0, le=365)]
    province_after_days: Annotated[int, Field(ge=0, le=365)]


class _Pack(_Part):
    version: Literal[1]
    pack: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
    title_zh: Text
    title_en: Text
    regions: tuple[Annotated[str, Field(pattern=r"^[0-9]{2,12}$")], ...] = ()
    deadlines: tuple[_Deadline, ...] = ()
    counts: tuple[_Count, ...] = ()
    legal_basis: dict[Document, _Wording] = Field(default_factory=dict)
    listing: tuple[Literal["county", "city", "province"], ...] | None = None
    escalation: _Escalation | None = None
    quiet_hours: Annotated[int, Field(ge=0, le=720)] | None = None
    back_dated_days: Annotated[int, Field(ge=0, le=3650)] | None = None

    @model_validator(mode="after")
    def _each_once(self) -> "_Pack":
        for what in (self.deadlines, self.counts):
            ids = [str(each.id) for each in what]
            twice = sorted({each for each in ids if ids.count(each) > 1})
            if twice:
                raise ValueError(f"expected every id once, twice are {', '.join(twice)}")
        return self


def _find(name: str, folders: Sequence[Path]) -> Path:
    found = next((folder / f"{name}.yaml" for folder in folders if (folder / f"{name}.yaml").is_file()), None)
    if found is None:
        known = sorted({path.stem for folder in folders for path in folder.glob("*.yaml")})
        raise PackError([f"packs: no rule pack {name!r}; expected one of {', '.join(known)}"])
    return found


def _read(path: Path) -> RulePack:
    try:
        pack = _Pack.model_validate(read_yaml(path))
    except ValidationError as error:
        raise PackError(list(faults_of(path, error))) from error
    if pack.pack != path.stem:
        raise PackError([f"{path}: pack: expected {path.stem!r}, the file's own name; found {pack.pack!r}"])
    return RulePack(
        pack=pack.pack,
        title_zh=pack.title_zh,
        title_en=pack.title_en,
        regions=pack.regions,
        deadlines=tuple(_deadline(pack.pack, each) for each in pack.deadlines),
        counts=tuple(_count(pack.pack, each) for each in pack.counts),
        legal_basis=tuple((kind, Words(words.zh, words.en)) for kind, words in pack.legal_basis.items()),
        listing=None if pack.listing is None else tuple(Level(each) for each in pack.listing),
        escalation=None if pack.escalation is None else Escalation(**pack.escalation.model_dump()),
        quiet_hours=pack.quiet_hours,
        back_dated_days=pack.back_dated_days,
    )


def _deadline(pack: str, rule: _Deadline) -> DeadlineRule:
    return DeadlineRule(
        rule_id=rule.id,
        pack=pack,
        days=rule.days,
        hours=rule.hours,
        warn_percent=tuple(sorted(rule.warn_percent)),
        warn_before_h=tuple(sorted(rule.warn_before_h, reverse=True)),
        rule_zh=rule.rule_zh,
        rule_en=rule.rule_en,
        clause=rule.clause,
        certainty=rule.certainty,
    )


def _count(pack: str, rule: _Count) -> CountRule:
    return CountRule(
        count_id=rule.id,
        pack=pack,
        at_least=rule.at_least,
        per=rule.per,
        rule_zh=rule.rule_zh,
        rule_en=rule.rule_en,
        clause=rule.clause,
        certainty=rule.certainty,
    )
