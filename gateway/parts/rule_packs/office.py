"""The office for offered rule packs: checks, accepts or refuses them.

    mailbox --take--> kept --> looked over, laid down, loaded with the site (as `sitewarden check` does)
                                  |  wrong: refused              right, a person decides: waiting
                                  '--> counts from now on --> reload --refused or not in force--> as it was before
                                                                '--> active

Each outcome is sealed in the chain, and so goes up to the regulator as evidence; a crash between two steps repeats the
last one. Only packs change: the site file, devices and links are the site's. Whatever goes wrong, the box goes on
judging by what it judged by.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from contract.canonical import Canonical
from contract.mailbox import RulePackOffer
from gateway.evidence.evidence import RecordKind
from gateway.line.recorder import Entry, Recorder
from gateway.model.errors import ConfigError, Fault
from gateway.model.rule_pack import PackInForce, PackOrigin
from gateway.parts.rule_packs.offer_file import KeptOffer, OfferShelf, Outcome
from gateway.parts.rule_packs.pack_files import fault_of, lay_down, write_active
from gateway.ports import Clock
from gateway.settings import Settings, fault_text
from gateway.settings.kept_packs import KeptPack, active_names, kept_packs

log = logging.getLogger(__name__)
MOST_FAULTS = 10
MOST_WORDS = 2000
BY_ITSELF = "system"
TRY_AGAIN_S = 60.0


class ReloadResult(Protocol):
    """What came of reading the settings again."""

    @property
    def faults(self) -> Sequence[Fault]:
        """Why the reload was refused; empty where it went well."""

    @property
    def needs_restart(self) -> Sequence[str]:
        """What it would have changed that cannot change in a running box."""


@dataclass(frozen=True, slots=True)
class PackNeeds:
    """What the office needs of the box. `load` reads the site with these packs and raises ConfigError; `reload` goes on
    by what counts now; `in_force` are the packs that the box judges by."""

    folder: Path
    load: Callable[[Sequence[KeptPack]], Settings]
    reload: Callable[[str, str], Awaitable[ReloadResult]]
    in_force: Callable[[], Sequence[PackInForce]]
    recorder: Recorder
    clock: Clock


class PackDecisionError(Exception):
    """Nothing was done: why, in both languages."""

    def __init__(self, words_zh: str, words_en: str) -> None:
        self.words_zh, self.words_en = words_zh, words_en
        super().__init__(words_en)


class PackOffice:
    """One box's. `run` works; `approve` and `decline` are a person's."""

    def __init__(self, needs: PackNeeds) -> None:
        self._needs = needs
        self._shelf = OfferShelf(needs.folder)
        self._turn = asyncio.Lock()
        self._come = asyncio.Event()

    def offers(self) -> Sequence[KeptOffer]:
        """All that are kept, the newest first."""
        return tuple(reversed(self._shelf.all()))

    async def take(self, offer: RulePackOffer, uplink: str, number: int, *, asks: bool) -> None:
        """Kept when this returns, and looked at soon. The same offer again changes nothing. Raises OSError."""
        kept = KeptOffer(offer=offer, uplink=uplink, number=number, asks=asks, heard_at_ns=self._needs.clock.now_ns())
        if await asyncio.to_thread(self._shelf.find, offer.offer_id) is None:
            await asyncio.to_thread(self._shelf.keep, kept)
        self._come.set()

    async def run(self) -> None:
        """Look at what has come, until cancelled. A full disk is tried again."""
        while True:
            self._come.clear()
            try:
                await self.look()
            except OSError as error:
                log.error("event=pack_offer_not_handled reason=%r", str(error))
                await self._needs.clock.sleep(TRY_AGAIN_S)
                continue
            await self._come.wait()

    async def look(self) -> None:
        """Everything that nobody has looked at yet, in order."""
        for kept in await asyncio.to_thread(self._shelf.all):
            if kept.outcome is Outcome.HEARD:
                async with self._turn:
                    await self._judge(kept)

    async def approve(self, offer_id: str, user: str) -> KeptOffer:
        """A person takes it into force; how it ended. Raises PackDecisionError, OSError."""
        async with self._turn:
            kept = self._waiting(offer_id)
            fault = await self._wrong(kept.offer)
            return await (self._end(kept, Outcome.REFUSED, fault, user) if fault else self._go_on_by(kept, user))

    async def decline(self, offer_id: str, user: str, reason: str) -> KeptOffer:
        """A person does not want it. Raises PackDecisionError, OSError."""
        async with self._turn:
            said = reason.strip()
            if not said or len(said) > MOST_WORDS:
                raise PackDecisionError("请写明理由", "say why")
            return await self._end(self._waiting(offer_id), Outcome.DECLINED, (said, said), user)

    def _waiting(self, offer_id: str) -> KeptOffer:
        kept = self._shelf.find(offer_id)
        if kept is None or kept.outcome is not Outcome.WAITING:
            raise PackDecisionError("该规则包不在待确认状态", "this pack does not wait for a decision")
        return kept

    async def _judge(self, kept: KeptOffer) -> None:
        await self._end_overtaken(kept)
        fault = await self._wrong(kept.offer)
        if fault is not None:
            await self._end(kept, Outcome.REFUSED, fault)
        elif kept.asks:
            words = ("校验通过，等待工地人员确认", "the check passed; a person at the site is to decide")
            await self._end(kept, Outcome.WAITING, words)
        else:
            await self._go_on_by(kept, BY_ITSELF)

    async def _end_overtaken(self, newer: KeptOffer) -> None:
        """Nobody decides any more on what a later offer of the same pack has overtaken."""
        for kept in await asyncio.to_thread(self._shelf.all):
            if kept.outcome is Outcome.WAITING and kept.offer.name == newer.offer.name:
                words = ("已由后来的下发取代", "a later offer took its place")
                await self._end(kept, Outcome.WITHDRAWN, words)

    async def _wrong(self, offer: RulePackOffer) -> tuple[str, str] | None:
        """What the full check says against it."""
        return fault_of(offer) or await asyncio.to_thread(self._load_with, offer)

    def _load_with(self, offer: RulePackOffer) -> tuple[str, str] | None:
        folder = self._needs.folder
        others = [pack for pack in kept_packs(folder) if pack.name != offer.name]
        packs = others if offer.withdrawn else [*others, lay_down(folder, offer)]
        try:
            self._needs.load(packs)
        except ConfigError as error:
            return _words(error.faults)
        return None

    async def _go_on_by(self, kept: KeptOffer, user: str) -> KeptOffer:
        """From here on every step back is to what counted before."""
        offer, folder = kept.offer, self._needs.folder
        before = active_names(folder)
        after = {name: sha256 for name, sha256 in before.items() if name != offer.name}
        after |= {} if offer.withdrawn else {offer.name: offer.sha256}
        await asyncio.to_thread(write_active, folder, after)
        try:
            fault = self._not_in_force(offer, await self._needs.reload(user, f"rule pack offer {offer.offer_id}"))
        except BaseException:
            write_active(folder, before)
            raise
        if fault is None:
            words = ("已按其判定", "the box judges by it") if not offer.withdrawn else ("已撤回", "withdrawn")
            return await self._end(kept, Outcome.WITHDRAWN if offer.withdrawn else Outcome.ACTIVE, words, user)
        await asyncio.to_thread(write_active, folder, before)
        return await self._end(kept, Outcome.REFUSED, fault, user)

    def _not_in_force(self, offer: RulePackOffer, result: ReloadResult) -> tuple[str, str] | None:
        """Why the box does not judge as the offer wants it."""
        if result.faults:
            return _words(result.faults)
        if result.needs_restart:
            names = ", ".join(result.needs_restart)
            return f"现场配置文件中 {names} 有待重启的更改", f"the site file has changes of {names} that need a restart"
        mine = [pack for pack in self._needs.in_force() if pack.name == offer.name]
        left = any(pack.origin is PackOrigin.REGULATOR for pack in mine)
        if left if offer.withdrawn else all(pack.sha256 != offer.sha256 for pack in mine):
            return "重新加载后未生效", "it is not in force after the reload"
        return None

    async def _end(self, kept: KeptOffer, outcome: Outcome, words: tuple[str, str], user: str = BY_ITSELF) -> KeptOffer:
        """Sealed first, so that the regulator hears of it whatever happens then."""
        now_ns = self._needs.clock.now_ns()
        said = {"outcome": outcome, "words_zh": words[0], "words_en": words[1], "user": user, "decided_at_ns": now_ns}
        ended = kept.model_copy(update=said)
        entry = Entry(RecordKind.RULE_PACK, now_ns, _content(ended), about=f"rule_pack:{kept.offer.offer_id}")
        await self._needs.recorder.record(entry)
        await asyncio.to_thread(self._shelf.keep, ended)
        log.warning("event=rule_pack pack=%s outcome=%s user=%r reason=%r", kept.offer.name, outcome, user, words[1])
        return ended


def _content(ended: KeptOffer) -> Mapping[str, Canonical]:
    offer = ended.offer
    return {
        "offer_id": offer.offer_id,
        "name": offer.name,
        "sha256": offer.sha256,
        "withdrawn": offer.withdrawn,
        "uplink": ended.uplink,
        "outcome": str(ended.outcome),
        "words_zh": ended.words_zh,
        "words_en": ended.words_en,
        "user": ended.user,
    }


def _words(faults: Sequence[Fault]) -> tuple[str, str]:
    """The first faults, a line each, as `sitewarden check` says them."""
    shown, more = faults[:MOST_FAULTS], max(0, len(faults) - MOST_FAULTS)
    zh = [fault_text(fault, "zh") for fault in shown] + ([f"另有 {more} 处"] if more else [])
    en = [fault_text(fault, "en") for fault in shown] + ([f"{more} more"] if more else [])
    return "\n".join(zh)[:MOST_WORDS], "\n".join(en)[:MOST_WORDS]
