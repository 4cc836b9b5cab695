"""The alarm state tables as data, complete and in one place.

    theory of operation

Four machines run side by side and never merge:

    condition    does the process break the rule?   driven by verdicts    CONDITION:   Phase x Truth
    episode      what is owed to this occurrence?   driven by condition   EPISODE:     Episode x Happening
                                                    and by people
    display      does it call anybody?              driven by people      DISPLAY:     Display x Order
                                                    and by time
    suppression  does a graver alarm stand for it?  driven by the rule    SUPPRESSION: Suppression x Cause
                                                    that suppresses

UNKNOWN never raises and never clears: it freezes ON_DELAY (the clock of the delay keeps running, so a TRUE that comes
back late raises at once) and pulls OFF_DELAY back to ACTIVE: a dead sensor cannot clear an alarm. A delay of zero
passes at once. Acknowledging, shelving and service never touch the condition; a verdict never touches the display.
A suppressor that is UNKNOWN suppresses nothing, and no P1 is ever suppressed.
`docs/alarms.md` is drawn from these tables. The letters A to I are the states of ISA-18.2 as remembered (M-M).

In: nothing. Out: tables and the pure steps through them. Knows no row, no time and no person.
"""

from collections.abc import Mapping
from enum import IntEnum, StrEnum
from typing import NamedTuple

from gateway.model.alarm import Alarm, Severity, TransitionKind
from gateway.model.verdict import Truth


class Phase(IntEnum):
    """Where the condition of a row stands. Values are the codes used in arrays."""

    INACTIVE = 0
    ON_DELAY = 1
    ACTIVE = 2
    OFF_DELAY = 3


# (phase, verdict) -> (phase while the delay runs, phase once it has passed). The delay is the on-delay towards ACTIVE
# and the off-delay towards INACTIVE. Total over Phase x Truth; a property test holds it to that.
CONDITION: Mapping[tuple[Phase, Truth], tuple[Phase, Phase]] = {
    (Phase.INACTIVE, Truth.FALSE): (Phase.INACTIVE, Phase.INACTIVE),
    (Phase.INACTIVE, Truth.TRUE): (Phase.ON_DELAY, Phase.ACTIVE),
    (Phase.INACTIVE, Truth.UNKNOWN): (Phase.INACTIVE, Phase.INACTIVE),
    (Phase.ON_DELAY, Truth.FALSE): (Phase.INACTIVE, Phase.INACTIVE),
    (Phase.ON_DELAY, Truth.TRUE): (Phase.ON_DELAY, Phase.ACTIVE),
    (Phase.ON_DELAY, Truth.UNKNOWN): (Phase.ON_DELAY, Phase.ON_DELAY),
    (Phase.ACTIVE, Truth.FALSE): (Phase.OFF_DELAY, Phase.INACTIVE),
    (Phase.ACTIVE, Truth.TRUE): (Phase.ACTIVE, Phase.ACTIVE),
    (Phase.ACTIVE, Truth.UNKNOWN): (Phase.ACTIVE, Phase.ACTIVE),
    (Phase.OFF_DELAY, Truth.FALSE): (Phase.OFF_DELAY, Phase.INACTIVE),
    (Phase.OFF_DELAY, Truth.TRUE): (Phase.ACTIVE, Phase.ACTIVE),
    (Phase.OFF_DELAY, Truth.UNKNOWN): (Phase.ACTIVE, Phase.ACTIVE),
}
DELAYED = (Phase.ON_DELAY, Phase.OFF_DELAY)
ACTIVE_PHASES = (Phase.ACTIVE, Phase.OFF_DELAY)


class Episode(StrEnum):
    """State of the newest occurrence of an alarm. `active` holds in B and C, `acknowledged` in C and F."""

    NORMAL = "A normal"
    UNACKNOWLEDGED = "B unacknowledged"
    ACKNOWLEDGED = "C acknowledged"
    RETURNED = "D returned, unacknowledged"
    LATCHED = "E latched, unacknowledged"
    LATCHED_ACKNOWLEDGED = "F latched, acknowledged"


