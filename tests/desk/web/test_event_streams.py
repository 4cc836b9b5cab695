"""One login cannot take all event streams of the desk: those of others still open."""

from collections.abc import Iterator
from contextlib import ExitStack

from regulator.base.model.actor import Duty
from regulator.parts.wall.hub import ROOM
from tests.fakes.desk_face import DeskClient, DeskFace

EVENTS = "/api/wall/events"


def test_a_login_with_all_its_pages_open_is_refused_one_more_and_another_login_is_not(face: DeskFace) -> None:
    greedy, other = face.client(Duty.AUDITOR), face.client(Duty.VIEWER)
    with ExitStack() as pages:
        held = [_listening(greedy, pages) for _ in range(ROOM.a_login)]
        with greedy.stream("GET", EVENTS, headers={"accept": "application/json"}) as refused:
            assert refused.status_code == 503
            assert refused.read()
            assert refused.json()["error"]["code"] == "too_many_listeners"
        held.append(_listening(other, pages))
        assert face.app.state.wall_hub.quota.open == len(held)


def _listening(client: DeskClient, pages: ExitStack) -> Iterator[str]:
    """A stream that has said hello. Whoever drops the iterator hangs up."""
    page = pages.enter_context(client.stream("GET", EVENTS))
    assert page.status_code == 200
    texts = page.iter_text()
    assert "hello" in next(texts)
    return texts
