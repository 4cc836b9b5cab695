"""The set's page: members on any day, suggestions, proposals, decisions, the waiting list."""

from typing import Annotated, Final

from fastapi import FastAPI, Path, Request
from fastapi.responses import Response

from regulator.base.days import read_day
from regulator.base.kinds import Category
from regulator.base.model.actor import Duty, Level
from regulator.base.model.authority import REGULATOR
from regulator.base.model.refusals import RefusedError
from regulator.base.texts import read_word
from regulator.base.web.forms import Form, FormValues
from regulator.parts.registry.projects.set_lists import set_view
from regulator.parts.registry.projects.set_office import PROPOSERS, Action, Proposal, admit, decide, propose, withdraw
from regulator.parts.registry.projects.set_suggestions import Ground, suggestions
from regulator.parts.registry.registry_door import RegistryDoor, back_to

VERDICTS: Final = ("approve", "refuse")
ProposalId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]


def set_pages(app: FastAPI, door: RegistryDoor) -> None:
    """Add every route below `/set` to the application."""
    _looking(app, door)
    _changing(app, door)


def _looking(app: FastAPI, door: RegistryDoor) -> None:
    pages = door.pages

    @app.get("/set")
    def members(request: Request) -> Response:
        """The page with the projects of the set on a day."""
        actor, day = pages.actor(request), door.day_asked(request)
        no_picture = door.desk.settings.project_set.no_picture_days
        with door.reading() as db:
            view = set_view(db, actor, door.rules.set_code, day)
            suggested = suggestions(db, door.rules.set_code, actor.scope, pages.now_ns(), no_picture)
        may_propose = actor.has(*PROPOSERS) and actor.level in REGULATOR
        may_decide = actor.has(Duty.APPROVER) and actor.level is Level.PROVINCE
        return pages.render(
            request, "registry_set.html", view=view, day=day.isoformat(), today=door.today.isoformat(),
            suggested=suggested, rules=door.rules, categories=list(Category), category_of=Category.of,
            grounds=list(Ground), may_propose=may_propose, may_decide=may_decide,
        )  # fmt: skip


def _changing(app: FastAPI, door: RegistryDoor) -> None:
    @app.post("/set/proposals")
    def proposed(request: Request, form: Form) -> Response:
        """Propose a change of the set, with its reason."""
        action = Action.REMOVE if form["change"] == Action.REMOVE.value else Action.ADD
        given = form.get("category")
        wanted = Proposal(
            action=action,
            project_code=form["project_code"].strip(),
            effective_day=read_day(form["effective_day"], "effective_day"),
            category=read_word(Category, given, "category") if given else Category.OTHER,
            category_reason=form.get("category_reason"),
            ground=form.get("ground") if form.get("ground") in {each.value for each in Ground} else "manual",
        )
        with door.act(request, form["reason"]) as act:
            propose(act, door.rules, wanted)
        return back_to("/set#proposals")

    @app.post("/set/proposals/{proposal_id}/decide")
    def decided(request: Request, proposal_id: ProposalId, form: Form) -> Response:
        """Decide on a proposal, as an approver."""
        with door.act(request, form["reason"]) as act:
            decide(act, door.rules, proposal_id, approve=_approves(form))
        return back_to("/set#proposals")

    @app.post("/set/decide-many")
    def many(request: Request, form: Form) -> Response:
        """All that were ticked, or none of them: one refusal takes the others back."""
        approve = _approves(form)
        with door.act(request, form["reason"]) as act:
            for proposal_id in form.every("proposal"):
                decide(act, door.rules, proposal_id, approve=approve)
        return back_to("/set#proposals")

    @app.post("/set/proposals/{proposal_id}/withdraw")
    def withdrawn(request: Request, proposal_id: ProposalId, form: Form) -> Response:
        """Withdraw a proposal that nobody has decided."""
        with door.act(request, form["reason"]) as act:
            withdraw(act, door.rules, proposal_id)
        return back_to("/set#proposals")

    @app.post("/set/proposals/{proposal_id}/admit")
    def admitted(request: Request, proposal_id: ProposalId, form: Form) -> Response:
        """Give a free place to a project that waits for one."""
        with door.act(request, form["reason"]) as act:
            admit(act, door.rules, proposal_id, read_day(form["effective_day"], "effective_day"))
        return back_to("/set#waiting")


def _approves(form: FormValues) -> bool:
    """Raises RefusedError 422 for a verdict that there is not."""
    verdict = form["verdict"]
    if verdict not in VERDICTS:
        raise RefusedError(422, "bad_choice", "请选择同意或不同意", f"expected one of {', '.join(VERDICTS)}", "verdict")
    return verdict == "approve"