class Happening(StrEnum):
    """What can happen to an episode. How a condition returns depends on the rule."""

    RAISES = "condition raises"
    RETURNS = "condition returns"
    RETURNS_LATCHING = "condition returns, rule latches"
    RETURNS_LOG = "condition returns, severity log"
    ACKNOWLEDGE = "acknowledge"
    RESET = "reset"


class Display(StrEnum):
    """Whether an alarm calls anybody. It is listed in every one of these."""

    SHOWN = "shown"
    SHELVED = "G shelved"
    OUT_OF_SERVICE = "I out of service"
    SHELVED_OUT_OF_SERVICE = "G and I"


class Order(StrEnum):
    """What people and time can do to the display."""

    SHELVE = "shelve"
    SHELVE_P1 = "shelve, severity P1"
    UNSHELVE = "unshelve"
    SHELF_EXPIRES = "shelf expires"
    OUT_OF_SERVICE = "out of service"
    IN_SERVICE = "in service"
    SERVICE_EXPIRES = "service time expires"


class Suppression(StrEnum):
    """Alarms of one row that suppression by design (state H) withholds. The list of suppressed alarms shows them."""

    NONE = "not suppressed"
    COVERED = "H alarm suppressed"
    WITHHELD = "H raise withheld"
    BOTH = "H raise withheld, older alarm suppressed"


class Cause(StrEnum):
    """What can happen to the suppression of a row. It ends for a withheld raise when the condition is also judged."""

    RAISES = "condition raises while the suppressor is active"
    RETURNS = "condition returns"
    BEGINS = "suppressor becomes active, or another takes over"
    ENDS = "suppressor no longer active, or unknown"
    CLOSES = "the older alarm leaves the list"
    COMMAND = "acknowledge, reset or shelve what is withheld"


class Refusal(StrEnum):
    """Why a command is not carried out. Values are the codes that the API answers with."""

    NO_ALARM = "no_such_alarm"
    NO_SUBJECT = "no_such_subject"
    ALREADY_ACKNOWLEDGED = "already_acknowledged"
    STILL_ACTIVE = "still_active"
    NOT_LATCHED = "not_latched"
    ACKNOWLEDGE_FIRST = "acknowledge_first"
    NEVER_P1 = "p1_never_shelved"
    ALREADY_SHELVED = "already_shelved"
    NOT_SHELVED = "not_shelved"
    IS_OUT_OF_SERVICE = "is_out_of_service"
    NOT_OUT_OF_SERVICE = "not_out_of_service"
    TOO_LONG = "too_long"
    SUPPRESSED = "suppressed_by_design"
    ALREADY_FALSE = "already_judged_false"
    NOT_FALSE = "not_judged_false"
    ALREADY_HANDED_OVER = "already_handed_over"
    NO_REGULATOR = "no_regulator"
    P1_ALONE = "p1_by_itself"


class Step(NamedTuple):
    """The state that follows, and the transition to seal; None when nothing happened."""

    after: Episode
    kind: TransitionKind | None


class Turn(NamedTuple):
    """The display that follows, and the transition to seal; None when nothing happened."""

    after: Display
    kind: TransitionKind | None


class Change(NamedTuple):
    """The suppression that follows, and the transitions to seal, in their order."""

    after: Suppression
    kinds: tuple[TransitionKind, ...] = ()


_E, _H, _R, _K = Episode, Happening, Refusal, TransitionKind
_RAISED = Step(_E.UNACKNOWLEDGED, _K.RAISED)

