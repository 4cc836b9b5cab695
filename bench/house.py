"""Is the house in order? Prints what `make check` holds of the code as a whole, one line a measure: figure and bound.

    python -m bench.house [CHECKOUT]      exit status 1 when a bound is broken; what breaks it is listed below its line

In: a checkout. Its packages are those that `pyproject.toml` names for import-linter. Nothing is imported, only parsed.
"""

import ast
import re
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, TypeVar

COMPOSITION: Final = "sitewarden/composition/box.py"
# A migration is kept as it was run: splitting it would rewrite what desks in the field already did.
FROZEN: Final = "regulator/base/records/migrations/versions/"
SPEED: Final = re.compile(r"\w*(wind|gust|speed|veloc|mean)\w*_ms")
# A point's key is data, its unit stands beside it: history, series databases, device tables and packs have it so.
# A record whose fields are points by name, such as `CraneReadings`, calls them so too.
POINT_KEY: Final = re.compile(r"wind_ms|wind_3s_ms")
PAGE: Final = re.compile(r"(^|/)(web|pages)/|_(page|pages|routes)\.py$")
# What a float's name ends in: its unit, or what a number without a unit is. `_d` is days, `_mm_d` millimetres a day.
UNITS: Final = re.compile(
    r"(.*_)?(s|ms|ns|seconds|minutes|h|hours|d|days|m|mm|km|px|pt|metres|deg|rad|degc|pct|permille|hz|fps|kn|t|gib"
    r"|share|ratio|scale|score|iou|level|sigmas)"
)
# A number in the unit of the point, the rule or the column that comes with it: no one unit could be written behind it.
ANY_UNIT: Final = re.compile(r"(.*_)?(value|measured|limit|low|high)")
Node = TypeVar("Node", bound=ast.expr | ast.stmt | ast.arg | ast.excepthandler)


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure against its bound: at most, or at least where `at_least`. `found` says where to look."""

    name: str
    figure: float
    bound: float
    unit: str = ""
    at_least: bool = False
    found: Sequence[str] = ()

    @property
    def holds(self) -> bool:
        """Is the figure on the right side of its bound?"""
        return self.figure >= self.bound if self.at_least else self.figure <= self.bound

    def line(self) -> str:
        """As it is printed."""
        figure = f"{self.figure:.1f}" if self.unit else f"{self.figure:.0f}"
        bound = f"{'>=' if self.at_least else '<='} {self.bound:.0f}{self.unit}"
        return f"{'ok  ' if self.holds else 'FAIL'}  {self.name:<56}{figure:>6}{self.unit:<2}  {bound}"


class House:
    """The modules of a checkout, parsed once. Keys are paths as git writes them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.linter: Mapping[str, Any] = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["importlinter"]
        self.packages: Sequence[str] = self.linter["root_packages"]
        paths = sorted(path for name in self.packages for path in (root / name).rglob("*.py"))
        self.texts = {path.relative_to(root).as_posix(): path.read_text() for path in paths}
        self.sizes = {path: text.count("\n") for path, text in self.texts.items()}
        self.nodes = {path: tuple(ast.walk(ast.parse(text))) for path, text in self.texts.items()}

    def each(self, kind: type[Node]) -> Iterator[tuple[str, Node]]:
        """Nodes of this kind, each with its place: `path:line`."""
        for path, nodes in self.nodes.items():
            yield from ((f"{path}:{node.lineno}", node) for node in nodes if isinstance(node, kind))

    @cached_property
    def imports(self) -> Sequence[tuple[str, str]]:
        """Each import of one folder's module from another folder, as dotted folder names."""
        modules = {_dotted(path): _folder(path) for path in self.texts}
        pairs = (
            (_folder(path), modules.get(name) or modules.get(name.rpartition(".")[0]))
            for path, nodes in self.nodes.items()
            for name in _imported(nodes)
        )
        return [(here, there) for here, there in pairs if there and here != there]


def main() -> int:
    """0 when every bound holds."""
    measures = measured(House(Path(sys.argv[1] if len(sys.argv) > 1 else ".")))
    for measure in measures:
        print(measure.line())
        for found in () if measure.holds else measure.found:
            print(f"          {found}")
    return 0 if all(measure.holds for measure in measures) else 1


def measured(house: House) -> Sequence[Measure]:
    """Every measure of the house, in the order in which they are printed."""
    return [measure(house) for measure in MEASURES]


def _circles(house: House) -> Measure:
    """Folders that import each other in a ring: folder against folder, and at each level child against child."""
    parents = {""} | {here[: at.start()] for here, _ in house.imports for at in re.finditer(r"\.|$", here)}
    found = [" <-> ".join(ring) for ring in _rings(house.imports)]
    for parent in sorted(parents):
        inside = re.compile(rf"{re.escape(parent)}\.([^.]+)" if parent else r"([^.]+)")
        pairs = [(inside.match(here), inside.match(there)) for here, there in house.imports]
        siblings = [(a[1], b[1]) for a, b in pairs if a and b and a[1] != b[1]]
        found += [f"in {parent or '/'}: {' <-> '.join(ring)}" for ring in _rings(siblings)]
    return Measure("folder circles", len(found), 0, found=found)


