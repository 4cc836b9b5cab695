"""All checks on people that one camera is asked for: a frame and its tracked boxes in, findings out.

    persons --> danger / hook / lying / clothes --Told--> PersonRule --> in_danger_zone_1 ... TRUE, FALSE, UNKNOWN

UNKNOWN where nothing can be judged: an unusable picture, no zone or ground drawn, no position of a hook, no model.
Time is an argument. Opens nothing: the look at clothes is given.
"""

from collections.abc import Mapping, Sequence

from gateway.model.detections import Detections
from gateway.model.hook import HookPose
from gateway.model.survey import Zone
from vision.people.clothes import ClothesLook
from vision.people.danger import DangerZones, HookZones
from vision.people.down import Lying
from vision.people.persons import Person, persons_of
from vision.people.settings import TIMINGS, HookSettings
from vision.people.votes import PersonRule, Told
from vision.picture.finding import ON_REQUEST, Finding, FindingKind
from vision.picture.frame import Frame
from vision.survey.zones import ZoneMap


class PeopleWatch:
    """One camera's checks. `clothes` None: nothing can tell clothes, and they are unknown; `hook` None: no crane."""

    def __init__(
        self,
        kinds: Sequence[FindingKind],
        fps: float,
        zones: Sequence[Zone] = (),
        clothes: ClothesLook | None = None,
        hook: HookSettings | None = None,
    ) -> None:
        self.kinds = tuple(kind for kind in ON_REQUEST if kind in kinds)
        self._rules: Mapping[FindingKind, PersonRule] = {
            kind: PersonRule(kind, TIMINGS[kind].at(fps)) for kind in self.kinds
        }
        self._hook = hook or HookSettings((), 1.0)
        self._clothes, self._lying = clothes, Lying()
        self._hooks: Sequence[HookPose] = ()
        self.use_zones(zones)

    def use_zones(self, zones: Sequence[Zone]) -> None:
        """Another version of the survey; places keep their people."""
        self._duty = ZoneMap(zones)
        self._danger, self._under = DangerZones(zones), HookZones(self._hook, zones)
        self._under.use(self._hooks)

    def use_hooks(self, hooks: Sequence[HookPose]) -> None:
        """Take in where the cranes' hooks are now."""
        self._hooks = tuple(hooks)
        self._under.use(self._hooks)

    def new_view(self) -> None:
        """A hard cut: tracks have ended, places stay."""
        self._lying.new_view()
        for rule in self._rules.values():
            rule.new_view()

    def rule_of(self, kind: FindingKind) -> str:
        """By what it is judged, for the evidence."""
        text = self._rules[kind].text
        if kind is FindingKind.UNDER_HOOK:
            return f"{text}, {self._hook.radius_m:g} m around {', '.join(self._hook.cranes)}"
        if kind is FindingKind.NO_WORK_CLOTHES and self._clothes is not None:
            return f"{text}, {self._clothes.version}"
        return text

    def step(self, frame: Frame, boxes: Detections, usable: bool, now_ns: int, now_mono_ns: int) -> tuple[Finding, ...]:
        """Judge one frame; all places of all kinds."""
        persons = persons_of(boxes)
        findings: list[Finding] = []
        for kind, rule in self._rules.items():
            told, known, complete = (
                self._told(kind, frame, persons, now_ns, now_mono_ns) if usable else ([], False, False)
            )
            findings.extend(rule.step(told, known, now_ns, complete=complete))
        return tuple(findings)

    def _told(
        self, kind: FindingKind, frame: Frame, persons: Sequence[Person], now_ns: int, now_mono_ns: int
    ) -> tuple[Sequence[Told], bool, bool]:
        """What the frame says of each; whether anything can be known; whether all of it can."""
        if kind is FindingKind.IN_DANGER_ZONE:
            drawn = bool(self._danger)
            return self._danger.told(persons), drawn, drawn
        if kind is FindingKind.PERSON_DOWN:
            return self._lying.told(persons, now_ns), True, True
        if kind is FindingKind.NO_WORK_CLOTHES:
            if self._clothes is None:
                return (), False, False
            on_duty = [person for person in persons if self._duty.standing(person.feet)[0].watched]
            return self._clothes.told(frame.image, on_duty, now_ns), True, True
        known = self._under.known(now_mono_ns)
        drawn = bool(self._under)
        return self._under.told(persons, now_mono_ns), drawn and any(known.values()), all(known.values())
