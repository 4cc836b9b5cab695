"""The page of figures: its window and n are printed, what is not known says so, and a bad wish is answered clearly."""

import csv
import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.figures.spans import Span
from gateway.model.alarm import OutOfService
from gateway.parts.shift.figures_view import BadWindowError, Wish, aside_now, window_of
from tests.fakes.made_alarm import alarm
from tests.fakes.office_face import OfficeFace
from tests.fakes.site import NOW_NS, SECOND_NS

DAY_NS = 86_400 * SECOND_NS


@pytest.fixture
async def face(tmp_path: Path) -> AsyncIterator[OfficeFace]:
    face = OfficeFace(tmp_path)
    yield face
    await face.close()


async def test_every_window_says_what_it_is_and_what_it_rests_on(face: OfficeFace) -> None:
    for span in ("1d", "7d", "30d", "90d", "custom&from=2023-11-01&to=2023-11-15"):
        page = await face.page(f"/figures?span={span}")
        assert "n = 0 条报警" in page
        assert "指示性" in page
        assert "2023-11-15 06:13:20" in page
        assert "本机未运行，未计入" in page


async def test_what_was_never_measured_is_unknown_and_not_nought(face: OfficeFace) -> None:
    rows = list(csv.reader(io.StringIO((await face.file("/figures.csv?span=7d")).text.removeprefix("\ufeff"))))
    said = {row[0]: row[1] for row in rows if len(row) > 1}
    assert said["发现到上屏用时 p95"] == "unknown"
    assert said["实时推送中断次数"] == "unknown"
    assert said["报警率（每岗每小时）"] == "unknown", "the box was never started"
    assert said["当前搁置"] == "0"
    assert said["可评估"] == "指示性（不足 30 天）"


async def test_a_wish_that_is_no_window_is_said_and_kept(face: OfficeFace) -> None:
    backwards, to_come = "&from=2023-11-15&to=2023-11-01", "&from=2024-01-01&to=2024-02-01"
    for query in ("span=2d", "span=custom", f"span=custom{backwards}", f"span=custom{to_come}"):
        page = await face.page(f"/figures?{query}", 422)
        assert 'role="alert"' in page
        assert "<table" not in page
        await face.file(f"/figures.csv?{query}", 422)


async def test_html_in_the_wish_is_text(face: OfficeFace) -> None:
    page = await face.page('/figures?span=custom&from="><script>x</script>&to=x', 422)
    assert "<script>x" not in page


def test_a_window_of_days_is_whole_days_and_never_beyond_now() -> None:
    found = window_of(Wish("custom", "2023-11-14", "2023-11-14"), NOW_NS)
    assert found.to_ns - found.from_ns == DAY_NS
    assert window_of(Wish("custom", "2023-11-15", "2023-12-31"), NOW_NS).to_ns == NOW_NS
    assert window_of(Wish("1d"), NOW_NS) == Span(NOW_NS - DAY_NS, NOW_NS)
    with pytest.raises(BadWindowError):
        window_of(Wish("custom", "2020-01-01", "2023-01-01"), NOW_NS)


def test_what_was_put_aside_without_a_reason_is_counted() -> None:
    until = {"shelved_until_ns": NOW_NS + 1, "shelved_at_ns": NOW_NS}
    alarms = [
        alarm(NOW_NS, "a", shelve_reason="维修", **until),
        alarm(NOW_NS, "b", shelve_reason=" ", **until),
        alarm(NOW_NS, "c", suppressed_by="graver"),
    ]
    services = [OutOfService("host-1", NOW_NS, NOW_NS + 1, "user", "")]
    found = aside_now(alarms, [alarm(NOW_NS, "d", withheld=True, suppressed_by="graver")], services)
    assert (found.shelved, found.suppressed, found.out_of_service, found.without_reason) == (2, 2, 1, 2)