def _rings(pairs: Iterable[tuple[str, str]]) -> Sequence[Sequence[str]]:
    ways: dict[str, set[str]] = {}
    for here, there in pairs:
        ways.setdefault(here, set()).add(there)
    reached = {here: _reached(ways, here) for here in ways}
    rings = {tuple(sorted(b for b in reached[a] if a in reached.get(b, ()))) for a in ways}
    return sorted(ring for ring in rings if ring)


def _reached(ways: Mapping[str, set[str]], start: str) -> set[str]:
    reached: set[str] = set()
    ahead = [start]
    while ahead:
        new = ways.get(ahead.pop(), set()) - reached
        reached |= new
        ahead += new
    return reached


def _loose(house: House) -> Measure:
    found = sorted(path for path in house.texts if re.fullmatch(r"gateway/[^/]+", path))
    return Measure("loose files in gateway/", len(found), 8, found=found)


def _composition(house: House) -> Measure:
    return Measure(f"lines of {COMPOSITION}", house.sizes.get(COMPOSITION, float("inf")), 250)


def _largest(house: House) -> Measure:
    sizes = {path: size for path, size in house.sizes.items() if not path.startswith(FROZEN)}
    large = sorted((size, path) for path, size in sizes.items() if size > 500)
    return Measure("lines of the largest module", max(sizes.values()), 500, found=[f"{a} {b}" for a, b in large])


def _excepts(house: House) -> Measure:
    handlers = [(_broad(node.type), place) for place, node in house.each(ast.ExceptHandler)]
    found = [place for broad, place in handlers if broad]
    return Measure("catch-all excepts of all excepts", _share(len(found), len(handlers)), 3, " %", found=found)


def _broad(caught: ast.expr | None) -> bool:
    names = {node.id for node in ast.walk(caught) if isinstance(node, ast.Name)} if caught else {"Exception"}
    return bool(names & {"Exception", "BaseException"})


def _documented(house: House) -> Measure:
    texts = _docstrings(house)
    found = [place for place, text in texts.items() if not text]
    return Measure("public definitions with a docstring", 100 - _share(len(found), len(texts)), 95, " %", True, found)


def _brief(house: House) -> Measure:
    texts = {place: text for place, text in _docstrings(house).items() if text}
    found = [f"{place}: {text}" for place, text in texts.items() if len(text.split()) < 6]
    return Measure("docstrings under six words", _share(len(found), len(texts)), 8, " %", found=found)


def _docstrings(house: House) -> Mapping[str, str]:
    """Of every function and class whose name begins with no underscore, wherever it stands."""
    return {
        f"{place} {node.name}": ast.get_docstring(node) or ""
        for place, node in house.each(ast.stmt)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith("_")
    }


def _floats(house: House) -> Measure:
    names = {
        f"{place} {argument.arg}": argument.arg
        for place, argument in house.each(ast.arg)
        if argument.annotation and re.fullmatch(r"float( \| None)?", ast.unparse(argument.annotation))
        if not ANY_UNIT.fullmatch(argument.arg)
    }
    found = [place for place, name in names.items() if not UNITS.fullmatch(name)]
    share = 100 - _share(len(found), len(names))
    return Measure("float parameters with a unit in the name", share, 80, " %", True, found)


def _milliseconds(house: House) -> Measure:
    """Parameters, fields, variables and attributes of a speed that end in `_ms`; settings keys are fields."""
    found = [
        f"{place} {name}"
        for kind, attribute in ((ast.arg, "arg"), (ast.Name, "id"), (ast.Attribute, "attr"))
        for place, node in house.each(kind)
        if SPEED.fullmatch(name := getattr(node, attribute)) and (kind is ast.arg or not POINT_KEY.fullmatch(name))
    ]
    return Measure("names in _ms that are metres per second", len(found), 0, found=found)


def _layers(house: House) -> Measure:
    """Packages whose children stand in no exhaustive list of layers."""
    held = {
        name
        for contract in house.linter["contracts"]
        if contract["type"] == "layers" and contract.get("exhaustive")
        for name in contract.get("containers", ())
    }
    found = sorted({*house.packages} - held)
    return Measure("packages without exhaustive import layers", len(found), 0, found=found)


def _jobs(house: House) -> Measure:
    """Modules of pages that make a job or hand one to a supervisor."""
    found = [
        f"{place} {ast.unparse(node)[:60]}"
        for place, node in house.each(ast.Call)
        if PAGE.search(place.partition(":")[0]) and re.search(r"(^|\W)(Job|supervisor\.start)$", ast.unparse(node.func))
    ]
    return Measure("jobs registered by pages", len(found), 0, found=found)


MEASURES: Final[Sequence[Callable[[House], Measure]]] = (
    _circles, _loose, _composition, _largest, _excepts, _documented, _brief, _floats, _milliseconds, _layers, _jobs,
)  # fmt: skip


def _imported(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _dotted(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _folder(path: str) -> str:
    return path.rpartition("/")[0].replace("/", ".")


def _share(part: int, whole: int) -> float:
    return 100 * part / max(whole, 1)


if __name__ == "__main__":
    sys.exit(main())
