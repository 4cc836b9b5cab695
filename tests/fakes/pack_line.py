"""Rules of the shipped packs on points of a test's own, and the judging line of a gateway without its stores."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gateway.alarms import AlarmTable
from gateway.model.alarm import Transition, TransitionKind
from gateway.model.quantity import Point, PointTable
from gateway.model.reading import Quality, RawBlock, Readings
from gateway.model.rule import ResolvedRule
from gateway.model.verdict import Truth, Verdicts
from gateway.parts.pit.model.description import PitDescription
from gateway.parts.pit.settings.limit_rows import DescribedPit, PitRows
from gateway.rules.table import RuleTable
from gateway.rules.window import Window
from gateway.settings.binding import Field
from gateway.settings.document import Document
from gateway.settings.library import Library, config_root, parts_of
from gateway.settings.pack_reading import read_pack
from gateway.settings.resolving import Resolver
from gateway.settings.rulepack import Packs
from gateway.settings.shapes import shapes_of
from gateway.settings.site_reading import read_site
from gateway.settings.source import read_document
from sitewarden.composition.kinds import KINDS

START_NS = 1_700_000_000_000_000_000
ASSET = "a"
SHAPES = shapes_of(tuple(KINDS))
ANSWERED = RawBlock(payload=b"case")


def packs_of(*names: str) -> Packs:
    """Shipped packs, merged in this order. Fails when one of them has a fault."""
    library, packs = Library((config_root(),)), Packs()
    for name in names:
        found = library.find("rules", name)
        assert found is not None, name
        documents = {part: read_document(part) for part in parts_of(found)}
        read_pack(documents, packs, SHAPES)
        assert [fault for document in documents.values() for fault in document.faults] == []
    return packs


@lru_cache(maxsize=4)
def shipped(*names: str) -> Packs:
    """The same, read once. Not to be changed."""
    return packs_of(*names)


def point(key: str, unit: str = "", device: str = "device", item: str = "", stale_after_s: float = 30.0) -> Point:
    return Point(f"{ASSET}.{key}", ASSET, key, unit, device, "测点", "Point", stale_after_s=stale_after_s, item=item)


def resolved(
    packs: Packs,
    kind: str,
    points: Sequence[Point],
    pits: Sequence[PitDescription] = (),
    overrides: Sequence[Mapping[str, object]] = (),
) -> tuple[tuple[ResolvedRule, ...], Document]:
    """The rows of one asset of this kind with these points; the site's document holds faults and warnings."""
    asset = {"id": ASSET, "kind": kind, "serial": "1", "title_zh": "案例", "title_en": "Case"}
    document = Document("site.yaml", {"assets": [asset], "rule_overrides": list(overrides)})
    site = read_site(document, SHAPES)
    document.faults.clear()
    field = Field((), PointTable(tuple(points)), (), {"device": ASSET}, frozenset({"device"}))
    described = [DescribedPit(("assets", 0, "pit"), pit) for pit in pits]
    made = PitRows(document, packs, field.points).of(described)
    rows = Resolver(document, site, packs, field, made, [pit.asset for pit in pits]).resolve()
    return rows, document


class JudgingLine:
    """Samples and ticks go in; alarms, and what row 0 says, come out. Times are seconds after the start."""

    def __init__(self, points: Sequence[Point], rules: Sequence[ResolvedRule]) -> None:
        self.points = PointTable(tuple(points))
        self._rules = RuleTable(rules)
        self._alarms = AlarmTable("case-box", rules)
        self._window = Window(self.points, 0)
        self.transitions: list[Transition] = []
        self._layouts: dict[tuple[str, ...], NDArray[np.int32]] = {}

    @property
    def truth(self) -> Truth:
        return Truth(self._alarms.truth[0])

    @property
    def active(self) -> bool:
        return any(alarm.active for alarm in self._alarms.open_alarms())

    def raised_s(self) -> list[float]:
        raised = [each for each in self.transitions if each.kind is TransitionKind.RAISED]
        return [round((each.at_ns - START_NS) / 1e9, 6) for each in raised]

    def poll(self, at_s: float, levels: Mapping[str, float], bad: Sequence[str] = ()) -> None:
        """One poll that brings these points; what is in `bad` comes without a usable value."""
        now_ns = START_NS + round(at_s * 1e9)
        index = self._layout(tuple(levels))
        value = np.array([np.nan if key in bad else level for key, level in levels.items()])
        quality = np.array([Quality.BAD if key in bad else Quality.GOOD for key in levels], dtype=np.uint8)
        self._take(Readings("device", index, value, quality, now_ns, now_ns, ANSWERED), at_s)

    def fail(self, at_s: float) -> None:
        """A poll that the device did not answer."""
        index = self._layout(tuple(each.quantity for each in self.points.points))
        self._take(Readings.unreadable("device", index, START_NS + round(at_s * 1e9)), at_s)

    def tick(self, at_s: float) -> None:
        for verdicts in self._rules.on_tick(self._window, round(at_s * 1e9), START_NS + round(at_s * 1e9)):
            self._step(verdicts)

    def _take(self, readings: Readings, at_s: float) -> None:
        if self._window.remember(readings, round(at_s * 1e9)):
            self._step(self._rules.on_readings(readings))

    def _step(self, verdicts: Verdicts) -> None:
        self.transitions += self._alarms.step(verdicts)

    def _layout(self, keys: tuple[str, ...]) -> NDArray[np.int32]:
        index = [self.points.index_of[f"{ASSET}.{key}"] for key in keys]
        return self._layouts.setdefault(keys, np.array(index, dtype=np.int32))
