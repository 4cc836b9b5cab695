"""What the edge check has learnt and confirmed, as bytes for a file: so that a restart goes on where it ended.

One line of JSON, then plain arrays in the order that it names, little-endian:

    {"format": 5, "camera": ..., "survey": 3, "reference_sha256": ..., "night_sha256": ..., "model": ...,
     "kept_at_ns": ..., "sha256": (of all that follows the line), "edges": [...], "places": [...], "presences": [...]}
    for each edge: its columns, then what was learnt by day and, where there is a reference by night, by night: looks
    (float16 gradient 2 x, tint 2 x, level 1 x rows x columns each), then the light (float32)

Nothing in it is executed or believed unseen: every length, number and index is checked before anything is taken up.
Knows no file and no clock.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vision.edges.appearance import MOST_KEPT
from vision.edges.evidence import Columns
from vision.edges.learnt import LearntState
from vision.edges.light import ROWS, LightState
from vision.edges.people import Presence
from vision.edges.places import PLACES, Place, Stretch
from vision.edges.settings import EdgeSettings
from vision.edges.structure import Look

FORMAT: Final = 5
SECOND: Final = 1_000_000_000
MOST_BYTES: Final = 48 * 2**20
Nanoseconds = Annotated[int, Field(ge=-(2**62), le=2**62)]


class EdgeStateError(ValueError):
    """A kept state that is not taken up. Says what was found and what was expected."""


@dataclass(frozen=True, slots=True)
class Belonging:
    """Whose state it is: it is of no use to another drawing, another reference picture or another model.
    `night_sha256` is empty where there is no reference by night."""

    camera: str
    survey: int
    reference_sha256: str
    night_sha256: str
    model: str


@dataclass(frozen=True, slots=True, eq=False)
class KeptEdge:
    """One edge: its columns, and what was learnt by day and, where there is a reference by night, by night."""

    edge_id: str
    columns: Columns
    by_day: LearntState
    by_night: LearntState | None


@dataclass(frozen=True, slots=True, eq=False)
class KeptState:
    """All that is kept of one camera's edges between starts."""

    edges: Sequence[KeptEdge]
    places: Sequence[Place]
    presences: Sequence[Presence]


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _Edge(_Row):
    edge_id: str
    rows: Annotated[int, Field(ge=1, le=200)]
    columns: Annotated[int, Field(ge=1, le=2000)]
    looks: Annotated[int, Field(ge=1, le=MOST_KEPT + 1)]
    night_looks: Annotated[int, Field(ge=0, le=MOST_KEPT + 1)]

    @property
    def look_bytes(self) -> int:
        """How many bytes the looks of this edge take."""
        return self.rows * self.columns * 5 * 2

    @property
    def bands(self) -> int:
        """How many bands of light the edge has."""
        return -(-self.rows // ROWS)

    @property
    def light_bytes(self) -> int:
        """How many bytes the memory of light takes."""
        return self.columns * (4 * self.bands + 4) * 4

    @property
    def columns_bytes(self) -> int:
        """How many bytes the columns of the edge take."""
        return self.columns * (2 + 6 * 8)

    def learnt_bytes(self, looks: int) -> int:
        """How many bytes what was learnt takes."""
        return looks * self.look_bytes + self.light_bytes if looks else 0

    @property
    def whole_bytes(self) -> int:
        """How many bytes the edge takes in the file."""
        return self.columns_bytes + self.learnt_bytes(self.looks) + self.learnt_bytes(self.night_looks)


class _Place(_Row):
    stretch: tuple[int, int, int] | None
    is_open: bool
    since_ns: Nanoseconds
    cleared_ns: Nanoseconds


class _Presence(_Row):
    is_there: bool
    since_ns: Nanoseconds
    seen_ns: Nanoseconds
    first_ns: Nanoseconds
    box_px: tuple[float, float, float, float] | None


class _Head(_Row):
    format: Literal[5]
    camera: str
    survey: int
    reference_sha256: str
    night_sha256: str
    model: str
    kept_at_ns: Nanoseconds
    sha256: str
    edges: Annotated[tuple[_Edge, ...], Field(max_length=32)]
    places: Annotated[tuple[_Place, ...], Field(min_length=PLACES, max_length=PLACES)]
    presences: Annotated[tuple[_Presence, ...], Field(min_length=PLACES, max_length=PLACES)]


def packed_state(whose: Belonging, state: KeptState, now_ns: int) -> bytes:
    """The bytes of a state."""
    body = b"".join(_edge_bytes(edge) for edge in state.edges)
    head = _Head(
        format=FORMAT,
        camera=whose.camera,
        survey=whose.survey,
        reference_sha256=whose.reference_sha256,
        night_sha256=whose.night_sha256,
        model=whose.model,
        kept_at_ns=now_ns,
        sha256=hashlib.sha256(body).hexdigest(),
        edges=tuple(_edge_row(edge) for edge in state.edges),
        places=tuple(_place_row(place) for place in state.places),
        presences=tuple(_presence_row(presence) for presence in state.presences),
    )
    return head.model_dump_json().encode() + b"\n" + body


def read_state(kept: bytes, whose: Belonging, settings: EdgeSettings, now_ns: int, oldest_s: float) -> KeptState:
    """The state out of its bytes. Raises EdgeStateError for a spoilt one, one of another survey, reference or model,
    one older than `oldest_s` and one from the future."""
    line, _, body = kept[:MOST_BYTES].partition(b"\n")
    try:
        head = _Head.model_validate_json(line)
    except ValidationError as error:
        first = error.errors()[0]
        raise EdgeStateError(f"{'.'.join(map(str, first['loc'])) or 'first line'}: {first['msg']}") from None
    _check_whose(head, whose)
    age_s = (now_ns - head.kept_at_ns) / SECOND
    if not 0 <= age_s <= oldest_s:
        raise EdgeStateError(f"kept {age_s:.0f} s ago, expected 0 to {oldest_s:.0f} s")
    wanted = sum(edge.whole_bytes for edge in head.edges)
    if len(body) != wanted or hashlib.sha256(body).hexdigest() != head.sha256:
        raise EdgeStateError(f"found {len(body)} bytes after the first line, expected {wanted} of the digest it names")
    edges, at = [], 0
    for row in head.edges:
        edges.append(_edge(row, body[at : at + row.whole_bytes], settings))
        at += row.whole_bytes
    places = [_place(number + 1, row, head.edges) for number, row in enumerate(head.places)]
    presences = [
        Presence(row.is_there, False, row.since_ns, row.seen_ns, row.first_ns, row.box_px) for row in head.presences
    ]
    return KeptState(edges, places, presences)


def _check_whose(head: _Head, whose: Belonging) -> None:
    for name in ("camera", "survey", "reference_sha256", "night_sha256", "model"):
        found, expected = getattr(head, name), getattr(whose, name)
        if found != expected:
            raise EdgeStateError(f"{name}: found {found!r}, expected {expected!r}")


def _edge_row(edge: KeptEdge) -> _Edge:
    rows, columns = edge.by_day.looks[0].level.shape
    by_night = 0 if edge.by_night is None else len(edge.by_night.looks)
    return _Edge(edge_id=edge.edge_id, rows=rows, columns=columns, looks=len(edge.by_day.looks), night_looks=by_night)


def _edge_bytes(edge: KeptEdge) -> bytes:
    columns = edge.columns
    marks = [part.astype("u1").tobytes() for part in (columns.is_open, columns.is_known)]
    longs = [part.astype("<i8").tobytes() for part in _longs(columns)]
    learnt = [_learnt_bytes(one) for one in (edge.by_day, edge.by_night) if one is not None]
    return b"".join(marks + longs + learnt)


def _learnt_bytes(learnt: LearntState) -> bytes:
    looks = [part.astype("<f2").tobytes() for look in learnt.looks for part in (look.gradient, look.tint, look.level)]
    return b"".join(looks + [part.astype("<f4").tobytes() for part in (learnt.light.bands, learnt.light.columns)])


def _longs(columns: Columns) -> tuple[NDArray[np.int64], ...]:
    cases = (columns.for_open, columns.for_ok)
    return (columns.judged_ns, columns.since_ns, *(part for case in cases for part in (case.frames, case.since_ns)))


def _edge(row: _Edge, body: bytes, settings: EdgeSettings) -> KeptEdge:
    by_night_at = row.columns_bytes + row.learnt_bytes(row.looks)
    rest = np.frombuffer(body[: row.columns_bytes], np.uint8)
    marks, longs = rest[: 2 * row.columns].reshape(2, -1), rest[2 * row.columns :].view("<i8").reshape(6, -1)
    if marks.max() > 1 or (longs[[2, 4]] < 0).any():
        raise EdgeStateError(f"{row.edge_id}: columns that cannot be, expected 0 or 1 and counts from 0")
    columns = Columns(row.columns, settings)
    columns.is_open, columns.is_known = marks.astype(bool)
    columns.judged_ns, columns.since_ns = longs[0].astype(np.int64), longs[1].astype(np.int64)
    for case, first in ((columns.for_open, 2), (columns.for_ok, 4)):
        case.frames, case.since_ns = longs[first].astype(np.int64), longs[first + 1].astype(np.int64)
    by_day = _learnt(row, row.looks, body[row.columns_bytes : by_night_at])
    by_night = _learnt(row, row.night_looks, body[by_night_at:]) if row.night_looks else None
    return KeptEdge(row.edge_id, columns, by_day, by_night)


def _learnt(row: _Edge, looks: int, body: bytes) -> LearntState:
    found = [_look(row, body[n * row.look_bytes : (n + 1) * row.look_bytes]) for n in range(looks)]
    return LearntState(found, _light(row, body[looks * row.look_bytes :]))


def _light(row: _Edge, body: bytes) -> LightState:
    values = np.frombuffer(body, "<f4").astype(np.float32)
    if not np.isfinite(values).all():
        raise EdgeStateError(f"{row.edge_id}: a light with values that are not numbers, expected finite numbers")
    bands, columns = np.split(values, [4 * row.bands * row.columns])
    return LightState(bands.reshape(4, row.bands, row.columns), columns.reshape(4, row.columns))


def _look(row: _Edge, body: bytes) -> Look:
    values = np.frombuffer(body, "<f2").astype(np.float32).reshape(5, row.rows, row.columns)
    if not np.isfinite(values).all():
        raise EdgeStateError(f"{row.edge_id}: a look with values that are not numbers, expected finite numbers")
    flat = np.zeros((row.rows, row.columns), np.float32)
    return Look(values[:2].copy(), values[4].copy(), flat, flat + 1, values[2:4].copy())


def _place_row(place: Place) -> _Place:
    at = place.stretch
    stretch = None if at is None else (at.edge, at.first, at.last)
    return _Place(stretch=stretch, is_open=place.is_open, since_ns=place.since_ns, cleared_ns=place.cleared_ns)


def _place(number: int, row: _Place, edges: Sequence[_Edge]) -> Place:
    if row.stretch is None:
        if row.is_open:
            raise EdgeStateError(f"place {number}: open nowhere, expected a stretch")
        return Place(number, None, False, row.since_ns, row.cleared_ns)
    edge, first, last = row.stretch
    if not (0 <= edge < len(edges) and 0 <= first <= last < edges[edge].columns):
        raise EdgeStateError(f"place {number}: stretch {row.stretch}, expected one on a drawn edge")
    return Place(number, Stretch(edge, first, last), row.is_open, row.since_ns, row.cleared_ns)


def _presence_row(one: Presence) -> _Presence:
    return _Presence(
        is_there=one.is_there, since_ns=one.since_ns, seen_ns=one.seen_ns, first_ns=one.first_ns, box_px=one.box_px
    )
