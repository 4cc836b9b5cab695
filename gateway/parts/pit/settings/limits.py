"""Which limit is in force at a pit's monitoring point: the designer's, or the strictest that a code's table gives.

In: a point and its pit as described, and the tables of the site's packs. Out: one limit for the cumulative value, one
for the rate, one for each design value a load is a share of; or the reason why there is none.

The order (GB 50497-2019 8.0.1, V1: the designer sets the values):

    design > maker_manual > site_scheme      what the site's papers say of this very point
    local_code, national_code                the stricter of them (GB 50497-2019 8.0.1; a local code if stricter)
    product_default                          only where there is nothing else

The cumulative limit is the smaller of the absolute value and the share of the depth (V2). Without the depth the
absolute value is only an upper bound: at or above it the point is over its limit, below it nobody knows.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from gateway.parts.pit.model.description import ControlValue, PitDescription, PitPoint
from gateway.parts.pit.model.items import DesignShare, PitStructure
from gateway.parts.pit.settings.limit_tables import Figure, PitCell
from gateway.parts.pit.settings.merged_tables import PitLimitEntry, PitLimitTables
from gateway.settings.schema import Certainty, LimitSource

MM_PER_PCT_OF_M = 10.0  # one per cent of a metre
_OF_THE_SITE = (LimitSource.DESIGN, LimitSource.MAKER_MANUAL, LimitSource.SITE_SCHEME)
_CODES = (LimitSource.LOCAL_CODE, LimitSource.NATIONAL_CODE)
_SURENESS: tuple[Certainty, ...] = ("V1", "V2", "M-H", "M-M", "M-L")


@dataclass(frozen=True, slots=True)
class PitLimit:
    """One limit in force. `exact` False: only an upper bound, because the depth that would make it smaller is not
    known. `origin` is where it is written, `entry` the code's table entry it comes from (None: the site's own)."""

    value: float
    limit_source: LimitSource
    clause: str
    certainty: str
    origin: str
    exact: bool = True
    entry: PitLimitEntry | None = None


@dataclass(frozen=True, slots=True)
class PitLimits:
    """Everything in force at a point. `shares` are per cent of a design value; FY is the lower bound. `strictest`: the
    structure or the grade was not said, so the strictest of the table counts."""

    cumulative: PitLimit | None
    rate: PitLimit | None
    shares: dict[DesignShare, PitLimit]
    strictest: bool

    @property
    def empty(self) -> bool:
        """Nothing can be judged."""
        return self.cumulative is None and self.rate is None and not self.shares


@dataclass(frozen=True, slots=True)
class _Found:
    """A table entry's cell that may apply to a point."""

    entry: PitLimitEntry
    cell: PitCell


def limits_of(pit: PitDescription, point: PitPoint, tables: PitLimitTables, origin: str) -> PitLimits:
    """The limits in force at this point; `origin` says where the site describes it."""
    entries = [entry for entry in tables.limits if _is_for(entry, point)]
    cells = [_Found(entry, cell) for entry in entries for cell in entry.settings.cells(pit.grade)]
    unsaid = point.structure is PitStructure.OTHER and any(entry.settings.structures for entry in entries)
    by_grade = any(found.cell is not found.entry.settings.every_grade for found in cells)
    return PitLimits(
        cumulative=_cumulative(pit, point.control, cells, origin),
        rate=_rate(pit, point.control, cells, tables, origin),
        shares=_shares(point, cells),
        strictest=bool(cells) and (unsaid or (pit.grade is None and by_grade)),
    )


def less_sure(one: str, other: str) -> str:
    """A limit that is a share of a figure is as sure as the less sure of the two; SITE and PD stay what they are."""
    if one not in _SURENESS or other not in _SURENESS:
        return one
    return max(one, other, key=_SURENESS.index)


def _is_for(entry: PitLimitEntry, point: PitPoint) -> bool:
    structures = entry.settings.structures
    named = structures is None or point.structure is PitStructure.OTHER or point.structure in structures
    return entry.settings.item is point.item and named


def _cumulative(
    pit: PitDescription, control: ControlValue | None, cells: Sequence[_Found], origin: str
) -> PitLimit | None:
    own, open_share = _own_cumulative(pit, control, origin)
    if own and not open_share and own[0].limit_source in _OF_THE_SITE:
        return _strictest(own)
    candidates = list(own)
    for found in cells:
        candidates += _of_figure(found, found.cell.cumulative)
        share = found.cell.pct_depth
        if share is not None and pit.design_depth_m is not None:
            candidates += _of_depth(found, share, pit.design_depth_m)
        open_share |= share is not None and pit.design_depth_m is None
    chosen = _strictest(_best_source(candidates))
    return replace(chosen, exact=not open_share) if chosen is not None else None


