"""What the edge check is set to. The two times come from the duty to confirm before an event is raised (a practice
figure: at least 10 frames over at least 30 s); the others were found on the first generator of scenes (ADR 14)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EdgeSettings:
    """`confirm_s` and `confirm_frames` hold for opening and clearing alike. `smallest_gap_m`: shorter gaps are not
    told. `judge_every_s`: the strip is looked at no more often than that; people at every frame. What is open and could
    not be judged for `unknown_after_s` is UNKNOWN; what is ok, after `ok_for_s`, and once it was seen in `doubt_frames`
    frames in a row and called protected in none of them. `average_s`: live strips are averaged over about this long.

    Agreement with an appearance of the edge runs from about 0 (something else) to 1 (the same). A column that agrees by
    `plausible`, and not by less than `fallen_to` of what it did in the same light, remembers the light of now and how
    well it agrees in it. `gap_below` gives, for how far the light has changed since (first of each pair), under which
    part of that agreement it is a gap (second); over the last of them no column is one. What columns bear that agree by
    `hold_from` of what they did is no change of the light. `protected_by_lamps`: against a reference by night a column
    that agrees by less is neither called protected nor remembered as such; `sure_by_lamps`: by lamps, against one by
    day, none that agrees by less is called protected. Over `same_light` it is another light. Nor
    is one a gap that another appearance explains by `explained_from`, nor, in another light, one whose gradients lie as
    they did by `lie_most`: that is a rail.
    `rail_above` gives, for what the better part of the edge reaches now, over which agreement a column is a rail; in
    the same light it is one over `familiar_from` of what is usual for it (of a cover, and of what is open and may be
    back, over the last of `rail_above` of what it remembers), and never under the first. Between the two a frame says
    nothing. A cover needs `cover_from` of what it remembers in any light. A column within `beside_m` of one that is
    seen without protection is never ok: agreement is averaged over half a metre.
    `witness_least`: agreement of what surrounds the rail, under which something stands in front. `register_px`,
    `register_sure`: how far the camera may have moved (of a picture 640 px wide) and how sure that must be. `reach_m`:
    a person this close to an unprotected edge is at it; `person_s` confirms that."""

    confirm_s: float = 30.0
    confirm_frames: int = 10
    smallest_gap_m: float = 0.8
    judge_every_s: float = 1.0
    unknown_after_s: float = 60.0
    ok_for_s: float = 10.0
    doubt_frames: int = 2
    average_s: float = 4.0
    plausible: float = 0.35
    fallen_to: float = 0.7
    familiar_from: float = 0.8
    cover_from: float = 0.75
    beside_m: float = 0.3
    gap_below: tuple[tuple[float, float], ...] = ((0.03, 0.60), (0.06, 0.40), (0.20, 0.25))
    protected_by_lamps: float = 0.85
    sure_by_lamps: float = 0.67
    same_light: float = 0.06
    hold_from: float = 0.75
    explained_from: float = 0.50
    lie_most: float = 0.55
    rail_above: tuple[tuple[float, float], ...] = ((0.60, 0.50), (0.90, 0.75))
    witness_least: float = 0.45
    register_px: float = 8.0
    register_sure: float = 0.02
    reach_m: float = 1.0
    person_s: float = 2.0
