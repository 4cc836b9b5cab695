"""A map's YAML as plain data that still knows its lines.

In: a path. Out: data, the line of every key and value, and faults. A file is hostile until read: size, depth and the
number of values are bounded, a repeated key is a fault, tags construct nothing, dates stay text.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from docking.fault import MapFault, Words
from docking.wording import unreadable

KeyPath = tuple[str | int, ...]
MAX_BYTES: Final = 1 << 19
_MAX_DEPTH: Final = 12
_MAX_VALUES: Final = 20_000
_TAG: Final = "tag:yaml.org,2002:"
_TYPED: Final = frozenset(_TAG + name for name in ("int", "float", "bool", "null"))
_TEXT: Final = frozenset(_TAG + name for name in ("str", "timestamp", "value"))


@dataclass(slots=True)
class MapDocument:
    """One file. `lines` has the line of every value's key (or list item)."""

    file: str
    data: Any = None
    lines: dict[KeyPath, int] = field(default_factory=dict)
    faults: list[MapFault] = field(default_factory=list)

    def line(self, path: KeyPath) -> int:
        """The line of the key; of its nearest parent when it is not there."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def add(self, path: KeyPath, found: Words, expected: Words) -> None:
        """Note a fault at this path."""
        self.faults.append(MapFault(self.file, self.line(path), dotted(path), found, expected))

    def add_line(self, line: int, found: Words, expected: Words) -> None:
        """Note a fault where the file cannot be read as data."""
        self.faults.append(MapFault(self.file, line, "(file)", found, expected))


def dotted(path: KeyPath) -> str:
    """A path as people write it: `("fields", 2, "of")` is `fields[2].of`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text or "(file)"


def read_map(path: Path) -> MapDocument:
    """Read one file. Raises nothing for what it holds: `faults` says what is wrong."""
    document = MapDocument(str(path))
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
        text = content.decode("utf-8-sig") if len(content) <= MAX_BYTES else None
    except OSError as error:
        why = error.strerror or "not readable"
        document.add_line(0, Words(f"no file ({why})", f"没有文件（{why}）"), Words("a map, *.yaml", "映射文件 *.yaml"))
    except UnicodeDecodeError:
        document.add_line(0, Words("bytes that are not UTF-8", "非 UTF-8 字节"), Words("UTF-8", "UTF-8"))
    else:
        if text is None:
            too_large = Words(f"more than {MAX_BYTES} bytes", f"超过 {MAX_BYTES} 字节")
            document.add_line(0, too_large, Words("a smaller file", "更小的文件"))
        else:
            _parse(text, document)
    return document


def _parse(text: str, document: MapDocument) -> None:
    try:
        root = _composed(text)
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 0
        problem = str(getattr(error, "problem", "") or type(error).__name__)
        document.add_line(*unreadable(problem, text.splitlines(), line))
        return
    if root is None:
        document.add_line(0, Words("an empty file", "空文件"), Words("a platform map", "平台映射"))
        return
    document.data = _Builder(document).build(root, (), root.start_mark.line + 1)


def _composed(text: str) -> yaml.Node | None:
    loader = yaml.SafeLoader(text)
    try:
        return loader.get_single_node()
    finally:
        loader.dispose()


class _Builder:
    """Nodes to data."""

    def __init__(self, document: MapDocument) -> None:
        self._document = document
        self._scalars = yaml.constructor.SafeConstructor()
        self._values = 0

    def build(self, node: yaml.Node, path: KeyPath, line: int) -> Any:
        """The value of a YAML node; its line is noted by its path."""
        self._values += 1
        self._document.lines[path] = line
        if self._values > _MAX_VALUES or len(path) > _MAX_DEPTH:
            if self._values <= _MAX_VALUES + 1 or len(path) == _MAX_DEPTH + 1:
                self._document.add(path, Words("too many values", "内容过多"), Words("a smaller map", "更小的映射"))
            return None
        if isinstance(node, yaml.MappingNode) and node.tag == _TAG + "map":
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode) and node.tag == _TAG + "seq":
            return [self.build(item, (*path, i), item.start_mark.line + 1) for i, item in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode) and node.tag in _TEXT:
            return str(node.value)
        if isinstance(node, yaml.ScalarNode) and node.tag in _TYPED:
            return self._typed(node, path)
        self._document.add(path, Words("a tag or a merge", "标签或合并"), Words("plain YAML", "普通 YAML"))
        return None

    def _typed(self, node: yaml.ScalarNode, path: KeyPath) -> Any:
        """A code is written as the platform writes it: 010 would become 8, 10:30 would become 630, `no` false."""
        if _ODD_NUMBER.fullmatch(node.value) or (_is_code(path) and _ODD_TRUTH.fullmatch(node.value)):
            written = Words(f"{node.value} without quotes", f"未加引号的 {node.value}")
            quotes = Words(f'"{node.value}" in quotes', f'加引号："{node.value}"')
            self._document.add(path, written, quotes)
            return node.value
        try:
            return self._scalars.construct_object(node)
        except (ValueError, KeyError, OverflowError, IndexError, yaml.YAMLError):
            self._document.add(path, Words("a value that does not fit its type", "值与其类型不符"), _PLAIN)
            return None

    def _mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key, line = str(key_node.value), key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode) or key_node.tag == _TAG + "merge":
                self._document.add(path, Words("a key that is not plain text", "键不是普通文字"), _PLAIN)
            elif key in data:
                first = self._document.line((*path, key))
                found = Words(f"a key already given on line {first}", f"该键已在第 {first} 行出现")
                place = (self._document.file, line, dotted((*path, key)))
                self._document.faults.append(MapFault(*place, found, Words("each key once", "每个键只出现一次")))
            else:
                data[key] = self.build(value_node, (*path, key), line)
        return data


def _is_code(path: KeyPath) -> bool:
    """Whether a platform's own code or constant stands here."""
    return path[:1] == ("reply",) or "values" in path or path[-1:] in (("constant",), ("missing",))


_ODD_NUMBER: Final = re.compile(r"[-+]?(0[0-9_]+|0[box][0-9a-fA-F_]+|[0-9][0-9_]*(:[0-9.]+)+|[0-9]+_[0-9_.]*)")
_ODD_TRUTH: Final = re.compile(r"yes|no|on|off", re.IGNORECASE)
_PLAIN: Final = Words("a plain text, number, true or false", "普通的文字、数字、true 或 false")