# Total over Episode x Happening. A raise out of D, E or F begins a new episode; the old one stays in the chain.
EPISODE: Mapping[tuple[Episode, Happening], Step | Refusal] = {
    (_E.NORMAL, _H.RAISES): _RAISED,
    (_E.NORMAL, _H.RETURNS): Step(_E.NORMAL, None),
    (_E.NORMAL, _H.RETURNS_LATCHING): Step(_E.NORMAL, None),
    (_E.NORMAL, _H.RETURNS_LOG): Step(_E.NORMAL, None),
    (_E.NORMAL, _H.ACKNOWLEDGE): _R.NO_ALARM,
    (_E.NORMAL, _H.RESET): _R.NO_ALARM,
    (_E.UNACKNOWLEDGED, _H.RAISES): Step(_E.UNACKNOWLEDGED, None),
    (_E.UNACKNOWLEDGED, _H.RETURNS): Step(_E.RETURNED, _K.RETURNED),
    (_E.UNACKNOWLEDGED, _H.RETURNS_LATCHING): Step(_E.LATCHED, _K.RETURNED),
    (_E.UNACKNOWLEDGED, _H.RETURNS_LOG): Step(_E.NORMAL, _K.RETURNED),
    (_E.UNACKNOWLEDGED, _H.ACKNOWLEDGE): Step(_E.ACKNOWLEDGED, _K.ACKNOWLEDGED),
    (_E.UNACKNOWLEDGED, _H.RESET): _R.STILL_ACTIVE,
    (_E.ACKNOWLEDGED, _H.RAISES): Step(_E.ACKNOWLEDGED, None),
    (_E.ACKNOWLEDGED, _H.RETURNS): Step(_E.NORMAL, _K.RETURNED),
    (_E.ACKNOWLEDGED, _H.RETURNS_LATCHING): Step(_E.LATCHED_ACKNOWLEDGED, _K.RETURNED),
    (_E.ACKNOWLEDGED, _H.RETURNS_LOG): Step(_E.NORMAL, _K.RETURNED),
    (_E.ACKNOWLEDGED, _H.ACKNOWLEDGE): _R.ALREADY_ACKNOWLEDGED,
    (_E.ACKNOWLEDGED, _H.RESET): _R.STILL_ACTIVE,
    (_E.RETURNED, _H.RAISES): _RAISED,
    (_E.RETURNED, _H.RETURNS): Step(_E.RETURNED, None),
    (_E.RETURNED, _H.RETURNS_LATCHING): Step(_E.RETURNED, None),
    (_E.RETURNED, _H.RETURNS_LOG): Step(_E.RETURNED, None),
    (_E.RETURNED, _H.ACKNOWLEDGE): Step(_E.NORMAL, _K.ACKNOWLEDGED),
    (_E.RETURNED, _H.RESET): _R.NOT_LATCHED,
    (_E.LATCHED, _H.RAISES): _RAISED,
    (_E.LATCHED, _H.RETURNS): Step(_E.LATCHED, None),
    (_E.LATCHED, _H.RETURNS_LATCHING): Step(_E.LATCHED, None),
    (_E.LATCHED, _H.RETURNS_LOG): Step(_E.LATCHED, None),
    (_E.LATCHED, _H.ACKNOWLEDGE): Step(_E.LATCHED_ACKNOWLEDGED, _K.ACKNOWLEDGED),
    (_E.LATCHED, _H.RESET): _R.ACKNOWLEDGE_FIRST,
    (_E.LATCHED_ACKNOWLEDGED, _H.RAISES): _RAISED,
    (_E.LATCHED_ACKNOWLEDGED, _H.RETURNS): Step(_E.LATCHED_ACKNOWLEDGED, None),
    (_E.LATCHED_ACKNOWLEDGED, _H.RETURNS_LATCHING): Step(_E.LATCHED_ACKNOWLEDGED, None),
    (_E.LATCHED_ACKNOWLEDGED, _H.RETURNS_LOG): Step(_E.LATCHED_ACKNOWLEDGED, None),
    (_E.LATCHED_ACKNOWLEDGED, _H.ACKNOWLEDGE): _R.ALREADY_ACKNOWLEDGED,
    (_E.LATCHED_ACKNOWLEDGED, _H.RESET): Step(_E.NORMAL, _K.RESET),
}

_D, _O = Display, Order

