"""JSON Schema of the configuration files, so that editors complete, explain and underline while one types.

In: what the drivers, the uplinks and the kinds of assets bring. Out: JSON Schema (draft 2020-12) of a site file, of a
rule pack, of a device table. Descriptions are the docstrings of the models. What needs two parts of a file (does this
link exist?) is beyond JSON Schema: `load` says it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from gateway.ports import DriverKind, UplinkKind
from gateway.settings.kind import AssetKind
from gateway.settings.schema import NAME_PATTERN
from gateway.settings.shapes import FileShapes, shapes_of

JsonSchema = dict[str, Any]
_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def site_schema(
    drivers: Mapping[str, DriverKind], uplinks: Mapping[str, UplinkKind], kinds: Sequence[AssetKind]
) -> JsonSchema:
    """Of a site file. A link is told by its `driver`, an uplink by its `kind`, a device by its keys."""
    shapes = shapes_of(tuple(kinds))
    links = [kind.link_settings for kind in drivers.values()]
    devices = [kind.device_settings for kind in drivers.values()]
    receivers = [kind.settings for kind in uplinks.values()]
    root, references, definitions = _schema_of(shapes.site, [*links, *devices, *receivers], shapes)
    properties = root["properties"]
    properties["links"]["items"] = _by_key("driver", dict(zip(drivers, links, strict=True)), references)
    properties["devices"]["items"] = {"anyOf": [references[model] for model in dict.fromkeys(devices)]}
    receivers_by_kind = dict(zip(uplinks, receivers, strict=True))
    for model in receivers:
        _let_name_and_kind_in(definitions[_name_of(references[model])])
    properties["uplinks"]["items"] = _by_key("kind", receivers_by_kind, references, always=("name", "kind"))
    return {"$schema": _DRAFT, **root, "title": "Sitewarden site file", "$defs": definitions}


def rule_pack_schema(kinds: Sequence[AssetKind], *, part: bool = False) -> JsonSchema:
    """Of a rule pack, or of a file beside the `pack.yaml` of a pack that is a folder."""
    shapes = shapes_of(tuple(kinds))
    families = shapes.families
    root, references, definitions = _schema_of(shapes.part if part else shapes.pack, list(families.values()), shapes)
    root["properties"]["rules"]["items"] = _by_key("family", families, references)
    return {"$schema": _DRAFT, **root, "title": "Sitewarden rule pack", "$defs": definitions}


def table_schema(kind: DriverKind) -> JsonSchema:
    """Of a device table for this driver."""
    root, _, definitions = _schema_of(kind.table_settings, [])
    return {"$schema": _DRAFT, **root, "$defs": definitions}


def _schema_of(
    root: type[BaseModel], others: list[type[BaseModel]], shapes: FileShapes | None = None
) -> tuple[JsonSchema, dict[type[BaseModel], JsonSchema], JsonSchema]:
    """The root's own schema, references to the others, and the definitions that all of them share."""
    mode: JsonSchemaMode = "validation"
    wanted = list(dict.fromkeys([root, *others]))
    references, shared = models_json_schema([(model, mode) for model in wanted], ref_template="#/$defs/{model}")
    definitions = shared["$defs"]
    for name, keys in shapes.order.items() if shapes else ():
        if name in definitions:
            properties = definitions[name]["properties"]
            definitions[name]["properties"] = {key: properties[key] for key in keys}
    own = definitions[_name_of(references[(root, mode)])]
    return dict(own), {model: references[(model, mode)] for model in others}, definitions


def _name_of(reference: JsonSchema) -> str:
    return str(reference["$ref"]).rpartition("/")[2]


def _let_name_and_kind_in(definition: JsonSchema) -> None:
    """An uplink's schema need not have the two keys that every uplink has: the site file checks them."""
    definition["properties"].setdefault("name", {"type": "string", "pattern": NAME_PATTERN})
    definition["properties"].setdefault("kind", {"type": "string"})


def _by_key(
    key: str,
    models: Mapping[str, type[BaseModel]],
    references: Mapping[type[BaseModel], JsonSchema],
    always: tuple[str, ...] = (),
) -> JsonSchema:
    """A choice by the value of one key, as if-then pairs: an editor then explains the branch that was meant."""
    branches = [
        {
            "if": {"properties": {key: {"const": value}}, "required": [key]},
            "then": references[model],
        }
        for value, model in models.items()
    ]
    choice = {key: {"enum": list(models), "description": f"Chooses the other keys: {', '.join(models)}."}}
    return {"type": "object", "properties": choice, "required": sorted({key, *always}), "allOf": branches}
