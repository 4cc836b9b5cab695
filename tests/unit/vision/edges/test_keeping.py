"""What the edge check keeps for a restart: taken up where it counts, refused with the reason where not."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pytest

from gateway.model.verdict import Truth
from tests.fakes.edge_site import NOBODY, SECOND, Look, Site, bare, hole, painted, survey, x_of
from vision.edges.keeping import EdgeStateError
from vision.edges.watch import EdgeWatch
from vision.picture.frame import Frame

MODEL = "site_heads 1 abc"
GAP = bare(Look(), (4.0, 6.0))
AT = 105


@cache
def kept() -> bytes:
    """A site with an open gap, 105 s after its start."""
    site = Site()
    site.run(45)
    site.run(60, GAP)
    assert site.truth() is Truth.TRUE
    return site.watch.kept(MODEL, AT * SECOND)


def resumed(state: bytes, seconds_later: float = 1.0, model: str = MODEL) -> Site:
    site = Site()
    site.second = AT + seconds_later
    site.watch.resume(state, model, int(site.second * SECOND), 600.0)
    return site


def test_an_open_gap_is_still_open_and_is_not_told_twice() -> None:
    again = resumed(kept(), 10)
    again.run(1, GAP)
    assert (again.truth(), again.fired) == (Truth.TRUE, [])
    assert float(again.finding().about["from_m"]) == pytest.approx(4.0, abs=0.4)


def test_what_was_ok_is_known_after_one_frame_and_what_is_taken_away_then_is_found() -> None:
    again = resumed(kept(), 300)
    again.run(1, GAP)
    metres = dict.fromkeys(("ok", "gap", "unknown"), 0.0)
    for part in again.watch.sections(int(again.second * SECOND)):
        metres[part.verdict] += part.to_m - part.from_m
    assert metres["ok"] > 9
    assert metres["gap"] > 1
    assert metres["unknown"] < 0.8
    again.run(60, bare(Look(), (4.0, 6.0), (9.0, 11.0)))
    assert [round(float(one.about["from_m"])) for one in again.fired] == [9]


def test_what_goes_during_a_restart_in_another_light_than_the_reference_is_found() -> None:
    """The light of now is remembered as well, not that of the reference alone."""
    site, evening = Site(), Look(shadow_x=x_of(8.0))
    site.run(45)
    site.run(120, evening)
    again = Site()
    again.second = site.second + 20
    state = site.watch.kept(MODEL, int(site.second * SECOND))
    again.watch.resume(state, MODEL, int(again.second * SECOND), 600.0)
    again.run(60, bare(evening, (9.0, 11.0)))
    assert [round(float(one.about["from_m"])) for one in again.fired] == [9]


def test_without_it_everything_is_unknown_until_it_is_confirmed() -> None:
    fresh = Site()
    fresh.second = AT + 10
    fresh.run(1)
    assert fresh.truth() is Truth.UNKNOWN


def test_a_picture_of_another_size_keeps_what_was_learnt() -> None:
    again = resumed(kept())
    image = painted(GAP).repeat(2, axis=0).repeat(2, axis=1)
    again.second += 1
    again.show(image)
    assert again.truth() is Truth.TRUE


@pytest.mark.parametrize(
    ("later_s", "told"), [(601, "kept 601 s ago, expected 0 to 600 s"), (-5, "kept -5 s ago")], ids=["old", "future"]
)
def test_a_state_of_another_time_is_refused(later_s: float, told: str) -> None:
    with pytest.raises(EdgeStateError, match=told):
        resumed(kept(), later_s)


def test_a_state_of_another_survey_reference_model_or_drawing_is_refused() -> None:
    now = (AT + 1) * SECOND
    drawn = survey()
    for other in (replace(drawn, version=2), replace(drawn, reference_sha256="1" * 64), replace(drawn, camera="cam-2")):
        with pytest.raises(EdgeStateError, match="expected"):
            EdgeWatch(other, painted()).resume(kept(), MODEL, now, 600)
    with pytest.raises(EdgeStateError, match="model: found"):
        resumed(kept(), model="site_heads 2 def")
    with pytest.raises(EdgeStateError, match="edges: found"):
        EdgeWatch(survey(hole()), painted()).resume(kept(), MODEL, now, 600)


def _changed(change: Callable[[dict[str, object]], object]) -> bytes:
    line, _, body = kept().partition(b"\n")
    head = json.loads(line)
    change(head)
    return json.dumps(head).encode() + b"\n" + body


def _poisoned(at_the_end: bool = False) -> bytes:
    """Numbers that are none, under a digest that fits."""
    line, _, body = kept().partition(b"\n")
    body = body[:-4] + b"\x00\x00\xc0\x7f" if at_the_end else b"\x00\x7e" * 50 + body[100:]
    head = json.loads(line) | {"sha256": hashlib.sha256(body).hexdigest()}
    return json.dumps(head).encode() + b"\n" + body


SPOILT: dict[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "no state": lambda: b"no state\n",
    "a pickle": lambda: b"\x80\x04K\x01.",
    "torn": lambda: kept()[:-7],
    "another byte": lambda: kept()[:-1] + bytes([kept()[-1] ^ 1]),
    "another format": lambda: _changed(lambda head: head.update(format=3)),
    "huge": lambda: _changed(lambda head: head["edges"][0].update(columns=10**9)),  # type: ignore[index]
    "a place nowhere": lambda: _changed(lambda head: head["places"][0].update(stretch=[0, 5, 10**6])),  # type: ignore[index]
    "no numbers": _poisoned,
    "a light of no numbers": lambda: _poisoned(at_the_end=True),
}


@pytest.mark.parametrize("name", SPOILT)
def test_a_spoilt_state_is_refused_and_changes_nothing(name: str) -> None:
    watch = EdgeWatch(survey(), painted(seed=99))
    now = (AT + 1) * SECOND
    with pytest.raises(EdgeStateError):
        watch.resume(SPOILT[name](), MODEL, now, 600)
    findings = watch.step(Frame("cam-1", 1, now, now, True, 1, painted(GAP)), NOBODY, True, now)
    assert {finding.truth for finding in findings} == {Truth.UNKNOWN}