# Total over Display x Order. P1 is never shelved; service is for a whole device or point and may be renewed.
DISPLAY: Mapping[tuple[Display, Order], Turn | Refusal] = {
    (_D.SHOWN, _O.SHELVE): Turn(_D.SHELVED, _K.SHELVED),
    (_D.SHOWN, _O.SHELVE_P1): _R.NEVER_P1,
    (_D.SHOWN, _O.UNSHELVE): _R.NOT_SHELVED,
    (_D.SHOWN, _O.SHELF_EXPIRES): Turn(_D.SHOWN, None),
    (_D.SHOWN, _O.OUT_OF_SERVICE): Turn(_D.OUT_OF_SERVICE, _K.OUT_OF_SERVICE),
    (_D.SHOWN, _O.IN_SERVICE): _R.NOT_OUT_OF_SERVICE,
    (_D.SHOWN, _O.SERVICE_EXPIRES): Turn(_D.SHOWN, None),
    (_D.SHELVED, _O.SHELVE): _R.ALREADY_SHELVED,
    (_D.SHELVED, _O.SHELVE_P1): _R.NEVER_P1,
    (_D.SHELVED, _O.UNSHELVE): Turn(_D.SHOWN, _K.UNSHELVED),
    (_D.SHELVED, _O.SHELF_EXPIRES): Turn(_D.SHOWN, _K.UNSHELVED),
    (_D.SHELVED, _O.OUT_OF_SERVICE): Turn(_D.SHELVED_OUT_OF_SERVICE, _K.OUT_OF_SERVICE),
    (_D.SHELVED, _O.IN_SERVICE): _R.NOT_OUT_OF_SERVICE,
    (_D.SHELVED, _O.SERVICE_EXPIRES): Turn(_D.SHELVED, None),
    (_D.OUT_OF_SERVICE, _O.SHELVE): _R.IS_OUT_OF_SERVICE,
    (_D.OUT_OF_SERVICE, _O.SHELVE_P1): _R.NEVER_P1,
    (_D.OUT_OF_SERVICE, _O.UNSHELVE): _R.NOT_SHELVED,
    (_D.OUT_OF_SERVICE, _O.SHELF_EXPIRES): Turn(_D.OUT_OF_SERVICE, None),
    (_D.OUT_OF_SERVICE, _O.OUT_OF_SERVICE): Turn(_D.OUT_OF_SERVICE, _K.OUT_OF_SERVICE),
    (_D.OUT_OF_SERVICE, _O.IN_SERVICE): Turn(_D.SHOWN, _K.IN_SERVICE),
    (_D.OUT_OF_SERVICE, _O.SERVICE_EXPIRES): Turn(_D.SHOWN, _K.IN_SERVICE),
    (_D.SHELVED_OUT_OF_SERVICE, _O.SHELVE): _R.ALREADY_SHELVED,
    (_D.SHELVED_OUT_OF_SERVICE, _O.SHELVE_P1): _R.NEVER_P1,
    (_D.SHELVED_OUT_OF_SERVICE, _O.UNSHELVE): Turn(_D.OUT_OF_SERVICE, _K.UNSHELVED),
    (_D.SHELVED_OUT_OF_SERVICE, _O.SHELF_EXPIRES): Turn(_D.OUT_OF_SERVICE, _K.UNSHELVED),
    (_D.SHELVED_OUT_OF_SERVICE, _O.OUT_OF_SERVICE): Turn(_D.SHELVED_OUT_OF_SERVICE, _K.OUT_OF_SERVICE),
    (_D.SHELVED_OUT_OF_SERVICE, _O.IN_SERVICE): Turn(_D.SHELVED, _K.IN_SERVICE),
    (_D.SHELVED_OUT_OF_SERVICE, _O.SERVICE_EXPIRES): Turn(_D.SHELVED, _K.IN_SERVICE),
}

_S, _C = Suppression, Cause
_WITHHELD_RAISE = (_K.UNSUPPRESSED, _K.RAISED)