def _own_cumulative(pit: PitDescription, control: ControlValue | None, origin: str) -> tuple[list[PitLimit], bool]:
    """What the site's papers allow, and whether a share of a depth that nobody has said is among it."""
    if control is None:
        return [], False
    found = [_own(control, control.cumulative, origin, "")] if control.cumulative is not None else []
    share, depth_m = control.cumulative_pct_depth, pit.design_depth_m
    if share is not None and depth_m is not None:
        words = f"; {share:g} % of H = {depth_m:g} m"
        found.append(_own(control, share * depth_m * MM_PER_PCT_OF_M, origin, words))
    return found, share is not None and depth_m is None


def _rate(
    pit: PitDescription, control: ControlValue | None, cells: Sequence[_Found], tables: PitLimitTables, origin: str
) -> PitLimit | None:
    own = [_own(control, control.rate_per_day, origin, "")] if control and control.rate_per_day is not None else []
    if own and own[0].limit_source in _OF_THE_SITE:
        return own[0]
    of_tables = [limit for found in cells for limit in _of_figure(found, found.cell.rate)]
    chosen = _strictest(_best_source([*own, *of_tables]))
    slab = tables.post_slab
    if chosen is None or slab is None or pit.stage.base_slab_cast_ns is None:
        return chosen
    words = f"{chosen.clause}; base slab cast: {100 * slab.ratio:g} % of it, {slab.clause} ({slab.certainty})"
    sure = less_sure(chosen.certainty, slab.certainty)
    return replace(chosen, value=chosen.value * slab.ratio, clause=words, certainty=sure)


def _shares(point: PitPoint, cells: Sequence[_Found]) -> dict[DesignShare, PitLimit]:
    """Limits of a load as per cent of its design values, as far as these are given for the point."""
    shares: dict[DesignShare, PitLimit] = {}
    for share in point.facts.shares:
        figures = [limit for found in cells for limit in _of_figure(found, _share_figure(found.cell, share))]
        best = _best_source(figures)
        chosen = _strictest(best, low=share is DesignShare.FY)
        if chosen is not None and point.control is not None and point.control.design(share) is not None:
            shares[share] = chosen
    return shares


def _share_figure(cell: PitCell, share: DesignShare) -> Figure | None:
    figures = {DesignShare.F1: cell.pct_f1, DesignShare.F2: cell.pct_f2, DesignShare.FY: cell.pct_fy_low}
    return figures[share]


def _own(control: ControlValue, value: float, origin: str, words: str) -> PitLimit:
    return PitLimit(value, LimitSource(control.limit_source), control.clause + words, control.certainty, origin)


def _of_figure(found: _Found, figure: Figure | None) -> list[PitLimit]:
    if figure is None:
        return []
    entry = found.entry
    clause = f"{entry.settings.clause}, {_cell_name(found)}{_range_words(figure)}"
    limit = PitLimit(figure.value, entry.settings.limit_source, clause, figure.certainty, entry.origin, entry=entry)
    return [limit]


def _of_depth(found: _Found, share: Figure, depth_m: float) -> list[PitLimit]:
    return [
        replace(limit, value=share.value * depth_m * MM_PER_PCT_OF_M, clause=f"{limit.clause} % of H = {depth_m:g} m")
        for limit in _of_figure(found, share)
    ]


def _cell_name(found: _Found) -> str:
    settings = found.entry.settings
    grades = ((settings.grade_1, "grade 1"), (settings.grade_2, "grade 2"), (settings.grade_3, "grade 3"))
    name = next((name for cell, name in grades if cell is found.cell), "every grade")
    structures = settings.structures or ()
    shown = ", ".join(structure.value for structure in structures[:2]) + (", ..." if len(structures) > 2 else "")
    return f"{name}, {shown}" if shown else name


def _range_words(figure: Figure) -> str:
    return f": {figure.value:g}" if figure.to is None else f": lower end of {figure.value:g} to {figure.to:g}"


def _best_source(candidates: Sequence[PitLimit]) -> list[PitLimit]:
    """Those that count: the site's papers, else the codes, else the product's own."""
    for sources in (_OF_THE_SITE, _CODES):
        if any(limit.limit_source in sources for limit in candidates):
            return [limit for limit in candidates if limit.limit_source in sources]
    return list(candidates)


def _strictest(candidates: Iterable[PitLimit], *, low: bool = False) -> PitLimit | None:
    ordered = sorted(candidates, key=lambda limit: -limit.value if low else limit.value)
    return ordered[0] if ordered else None
