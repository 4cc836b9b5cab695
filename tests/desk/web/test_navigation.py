"""The bar shows what somebody may see, in groups, and where somebody is."""

import pytest

from regulator.base.model.actor import Duty
from regulator.base.web.navigation import NAVIGATION, navigation_of

ALL = {entry.path for entry in NAVIGATION}


def anybody(*_duties: Duty) -> bool:
    return True


def nobody(*_duties: Duty) -> bool:
    return False


def test_every_page_is_in_one_group() -> None:
    groups = navigation_of(ALL, anybody, "/")
    assert [entry for group in groups for entry in group.entries] == list(NAVIGATION)
    assert len({group.text for group in groups}) == len(groups)


def test_where_somebody_is() -> None:
    found = {
        address: [(group.text, group.current.text) for group in navigation_of(ALL, anybody, address) if group.current]
        for address in ("/", "/hazards/h-1", "/accidents", "/hazardous", "/themes/2026-11")
    }
    assert found == {
        "/": [("Overview", "Overview")],
        "/hazards/h-1": [("Closing hazards", "Hazards")],
        "/accidents": [("Closing hazards", "Hazards")],
        "/hazardous": [],
        "/themes/2026-11": [("Differentiated supervision", "Calendar")],
    }


@pytest.mark.parametrize(
    ("address", "page"),
    [
        ("/regions", "Project register"),
        ("/guarantors", "Project register"),
        ("/key-risks", "Rounds"),
        ("/safety-logs/P-1", "Calendar"),
        ("/live/P-1/cam-1", "Projects"),
        ("/fleet/packs", "Fleet"),
    ],
)
def test_a_page_without_an_entry_of_its_own_belongs_to_one(address: str, page: str) -> None:
    assert [group.current.text for group in navigation_of(ALL, anybody, address) if group.current] == [page]


def test_a_page_of_another_duty_is_not_there() -> None:
    shown = {entry.path for group in navigation_of(ALL, nobody, "/") for entry in group.entries}
    assert shown == ALL - {"/review", "/people", "/audit"}


def test_a_group_of_one_page_is_that_page() -> None:
    groups = navigation_of({"/", "/reports"}, anybody, "/reports")
    assert [(group.text, group.path) for group in groups] == [("Overview", "/"), ("Reports", "/reports")]
