"""Reads one YAML file so that every key and value still knows its line.

In: a path. Out: a `Document`, whose faults say what could not be read. Knows nothing of what the keys mean.

A configuration file is hostile until read. Size, depth and the number of values are bounded, so neither a deep nest
nor a "billion laughs" costs more than a moment; nothing is ever constructed from a tag.
"""

import contextlib
import re
from functools import lru_cache
from pathlib import Path

import yaml
from yaml.composer import Composer
from yaml.resolver import Resolver

from gateway.settings.document import FULL_WIDTH, WHOLE_FILE, Document, display_name
from gateway.settings.nodes import MAX_DEPTH, MAX_VALUES, TreeBuilder
from gateway.settings.wording import make_fault

MAX_BYTES = 1 << 20
KEPT_CHARACTERS = 1 << 15  # of the shipped files, which are the same at every reload


def read_document(path: Path) -> Document:
    """Read and parse one file. Never raises for what the file holds: `Document.faults` says what is wrong."""
    document = Document(display_name(path))
    content = _read_bytes(path, document)
    text = None if content is None else _decode(content, document)
    if text is not None:
        _parse(text, document)
    document.cut_short = bool(document.faults)
    return document


def _read_bytes(path: Path, document: Document) -> bytes | None:
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a usable file name"
        document.add_at(0, (), "file.unreadable", reason=reason)
        return None
    if len(content) > MAX_BYTES:
        document.add_at(0, (), "file.too_large", limit=MAX_BYTES)
        return None
    return content


def _decode(content: bytes, document: Document) -> str | None:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        document.add_at(line, (), "file.not_utf8", byte=f"0x{content[error.start]:02x}")
        return None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _parse(text: str, document: Document) -> None:
    try:
        root = _compose_once(text) if len(text) <= KEPT_CHARACTERS else _compose(text)
    except yaml.reader.ReaderError as error:
        document.add_at(text.count("\n", 0, error.position) + 1, (), "yaml.character")
    except yaml.MarkedYAMLError as error:
        _note_syntax(document, text, error)
    except (ValueError, OverflowError):  # the scanner's own conversions, such as of the escape "\UFFFFFFFF"
        document.add_at(0, (), "yaml.syntax", problem="a character code that does not exist")
    else:
        if root is None:
            document.add_at(0, (), "file.empty")
        else:
            document.data = TreeBuilder(document).build(root)


class _TooBigError(yaml.MarkedYAMLError):
    """Deeper or longer than any settings file needs."""


class _Bounded(Composer):
    """Composes nodes only; stops at the limits before Python's own stack and the reader's patience would."""

    depth = 0
    nodes = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Compose one value, counting how deep it lies."""
        self.depth += 1
        self.nodes += 1
        try:
            if self.depth > MAX_DEPTH or self.nodes > MAX_VALUES:
                raise _TooBigError(problem_mark=self.peek_event().start_mark)  # type: ignore[attr-defined]
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1


class _Loader(_Bounded, yaml.SafeLoader):
    """The scanner written in Python, of whose words and lines the faults are made."""


if yaml.__with_libyaml__:
    from yaml.cyaml import CParser  # type: ignore[attr-defined]

    class _QuickLoader(_Bounded, CParser, Resolver):
        """The scanner of libyaml: an eighth of the time."""

        def __init__(self, stream: str) -> None:
            CParser.__init__(self, stream)
            Composer.__init__(self)
            Resolver.__init__(self)


@lru_cache(maxsize=64)
def _compose_once(text: str) -> yaml.Node | None:
    """Nodes are only read, so two documents of one text may share them."""
    return _compose(text)


def _compose(text: str) -> yaml.Node | None:
    """What libyaml refuses is read again without it, to say what is wrong."""
    if yaml.__with_libyaml__:
        with contextlib.suppress(yaml.YAMLError, ValueError, OverflowError):
            return _composed(_QuickLoader(text))
    return _composed(_Loader(text))


def _composed(loader: "_Loader | _QuickLoader") -> yaml.Node | None:
    try:
        return loader.get_single_node()
    finally:
        loader.dispose()


def _note_syntax(document: Document, text: str, error: yaml.MarkedYAMLError) -> None:
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 0
    problem = str(error.problem or "")
    params: dict[str, object] = {}
    nearby = "".join(text.splitlines()[max(0, line - 2) : line])
    if isinstance(error, _TooBigError):
        code, params = "yaml.too_big", {"depth": MAX_DEPTH, "values": MAX_VALUES}
    elif "'\\t'" in problem:
        code = "yaml.tab"
    elif FULL_WIDTH.search(nearby):
        code = "yaml.full_width"
    elif "undefined alias" in problem:
        code = "yaml.alias"
    else:
        code, params = "yaml.syntax", {"problem": _without_content(problem)}
    document.faults.append(make_fault(document.file, line, WHOLE_FILE, code, **params))


def _without_content(problem: str) -> str:
    """The parser's words without anything it quotes from the file: that could be a secret."""
    return re.sub(r"'(?!<)[^']{2,}'", "'...'", problem)
