"""Whatever a receiver answers: every row has exactly one receipt, and a receipt never says more than was told."""

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.model.alarm import Severity
from gateway.model.alert import ReceiptKind
from gateway.uplinks.http_door import Answer, Outcome
from gateway.uplinks.messenger import MessengerSettings, MessengerUplink
from gateway.uplinks.notice import Notice
from kit.clock import SimulatedClock
from tests.fakes.outbox import NOW_NS, context, row

MINUTE_S = 60


class PlainSettings(MessengerSettings):
    kind: Literal["plain"] = "plain"


class MoodySpeaker:
    """Refuses the keys in `bad` (alone or in company), and is in one mood after the other for everything else."""

    def __init__(self, bad: set[str], moods: list[Outcome], room: int) -> None:
        self.taken: list[str] = []
        self.refused_alone: set[str] = set()
        self.calls = 0
        self._bad, self._moods, self._room = bad, moods, room

    async def say(self, notices: Sequence[Notice]) -> Answer:
        self.calls += 1
        keys = [notice.key for notice in notices]
        mood = self._moods.pop(0) if self._moods else Outcome.TAKEN
        if mood is Outcome.LATER:
            return Answer(Outcome.LATER, "not now")
        if self._bad & set(keys):
            self.refused_alone |= set(keys) if len(keys) == 1 else set()
            return Answer(Outcome.REFUSED, "no")
        self.taken += keys
        return Answer(Outcome.TAKEN)

    def fits(self, notices: Sequence[Notice]) -> bool:
        return len(notices) <= self._room

    async def close(self) -> None:
        return


@settings(max_examples=150, deadline=None)
@given(
    severities=st.lists(st.sampled_from(list(Severity)), min_size=1, max_size=30),
    bad=st.sets(st.integers(0, 29), max_size=4),
    moods=st.lists(st.sampled_from([Outcome.TAKEN, Outcome.LATER]), max_size=12),
    room=st.integers(1, 30),
    per_minute=st.integers(1, 20),
)
def test_every_row_ends_taken_once_or_refused_by_name_and_none_is_lost(severities, bad, moods, room, per_minute):
    async def story():
        clock = SimulatedClock(NOW_NS)
        speaker = MoodySpeaker({f"alarm-{n}:raised" for n in bad}, list(moods), room)
        people = MessengerUplink(PlainSettings(name="p"), context(folder, clock), speaker, per_minute)
        waiting = [row(n, severity) for n, severity in enumerate(severities)]
        for _ in range(200):
            if not waiting:
                break
            told_before, calls_before = len(speaker.taken), speaker.calls
            receipts = await people.send_alerts(waiting)
            assert len(receipts) == len(waiting)
            kinds = dict(zip([item.key for item in waiting], [receipt.kind for receipt in receipts], strict=True))
            accepted = {key for key, kind in kinds.items() if kind is ReceiptKind.ACCEPTED}
            assert accepted == set(speaker.taken[told_before:])
            assert {key for key, kind in kinds.items() if kind is ReceiptKind.REJECTED} <= speaker.refused_alone
            assert speaker.calls - calls_before <= per_minute
            waiting = [item for item in waiting if kinds[item.key] is ReceiptKind.RETRY]
            await clock.advance(MINUTE_S)
        return waiting, speaker

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        waiting, speaker = asyncio.run(story())
    keys = {f"alarm-{n}:raised" for n in range(len(severities))}
    wrong = {f"alarm-{n}:raised" for n in bad} & keys
    assert waiting == []
    assert sorted(speaker.taken) == sorted(keys - wrong)
    assert speaker.refused_alone == wrong
