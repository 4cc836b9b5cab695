"""The output of a replay: every transition with its limit and source, skipped input, what stayed UNKNOWN, figures.

In: `Replayed`. Out: text for people, or one JSON object. Knows nothing of how it came about.
"""

import json
import math
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from gateway.model.alarm import Transition, TransitionKind
from gateway.settings import Settings
from sitewarden.replay.replay import Replayed, ReplaySource, replay
from sitewarden.replay.series import ReplayError
from sitewarden.replay.unknown import UnknownRule

FAULTS_SHOWN = 20


def run_replay(settings: Settings, source: ReplaySource, *, as_json: bool) -> int:
    """Replay, print, and say with the exit status whether there was anything to replay."""
    try:
        replayed = replay(settings, source)
    except ReplayError as error:
        print(f"sitewarden replay: {error}", file=sys.stderr)
        return 1
    print(replay_json(replayed) if as_json else replay_text(replayed))
    if not replayed.readings:
        print(f"sitewarden replay: {source.file}: no reading of a point that the site knows", file=sys.stderr)
    return 0 if replayed.readings else 1


def replay_json(replayed: Replayed) -> str:
    """One JSON object. A measured value that was not known is null."""
    return json.dumps(
        {
            "alarms": [transition_object(transition) for transition in replayed.transitions],
            "figures": figures(replayed),
            "unknown_points": dict(replayed.recording.unknown),
            "recomputed_points": dict(replayed.recording.recomputed),
            "not_in_recording": replayed.not_in_recording,
            "stayed_unknown": [unknown_object(each) for each in replayed.unknown],
            "without_fault_bit": dict(replayed.without_fault_bit),
            "faults": [str(fault) for fault in replayed.recording.faults],
        },
        ensure_ascii=False,
    )


def replay_text(replayed: Replayed) -> str:
    """A line a transition, then what was passed over and what could not be judged, then the figures."""
    recording = replayed.recording
    lines = [transition_line(transition) for transition in replayed.transitions]
    lines += [f"passed over: {fault}" for fault in recording.faults[:FAULTS_SHOWN]]
    if recording.faulty_lines > FAULTS_SHOWN:
        lines.append(f"passed over: {recording.faulty_lines - FAULTS_SHOWN} more lines")
    lines += _names("not known to this site", recording.unknown)
    lines += _names("made anew by the asset models", recording.recomputed)
    lines += [f"not in the recording: {name}" for name in replayed.not_in_recording]
    lines += [
        f"judged without its fault bit 未检查故障位: {point} ({', '.join(bits)})"
        for point, bits in sorted(replayed.without_fault_bit.items())
    ]
    lines += _unknown_lines(replayed.unknown)
    lines += [f"{name.replace('_', ' ')}: {value}" for name, value in figures(replayed).items()]
    return "\n".join(lines)


def transition_object(transition: Transition) -> dict[str, Any]:
    """What a person needs to judge one transition: what, when, by which limit, and how sure that limit is."""
    alarm, rule = transition.alarm, transition.alarm.rule
    return {
        "time": _time(transition.at_ns),
        "transition": str(transition.kind),
        "severity": str(rule.severity),
        "rule": rule.rule_id,
        "title_zh": rule.title_zh,
        "title_en": rule.title_en,
        "asset": alarm.asset,
        "subject": alarm.subject,
        "measured": _finite(transition.measured),
        "limit": _finite(alarm.limit),
        "unit": rule.unit,
        "clause": rule.clause,
        "limit_source": rule.limit_source,
        "certainty": rule.certainty,
        "suspected": alarm.suspected,
        "reason": transition.reason,
    }


def transition_line(transition: Transition) -> str:
    """The same transition as one line for a screen."""
    it = transition_object(transition)
    measured = "-" if it["measured"] is None else f"{it['measured']:.6g}"
    limit = "-" if it["limit"] is None else f"{it['limit']:g}"
    unit = f" {it['unit']}" if it["unit"] else ""
    return (
        f"{it['time']}  {it['transition']:<10} {it['severity']:<3} {it['rule']}  {it['subject']}  "
        f"{measured}{unit} / {limit}{unit}  {it['title_zh']} {it['title_en']}  "
        f"[{it['clause']}; {it['limit_source']}; {it['certainty']}]"
    )


def unknown_object(unknown: UnknownRule) -> dict[str, Any]:
    """A rule that stayed UNKNOWN, and why."""
    zh, en = unknown.words()
    return {
        "rule": unknown.rule_id,
        "title_zh": unknown.title_zh,
        "title_en": unknown.title_en,
        "subject": unknown.subject,
        "why": str(unknown.why),
        "points": list(unknown.points),
        "reason_zh": zh,
        "reason_en": en,
    }


def _unknown_lines(unknown: Sequence[UnknownRule]) -> list[str]:
    """A line a reason, with all the rules that it left UNKNOWN."""
    by_reason: dict[tuple[str, str], list[str]] = {}
    for each in unknown:
        by_reason.setdefault(each.words(), []).append(f"{each.rule_id} @ {each.subject}")
    return [f"stayed UNKNOWN 始终未知: {zh} {en}: {', '.join(rules)}" for (zh, en), rules in by_reason.items()]


def figures(replayed: Replayed) -> dict[str, Any]:
    """What was read, what came of it, and how fast."""
    recording = replayed.recording
    raised = sum(transition.kind is TransitionKind.RAISED for transition in replayed.transitions)
    return {
        "from": _time(replayed.from_ns) if replayed.readings else None,
        "to": _time(replayed.to_ns) if replayed.readings else None,
        "readings": replayed.readings,
        "polls": replayed.polls,
        "alarms_raised": raised,
        "transitions": len(replayed.transitions),
        "rules_stayed_unknown": len(replayed.unknown),
        "faulty_lines": recording.faulty_lines,
        "repeated_readings": recording.repeated,
        "seconds": round(replayed.seconds, 3),
        "readings_per_s": round(replayed.readings / replayed.seconds) if replayed.seconds else 0,
    }


def _names(title: str, counted: Counter[str]) -> list[str]:
    return [f"{title}: {name} ({count} readings)" for name, count in sorted(counted.items())]


def _time(at_ns: int) -> str:
    moment = datetime.fromtimestamp(at_ns // 1_000_000_000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at_ns % 1_000_000_000 // 1_000_000:03d}Z"


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
