"""The review desk behind one door: each method is one unit of work on the desk's database.

In: who acts, what they want. Out: frozen rows. Raises RefusedError; reads no clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from regulator.base.cameras import thumbnail_of
from regulator.base.model.actor import Actor
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.ledger import Ledger
from regulator.parts.review import dossier, figures, labels, rates, sheets, shelf, site_checks
from regulator.parts.review.blind import Disagreement, agreement, disagreements
from regulator.parts.review.judged import JudgedRow, judged_lately
from regulator.parts.review.judgement import ItemState, Judgement, require_reader, require_reviewer
from regulator.parts.review.leases import Lease, find_item, release, take_lease
from regulator.parts.review.queue import Place, QueuePage, Wanted, count_waiting, read_queue
from regulator.parts.review.series import Series
from regulator.parts.review.spans import SpanName
from regulator.parts.review.statistics import Agreement
from regulator.parts.review.telling import hold_box
from regulator.parts.review.verdicts import Judged, Verdicts


@dataclass(frozen=True, slots=True)
class FunnelFigures:
    """The funnel's page."""

    window: rates.Window
    counts: list[figures.FunnelCounts]
    load: figures.Load


@dataclass(frozen=True, slots=True)
class Quality:
    """How well alarms and verdicts do."""

    window: rates.Window
    rates: list[rates.Rate]
    agreement: Agreement
    unlike: list[Disagreement]
    time: figures.TimeSpent


