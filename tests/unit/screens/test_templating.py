"""Templates of a face: compiled once a process, and again once their text is another."""

from pathlib import Path

from screens.catalogue import Catalogue
from screens.static_files import StaticFiles
from screens.templating import page_environment


def rendered(folder: Path) -> str:
    """The page of a new face."""
    catalogue = Catalogue([])
    environment = page_environment([folder], catalogue, StaticFiles({}, catalogue))
    return environment.get_template("page.html").render(language="en")


def test_a_second_face_shows_the_same_and_a_changed_template_is_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("{{ _('first') }}")
    assert (rendered(tmp_path), rendered(tmp_path)) == ("first", "first")
    page.write_text("{{ _('other') }}")
    assert rendered(tmp_path) == "other"


def test_templates_of_one_name_in_two_folders_are_two(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "page.html").write_text(name)
    assert [rendered(tmp_path / name) for name in ("a", "b", "a")] == ["a", "b", "a"]
