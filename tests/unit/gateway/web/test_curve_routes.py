import csv
import io
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from gateway.model.reading import Quality
from gateway.web.curves_page import curves_routes
from tests.fakes.site import NOW_NS, SECOND_NS, points, poll
from tests.fakes.web_face import LAYOUT, Face, is_house_error

POINT = "crane-1.q0"
MINUTE_NS = 60 * SECOND_NS
BEGIN_NS = NOW_NS - 600 * SECOND_NS


@pytest.fixture
async def face(tmp_path: Path) -> AsyncIterator[Face]:
    face = Face(tmp_path)
    curves_routes(face.app, face.app.state.pages)
    face.site.start()
    yield face
    await face.close()


def keep(face: Face, values: Sequence[float], first_ns: int, quality: int = Quality.GOOD, step_s: float = 1.0) -> None:
    """Into the history, past the pipeline."""
    for number, value in enumerate(values):
        at_ns = first_ns + round(number * step_s * SECOND_NS)
        face.site.history.append(poll(LAYOUT, value, at_ns, quality))
    face.site.history.flush(NOW_NS).done.result(5)


async def asked(face: Face, **query: object) -> dict[str, object]:
    answer = await face.get("/api/curve", point=POINT, **query)
    assert isinstance(answer, dict)
    return answer


async def test_a_curve_brings_samples_limits_and_what_is_unknown(face: Face) -> None:
    keep(face, [10.0, 120.0, 20.0], BEGIN_NS)
    keep(face, [999.0, 999.0], BEGIN_NS + 3 * SECOND_NS, Quality.SUSPECT)
    keep(face, [30.0], BEGIN_NS + 5 * SECOND_NS)
    answer = await asked(face, from_ns=BEGIN_NS, to_ns=BEGIN_NS + 20 * SECOND_NS)
    (series,) = answer["series"]
    assert answer["from_ms"] * 1_000_000 == BEGIN_NS
    assert series["t_ms"] == [0, 1000, 2000, 5000]
    assert series["low"] == [10.0, 120.0, 20.0, 30.0]
    assert series["high"] is None
    assert series["starts"] == [0, 3], "the line ends where nothing is known"
    assert series["unknown"] == [[3000, 5000, "suspect"]]
    assert series["parts"] == [{"resolution": "raw", "from_ms": 0, "to_ms": 20_000, "each_s": 0.0}]
    (limit,) = series["limits"]
    assert (limit["values"], limit["direction"], limit["severity"]) == ([100.0], "high", "P1")
    assert (limit["clause"], limit["certainty"], limit["source"]) == ("1.2", "M-H", "GB 1")
    assert (series["lowest"], series["highest"]) == (10.0, 120.0)
    assert series["last"] == {"t_ms": 5000, "value": 30.0}


async def test_the_summary_says_extremes_limit_and_unknown_in_the_visitors_language(face: Face) -> None:
    keep(face, [10.0, 120.0, 20.0], BEGIN_NS)
    keep(face, [0.0, 0.0], BEGIN_NS + 3 * SECOND_NS, Quality.BAD)
    span = {"from_ns": BEGIN_NS, "to_ns": BEGIN_NS + 5 * SECOND_NS}
    (english,) = (await asked(face, **span, lang="en"))["summaries"]
    assert english.startswith("quantity 0: lowest 10.00, highest 120.00, last 20.00 m at ")
    assert "Unknown for 2 s." in english
    assert "Upper limit 100.00 m (priority 1, overload): times reached 1, in all 1 s." in english
    (chinese,) = (await asked(face, **span))["summaries"]
    assert chinese.startswith("量0：最低 10.00，最高 120.00，最近 20.00 m（")
    assert "数据未知共 2 秒。" in chinese


async def test_nothing_read_is_unknown_and_not_zero(face: Face) -> None:
    answer = await asked(face, from_ns=BEGIN_NS, to_ns=BEGIN_NS + 60 * SECOND_NS)
    (series,) = answer["series"]
    assert (series["t_ms"], series["last"], series["lowest"]) == ([], None, None)
    assert series["unknown"] == [[0, 60_000, "missing"]]
    assert "该时段内数据未知" in answer["summaries"][0]


