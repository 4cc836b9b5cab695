"""One alarm's way at a running desk, step by step, as a box and two reviewers go it: to a hazard that is closed.

with DeskCase(folder) as case:             # or DeskCase(folder, database)
    case.transition("raised")              # the box says it
    case.say_true(case.first, *case.take_item(case.first))
    case.let_time_pass(seconds=11)         # the hazard opens
    case.act(case.first, "order", case.open_page(case.first), words="...")
"""

import base64
import hashlib
import io
import json
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from PIL import Image
from sqlalchemy import insert, select

from regulator.base.model.actor import Duty, Level, Scope
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.tables.hazards import hazards
from regulator.base.records.tables.registry import projects
from tests.fakes.contract_box import ContractBox, alarm_body
from tests.fakes.desk_database import DeskClock
from tests.fakes.desk_face import DeskClient, DeskFace

COUNTY = Scope(Level.COUNTY, "440105")
JSON = {"accept": "application/json"}


class DeskCase:
    """`face` is the desk, `box` an enrolled box of project P-1, `first` and `second` are reviewers of its county."""

    def __init__(self, folder: Path, database: DeskDatabase | None = None) -> None:
        self.face = DeskFace(folder, DeskClock(), database=database)
        self.box: ContractBox
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        face = self._stack.enter_context(self.face)
        with face.database.transaction() as db:
            regions = {"province_code": "44", "city_code": "4401", "county_code": COUNTY.code}
            db.execute(insert(projects).values(project_code="P-1", name="一号工地", status="running", **regions))
        self.box = self._stack.enter_context(ContractBox(face.url, "box-1"))
        body = {
            "code": face.code_for("box-1", "P-1"),
            "public_key": base64.b64encode(self.box.public).decode(),
            "project_code": "P-1",
            "software": "walk",
        }
        answer = self.box.say("enrol", "enrol-box-1", body, "/v1/enrol")
        assert answer.status == 200, answer.reply
        self.first, self.second = self._reviewer("jia"), self._reviewer("yi")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.close()

    @property
    def hazard(self) -> Any:
        """The row of the one hazard."""
        with self.face.database.reading() as db:
            return db.execute(select(hazards)).one()

    def record(self, transition: str) -> None:
        """The box sends the sealed record of what it is about to say."""
        record = self.box.say("evidence_record", f"record-{transition}", self.box.seal_record(transition))
        assert record.status == 200, record.reply

    def transition(self, transition: str) -> None:
        """The alarm is raised, or it has returned."""
        now_ns, (*_, (_, head)) = self.face.clock(), self.box.chain
        body = alarm_body(
            f"alarm-1-{transition}",
            transition=transition,
            rule_id="vision.edge_open",
            subject="camera-1.edge-1",
            asset="camera-1",
            asset_kind="camera",
            title_zh="临边防护缺失",
            title_en="Edge protection missing",
            measured=None,
            limit=None,
            suspected=False,
            project_code="P-1",
            observed_at_ns=now_ns,
            raised_at_ns=now_ns,
            evidence_seq=len(self.box.chain),
            evidence_sha256=head,
        )
        answer = self.box.say("alarm_transition", f"alarm-1-{transition}", body)
        assert answer.status == 200, answer.reply

    def take_item(self, reviewer: DeskClient) -> tuple[str, str]:
        """The reviewer takes the one item of the queue: its id, and the token of the page's forms."""
        (row,) = success(reviewer.get("/review/queue", headers=JSON)).json()["rows"]
        csrf = reviewer.csrf("/review")
        success(reviewer.post(f"/review/items/{row['id']}/lease", data={"csrf": csrf}, headers=JSON))
        return str(row["id"]), csrf

    def say_true(self, reviewer: DeskClient, item: str, csrf: str) -> None:
        """The reviewer says that it is so."""
        said = {"csrf": csrf, "verdict": "true"}
        success(reviewer.post(f"/review/items/{item}/verdict", data=said, headers=JSON))

    def let_time_pass(self, seconds: float, only: str = "") -> None:
        """The desk's jobs run once, so much later; or the one of that name."""
        now_ns = self.face.clock.move(seconds=seconds)  # type: ignore[attr-defined]
        for job in self.face.desk.jobs:
            if only in ("", job.name):
                job.run(now_ns)

    def open_page(self, who: DeskClient) -> str:
        """The hazard's page; the token of its forms."""
        return who.csrf(f"/hazards/{self.hazard.hazard_id}")

    def try_to(self, who: DeskClient, step: str, csrf: str, *, photo: bytes | None = None, **fields: str) -> Any:
        """Send a form of the hazard's page; the answer."""
        files = {"photo": ("photo.jpg", photo, "image/jpeg")} if photo else None
        action = f"/hazards/{self.hazard.hazard_id}/{'evidence' if photo else 'act'}"
        return who.post(action, data={"csrf": csrf, "step": step, **fields}, files=files)

    def act(self, who: DeskClient, step: str, csrf: str, *, photo: bytes | None = None, **fields: str) -> None:
        """The same, and it was taken."""
        answer = self.try_to(who, step, csrf, photo=photo, **fields)
        assert answer.status_code == 303, answer.text

    def order_in_the_mailbox(self) -> str:
        """The id of the one order that the box is sent."""
        answer = self.box.say("mailbox_poll", f"poll-{self.box.seq}", {"wait_s": 0, "limit": 32}, "/v1/mailbox")
        letters = [json.loads(signed["text"]) for signed in answer.body["messages"]]
        orders = [letter["body"] for letter in letters if letter["kind"] == "order"]
        assert len(orders) == 1, [letter["kind"] for letter in letters]
        return str(orders[0]["order_id"])

    def reply(self, order_id: str, answer: str, *photos: bytes) -> None:
        """The box answers the order, with photos that it has sent before."""
        for photo in photos:
            assert self.box.put_blob(photo, photo, media_type="image/jpeg").status == 200
        body = {
            "order_id": order_id,
            "answer": answer,
            "words": "已整改",
            "user": "项目部",
            "answered_at_ns": self.face.clock(),
            "blob_sha256": [hashlib.sha256(photo).hexdigest() for photo in photos],
        }
        said = self.box.say("order_reply", f"reply-{answer}", body)
        assert said.status == 200, said.reply

    def _reviewer(self, login: str) -> DeskClient:
        return self.face.client_of(self.face.add(login, f"县级{login}", [(COUNTY, [Duty.REVIEWER])]))


def photo(shade: int) -> bytes:
    """A small JPEG of one colour."""
    out = io.BytesIO()
    Image.new("RGB", (64, 48), (shade * 40, 90, 120)).save(out, "JPEG")
    return out.getvalue()


def success(answer: Any) -> Any:
    """The answer, which must be 200."""
    assert answer.status_code == 200, answer.text
    return answer
