"""Any route of the desk asked in this process by anybody, with a form that the route would take.

    asking = DeskAsking(face)
    who = asking.somebody(Duty.REVIEWER, scope)
    answer = await asking.ask(who, "POST", "/projects/{code}/status", {"code": "p3"})
    code_of(answer)                                   # of a refusal: "duty_needed"

Parameters and fields are filled in by name; what a route asks for beyond that stands in `CHOICES`.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from kit.web.guarding import BROWSER_COOKIE, FORM_TYPE, form_token
from regulator.base.accounts.model import Account
from regulator.base.accounts.sessions import whose
from regulator.base.model.actor import Duty, Scope
from regulator.base.web.account_visitors import AccountVisitors
from regulator.base.web.page_table import PAGES
from regulator.base.web.permissions import body_limit
from tests.fakes.asgi_asking import Asked, ask
from tests.fakes.desk_face import PASSWORD, PROVINCE, DeskFace

PARAMETER: Final = re.compile(r"\{([^}:]+)(:[^}]*)?\}")
NOBODY_ID: Final = "0" * 32
VALUES: Final = {
    **dict.fromkeys(("proposal_id", "import_id", "round_id", "draw_id", "theme_id", "view"), NOBODY_ID),
    **dict.fromkeys(("sha256", "code_sha256"), "0" * 64),
    **{"level": "project", "form": "paper", "deed": "enable", "item_id": "0" * 24, "sheet_id": "0" * 24},
    **{"conflict_id": NOBODY_ID, "notice_id": f"desk-permit-{'0' * 16}", "entry_id": "safety_month", "finding_id": "1"},
}
"""What a parameter of a path is, when a test does not say; `nothing` for any other."""
FIELDS: Final = {
    **{"reason": "because it is so", "words": "words of some length", "because": "because it is so"},
    **{"kind": "tower_crane", "status": "stopped", "role": "contractor", "level": "project", "type": "lifting"},
    **{"stage": "running", "category": "other", "verdict": "approve", "outcome": "fits", "result": "none"},
    **{"on": "2026-02-01", "day": "2026-02-01", "month": "2026-02", "due_on": "2026-12-01", "on_day": "2026-02-01"},
    **{"starts_on": "2026-02-01", "effective_day": "2026-12-01", "period": "2026-01", "points": "1", "again": PASSWORD},
    **{"step": "confirm", "item": "publicity", "target": "province", "sheet": "site", "language": "zh", "span": "hour"},
}
"""What a field of a form is, when neither a test nor `CHOICES` says; `x` for any other."""
CHOICES: Final[Mapping[str, Mapping[str, str]]] = {
    "/hazards/new/evidence": {
        **{"kind": "hazard", "channel": "inspection", "key": "k" * 16, "observed_at": "2026-01-01T08:00"},
        **{"place_id": "place", "title_zh": "临边无防护", "title_en": "", "catalogue_code": ""},
    },
    "/hazards/{hazard_id}/receipt/evidence": {"submitted_at": "2026-01-01T08:00", "receipt_number": "1"},
    "/hazards/{hazard_id}/analogy": {"found_hazard_id": ""},
    "/key-risks/events": {"kind": "accident", "firm_code": ""},
    "/projects/{code}/works": {"from_day": "", "to_day": "", "over_scale": ""},
    "/projects/{code}/works/{work_code}/guarantors": {"role": "leader", "login": ""},
    "/projects/{code}/change": {"county_code": "", "started_on": "", "city_code": "4403", "province_code": "44"},
    "/projects": {"county_code": "", "started_on": "", "city_code": "4403", "province_code": "44"},
    "/regions": {"level": "county"},
    "/firms": {"kind": "contractor"},
    "/draws/conflicts": {"firm_code": ""},
    "/themes": {"topic": "", "target_percent": "10", "works_type": "lifting", "band": "", "category": ""},
    "/safety-logs/check-ins": {"role": "project_manager"},
    "/review/items/{item_id}/verdict": {"verdict": "doubtful", "reason": ""},
    "/review/sheets/{sheet_id}/verdict": {"verdict": "doubtful", "reason": "", "item_id": "0" * 24},
    "/review/items/{item_id}/shelve": {"reason": "1", "hours": "1"},
    "/samples/export": {"kind": "coco"},
    "/fleet/packs/{sha256}/offer": {"box": "box-3"},
    "/rounds/{round_id}/checks": {"firm": "", "device": "", "project": "p3"},
}
QUERIES: Final = {"/rounds/{round_id}/sheet": "?level=project&sheet=site&project=p3"}
JSON_FORMS: Final = {
    "/review/items/{item_id}/reopen": "words",
    "/review/items/{item_id}/verdict": "verdict reason words",
    "/review/items/{item_id}/shelve": "reason hours",
    "/review/sheets/{sheet_id}/verdict": "verdict reason item_id",
    "/samples/export": "kind",
}
"""Fields of forms that are answered with JSON; those of pages stand in the page table."""
_FORMS: Final = {row.path: row.form for row in PAGES if row.method == "POST"} | JSON_FORMS


@dataclass(frozen=True, slots=True)
class Somebody:
    """Who asks. Nobody: both are empty."""

    cookie: str = ""
    csrf: str = ""


class DeskAsking:
    """`face` need not serve a socket."""

    def __init__(self, face: DeskFace) -> None:
        self._face = face
        self._key = AccountVisitors(face.desk).form_key
        self._known: dict[str, Somebody] = {}

    def somebody(self, duty: Duty, scope: Scope = PROVINCE) -> Somebody:
        """Somebody with this duty in this scope, logged in once."""
        return self.of(self._face.person(duty, scope))

    def of(self, account: Account) -> Somebody:
        """An account, logged in once."""
        if account.user_id not in self._known:
            token = self._face.session_of(account)["value"]
            with self._face.database.reading() as db:
                presence = whose(db, token, self._face.clock())
            assert presence is not None
            self._known[account.user_id] = Somebody(token, self._csrf(presence.session.session_id))
        return self._known[account.user_id]

    def nobody(self) -> Somebody:
        """A stranger's browser."""
        return Somebody("", self._csrf(""))

    def _csrf(self, session_id: str) -> str:
        return form_token(self._key, "b", session_id)

    async def ask(
        self, who: Somebody, method: str, route: str, values: Mapping[str, str] | None = None, accept: str = "json"
    ) -> Asked:
        """The answer to a request with a form that the route would take. `values`: parameters and fields by name."""
        path, known = filled(route, values or {}), values or {}
        headers = {"accept": "text/html" if accept == "html" else "application/json"}
        headers["cookie"] = f"{BROWSER_COOKIE}=b" + (f"; desk_session={who.cookie}" if who.cookie else "")
        body = b""
        if method == "POST":
            types = body_limit(path).types
            fields = self._fields(route, known) | {"csrf": who.csrf}
            if FORM_TYPE in types and "@" not in _FORMS.get(route, ""):
                headers["content-type"], body = FORM_TYPE, urlencode(fields).encode()
            elif "application/json" in types:
                headers["content-type"], body = types[0], json.dumps(fields).encode()
            else:
                headers["content-type"], body = "multipart/form-data; boundary=edge", _multipart(route, fields)
        elif method in ("PUT", "PATCH"):
            headers["content-type"], body = "application/octet-stream", b"x"
        return await ask(self._face.app, method, path + QUERIES.get(route, ""), headers=headers, body=body)

    @staticmethod
    def _fields(route: str, known: Mapping[str, str]) -> dict[str, str]:
        names = [word.rstrip("?*") for word in _FORMS.get(route, "").split() if word != "..." and "@" not in word]
        return {name: CHOICES.get(route, {}).get(name, known.get(name, FIELDS.get(name, "x"))) for name in names}


def filled(route: str, values: Mapping[str, str]) -> str:
    """A route's address with something in the place of each parameter."""
    return PARAMETER.sub(lambda match: values.get(match[1], VALUES.get(match[1], "nothing")), route)


def code_of(answer: Asked) -> str:
    """The name of a refusal; empty for anything else."""
    if answer.status < 400 or not answer.headers.get("content-type", "").startswith("application/json"):
        return ""
    return str(json.loads(answer.body).get("error", {}).get("code", ""))


def _multipart(route: str, fields: Mapping[str, str]) -> bytes:
    head = '--edge\r\ncontent-disposition: form-data; name="{}"{}\r\n\r\n{}\r\n'
    parts = [head.format(name, "", value) for name, value in fields.items()]
    files = [word.rstrip("@") for word in _FORMS.get(route, "").split() if word.endswith("@")]
    parts += [head.format(name, '; filename="list.csv"', "a,b\n1,2\n") for name in files if name != "photo"]
    return ("".join(parts) + "--edge--\r\n").encode()
