"""Checks suppression by design in rule packs: never of a P1, only by existing rules, and not in a circle.

In: every rule of a site. Out: faults in the packs' documents. Knows nothing of points and assets: whether a suppressor
judges anything on an asset is seen in the rows.
"""

from collections.abc import Iterator, Mapping

from gateway.model.alarm import Severity
from gateway.settings.checking import choice
from gateway.settings.document import KeyPath
from gateway.settings.rule_families import AnyRule
from gateway.settings.rulepack import PackRule

_KEY = "suppressed_while"


def check_suppression(rules: Mapping[str, PackRule]) -> None:
    """Note every fault of every `suppressed_while`."""
    edges = {rule_id: _suppressors(rule.settings) for rule_id, rule in rules.items()}
    for rule in rules.values():
        if rule.settings is None or rule.settings.suppressed_while is None:
            continue
        if rule.settings.severity is Severity.P1:
            rule.document.add((*rule.path, _KEY), "rule.suppressed_p1", rule=rule.rule_id)
        for path, name in _places(rule):
            _check_suppressor(rule, rule.settings, path, name, rules)
        circle = _circle(rule.rule_id, edges)
        if circle:
            rule.document.add((*rule.path, _KEY), "rule.suppressed_circle", circle=" -> ".join(circle))


def _check_suppressor(
    rule: PackRule, settings: AnyRule, path: KeyPath, name: str, rules: Mapping[str, PackRule]
) -> None:
    if name not in rules:
        choice(rule.document, path, name, rules)
        return
    other = rules[name].settings
    if other is not None and "*" not in (other.kind, settings.kind) and other.kind != settings.kind:
        words = {"found": name, "kind": other.kind, "expected": settings.kind}
        rule.document.add(path, "rule.suppressor_kind", **words)


def _suppressors(settings: AnyRule | None) -> tuple[str, ...]:
    given = settings.suppressed_while if settings is not None else None
    return tuple(each.rule for each in given or ())


def _places(rule: PackRule) -> Iterator[tuple[KeyPath, str]]:
    """Where each suppressor is named: one may stand without a list."""
    path: KeyPath = (*rule.path, _KEY)
    listed = (*path, 0) in rule.document.places
    for i, name in enumerate(_suppressors(rule.settings)):
        yield (*path, i, "rule") if listed else (*path, "rule"), name


def _circle(start: str, edges: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """A way from a rule back to itself; empty when there is none."""
    waiting: list[tuple[str, ...]] = [(start,)]
    seen: set[str] = set()
    while waiting:
        way = waiting.pop()
        for name in edges.get(way[-1], ()):
            if name == start:
                return (*way, name)
            if name not in seen:
                seen.add(name)
                waiting.append((*way, name))
    return ()
