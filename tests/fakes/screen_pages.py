"""Every page of the box: what the tests of all pages and the screenshots go through.

A path may name `{alarm}`, an open alarm.
"""

from dataclasses import dataclass

from gateway.accounts.person import Role


@dataclass(frozen=True)
class ScreenPage:
    """One page. `role`: whose page it is; None for what is shown to who has not logged in. `status`: of the answer.

    `hands`: people touch it; a screen on the wall has nobody in front of it, and no phone shows it.
    """

    name: str
    path: str
    role: Role | None = Role.ADMINISTRATOR
    status: int = 200
    hands: bool = True


PAGES = (
    ScreenPage("overview", "/"),
    ScreenPage("alarms", "/alarms"),
    ScreenPage("alarms-acknowledged", "/alarms?tab=acknowledged"),
    ScreenPage("alarms-returned", "/alarms?tab=returned"),
    ScreenPage("alarms-shelved", "/alarms?tab=shelved"),
    ScreenPage("alarms-out-of-service", "/alarms?tab=out_of_service"),
    ScreenPage("alarms-diagnostics", "/alarms?tab=diagnostics"),
    ScreenPage("alarm", "/alarms/{alarm}"),
    ScreenPage("alarm-sheet", "/alarms/{alarm}/sheet"),
    ScreenPage("alarms-suppressed", "/alarms?tab=suppressed"),
    ScreenPage("alarms-history", "/alarms?tab=history"),
    ScreenPage("service", "/alarms/service"),
    ScreenPage("cameras", "/cameras"),
    ScreenPage("camera", "/cameras/cam-1"),
    ScreenPage("camera-drawing", "/cameras/cam-1/survey"),
    ScreenPage("curves", "/curves"),
    ScreenPage("orders", "/orders"),
    ScreenPage("permits", "/permits"),
    ScreenPage("rule-packs", "/packs"),
    ScreenPage("health", "/health"),
    ScreenPage("figures", "/figures"),
    ScreenPage("safety-log", "/log"),
    ScreenPage("handover", "/handover"),
    ScreenPage("sound", "/sound"),
    ScreenPage("wall", "/wall", hands=False),
    ScreenPage("me", "/me"),
    ScreenPage("second-factor", "/me/second-factor"),
    ScreenPage("people", "/people"),
    ScreenPage("walls", "/walls"),
    ScreenPage("tokens", "/tokens"),
    ScreenPage("audit", "/audit"),
    ScreenPage("login", "/login", role=None),
    ScreenPage("refused", "/alarms/no-such-alarm", status=404),
)


def path_of(page: ScreenPage, alarm_id: str) -> str:
    """The page's address on a box that has this alarm."""
    return page.path.replace("{alarm}", alarm_id)
