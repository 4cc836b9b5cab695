"""A client for programs that read a box or a desk over HTTP (docs/api.md).

    with BoxClient("https://box.local", TOKEN, trust="box-ca.crt") as box:
        for alarm in box.alarms():
            print(alarm.severity, alarm.title_en)
        for event in box.events():
            print(event.name, event.data)

    with DeskClient("https://desk.example") as desk:
        desk.log_in("reviewer", PASSWORD)
        late = [hazard.number for hazard in desk.hazards(due="overdue")]
        print(desk.coverage().percent)

In: an address and who asks. Out: frozen models, server-sent events, or `RefusedError`. Fields that a newer face sends
and this client does not know are left out. Everything else that a face publishes: `ask(method, path, ...)`.
"""

from contract.client.answers import Alarm, Coverage, Hazard, Ladder, Session, Waiting
from contract.client.box import BoxClient
from contract.client.desk import DeskClient
from contract.client.face import Event, FaceClient, RefusedError, UnreadableError

__all__ = [
    "Alarm",
    "BoxClient",
    "Coverage",
    "DeskClient",
    "Event",
    "FaceClient",
    "Hazard",
    "Ladder",
    "RefusedError",
    "Session",
    "UnreadableError",
    "Waiting",
]
