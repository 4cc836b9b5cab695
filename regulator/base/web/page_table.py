"""Every page, form and file of the desk, as its schema describes them (kit.web.published_pages).

JSON is not here: its routes say themselves what they answer. tests/desk/web/test_published_routes.py holds the table
against the routes and against what they read of a query and of a form.
"""

from typing import Final

from kit.web.published_pages import Page
from regulator.base.documents.exports import XLSX_TYPE
from screens.published import Media

TABLE: Final = Media(("text/html", "text/csv", XLSX_TYPE), "A page; with `format` the same rows as a table")
PAPER: Final = Media(("text/html", "application/pdf"), "The sealed paper: a page, or PDF")
PICTURE_TYPES: Final = ("image/jpeg", "image/png", "image/webp", "video/mp4", "application/octet-stream")
MEDIA: Final = Media(PICTURE_TYPES, "The bytes as they were captured", text=False)
PICTURE: Final = Media(("image/jpeg", "image/png", "image/webp"), "A picture", text=False)
ZIP: Final = Media(("application/zip",), "A package with its proofs", text=False)
CALENDAR: Final = Media(("text/calendar",), "Dates, iCalendar")
PLAIN: Final = Media(("text/plain",), "`ok`")
HEAD: Final = Media(("application/octet-stream",), "Canonical JSON: day, head before, ends of chains", text=False)
STAMP: Final = Media(("application/timestamp-reply",), "The authority's response, DER", text=False)
CHECKED: Final = Media(("text/html",), "What holds in the package and what does not")
CODES: Final = Media(("text/html", "text/csv"), "The codes, shown once: a sheet to print, or a table")
TOO_MANY: Final = ((429, "Too many failures: wait"), (503, "Too many log in at once: try again"))
TOO_MANY_VIEWS: Final = ((429, "Too many watch already"),)
WRONG_CODE: Final = (401, "A wrong code, or one that was used before")
CODE_FAULTS: Final = (WRONG_CODE, (429, "Too many wrong codes: wait"))
CODES_ONCE: Final = Media(("text/html",), "The recovery codes, shown once")
WRONG: Final = (401, "Wrong login name or password")
BUSY: Final = ((429, "One of this login or address is at it already"), (503, "Too many at once: try again later"))
PART: Final = ((206, "The bytes that `Range` asks for"), (416, "There are no such bytes"))


def _get(path: str, tag: str, summary: str, query: str = "", answer: Media | None = None) -> Page:
    return Page("GET", path, tag, summary, query, "", answer)


def _post(path: str, tag: str, summary: str, form: str = "", answer: Media | None = None) -> Page:
    return Page("POST", path, tag, summary, "", form, answer)


