"""The reporting calendar as a page and as an iCalendar file, monthly themes, and their forms."""

from typing import Annotated

from fastapi import FastAPI, Path, Request
from fastapi.responses import Response

from regulator.base.days import read_day
from regulator.base.kinds import Answer, Category, WorkType
from regulator.base.model.refusals import RefusedError
from regulator.base.texts import read_word
from regulator.base.web.act_door import ActDoor, back_to
from regulator.base.web.forms import Form, FormValues
from regulator.parts.supervision.calendar_file import CalendarFile
from regulator.parts.supervision.calendar_ics import ics
from regulator.parts.supervision.calendar_office import State, clocks, lines, mark_done
from regulator.parts.supervision.draw_pool import LEADERS
from regulator.parts.supervision.risk import Band
from regulator.parts.supervision.supervision_door import Id
from regulator.parts.supervision.theme_file import ThemeFile, Topic
from regulator.parts.supervision.themes import (
    CHECKERS,
    SHOWN,
    NewTheme,
    check_theme,
    left_over,
    progress,
    set_theme,
    theme_of,
    themes_of,
)

EntryId = Annotated[str, Path(pattern=r"^[a-z_]{1,40}$")]


def calendar_pages(app: FastAPI, door: ActDoor, file: CalendarFile) -> None:
    """Add every route below `/calendar` to the application."""
    pages = door.pages

    @app.get("/calendar")
    def shown(request: Request) -> Response:
        """The page with what the calendar says is due, and when."""
        actor = pages.actor(request)
        with door.reading() as db:
            found, running = lines(db, file, actor, door.today), clocks(db, actor, pages.now_ns())
        counts = {state: sum(line.state is state for line in found) for state in State}
        return pages.render(
            request, "supervision_calendar.html", lines=found, clocks=running, counts=counts, today=door.today,
            file=file, states=State,
        )  # fmt: skip

    @app.get("/calendar.ics")
    def exported(request: Request) -> Response:
        """The calendar as a file for other programs."""
        actor, settings = pages.actor(request), door.desk.settings
        with door.reading() as db:
            found = lines(db, file, actor, door.today)
        chinese = pages.language(request) == "zh-CN"
        name = settings.name_zh if chinese else settings.name_en
        body = ics(found, name, pages.now_ns(), chinese=chinese)
        headers = {"content-disposition": 'attachment; filename="calendar.ics"'}
        return Response(body.encode(), media_type="text/calendar; charset=utf-8", headers=headers)

    @app.post("/calendar/{entry_id}")
    def marked(request: Request, entry_id: EntryId, form: Form) -> Response:
        """Note that an entry of the calendar was done."""
        due = read_day(form["due_on"], "due_on")
        with door.act(request, form["words"]) as act:
            mark_done(act, file, entry_id, due, form["words"])
        return back_to("/calendar")


def theme_pages(app: FastAPI, door: ActDoor, file: ThemeFile) -> None:
    """Add every route below `/themes` to the application."""
    pages = door.pages

    @app.get("/themes")
    def listed(request: Request) -> Response:
        """The page with the themes of supervision."""
        actor = pages.actor(request)
        with door.reading() as db:
            found = themes_of(db, actor)
        return pages.render(
            request, "supervision_themes.html", themes=found, file=file, month=door.today.isoformat()[:7],
            categories=list(Category), works=list(WorkType), bands=list(Band), may_lead=actor.has(*LEADERS),
        )  # fmt: skip

    @app.get("/themes/{theme_id}")
    def one(request: Request, theme_id: Id) -> Response:
        """The page of one theme and its progress."""
        actor = pages.actor(request)
        with door.reading() as db:
            theme = theme_of(db, actor, theme_id)
            counties, left = progress(db, actor.scope, theme), left_over(db, actor.scope, theme)
        return pages.render(
            request, "supervision_theme.html", theme=theme, counties=counties, left=left, shown=SHOWN,
            may_check=actor.has(*CHECKERS), answers=[Answer.FITS, Answer.HAZARD],
        )  # fmt: skip

    @app.post("/themes")
    def made(request: Request, form: Form) -> Response:
        """Make a theme of supervision, as the form says."""
        new = _theme(form, _topic(file, form.get("topic")), file)
        with door.act(request, form["reason"]) as act:
            theme_id = set_theme(act, new)
        return back_to(f"/themes/{theme_id}")

    @app.post("/themes/{theme_id}/checks")
    def checked(request: Request, theme_id: Id, form: Form) -> Response:
        """Note a check that was done under a theme."""
        with door.act(request, form["words"]) as act:
            check_theme(act, theme_id, form["project_code"].strip(), read_word(Answer, form["outcome"], "outcome"))
        return back_to(f"/themes/{theme_id}")


def _topic(file: ThemeFile, topic_id: str) -> Topic | None:
    found = next((topic for topic in file.topics if topic.id == topic_id), None)
    if topic_id and found is None:
        raise RefusedError(422, "not_a_choice", "没有这个主题", "no such topic", "topic")
    return found


def _theme(form: FormValues, topic: Topic | None, file: ThemeFile) -> NewTheme:
    """What the form says; where it says nothing, the topic."""
    said = {
        name: form.get(name) or (getattr(topic, name) if topic else "") for name in ("category", "works_type", "band")
    }
    percent = form.get("target_percent") or str(file.target_percent)
    return NewTheme(
        month=form["month"].strip(),
        name=form.get("name") or (topic.zh if topic else ""),
        target_percent=int(percent) if percent.isdecimal() and len(percent) <= 3 else 0,
        topic=topic.id if topic else "",
        category=read_word(Category, said["category"], "category") if said["category"] else None,
        works_type=read_word(WorkType, said["works_type"], "works_type") if said["works_type"] else None,
        band=read_word(Band, said["band"], "band") if said["band"] else None,
        any_works=bool(topic and topic.any_works and not said["works_type"]),
    )
