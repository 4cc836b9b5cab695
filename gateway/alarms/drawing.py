"""Draws `docs/alarms.md` from the tables themselves: `python -m gateway.alarms.drawing > docs/alarms.md`.

In: the three tables and the default bounds. Out: Markdown. A test compares the file with this drawing, so that the page
cannot say anything else than the program does.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum
from typing import Any

from gateway.alarms.tables import (
    CONDITION,
    DELAYED,
    DISPLAY,
    EPISODE,
    SUPPRESSION,
    Cause,
    Change,
    Display,
    Episode,
    Happening,
    Order,
    Phase,
    Refusal,
    Step,
    Suppression,
    Turn,
)
from gateway.model.alarm import AlarmBounds, TransitionKind
from gateway.model.verdict import Truth

_INTRODUCTION = """# Alarms: what can happen to one

<!-- Drawn from gateway/alarms/tables.py. Do not edit: python -m gateway.alarms.drawing > docs/alarms.md -->

An alarm is about one rule and one subject (a point or a device). Four tables run side by side and never merge:
whether the **condition** holds, what is **owed** to the episode, whether it **calls** anybody, and whether another
alarm **suppresses** it by design.
Acknowledging silences; it never hides and never closes. UNKNOWN neither raises nor clears. A P1 is never shelved.
An alarm that is shelved or out of service is judged, recorded, listed and reported to the regulator as ever.

The letters are the states of ISA-18.2 / IEC 62682 as remembered (certainty M-M)."""

_CONDITION = """## 1. The condition, stepped by every verdict

`a / b`: a while the delay runs, b once it has passed. The delay is the rule's on-delay towards ACTIVE and its
off-delay towards INACTIVE; a delay of zero has passed at once. `active` is true in ACTIVE and OFF_DELAY."""

_EPISODE = """## 2. The episode, stepped by the condition and by people

In brackets: the transition that is sealed into the evidence chain. *In italics*: a refusal, as the API names it.
A dot: nothing happens. A raise out of D, E or F begins a new episode; the old one stays in the chain."""

_DISPLAY = """## 3. The display, stepped by people and by time

Shelving is for one alarm, out of service for a device (with its points) or a point. Out of service again is a renewal.
What a clock that was set back would prolong ends at once."""

_WORDS = """## 7. What people say of an alarm

Beside the commands above, which change an alarm, people may say something of one, open or past: a note of what was
done, a judgement that it was false (with a cause, and it may be withdrawn), and a hand-over to the regulator as a
hazard (转隐患, once). Each is sealed under the alarm and changes nothing of it: what is judged false goes on calling
while its condition holds. A hand-over is sent whole, also of an alarm that was never reported. Several alarms
may be acknowledged with one reason, which every record then says; a P1 never is."""

_SUPPRESSION = """## 4. Suppression by design, stepped by the rule that suppresses

    - {id: crane.wind.warning, ..., suppressed_while: {rule: crane.wind.alarm}}      # or a list of them

While an alarm of the named rule is active on the same asset, this rule's alarm is suppressed: judged, sealed, and shown
in a list of its own with the rule that suppresses it. It does not sound, does not escalate, and nobody is told that it
was raised. When the suppression ends and the condition still holds, it is raised then, with the time of that moment.

- A P1 is never suppressed: a pack or an override that says so is refused, like a circle of suppressions.
- Active is as in table 1, with its off-delay. A suppressor that is UNKNOWN suppresses nothing. Nor does one that is
  shelved or out of service: somebody must hear.
- What was raised before is not taken back from those who were told; it moves to the list of suppressed alarms.
- Both in one poll: the suppressor comes first. When it rises later, give the suppressed rule an on-delay.
- A raise that is withheld while its condition runs through the off-delay stays withheld until that is decided.
- After a restart a suppressor counts as it was until it is judged again; points that stay silent become UNKNOWN."""


def drawing(bounds: AlarmBounds) -> str:
    """The page that draws the alarm's states, whole."""
    tables = (_CONDITION, _condition(), _EPISODE, _episode(), _DISPLAY, _display(), _SUPPRESSION, _suppression())
    return "\n\n".join((_INTRODUCTION, *tables, *_figures(bounds))) + "\n"


def _condition() -> str:
    rows = ([phase.name, *(_phases(CONDITION[phase, truth]) for truth in Truth)] for phase in Phase)
    return _table(["condition", *(truth.name for truth in Truth)], rows)


def _phases(cell: tuple[Phase, Phase]) -> str:
    waiting, passed = cell
    return f"{waiting.name} / {passed.name}" if waiting in DELAYED and waiting != passed else passed.name


def _episode() -> str:
    return _grid("episode", Episode, Happening, EPISODE)


def _display() -> str:
    return _grid("display", Display, Order, DISPLAY)


def _suppression() -> str:
    return _grid("suppression", Suppression, Cause, SUPPRESSION)


def _grid(corner: str, states: type[Enum], inputs: type[Enum], table: Mapping[Any, object]) -> str:
    rows = (
        [str(state.value), *(_cell(state.value, table[state.value, each.value]) for each in inputs)] for state in states
    )
    return _table([corner, *(str(each.value) for each in inputs)], rows)


def _cell(before: str, cell: object) -> str:
    if isinstance(cell, Refusal):
        return f"*{cell.value}*"
    kinds = _kinds(cell)
    if not isinstance(cell, Step | Turn | Change) or not (kinds or cell.after.value != before):
        return "·"
    after = "stays" if cell.after.value == before else cell.after.value
    return " ".join((after, *(f"[{kind.value}]" for kind in kinds)))


def _kinds(cell: object) -> tuple[TransitionKind, ...]:
    if isinstance(cell, Change):
        return cell.kinds
    return (cell.kind,) if isinstance(cell, Step | Turn) and cell.kind is not None else ()


def _figures(bounds: AlarmBounds) -> Iterator[str]:
    yield "## 5. Figures, unless the site file says otherwise (`alarms:`)"
    yield _table(
        ["what", "figure", "from"],
        [
            ["an alarm of one asset follows the first within", f"{bounds.first_out_window_s:g} s", "product design"],
            ["shelved at most", f"{bounds.shelve_max_s / 3600:g} h", "product design"],
            ["out of service at most, without renewal", f"{bounds.out_of_service_max_s / 3600:g} h", "product design"],
            [
                "chatter: raises of one alarm",
                f"{bounds.chatter_raises} in {bounds.chatter_window_s:g} s",
                "ISA-18.2 / EEMUA 191, M-M",
            ],
            [
                "flood: new alarms of one operator position, more than",
                f"{bounds.flood_alarms} in {bounds.flood_window_s / 60:g} min",
                "ISA-18.2 / EEMUA 191, M-M",
            ],
            ["standing: active for", f"{bounds.standing_after_s / 3600:g} h", "ISA-18.2 / EEMUA 191, M-M"],
            [
                "stale: no longer active, still on the list, raised before",
                f"{bounds.standing_after_s / 3600:g} h",
                "product design",
            ],
        ],
    )
    yield (
        "## 6. Escalation (`escalation:` in the site file)\n\n"
        "A P1 that nobody has acknowledged for `p1_after_s`, and a P1 or P2 that is active and unacknowledged while\n"
        "no live page is open for `no_screen_after_s`, are sealed as an escalation and sent to the uplinks named\n"
        "there: once for each episode and reason. What is shelved, suppressed or out of service is not."
    )
    yield _WORDS


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


if __name__ == "__main__":
    sys.stdout.write(drawing(AlarmBounds()))