async def test_the_future_is_not_unknown(face: Face) -> None:
    keep(face, [1.0], NOW_NS - SECOND_NS)
    answer = await asked(face, from_ns=NOW_NS - 2 * SECOND_NS, to_ns=NOW_NS + 3600 * SECOND_NS)
    assert answer["series"][0]["unknown"] == [[0, 1000, "missing"]], "before the first reading, not after the last"


async def test_a_long_span_is_made_of_minutes_up_to_the_newest_reading(face: Face) -> None:
    keep(face, [10.0, 50.0], BEGIN_NS)
    face.site.history.tend(NOW_NS).result(5)
    keep(face, [70.0], NOW_NS - SECOND_NS)
    answer = await asked(face, from_ns=NOW_NS - 30 * 86_400 * SECOND_NS, to_ns=NOW_NS)
    (series,) = answer["series"]
    assert [part["resolution"] for part in series["parts"]] == ["minute"]
    assert (series["low"], series["high"], series["mean"]) == ([10.0, 70.0], [50.0, 70.0], [30.0, 70.0])


async def test_what_raw_history_forgot_comes_from_the_minutes(face: Face) -> None:
    keep(face, [5.0, 9.0], BEGIN_NS)
    face.site.history.tend(NOW_NS).result(5)
    keep(face, [7.0, 8.0], NOW_NS - 30 * SECOND_NS)
    face.site.history._writer.submit(
        lambda db: db.execute("DELETE FROM block WHERE t_last_ns < ?", (NOW_NS - 60 * SECOND_NS,)).rowcount
    ).result(5)
    (series,) = (await asked(face, from_ns=BEGIN_NS - MINUTE_NS, to_ns=NOW_NS))["series"]
    assert [part["resolution"] for part in series["parts"]] == ["minute", "raw"]
    assert (series["low"][0], series["high"][0]) == (5.0, 9.0)
    assert series["parts"][0]["to_ms"] == series["parts"][1]["from_ms"]
    assert "missing" in {kind for _, _, kind in series["unknown"]}


async def test_the_last_word_of_a_point_that_is_read_seldom_holds_at_the_begin(face: Face) -> None:
    face.view.parts = replace(face.view.parts, points=points(stale_after_s=3 * 86_400.0))
    keep(face, [7.0], NOW_NS - 40 * 3600 * SECOND_NS)
    (hour,) = (await asked(face, from_ns=NOW_NS - 3600 * SECOND_NS, to_ns=NOW_NS))["series"]
    assert (hour["low"], hour["unknown"]) == ([7.0], []), "raw"
    (week,) = (await asked(face, from_ns=NOW_NS - 36 * 3600 * SECOND_NS, to_ns=NOW_NS))["series"]
    assert (week["low"], week["unknown"], week["last"]) == ([7.0], [], None), "minutes"
    (longer,) = (await asked(face, from_ns=NOW_NS - 41 * 3600 * SECOND_NS, to_ns=NOW_NS))["series"]
    assert [kind for _, _, kind in longer["unknown"]] == ["missing"], "before the first word nothing is known"


async def test_an_alarms_curve_has_its_sealed_limit_and_its_moments(face: Face) -> None:
    await face.value(20.0, at_s=-60)
    await face.value(120.0)
    await face.value(20.0, at_s=30)
    face.site.history.flush(NOW_NS).done.result(5)
    alarm = next(a for a in (await face.get("/api/alarms"))["alarms"] if a["rule_id"] == "rule-0")
    await face.acknowledge(alarm["alarm_id"], {"user": "li", "reason": "seen"})
    answer = await face.get("/api/curve", alarm=alarm["alarm_id"])
    (series,) = answer["series"]
    (limit,) = series["limits"]
    assert (limit["values"], limit["sealed"], limit["severity"]) == ([100.0], True, "P1")
    assert answer["from_ms"] * 1_000_000 == NOW_NS - 600 * SECOND_NS
    assert [(mark["kind"], mark["severity"]) for mark in answer["marks"]] == [
        ("raised", "P1"),
        ("acknowledged", "P1"),
        ("returned", "P1"),
    ]
    assert answer["marks"][0]["t_ms"] == 600_000


