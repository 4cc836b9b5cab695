"""From YAML nodes to plain data with places: dict, list, str, int, float, bool, None and nothing else.

In: the composed root node. Out: data, and a `Place` for every value, in the `Document`.

Stricter than YAML libraries where they are treacherous: a repeated key is a fault (they let the last one win), a date
stays text, tags beyond the plain ones are refused. A merge (`<<`) never beats an own key. Aliases are expanded, and
what they expand to is counted.
"""

import re
from collections.abc import Iterator
from typing import Any

import yaml

from gateway.settings.document import Document, KeyPath, Place

MAX_DEPTH = 24
MAX_VALUES = 50_000

_TAG = "tag:yaml.org,2002:"
_TYPED = {_TAG + name for name in ("int", "float", "bool", "null")}
_TEXT = {_TAG + name for name in ("str", "timestamp", "value")}
_BEYOND_PRINT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


class _TooManyError(Exception):
    """Aliases expand to more than any settings file needs."""


class TreeBuilder:
    """Builds the data of one document; what is wrong goes to the document's faults."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._scalars = yaml.constructor.SafeConstructor()
        self._values = 0

    def build(self, root: yaml.Node) -> Any:
        """All data below the root, None in the place of a value with a fault."""
        try:
            return self._build(root, (), root.start_mark.line + 1)
        except _TooManyError:
            self._document.add_at(0, (), "yaml.too_big", depth=MAX_DEPTH, values=MAX_VALUES)
            return None

    def _spend(self, path: KeyPath) -> None:
        self._values += 1
        if self._values > MAX_VALUES or len(path) > MAX_DEPTH:
            raise _TooManyError

    def _build(self, node: yaml.Node, path: KeyPath, key_line: int) -> Any:
        self._spend(path)
        text = node.value if isinstance(node, yaml.ScalarNode) else None
        self._document.places[path] = Place(key_line, node.start_mark.line + 1, text)
        if isinstance(node, yaml.MappingNode) and node.tag == _TAG + "map":
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode) and node.tag == _TAG + "seq":
            return [self._build(item, (*path, i), item.start_mark.line + 1) for i, item in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode) and node.tag in _TEXT | _TYPED:
            return self._scalar(node, path)
        self._document.add(path, "yaml.tag")
        return None

    def _mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key_node, value_node, merged in self._pairs(node, path):
            self._spend(path)
            line = key_node.start_mark.line + 1
            key = self._key(key_node)
            if key is None:
                self._document.add_at(line, path, "yaml.key")
            elif key not in data:
                data[key] = self._build(value_node, (*path, key), line)
            elif not merged:
                first = self._document.key_line((*path, key))
                self._document.add_at(line, (*path, key), "yaml.duplicate_key", first=first)
        return data

    def _pairs(self, node: yaml.MappingNode, path: KeyPath) -> Iterator[tuple[yaml.Node, yaml.Node, bool]]:
        """Own pairs first, then those merged in with `<<` (in `merged` order: the first one wins)."""
        merges: list[yaml.Node] = []
        for key_node, value_node in node.value:
            if key_node.tag == _TAG + "merge":
                merges += value_node.value if isinstance(value_node, yaml.SequenceNode) else [value_node]
            else:
                yield key_node, value_node, False
        for source in merges:
            self._spend(path)
            if isinstance(source, yaml.MappingNode):
                deeper = (*path, "<<")
                self._spend(deeper)
                yield from ((key, value, True) for key, value, _ in self._pairs(source, deeper))
            else:
                self._document.add(path, "yaml.merge")

    def _key(self, node: yaml.Node) -> str | None:
        if not isinstance(node, yaml.ScalarNode) or not node.value or _BEYOND_PRINT.search(node.value):
            return None
        return str(node.value)

    def _scalar(self, node: yaml.ScalarNode, path: KeyPath) -> Any:
        if _BEYOND_PRINT.search(node.value):
            self._document.add(path, "yaml.character")
            return None
        if node.tag in _TEXT:
            return str(node.value)
        try:
            value = self._scalars.construct_object(node)
        except (ValueError, KeyError, OverflowError, IndexError, yaml.YAMLError):
            self._document.add(path, "yaml.scalar")
            return None
        if isinstance(value, int) and abs(value) >= 1 << 63:
            self._document.add(path, "yaml.scalar")
            return None
        return value