_DESK: Final = (
    _get("/", "desk", "The first page: what is open, late, silent and waiting"),
    _get("/healthz", "desk", "Whether the program lives", answer=PLAIN),
    Page("GET", "/readyz", "desk", "Whether it can work", "", "", PLAIN, ((503, "The database does not answer"),)),
    _post("/preferences", "desk", "Choose language and appearance", "language? theme? back?"),
    _get("/findings", "desk", "What the intake found about boxes"),
    _post("/findings/{finding_id}/close", "desk", "Close a finding", "because"),
)
_PEOPLE: Final = (
    Page("GET", "/login", "people", "The form to log in", "next done", also=((303, "Somebody has logged in"),)),
    Page("POST", "/login", "people", "Log in", "", "login password next?", None, (WRONG, *TOO_MANY)),
    _post("/logout", "people", "Log out"),
    _post("/seat", "people", "Act in another role", "seat back?"),
    Page("GET", "/oidc/start", "people", "To the office's provider", "next", also=((303, "To the provider"),)),
    _get("/oidc/callback", "people", "Back from it", "code state"),
    _get("/me", "people", "One's own account", "done"),
    Page("POST", "/me/password", "people", "Change the password", "", "old password again", None, TOO_MANY),
    _get("/login/code", "people", "The form for the code of the second factor", "next"),
    Page("POST", "/login/code", "people", "Show a code", "", "code next?", None, CODE_FAULTS),
    _get("/me/second-factor", "people", "One's own second factor", "next done"),
    Page("POST", "/me/second-factor/begin", "people", "Begin its set-up", "", "code? next?", None, CODE_FAULTS),
    Page("POST", "/me/second-factor/confirm", "people", "Its first code", "", "code next?", CODES_ONCE, (WRONG_CODE,)),
    Page("POST", "/me/second-factor/codes", "people", "New recovery codes", "", "code", CODES_ONCE, CODE_FAULTS),
    Page("POST", "/me/second-factor/remove", "people", "Have none any more", "", "code", None, CODE_FAULTS),
    _post("/me/sessions/end", "people", "End a login", "session_id"),
    _post("/me/delegations", "people", "Name who stands in during leave", "from until grant_id to reason"),
    _post("/me/delegations/end", "people", "Take that back", "delegation_id"),
    _get("/people", "people", "Everybody's accounts"),
    _post("/people", "people", "Make an account", "login name password"),
    _post(
        "/people/{user_id}/{deed}",
        "people",
        "Disable, enable, password, second factor, roles",
        "password? level? code? duty*",
    ),
    _post("/grants/{grant_id}/{deed}", "people", "Approve, reject or revoke a role", "reason?"),
    _get("/audit", "people", "Who did what", "kind person project subject from until after format", TABLE),
)
_REVIEW: Final = (
    _get("/review", "review", "The review desk"),
    _get("/review/items/{item_id}", "review", "One alarm, without a script"),
    _get("/review/shelf", "review", "What was put aside"),
    _get("/review/judged", "review", "Verdicts that stand"),
    _get("/review/figures", "review", "The funnel in figures"),
    _get("/review/checks", "review", "What is to be checked at the site"),
    _post("/review/checks/{item_id}", "review", "What was seen at the site", "outcome words"),
    _get("/samples", "review", "False alarms and agreement"),
)
_STEP: Final = "step words? override? section? due_day? grant? grade_major? kind?"
_NEW: Final = (
    "key channel kind observed_at project_code? title_zh? title_en? place_id? catalogue_code? words? "
    "back_date_reason? photo@"
)
_SEEN: Final = "result project_code words? found_hazard_id? back?"
_RECEIPT: Final = "target submitted_at receipt_number? photo@"
_HAZARDS: Final = (
    _get("/hazards", "hazards", "The list", "state grade channel kind due project region listed asked unread before"),
    _get("/hazards/new", "hazards", "The form for one that people found"),
    _post("/hazards/new/evidence", "hazards", "Open one by hand", _NEW),
    _get("/hazards/stock", "hazards", "Stock and flow", "grade"),
    _get("/hazards/{hazard_id}", "hazards", "One hazard"),
    _post("/hazards/{hazard_id}/act", "hazards", "An action", _STEP),
    _post("/hazards/{hazard_id}/evidence", "hazards", "An action with photos", f"{_STEP} photo@"),
    _get("/hazards/{hazard_id}/evidence/{sha256}", "hazards", "Bytes of its evidence", answer=MEDIA),
    _post("/hazards/{hazard_id}/analogy", "hazards", "The look at another site", _SEEN),
    _post("/hazards/{hazard_id}/receipt/evidence", "hazards", "A platform's receipt", _RECEIPT),
    _post("/hazards/{hazard_id}/follow-up", "hazards", "What followed", "item words?"),
    _get("/supervision", "hazards", "The board"),
    Page("GET", "/board", "hazards", "The board's old address", also=((307, "`Location` names the board"),)),
    _get("/accidents", "hazards", "Accidents and dangerous situations"),
)
_EVIDENCE: Final = (
    _get("/hazards/{hazard_id}/handed-over", "evidence", "The package handed over with the case", answer=ZIP),
    _get("/hazards/{hazard_id}/package", "evidence", "The hazard's package", answer=ZIP),
    _get("/verify", "evidence", "The form to check a package"),
    _get("/witness", "evidence", "The ledger's head of each day, to print; a code that was printed, checked", "code"),
    _get(
        "/witness/{head_number}/head.json",
        "evidence",
        "What a head names: what its digest is of",
        answer=HEAD,
    ),
    _get("/witness/{head_number}/stamp.tsr", "evidence", "The time stamp on a head (RFC 3161)", answer=STAMP),
    Page("POST", "/verify", "evidence", "Check a package", "", "package@", CHECKED, BUSY),
    Page("GET", "/media/{sha256}", "evidence", "A picture or clip; takes `Range`", "", "", MEDIA, PART),
    _get("/documents/check/{number}", "evidence", "Whether a printed paper is genuine"),
    _get("/documents", "evidence", "Papers", "format", TABLE),
    _get("/documents/{number}", "evidence", "One paper"),
    _get("/documents/{number}/{form}", "evidence", "Its bytes: `paper` or `pdf`", answer=PAPER),
)
_WALL: Final = (
    _get("/wall", "wall", "The wall of the set's projects"),
    _get("/wall/card/{code}", "wall", "A project's card, a part of the page"),
    _get("/live/{code}/{camera}", "wall", "The form to ask for live video"),
    Page("POST", "/live/{code}/{camera}", "wall", "Ask for live video", "", "reason", None, TOO_MANY_VIEWS),
    _get("/live/views/{view}", "wall", "The view"),
    _post("/live/views/{view}/stop", "wall", "End the view"),
)
_PROJECT: Final = "name province_code city_code county_code? category stage? started_on? address? reason"
_DEVICE: Final = "device_code name kind firm_code? serial? registration? asset? reason"
_WORK: Final = "work_code name type stage from_day? to_day? over_scale? reason"
_REGISTRY: Final = (
    _get("/projects", "registry", "Projects", "city region category status work q member"),
    _post("/projects", "registry", "Register a project", f"project_code {_PROJECT}"),
    _get("/projects/{code}", "registry", "One project"),
    _post("/projects/{code}/change", "registry", "Change it", f"project_code? {_PROJECT}"),
    _post("/projects/{code}/status", "registry", "Change its status", "status on reason"),
    _post("/projects/{code}/firms", "registry", "Put a firm to it", "firm_code role reason"),
    _post("/projects/{code}/firms/release", "registry", "Release a firm", "firm_code role reason"),
    _post("/projects/{code}/devices", "registry", "Register a device", _DEVICE),
    _post("/projects/{code}/devices/{device_code}/end", "registry", "Take it down", "reason"),
    _post("/projects/{code}/works", "registry", "Register dangerous work", _WORK),
    _post("/projects/{code}/works/{work_code}/watch", "registry", "What watches it", "device_code watches? reason"),
    _get("/projects/{code}/cameras/{camera}/still", "registry", "The camera's last still", answer=PICTURE),
    _get("/guarantors", "registry", "Who answers for hazard sources", "missing project"),
    _post("/projects/{code}/works/{work_code}/guarantors", "registry", "Name a guarantor", "role name login? reason"),
    _get("/regions", "registry", "Regions and firms", "q"),
    _post("/regions", "registry", "Enter a region", "code name level parent? reason"),
    _post("/regions/{code}/name", "registry", "Rename it", "name reason"),
    _post("/firms", "registry", "Enter a firm", "firm_code name kind reason"),
    _post("/firms/{code}/name", "registry", "Rename it", "name reason"),
    _post("/firms/{code}/end", "registry", "End it", "reason"),
    _get("/import", "registry", "The form to hand in a list"),
    _post("/import/preview", "registry", "Hand in a list", "kind file@ reason?"),
    _get("/import/{import_id}", "registry", "What each line would do"),
    _post("/import/{import_id}/commit", "registry", "Take the good lines over", "reason"),
)
_CHANGE: Final = "change project_code effective_day category? category_reason? ground? reason"
_CHECK: Final = "sheet level firm? project? device? words? at_project? ..."
_EVENT: Final = "kind on_day points? source? firm_code? project_code? reason"
_SET: Final = (
    _get("/coverage", "coverage", "How much of the set is covered", "day stopped"),
    _get("/set", "coverage", "The set", "day"),
    _post("/set/proposals", "coverage", "Propose a change", _CHANGE),
    _post("/set/proposals/{proposal_id}/decide", "coverage", "Decide it", "verdict reason"),
    _post("/set/decide-many", "coverage", "Decide several", "proposal* verdict reason"),
    _post("/set/proposals/{proposal_id}/withdraw", "coverage", "Take it back", "reason"),
    _post("/set/proposals/{proposal_id}/admit", "coverage", "Admit from the waiting list", "effective_day reason"),
    _get("/rounds", "coverage", "Rounds of inspection"),
    _post("/rounds", "coverage", "Open a round", "name starts_on due_on reason"),
    _get("/rounds/{round_id}", "coverage", "One round"),
    _get("/rounds/{round_id}/sheet", "coverage", "The sheet to fill in"),
    _post("/rounds/{round_id}/checks", "coverage", "A sheet filled in; an answer a question", _CHECK),
    _post("/rounds/{round_id}/follow", "coverage", "Follow the registry", "reason"),
    _post("/rounds/{round_id}/close", "coverage", "Close it", "reason"),
    _get("/key-risks", "coverage", "The key-risk list", "month"),
    _post("/key-risks/events", "coverage", "Record an event", _EVENT),
    _post("/key-risks/by-hand", "coverage", "List by hand", "level code reason"),
    _post("/key-risks/{level}/{code}/check", "coverage", "This month's check", "project_code? reason"),
    _post("/key-risks/{level}/{code}/exit/upload", "coverage", "Propose the way out", "report@ reason"),
    _post("/key-risks/{level}/{code}/exit/approve", "coverage", "Approve it", "reason"),
    _get("/key-risks/{level}/{code}/report", "coverage", "The monthly report"),
    _post("/key-risks/{level}/{code}/report", "coverage", "Submit it", "month words"),
)
_THEME: Final = "month name? topic? target_percent? category? works_type? band? reason"
_DRAW: Final = "public_value public_source public_at"
_AWAY: Final = "user_id? project_code? firm_code? reason"
_PERMIT: Final = "project_code? number? work? asset? place? holder? issued_by? reason? valid_from? valid_until?"
_WARNING: Final = "target_level? target_code? kind? level? source? words? valid_from? valid_until?"
_SUPERVISION: Final = (
    _get("/risk", "supervision", "Scores", "band region factor q"),
    _get("/risk/how", "supervision", "How they are computed"),
    _get("/risk/projects/{code}", "supervision", "One project's factors"),
    _get("/draws", "supervision", "Random draws"),
    _post("/draws", "supervision", "Freeze a pool", "name on_day reason"),
    _get("/draws/{draw_id}", "supervision", "One draw"),
    _post("/draws/{draw_id}/draw", "supervision", "Draw", _DRAW),
    _post("/draws/{draw_id}/begin", "supervision", "Begin the round", "due_on reason"),
    _post("/draws/{draw_id}/redraw", "supervision", "Draw anew", "reason"),
    _post("/draws/conflicts", "supervision", "Declare a conflict of interest", _AWAY),
    _post("/draws/conflicts/{conflict_id}/end", "supervision", "It has ended", "reason"),
    _get("/calendar", "supervision", "What is due when"),
    _get("/calendar.ics", "supervision", "The same for a calendar program", answer=CALENDAR),
    _post("/calendar/{entry_id}", "supervision", "Mark as done", "due_on words"),
    _get("/themes", "supervision", "Themes of the months"),
    _post("/themes", "supervision", "Set a theme", _THEME),
    _get("/themes/{theme_id}", "supervision", "One theme"),
    _post("/themes/{theme_id}/checks", "supervision", "A check of it", "project_code outcome words"),
    _get("/safety-logs", "supervision", "Safety logs of a day", "day late"),
    _post("/safety-logs", "supervision", "Enter a log", "project_code day words"),
    _post("/safety-logs/check-ins", "supervision", "Check in", "project_code role person"),
    _get("/safety-logs/{code}", "supervision", "One project's last days"),
    _get("/permits", "supervision", "Permits and warnings"),
    _post("/permits/permit", "supervision", "Enter a permit", _PERMIT),
    _post("/permits/warning", "supervision", "Enter a warning", _WARNING),
    _get("/permits/{notice_id}", "supervision", "One of them", "done"),
    _post("/permits/{notice_id}/withdraw", "supervision", "Withdraw it", "reason?"),
)
_REPORTS: Final = (
    _get("/statistics", "reports", "Figures of a span", "period from to region category table format", TABLE),
    _get("/reports", "reports", "Reports", "format", TABLE),
    _post("/reports/draft", "reports", "Draft one", "period"),
    _get("/reports/{number}", "reports", "One report"),
    _get("/reports/{number}/{form}", "reports", "Its bytes: `paper` or `pdf`", answer=PAPER),
    _post("/reports/{number}/issue", "reports", "Issue it"),
    _post("/reports/{number}/correct", "reports", "A corrected edition", "reason"),
)
_FLEET: Final = (
    _get("/fleet", "fleet", "Boxes", "format", TABLE),
    _get("/fleet/enrolment", "fleet", "Enrolment"),
    _post("/fleet/enrolment/issue", "fleet", "A code for one box", "project_code box_id", CODES),
    _post("/fleet/enrolment/import", "fleet", "Codes for a list", "file@ as?", CODES),
    _post("/fleet/enrolment/codes/{code_sha256}/revoke", "fleet", "Take a code back", "reason"),
    _post("/fleet/enrolment/boxes/{box_id}/revoke", "fleet", "Revoke a box", "reason"),
    _post("/fleet/enrolment/boxes/{box_id}/admit", "fleet", "Let a box in", "orders? reason"),
    _post("/fleet/enrolment/boxes/{box_id}/assign", "fleet", "Give it the orders", "reason"),
    _get("/fleet/packs", "fleet", "Rule packs"),
    _post("/fleet/packs/import", "fleet", "Hand one in", "note files@"),
    _get("/fleet/packs/{sha256}", "fleet", "One pack", "done"),
    _post("/fleet/packs/{sha256}/offer", "fleet", "Offer it to boxes", "box* reason"),
    _post("/fleet/packs/{sha256}/withdraw", "fleet", "Withdraw it", "reason"),
    _get("/docking", "fleet", "Platforms above"),
    _post("/docking/{name}/now", "fleet", "Send now"),
    _post("/docking/{name}/again", "fleet", "Send one again", "key? because?"),
)
PAGES: Final = (
    *_DESK, *_PEOPLE, *_REVIEW, *_HAZARDS, *_EVIDENCE, *_WALL, *_REGISTRY, *_SET, *_SUPERVISION, *_REPORTS, *_FLEET
)  # fmt: skip
