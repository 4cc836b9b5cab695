"""What one day of alarms comes to, for one project: counted from its alarms, one row an activation. Pure.

A box begins a new alarm, with a new id, each time a rule is broken anew; so an alarm's row is one activation of its
**tag** (a rule at a subject of a box). Recorded-only alarms (`log`) ask nobody for anything and are not counted.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS
TEN_MINUTES_NS = 10 * MINUTE_NS
FLOOD_ABOVE = 10
BURST, BURST_NS = 3, MINUTE_NS
FLEETING_NS = MINUTE_NS
P1_DUE_NS = 2 * MINUTE_NS
COUNTED = ("P1", "P2", "P3")
LOOK_BACK_NS = TEN_MINUTES_NS
"""How far before its first moment a day's alarms have to be read: a peak may have begun the evening before."""


@dataclass(frozen=True, slots=True)
class Activation:
    """One alarm. Times UTC ns, 0: not yet. `prompt`: it was not sent late, so its arrival tells how long it took."""

    box_id: str
    tag: str
    severity: str
    raised_at_ns: int
    acknowledged_at_ns: int = 0
    returned_at_ns: int = 0
    accepted_at_ns: int = 0
    prompt: bool = True


@dataclass(frozen=True, slots=True)
class AlarmDay:
    """`peak`: most of one box in any ten minutes that end this day. `flood_windows`: of one box and the clock, with
    more than ten. `late_p1`: not acknowledged two minutes after they were raised. `tags`: activations and bursts.
    `delays`: how often, by (what, priority, ms rounded up)."""

    raised: Counter[str]
    waiting: Counter[str]
    peak: int
    flood_windows: int
    busy_windows: int
    fleeting: int
    late_p1: int
    tags: dict[str, tuple[int, int]]
    delays: Counter[tuple[str, str, int]] = field(default_factory=Counter)


def alarm_day(rows: Iterable[Activation], start_ns: int, end_ns: int) -> AlarmDay:
    """The day [start_ns, end_ns) from its activations and those of the ten minutes before it."""
    counted = sorted((row for row in rows if row.severity in COUNTED), key=lambda row: row.raised_at_ns)
    today = [row for row in counted if start_ns <= row.raised_at_ns < end_ns]
    by_box, by_tag = _times(counted, by_tag=False), _times(counted, by_tag=True)
    windows = Counter((row.box_id, row.raised_at_ns // TEN_MINUTES_NS) for row in today)
    return AlarmDay(
        raised=Counter(row.severity for row in today),
        waiting=Counter(row.severity for row in today if not _acknowledged(row)),
        peak=max((most_within(times, TEN_MINUTES_NS, start_ns) for times in by_box.values()), default=0),
        flood_windows=sum(count > FLOOD_ABOVE for count in windows.values()),
        busy_windows=len(windows),
        fleeting=sum(_is_fleeting(row) for row in today),
        late_p1=sum(row.severity == "P1" and not _in_time(row) for row in today),
        tags=_tags(by_tag, start_ns),
        delays=_delays(today),
    )


def most_within(times: Sequence[int], span_ns: int, from_ns: int) -> int:
    """The most moments in any half-open span that ends with one at or after `from_ns`; `times` rise."""
    most, first = 0, 0
    for place, at_ns in enumerate(times):
        while times[first] <= at_ns - span_ns:
            first += 1
        if at_ns >= from_ns:
            most = max(most, place - first + 1)
    return most


def bursts(times: Sequence[int], from_ns: int) -> int:
    """How often three or more moments came within sixty seconds, counted where the third comes; what goes on without a
    break is one burst. `times` rise; only bursts whose third moment is at or after `from_ns` count."""
    count, inside = 0, False
    for place in range(BURST - 1, len(times)):
        dense = times[place] - times[place - BURST + 1] < BURST_NS
        if dense and not inside and times[place] >= from_ns:
            count += 1
        inside = dense
    return count


def rounded_up_ms(span_ns: int) -> int:
    """A span for counting: up to the next 10 ms below ten seconds, second below an hour, minute above. Not below 0."""
    span_ms = max(0, -(-span_ns // 1_000_000))
    step = 10 if span_ms <= 10_000 else 1_000 if span_ms <= 3_600_000 else 60_000
    return -(-span_ms // step) * step


def _times(rows: Iterable[Activation], *, by_tag: bool) -> dict[str, list[int]]:
    found = defaultdict(list)
    for row in rows:
        found[f"{row.box_id}\n{row.tag}" if by_tag else row.box_id].append(row.raised_at_ns)
    return found


def _tags(by_tag: dict[str, list[int]], start_ns: int) -> dict[str, tuple[int, int]]:
    counted = {tag: (sum(at >= start_ns for at in times), bursts(times, start_ns)) for tag, times in by_tag.items()}
    return {tag: counts for tag, counts in counted.items() if counts[0]}


def _acknowledged(row: Activation) -> bool:
    return row.acknowledged_at_ns >= row.raised_at_ns > 0


def _returned(row: Activation) -> bool:
    return row.returned_at_ns >= row.raised_at_ns > 0


def _in_time(row: Activation) -> bool:
    return _acknowledged(row) and row.acknowledged_at_ns - row.raised_at_ns <= P1_DUE_NS


def _is_fleeting(row: Activation) -> bool:
    """Gone within a minute, and nobody had acknowledged it before it went."""
    quick = _returned(row) and row.returned_at_ns - row.raised_at_ns < FLEETING_NS
    return quick and not (_acknowledged(row) and row.acknowledged_at_ns <= row.returned_at_ns)


def _delays(rows: Iterable[Activation]) -> Counter[tuple[str, str, int]]:
    found: Counter[tuple[str, str, int]] = Counter()
    for row in rows:
        if _acknowledged(row):
            found["acknowledge", row.severity, rounded_up_ms(row.acknowledged_at_ns - row.raised_at_ns)] += 1
        if _returned(row):
            found["active", row.severity, rounded_up_ms(row.returned_at_ns - row.raised_at_ns)] += 1
        if row.prompt and row.accepted_at_ns:
            found["arrival", row.severity, rounded_up_ms(row.accepted_at_ns - row.raised_at_ns)] += 1
    return found
