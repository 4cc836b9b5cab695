"""Finds new versions of cameras' own scores, seals each once, and has the cameras judged by the newest.

    sitewarden vision adapt --> thresholds/<camera>/v0003-...json --> chain (digest, who, figures) --> Eyes.use_scores

In: the files and the chain. A version that lies there unsealed (the box did not run, or was killed) is sealed at the
next look; one that was sealed is not sealed again. Knows no HTTP.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

import orjson

from contract.canonical import Canonical
from gateway.evidence.evidence import RecordKind
from gateway.line.recorder import Entry, Recorder
from gateway.parts.camera.score_store import KeptScores, ScoreStore
from gateway.ports import Clock, Eyes
from gateway.store.alert_store import AlertStore

log = logging.getLogger(__name__)
LOOK_EVERY_S: Final = 10.0


class ScoreDesk:
    """One a box. `run` is supervised; `look` does one round."""

    def __init__(
        self,
        store: ScoreStore,
        chain: AlertStore,
        recorder: Recorder,
        clock: Clock,
        eyes: Callable[[], Eyes | None],
    ) -> None:
        self._store, self._chain, self._recorder, self._clock, self._eyes = store, chain, recorder, clock, eyes
        self._told_faults: set[str] = set()

    async def run(self) -> None:
        """Look again and again until cancelled."""
        while True:
            await self.look()
            await self._clock.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Seal what is not sealed, and tell the eyes the newest version of each camera."""
        eyes = self._eyes()
        for state in eyes.cameras() if eyes is not None else ():
            kept = await asyncio.to_thread(self._store.versions, state.camera)
            await self._say_faults(state.camera)
            sealed = self._sealed(state.camera)
            for each in kept:
                if each.sha256 not in sealed:
                    await self._seal(each)
            if kept and eyes is not None:
                eyes.use_scores(kept[-1].scores)

    async def _say_faults(self, camera: str) -> None:
        for fault in await asyncio.to_thread(self._store.faults, camera):
            if fault not in self._told_faults:
                self._told_faults.add(fault)
                log.error("event=scores_unusable camera=%s fault=%r", camera, fault)

    async def _seal(self, kept: KeptScores) -> None:
        scores = kept.scores
        listed = ", ".join(f"{name} {score:g}" for name, score in sorted(scores.scores.items()))
        back = "" if scores.back_to is None else f", back to version {scores.back_to}"
        content: dict[str, Canonical] = {
            "event": "adapted" if scores.back_to is None else "undone",
            "user": scores.made_by,
            "target": scores.camera,
            "detail": f"version {scores.version}{back}: {listed or 'as the model says'}",
            "version": scores.version,
            "sha256": kept.sha256,
            "model": scores.model,
            "made_at_ns": scores.made_at_ns,
            "text": orjson.dumps(scores.document(), option=orjson.OPT_SORT_KEYS).decode(),
        }
        entry = Entry(RecordKind.CAMERA_SCORES, self._clock.now_ns(), content, about=_filed(scores.camera))
        record = await self._recorder.record(entry)
        log.info("event=scores_sealed camera=%s version=%d seq=%d", scores.camera, scores.version, record.seq)

    def _sealed(self, camera: str) -> set[str]:
        records = self._chain.evidence_of(_filed(camera))
        return {str(orjson.loads(record.body)["content"]["sha256"]) for record in records}


def _filed(camera: str) -> str:
    return f"scores:{camera}"