async def test_alarms_of_the_span_are_marked(face: Face) -> None:
    await face.value(120.0, at_s=-30)
    answer = await asked(face, from_ns=BEGIN_NS, to_ns=NOW_NS)
    (episode,) = answer["series"][0]["episodes"]
    assert (episode["severity"], episode["from_ms"], episode["to_ms"]) == ("P1", 570_000, None)
    earlier = await asked(face, from_ns=BEGIN_NS, to_ns=BEGIN_NS + 60 * SECOND_NS)
    assert earlier["series"][0]["episodes"] == []


@pytest.mark.parametrize(
    ("query", "status", "code", "field"),
    [
        ({"point": "nobody.knows", "last_s": 60}, 404, "no_such_point", "point"),
        ({"last_s": 60}, 422, "point_needed", "point"),
        ({"point": POINT}, 422, "span_needed", "from_ns"),
        ({"point": POINT, "from_ns": 5_000_000, "to_ns": 5_000_000}, 422, "bad_range", "to_ns"),
        ({"point": POINT, "from_ns": 0, "to_ns": NOW_NS}, 422, "too_long", "from_ns"),
        ({"alarm": "nonsense"}, 404, "no_such_alarm", "alarm"),
        ({"point": POINT, "last_s": 60, "samples": 100_000}, 422, "bad_request", "query.samples"),
        ({"point": POINT, "last_s": "soon"}, 422, "bad_request", "query.last_s"),
        ({"point": POINT, "from_ns": -1, "to_ns": 5}, 422, "bad_request", "query.from_ns"),
    ],
)
async def test_a_question_that_makes_no_sense_is_refused(
    face: Face, query: dict[str, object], status: int, code: str, field: str
) -> None:
    assert is_house_error(await face.get("/api/curve", status, **query), code, field)


async def test_a_fifth_point_is_refused(face: Face) -> None:
    answer = await face.get("/api/curve", 404, point=["a", "b", "c", "d", "e"], last_s=60)
    assert is_house_error(answer, "no_such_point", "point")


async def test_a_sealed_record_without_its_rule_shows_what_applies_now(face: Face) -> None:
    await face.value(120.0)
    alarm = next(a for a in (await face.get("/api/alarms"))["alarms"] if a["rule_id"] == "rule-0")

    def forget_the_rule(db: object) -> int:
        (body,) = db.execute("SELECT body FROM evidence WHERE alarm_id = ?", (alarm["alarm_id"],)).fetchone()
        record = json.loads(body)
        record["content"]["rule"] = None
        changed = json.dumps(record).encode()
        return db.execute("UPDATE evidence SET body = ? WHERE alarm_id = ?", (changed, alarm["alarm_id"])).rowcount

    face.site.alerts._writer.submit(forget_the_rule).result(5)
    answer = await face.get("/api/curve", alarm=alarm["alarm_id"])
    assert [limit["sealed"] for limit in answer["series"][0]["limits"]] == [False]


async def test_the_file_opens_in_excel_and_calculates_nothing(face: Face) -> None:
    keep(face, [-10.5, 120.0], BEGIN_NS)
    keep(face, [0.0], BEGIN_NS + 2 * SECOND_NS, Quality.BAD)
    query = {"point": POINT, "from_ns": BEGIN_NS, "to_ns": BEGIN_NS + 10 * SECOND_NS}
    reply = await face.client.get("/curves.csv", params=query)
    assert reply.headers["content-type"] == "text/csv; charset=utf-8"
    assert reply.content.startswith(b"\xef\xbb\xbf")
    header, *lines = csv.reader(io.StringIO(reply.text.removeprefix("\ufeff")))
    assert ("质量 / Quality" in header, len(lines)) == (True, 3)
    quality, low = header.index("质量 / Quality"), header.index("最低 / Lowest")
    assert [(line[low], line[quality]) for line in lines] == [
        ("-10.5", "正常 good"),
        ("120.0", "正常 good"),
        ("", "未知：坏数据 bad"),
    ]