# Total over Suppression x Cause. An older alarm is one that was raised before the suppression began.
SUPPRESSION: Mapping[tuple[Suppression, Cause], Change | Refusal] = {
    (_S.NONE, _C.RAISES): Change(_S.WITHHELD, (_K.SUPPRESSED,)),
    (_S.NONE, _C.RETURNS): Change(_S.NONE),
    (_S.NONE, _C.BEGINS): Change(_S.COVERED, (_K.SUPPRESSED,)),
    (_S.NONE, _C.ENDS): Change(_S.NONE),
    (_S.NONE, _C.CLOSES): Change(_S.NONE),
    (_S.NONE, _C.COMMAND): _R.NO_ALARM,
    (_S.COVERED, _C.RAISES): Change(_S.BOTH, (_K.SUPPRESSED,)),
    (_S.COVERED, _C.RETURNS): Change(_S.COVERED),
    (_S.COVERED, _C.BEGINS): Change(_S.COVERED, (_K.SUPPRESSED,)),
    (_S.COVERED, _C.ENDS): Change(_S.NONE, (_K.UNSUPPRESSED,)),
    (_S.COVERED, _C.CLOSES): Change(_S.NONE),
    (_S.COVERED, _C.COMMAND): _R.NO_ALARM,
    (_S.WITHHELD, _C.RAISES): Change(_S.WITHHELD),
    (_S.WITHHELD, _C.RETURNS): Change(_S.NONE, (_K.UNSUPPRESSED,)),
    (_S.WITHHELD, _C.BEGINS): Change(_S.WITHHELD, (_K.SUPPRESSED,)),
    (_S.WITHHELD, _C.ENDS): Change(_S.NONE, _WITHHELD_RAISE),
    (_S.WITHHELD, _C.CLOSES): Change(_S.WITHHELD),
    (_S.WITHHELD, _C.COMMAND): _R.SUPPRESSED,
    (_S.BOTH, _C.RAISES): Change(_S.BOTH),
    (_S.BOTH, _C.RETURNS): Change(_S.COVERED, (_K.UNSUPPRESSED,)),
    (_S.BOTH, _C.BEGINS): Change(_S.BOTH, (_K.SUPPRESSED,)),
    (_S.BOTH, _C.ENDS): Change(_S.NONE, _WITHHELD_RAISE),
    (_S.BOTH, _C.CLOSES): Change(_S.WITHHELD),
    (_S.BOTH, _C.COMMAND): _R.SUPPRESSED,
}


def step(phase: Phase, truth: Truth, elapsed_s: float, delay_s: float) -> tuple[Phase, TransitionKind | None]:
    """One step of one row. `elapsed_s` counts from when the row entered its delay (0 when it is not in one)."""
    waiting, passed = CONDITION[phase, truth]
    after = passed if waiting not in DELAYED or elapsed_s >= delay_s else waiting
    if (phase in ACTIVE_PHASES) == (after in ACTIVE_PHASES):
        return after, None
    return after, TransitionKind.RAISED if after in ACTIVE_PHASES else TransitionKind.RETURNED


def episode_of(alarm: Alarm | None) -> Episode:
    """Where an episode stands, read from its separate flags; None is the normal state."""
    if alarm is None:
        return Episode.NORMAL
    if alarm.active:
        return Episode.ACKNOWLEDGED if alarm.acknowledged else Episode.UNACKNOWLEDGED
    if alarm.latched:
        return Episode.LATCHED_ACKNOWLEDGED if alarm.acknowledged else Episode.LATCHED
    settled = alarm.acknowledged or alarm.rule.severity is Severity.LOG
    return Episode.NORMAL if settled else Episode.RETURNED


def display_of(alarm: Alarm) -> Display:
    """Whether an alarm calls anybody, read from its separate flags."""
    if alarm.shelved:
        return Display.SHELVED_OUT_OF_SERVICE if alarm.out_of_service else Display.SHELVED
    return Display.OUT_OF_SERVICE if alarm.out_of_service else Display.SHOWN
