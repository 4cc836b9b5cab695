"""Evidence as a part of the desk: issued documents, pictures and clips, packages out and in again."""

from fastapi import FastAPI

from regulator.base.desk import Desk, Job
from regulator.base.web.pages import Pages
from regulator.base.web.part import Part
from regulator.parts.evidence.document_routes import document_pages
from regulator.parts.evidence.handing_over import EVERY_S, HandingOver
from regulator.parts.evidence.media_routes import media_pages
from regulator.parts.evidence.verify_routes import verify_pages


def part(desk: Desk) -> Part:
    """The job makes the packages that go with a case that is handed over."""

    def install(app: FastAPI, pages: Pages) -> None:
        document_pages(desk, app, pages)
        media_pages(desk, app, pages)
        verify_pages(desk, app, pages)

    return Part(install, jobs=(Job("handed-packages", EVERY_S, HandingOver(desk).run),))
