"""The intake of a desk, put together: shelf, store, the contract's end, and what the desk gets from them.

In: a desk. Out: `Intake`; `desk.post` and `desk.shelf` work from now on.
"""

from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel
from sqlalchemy import Connection

from regulator.base.desk import Desk, Job
from regulator.base.intake import mailbox
from regulator.base.intake.anchors import ANCHOR_EVERY_S, AnchorJob
from regulator.base.intake.disk_shelf import DiskShelf
from regulator.base.intake.loose_files import CLEAR_EVERY_S, LooseFilesJob
from regulator.base.intake.part_shelf import PartShelf
from regulator.base.intake.reception import Reception
from regulator.base.intake.recheck import RECHECK_EVERY_S, RecheckJob
from regulator.base.intake.s3_shelf import open_s3
from regulator.base.intake.store import ReceiverStore
from regulator.base.intake.watch import WATCH_EVERY_S, WatchJob
from regulator.base.settings import DeskSettings

S3_SCHEME = "s3://"


@dataclass(frozen=True, slots=True)
class Intake:
    """What boxes talk to, put together once for a process. `jobs`: what it does with time."""

    store: ReceiverStore
    shelf: PartShelf
    reception: Reception
    jobs: tuple[Job, ...]


def build_intake(desk: Desk) -> Intake:
    """Once a desk. Raises OSError or ValueError for a secret file or an address that cannot be used."""
    shelf = open_shelf(desk.settings)
    store = ReceiverStore(desk.database, desk.key, desk.now_ns, desk.listeners, desk.takers)

    def post(db: Connection, box_id: str, kind: str, body: BaseModel, now_ns: int) -> str:
        return mailbox.post(db, box_id, kind, body, desk.key, now_ns)

    desk.post, desk.shelf = post, shelf
    return Intake(store, shelf, Reception(store, desk.key, shelf, desk.now_ns), _jobs(desk, shelf))


def _jobs(desk: Desk, shelf: PartShelf) -> tuple[Job, ...]:
    return (
        Job("anchors", ANCHOR_EVERY_S, AnchorJob(desk.database, desk.ledger).run),
        Job("watch", WATCH_EVERY_S, WatchJob(desk.database, desk.ledger, desk.settings.silent_box_s).run),
        Job("loose-files", CLEAR_EVERY_S, LooseFilesJob(desk.database, shelf).run),
        Job("recheck", RECHECK_EVERY_S, RecheckJob(desk.database, desk.ledger, desk.key, shelf).run),
    )


def open_shelf(settings: DeskSettings) -> PartShelf:
    """A folder, or a bucket for `s3://bucket`."""
    if not settings.blobs.startswith(S3_SCHEME):
        return DiskShelf(Path(settings.blobs), settings.max_blob_bytes)
    if settings.s3_secret_file is None:
        raise ValueError("s3_secret_file: missing, expected a file with the access key and its secret")
    bucket = settings.blobs.removeprefix(S3_SCHEME).strip("/")
    return open_s3(bucket, settings.s3_endpoint, settings.s3_secret_file, settings.max_blob_bytes)
