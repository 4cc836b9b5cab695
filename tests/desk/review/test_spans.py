"""One time axis for stills, clip and curve: what it spans, and that the curve is drawn on exactly it."""

import pytest

from regulator.parts.review.pictures import Picture
from regulator.parts.review.series import Sample, Series, draw
from regulator.parts.review.spans import SECOND_NS, SpanName, close_span, spans_of, wide_span

RAISED = 1_772_323_200_000_000_000


def picture(seconds: float, media_class: str = "strip", duration_ms: int = 0, *, blurred: bool = False) -> Picture:
    at_ns = RAISED + int(seconds * SECOND_NS)
    return Picture(media_class, 0, "0" * 64, "image/jpeg", at_ns, duration_ms, 640, 360, (), {}, blurred)


def seconds(span_ns: tuple[int, int]) -> tuple[float, float]:
    return (span_ns[0] - RAISED) / SECOND_NS, (span_ns[1] - RAISED) / SECOND_NS


def test_the_close_axis_covers_every_picture_and_ten_seconds() -> None:
    span = close_span(RAISED, [picture(-3), picture(-15, "clip", 22_000)])
    assert seconds((span.from_ns, span.to_ns)) == (-15, 10)
    span = close_span(RAISED, [picture(-12, "clip", 30_000)])
    assert seconds((span.from_ns, span.to_ns)) == (-12, 18)


def test_a_picture_of_a_wrong_clock_does_not_stretch_it() -> None:
    span = close_span(RAISED, [picture(-86_400), picture(1)])
    assert seconds((span.from_ns, span.to_ns)) == (-10, 10)


def test_without_a_picture_of_its_own_there_is_only_the_wide_axis() -> None:
    assert [span.name for span in spans_of(RAISED, [picture(0, "thumbnail", blurred=True)])] == [SpanName.WIDE]
    both = spans_of(RAISED, [picture(0, "thumbnail", blurred=True), picture(0, "frame")])
    assert [span.name for span in both] == [SpanName.CLOSE, SpanName.WIDE]


@pytest.mark.parametrize("span", [wide_span(RAISED), close_span(RAISED, [picture(-5)])])
def test_a_curve_without_values_is_unknown_on_each_axis(span: object) -> None:
    empty = draw(Series("mm", 30.0, RAISED, span, ()), chinese=False)  # type: ignore[arg-type]
    assert "unknown" in empty
    assert "polyline" not in empty


def test_values_closer_than_the_gap_are_joined_and_others_are_not() -> None:
    span = close_span(RAISED, [picture(-10)])
    at = [-9, -8, -7, 5, 6]
    samples = tuple(Sample(RAISED + each * SECOND_NS, 1.0, 1.0, 1.0) for each in at)
    drawn = draw(Series("mm", 30.0, RAISED, span, samples), chinese=False)
    assert drawn.count("<polyline") == 2
    assert drawn.count("url(#hatch)") == 1