async def test_the_picture_is_well_formed_and_hatches_what_is_unknown(face: Face) -> None:
    keep(face, [10.0, 120.0], BEGIN_NS)
    keep(face, [0.0], BEGIN_NS + 2 * SECOND_NS, Quality.BAD)
    query = {"point": POINT, "from_ns": BEGIN_NS, "to_ns": BEGIN_NS + 60 * SECOND_NS}
    reply = await face.client.get("/curves.svg", params=query)
    assert reply.headers["content-type"].startswith("image/svg+xml")
    drawing = ElementTree.fromstring(reply.text)
    assert any(each.get("fill") == "url(#hatch)" for each in drawing.iter())
    texts = [each.text or "" for each in drawing.iter() if each.tag.endswith("text")]
    assert "未知" in texts
    assert any(text.startswith("■1 100.00 m 超载") for text in texts), "letter and words, not colour alone"


async def test_the_page_of_values_says_the_same_without_script(face: Face) -> None:
    keep(face, [10.0, 120.0], BEGIN_NS)
    keep(face, [0.0], BEGIN_NS + 2 * SECOND_NS, Quality.BAD)
    query = {"point": POINT, "from_ns": BEGIN_NS, "to_ns": BEGIN_NS + 20 * SECOND_NS}
    page = (await face.client.get("/curves/values", params=query)).text
    assert page.count('<tr class="unknown">') == 1
    assert "120.00" in page
    assert "坏数据" in page
    part = (await face.client.get("/curves/values", params=query, headers={"x-part": "1"})).text
    assert "<html" not in part
    assert "120.00" in part


async def test_a_table_has_at_most_two_hundred_lines_however_much_was_read(face: Face) -> None:
    keep(face, [float(n % 7) for n in range(3000)], NOW_NS - 3000 * SECOND_NS)
    keep(face, [0.0], NOW_NS - 1500 * SECOND_NS + SECOND_NS // 2, Quality.BAD)
    page = (await face.client.get("/curves/values", params={"point": POINT, "last_s": 3600})).text
    assert 50 <= page.count("<tr") <= 201
    assert "坏数据" in page


async def test_the_page_chooses_an_asset_points_and_a_span(face: Face) -> None:
    page = await face.client.get("/curves", params={"asset": "crane-1", "point": [POINT, "crane-1.q2"], "span": "8h"})
    assert page.status_code == 200
    assert 'data-curve="/api/curve?point=crane-1.q0&amp;point=crane-1.q2&amp;last_s=28800&amp;lang=zh-CN"' in page.text
    assert '<noscript><img src="/curves.svg?' in page.text
    assert page.text.count("checked") == 3, "two points and the span"


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"point": "nobody.knows"}, "没有这个测点或设备"),
        ({"asset": "nobody"}, "没有这个测点或设备"),
        ({"span": "custom", "from": "yesterday", "to": "2026-11-22T10:00"}, "无法识别的时间：yesterday"),
        ({"span": "custom", "from": "2026-11-22T10:00", "to": "2026-11-22T10:00"}, "结束时间应晚于开始时间"),
    ],
)
async def test_the_page_says_what_is_wrong_and_keeps_what_was_typed(
    face: Face, query: dict[str, str], words: str
) -> None:
    page = await face.client.get("/curves", params=query)
    assert page.status_code == 422
    assert words in page.text
    assert query.get("from", "") in page.text


async def test_html_in_a_query_stays_text(face: Face) -> None:
    evil = "<script>alert(1)</script>"
    page = await face.client.get("/curves", params={"span": "custom", "from": evil, "to": "x"})
    assert evil not in page.text
    assert "&lt;script&gt;" in page.text
