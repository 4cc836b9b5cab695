"""The draw itself: from a frozen pool and a seed to targets with their inspectors. Pure; nothing but whole numbers and
SHA-256, so that anybody gets the same in any language (docs/supervision.md has it in ten lines).

    seed               = SHA-256 of "<digest of the pool>|<public value>|<nonce>", hex
    number(a, b)       = SHA-256 of "<seed>|a|b" as a whole number
    each band, n times = the project in which number(band, place) mod (sum of the weights left) falls; it is taken out
    each target        = inspectors without a conflict, number(code, place) mod (how many are left); taken out
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from contract.canonical import canonical_bytes
from regulator.parts.supervision.risk import Band

POOL_VERSION = 1


@dataclass(frozen=True, slots=True)
class PoolProject:
    """A project that can be drawn: the heavier, the likelier within its band. `weight` is at least 1."""

    code: str
    band: Band
    weight: int


@dataclass(frozen=True, slots=True)
class PoolInspector:
    """Somebody who can be drawn. `excluded`: codes of projects with a conflict of interest."""

    user_id: str
    excluded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pool:
    """What is frozen. `wanted`: how many are drawn of each band, in the order high, medium, low."""

    draw_id: str
    edition: str
    projects: tuple[PoolProject, ...]
    inspectors: tuple[PoolInspector, ...]
    wanted: tuple[tuple[Band, int], ...]
    inspectors_each: int

    @property
    def body(self) -> bytes:
        """Canonical JSON: the bytes that are frozen."""
        return canonical_bytes(
            {
                "version": POOL_VERSION,
                "draw_id": self.draw_id,
                "edition": self.edition,
                "inspectors_each": self.inspectors_each,
                "strata": [{"band": band.value, "draw": wanted} for band, wanted in self.wanted],
                "projects": [
                    {"code": each.code, "band": each.band.value, "weight": each.weight} for each in self.projects
                ],
                "inspectors": [{"id": each.user_id, "excluded": list(each.excluded)} for each in self.inspectors],
            }
        )


@dataclass(frozen=True, slots=True)
class Target:
    """One drawn project and who goes there, in the order in which they were drawn."""

    code: str
    band: str
    inspectors: tuple[str, ...]


def digest(content: bytes) -> str:
    """The SHA-256 of a canonical text, in hex digits."""
    return hashlib.sha256(content).hexdigest()


def seed_of(pool_sha256: str, public_value: str, nonce: str) -> str:
    """The seed: nobody knew it when the pool was frozen, and nobody alone has made it."""
    return digest(f"{pool_sha256}|{public_value}|{nonce}".encode())


def drawn(body: bytes, seed: str) -> tuple[Target, ...]:
    """Targets of a frozen pool. Raises ValueError where there are fewer inspectors than wanted for one."""
    pool = json.loads(body)
    found: list[Target] = []
    for stratum in pool["strata"]:
        left = [project for project in pool["projects"] if project["band"] == stratum["band"]]
        for place in range(stratum["draw"]):
            at = _number(seed, stratum["band"], place) % sum(project["weight"] for project in left)
            code = left.pop(_fallen(at, [project["weight"] for project in left]))["code"]
            found.append(Target(code, stratum["band"], _people(pool, code, seed)))
    return tuple(found)


def result_body(draw_id: str, seed: str, targets: Sequence[Target]) -> bytes:
    """The result as canonical JSON: the bytes whose digest is published at once, themselves on the day."""
    told = [asdict(target) | {"inspectors": list(target.inspectors)} for target in targets]
    return canonical_bytes({"version": POOL_VERSION, "draw_id": draw_id, "seed": seed, "targets": told})


def _people(pool: dict[str, "list[dict[str, list[str]]]"], code: str, seed: str) -> tuple[str, ...]:
    able = [str(person["id"]) for person in pool["inspectors"] if code not in person["excluded"]]
    each = int(str(pool["inspectors_each"]))
    if len(able) < each:
        raise ValueError(f"{code}: {len(able)} inspectors without a conflict, {each} are needed")
    return tuple(able.pop(_number(seed, code, place) % len(able)) for place in range(each))


def _number(seed: str, *words: object) -> int:
    return int(digest("|".join([seed, *map(str, words)]).encode()), 16)


def _fallen(at: int, weights: Sequence[int]) -> int:
    for place, weight in enumerate(weights):
        if at < weight:
            return place
        at -= weight
    raise ValueError("the number lies beyond all weights")
