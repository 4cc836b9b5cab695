"""The fleet's pages.

GET  /fleet?show=&words=&software=&pack=&format=     every box of the scope, the worst first; CSV, XLSX
"""

from importlib.metadata import version

from fastapi import FastAPI

from regulator.desk import Desk
from regulator.web.fleet_boxes import box_pages
from regulator.web.pages import Pages


def install(desk: Desk, app: FastAPI, pages: Pages) -> None:
    """The routes."""
    box_pages(desk, app, pages, version("sitewarden"))