@dataclass(frozen=True, slots=True)
class ReviewOffice:
    """Stateless; any replica, any thread."""

    database: DeskDatabase
    ledger: Ledger
    verdicts: Verdicts

    def queue(self, actor: Actor, now_ns: int, wanted: Wanted, after: Place | None) -> QueuePage:
        """A page of what waits."""
        require_reader(actor)
        with self.database.reading() as db:
            return read_queue(db, actor, now_ns, wanted, after)

    def waiting(self, actor: Actor, now_ns: int) -> dict[str, int]:
        """How much waits, by priority."""
        require_reader(actor)
        with self.database.reading() as db:
            return dict(count_waiting(db, actor, now_ns))

    def dossier(self, actor: Actor, item_id: str, now_ns: int) -> dossier.Dossier:
        """All of one item."""
        require_reader(actor)
        with self.database.reading() as db:
            return dossier.dossier(db, actor, item_id, now_ns)

    def thumbnail(self, actor: Actor, item_id: str) -> tuple[bytes, str] | None:
        """The small, blurred picture of an item and its type."""
        require_reader(actor)
        with self.database.reading() as db:
            row = find_item(db, actor, item_id)
            return thumbnail_of(db, row.box_id, row.alarm_id)

    def series(self, actor: Actor, item_id: str, span: SpanName) -> Series:
        """What was measured around an item."""
        require_reader(actor)
        with self.database.reading() as db:
            return dossier.series(db, actor, item_id, span)

    def lease(self, actor: Actor, item_id: str, now_ns: int, let_go: str = "") -> Lease:
        """Look at an item, and let go of the one before."""
        require_reviewer(actor)
        with self.database.transaction() as db:
            if let_go and let_go != item_id:
                release(db, actor, let_go, now_ns)
            return take_lease(db, self.ledger, actor, item_id, now_ns)

    def acknowledge(self, actor: Actor, item_id: str, now_ns: int) -> bool:
        """Say that it was seen."""
        with self.database.transaction() as db:
            return shelf.acknowledge(db, self.ledger, actor, item_id, now_ns)

    def shelve(self, actor: Actor, item_id: str, asked: shelf.ShelfRequest, now_ns: int) -> int:
        """Put an item aside; until when (UTC ns)."""
        with self.database.transaction() as db:
            return shelf.shelve(db, self.ledger, actor, item_id, asked, now_ns)

    def fetch_back(self, actor: Actor, item_id: str, now_ns: int) -> None:
        """From the shelf into the queue."""
        with self.database.transaction() as db:
            shelf.fetch_back(db, self.ledger, actor, item_id, now_ns)

    def shelved(self, actor: Actor, now_ns: int) -> list[shelf.Shelved]:
        """What lies on the shelf."""
        require_reader(actor)
        with self.database.reading() as db:
            return shelf.shelf_of(db, actor, now_ns)

    def judge(self, actor: Actor, item_id: str, said: Judgement, now_ns: int, *, at_once: bool = False) -> Judged:
        """Judge one item; `at_once` makes it final now, because an order follows."""
        with self.database.transaction() as db:
            if at_once:
                hold_box(db, item_id)  # it will be told: before the item is taken
            judged = self.verdicts.judge(db, actor, item_id, said, now_ns)
            if not at_once:
                return judged
            hazard_id = self.verdicts.finalise(db, item_id, now_ns)
            return Judged(item_id, ItemState.FINAL, 0, hazard_id)

    def undo(self, actor: Actor, item_id: str, now_ns: int) -> None:
        """Take an own verdict back."""
        with self.database.transaction() as db:
            self.verdicts.undo(db, actor, item_id, now_ns)

    def reopen(self, actor: Actor, item_id: str, words: str, now_ns: int) -> None:
        """Judge again what stands."""
        with self.database.transaction() as db:
            self.verdicts.reopen(db, actor, item_id, words, now_ns)

    def lay_out(self, actor: Actor, item_id: str, now_ns: int) -> sheets.Sheet:
        """The contact sheet of an item's group."""
        with self.database.transaction() as db:
            return sheets.lay_out(db, self.ledger, actor, item_id, now_ns)

    def judge_sheet(
        self, actor: Actor, sheet_id: str, picked: Sequence[str], said: Judgement, now_ns: int
    ) -> list[Judged]:
        """One verdict for what was picked."""
        with self.database.transaction() as db:
            return sheets.judge_sheet(db, self.verdicts, actor, sheet_id, picked, said, now_ns)

    def undo_sheet(self, actor: Actor, sheet_id: str, now_ns: int) -> int:
        """Take back what was judged together."""
        with self.database.transaction() as db:
            return self.verdicts.undo_sheet(db, actor, sheet_id, now_ns)

    def judged_lately(self, actor: Actor) -> list[JudgedRow]:
        """Verdicts that stand, the newest first."""
        require_reader(actor)
        with self.database.reading() as db:
            return judged_lately(db, actor)

    def checks(self, actor: Actor) -> list[site_checks.SiteCheck]:
        """What is to be looked at on site, and what was."""
        require_reader(actor)
        with self.database.reading() as db:
            return site_checks.list_checks(db, actor)

    def checked(self, actor: Actor, item_id: str, seen: site_checks.Seen, now_ns: int) -> str:
        """What was seen on site; the hazard's id, or nothing."""
        with self.database.transaction() as db:
            opened = self.verdicts.open_hazard
            return site_checks.record_outcome(db, self.ledger, opened, actor, item_id, seen, now_ns)

    def funnel(self, actor: Actor, now_ns: int, days: int) -> FunnelFigures:
        """Alarms to hazards, and what a person carries."""
        require_reader(actor)
        with self.database.reading() as db:
            window = rates.window_of(db, actor.scope, now_ns, days)
            counts = figures.funnel_counts(db, actor.scope, window)
            return FunnelFigures(window, counts, figures.load_per_position(db, actor.scope, window))

    def quality(self, actor: Actor, now_ns: int) -> Quality:
        """False alarms and agreement."""
        require_reader(actor)
        with self.database.reading() as db:
            window = rates.window_of(db, actor.scope, now_ns)
            return Quality(
                window=window,
                rates=rates.false_alarm_rates(db, actor.scope, window),
                agreement=agreement(db, actor.scope, window.from_ns),
                unlike=disagreements(db, actor.scope, window.from_ns),
                time=figures.time_spent(db, actor.scope, window),
            )

    def export_labels(self, actor: Actor, kind: labels.LabelKind, now_ns: int) -> bytes:
        """Labels as a file; who took it is written down."""
        require_reader(actor)
        with self.database.transaction() as db:
            pictures = labels.labelled_pictures(db, actor)
            content = labels.packed(kind, pictures)
            labels.record_export(db, self.ledger, actor, labels.export_of(kind, content, pictures), now_ns)
            return content
