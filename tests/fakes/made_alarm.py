"""An alarm episode written down in a line."""

from dataclasses import replace

from gateway.model.alarm import Alarm
from tests.fakes.site import info


def alarm(at_ns: int, rule_id: str = "load.high", subject: str = "crane-1.q0", **fields: object) -> Alarm:
    made = Alarm(
        f"{rule_id}:{subject}:{at_ns}", info(rule_id), subject, "crane-1", "tower-crane", False, at_ns, 1.0, 1.0
    )
    return replace(made, **fields)  # type: ignore[arg-type]
