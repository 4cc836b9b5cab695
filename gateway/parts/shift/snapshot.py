"""The running box at one moment, for a handover. In: the view. Out: a `ShiftSnapshot`. Called in the event loop."""

from gateway.parts.shift.shift_gathering import DownLink, ShiftSnapshot, UnknownRule
from gateway.ports import LinkState
from gateway.web.read_model import BoxView
from kit.words import Words

STATES = {LinkState.DOWN: Words("中断", "down"), LinkState.STARTING: Words("尚无数据", "nothing heard yet")}


def shift_snapshot(view: BoxView) -> ShiftSnapshot:
    """The shift as it stands at this moment."""
    alarms = view.parts.alarms
    return ShiftSnapshot(
        alarms=tuple(alarms.open_alarms()),
        withheld=tuple(alarms.withheld_alarms()),
        services=tuple(alarms.services()),
        unknown=tuple(
            UnknownRule(
                Words(row["title_zh"], row["title_en"]), row["subject"], Words(row["reason_zh"], row["reason_en"])
            )
            for row in view.unknown_rules()
        ),
        links_down=tuple(_links_down(view)),
    )


def _links_down(view: BoxView) -> list[DownLink]:
    parts = view.parts
    down = []
    for link in (link for driver in parts.drivers for link in driver.health()):
        if link.state is not LinkState.UP:
            columns = parts.points.of_device(link.device)
            heard_ns = max((int(parts.window.observed_at_ns[i]) for i in columns), default=0)
            down.append(DownLink(link.device, STATES[link.state], heard_ns, link.last_error))
    return down
