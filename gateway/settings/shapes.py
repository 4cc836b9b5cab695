"""The schemas of a site file and of a rule pack, with what the kinds of assets bring put in.

In: kinds. Out: `FileShapes`, made once for the same kinds. Knows nothing of files and lines.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import chain
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, Field, create_model, model_validator
from pydantic_core import PydanticCustomError

from gateway.settings.kind import AssetKind, PackTable, Section
from gateway.settings.rule_families import FAMILIES, AnyRule
from gateway.settings.rulepack import RulePack, RulePackPart
from gateway.settings.site_file import AssetSettings, SiteFile

M = TypeVar("M", bound=BaseModel)
Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class FileShapes:
    """`asset`, `site`, `pack`, `part` and `families` are the schemas. `order` is the order of keys that editors show,
    by the name of the schema."""

    kinds: tuple[AssetKind, ...]
    asset: type[AssetSettings]
    site: type[SiteFile]
    pack: type[RulePack]
    part: type[RulePackPart]
    families: Mapping[str, type[AnyRule]]
    order: Mapping[str, tuple[str, ...]]

    @property
    def site_sections(self) -> tuple[Section, ...]:
        """The lists of a site file that kinds bring."""
        return _site_sections(self.kinds)

    @property
    def pack_tables(self) -> tuple[PackTable, ...]:
        """The keys of rule packs that kinds bring."""
        return _pack_tables(self.kinds)

    def kind(self, written: Any) -> str | None:
        """The kind of an asset as written; None when there is none of that name."""
        return next((kind.id for kind in self.kinds if kind.id == written), None)

    def by_hand(self, asset: Mapping[str, Any]) -> bool:
        """Whether people measure this asset, as written."""
        return any(kind.measured_by_hand(asset) for kind in self.kinds)


@lru_cache(maxsize=8)
def shapes_of(kinds: tuple[AssetKind, ...]) -> FileShapes:
    """The schemas for these kinds."""
    words = {kind.id.upper().replace("-", "_"): kind.id for kind in kinds}
    ids: Any = StrEnum("AssetKind", words)  # type: ignore[misc]  # its members are known when it runs
    ids.__doc__ = "What is watched. Rules name the kind they are for."
    sections, lists, tables = _sections(kinds), _site_sections(kinds), _pack_tables(kinds)
    asset: Any = _asset(ids, kinds)
    listed: dict[str, Any] = {
        each.key: (list[each.schema], Field(default_factory=list, description=each.text))  # type: ignore[name-defined]
        for each in lists
    }
    packed = {each.key: (each.annotation, Field(default=each.default, description=each.text)) for each in tables}
    pack, part = _with(RulePack, packed), _with(RulePackPart, packed)
    assets = Annotated[list[asset], Field(min_length=1)]
    site = _with(SiteFile, {"assets": _again(SiteFile, "assets", assets), **listed})
    families = {
        name: _with(family, {"kind": _again(family, "kind", ids | Literal["*"])}) for name, family in FAMILIES.items()
    }
    order = {"AssetSettings": _order(asset, sections), "SiteFile": _order(site, lists)}
    order["RulePackPart"] = _order(part, tables)
    order["RulePack"] = tuple(dict.fromkeys((*order["RulePackPart"], *pack.model_fields)))
    return FileShapes(kinds, asset, site, pack, part, families, order)


def _sections(kinds: Iterable[AssetKind]) -> tuple[Section, ...]:
    return tuple(chain.from_iterable(kind.sections for kind in kinds))


def _site_sections(kinds: Iterable[AssetKind]) -> tuple[Section, ...]:
    return tuple(chain.from_iterable(kind.site_sections for kind in kinds))


def _pack_tables(kinds: Iterable[AssetKind]) -> tuple[PackTable, ...]:
    return tuple(chain.from_iterable(kind.pack_tables for kind in kinds))


def _asset(ids: type[StrEnum], kinds: Iterable[AssetKind]) -> type[AssetSettings]:
    """An asset with every kind's sections, each allowed to its own kind alone."""
    kind_of = {section.key: kind for kind in kinds for section in kind.sections}

    def sections_fit_the_kind(self: AssetSettings) -> AssetSettings:
        for key, kind in kind_of.items():
            if getattr(self, key) is not None and self.kind != kind.id:
                context = {"section": key, "kind": kind.id, "found": str(self.kind)}
                raise PydanticCustomError("asset.section", "a section of another kind", context)
        return self

    fields: dict[str, Any] = {
        each.key: (each.schema | None, Field(default=None, description=each.text)) for each in _sections(kinds)
    }
    fields["kind"] = _again(AssetSettings, "kind", ids)
    return _with(AssetSettings, fields, {"fit": model_validator(mode="after")(sections_fit_the_kind)})


def _with(base: type[M], fields: Fields, validators: Fields | None = None) -> type[M]:
    """The schema with more fields, under its own name."""
    made: type[M] = create_model(
        base.__name__, __base__=base, __doc__=base.__doc__, __validators__=dict(validators or {}), **fields
    )
    return made


def _again(base: type[BaseModel], key: str, annotation: Any) -> tuple[Any, Any]:
    """A field that the base has already, with another annotation."""
    return annotation, Field(description=base.model_fields[key].description)


def _order(model: type[BaseModel], added: Iterable[Section | PackTable]) -> tuple[str, ...]:
    """The keys of a schema, what kinds bring where it belongs."""
    new = list(added)
    keys = [key for key in model.model_fields if key not in {each.key for each in new}]
    for each in new:
        keys.insert(keys.index(each.before) if each.before else len(keys), each.key)
    return tuple(keys)
