"""The list of boxes."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import FastAPI, Query, Request
from fastapi.responses import Response

from regulator.base.desk import Desk
from regulator.base.model.refusals import RefusedError
from regulator.base.web.pages import Pages
from regulator.base.web.table_answer import table_answer, wanted_format
from regulator.parts.fleet.boxes import Filters, Standing, Yardstick, fleet_of
from regulator.parts.fleet.export import fleet_table
from regulator.parts.fleet.packs import SUPERVISION

Words = Annotated[str, Query(max_length=100, pattern=r"^[^\x00]*$")]


def box_pages(desk: Desk, app: FastAPI, pages: Pages, software: str) -> None:
    """/fleet. `software`: the desk's own version."""

    @app.get("/fleet")
    def fleet(
        request: Request, show: Words = "", words: Words = "", software_is: Words = "", pack: Words = ""
    ) -> Response:
        """The page with every box: heard when, with which software."""
        actor = pages.actor(request)
        if show not in ("", *(standing.value for standing in Standing)):
            raise RefusedError(422, "bad_filter", "没有这种状态", "no such standing", "show")
        asked = Filters(show, words, software_is, pack)
        yardstick = Yardstick(desk.now_ns(), desk.settings.silent_box_s, software)
        with desk.database.reading() as db:
            found = fleet_of(db, actor, yardstick, asked)
        if wanted_format(request):
            return table_answer(request, fleet_table(found.rows))
        chosen = {"show": show, "words": words, "software_is": software_is, "pack": pack}
        query = urlencode({name: value for name, value in chosen.items() if value})
        return pages.render(
            request, "fleet.html", found=found, chosen=chosen, query=query, Standing=Standing, yardstick=yardstick,
            packs_page=actor.level in SUPERVISION,
        )  # fmt: skip
