"""Offered rule packs on the box: whatever is wrong with one, the box judges by what it judged by, and says so."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml

from contract.mailbox import MAX_PACK_CHARACTERS, RulePackOffer
from gateway.parts.rule_packs.offer_file import Outcome
from gateway.parts.rule_packs.office import PackDecisionError, PackOffice
from gateway.settings.kept_packs import active_names
from tests.fakes.pack_box import PackBox, offer, pack, pack_box


@pytest.fixture
async def box(tmp_path: Path) -> AsyncIterator[PackBox]:
    async with pack_box(tmp_path) as box:
        yield box


async def taken(box: PackBox, office: PackOffice, given: RulePackOffer, *, asks: bool = False) -> None:
    await office.take(given, "regulator", 7, asks=asks)
    await office.look()


async def test_a_good_pack_is_judged_by_at_once_and_said(box: PackBox) -> None:
    office = box.office()
    await taken(box, office, offer())
    assert box.limits() == [90]
    (said,) = box.sealed()
    assert (said["outcome"], said["offer_id"], said["sha256"]) == ("active", "k-1", offer().sha256)
    assert (said["user"], said["uplink"]) == ("system", "regulator")
    assert [kept.outcome for kept in office.offers()] == [Outcome.ACTIVE]
    assert box.loaded().digest == box.settings.digest


async def test_a_newer_pack_takes_the_place_of_the_older_and_a_withdrawal_of_both(box: PackBox) -> None:
    office = box.office()
    before = box.settings.digest
    await taken(box, office, offer())
    await taken(box, office, offer("k-2", pack(80)))
    assert box.limits() == [80]
    await taken(box, office, offer("k-3", {}, withdrawn=True, sha256=offer().sha256))
    assert box.limits() == []
    assert box.settings.digest == before
    assert [said["outcome"] for said in box.sealed()] == ["active", "active", "withdrawn"]


WRONG = {
    "a digest that is not theirs": offer(sha256="0" * 64),
    "no rule of this family": offer(files=pack(rules=[{"id": "x", "family": "telepathy"}])),
    "another pack's name": offer(files=pack(pack="another")),
    "no YAML": offer(files={"county.yaml": "rules: [\n"}),
    "a device": offer(files=pack(devices=[{"id": "d"}])),
    "a rule of the site's own": offer(files=pack(rules=yaml.safe_load(pack()["county.yaml"].replace("county.moment", "e2e.moment.alarm"))["rules"])),  # noqa: E501
    "two files without a head": offer(files={"a.yaml": "1", "b.yaml": "2"}),
    "a file of another name": offer(files={"other.yaml": pack()["county.yaml"]}),
    "too long": offer(files={"county.yaml": "#" * (MAX_PACK_CHARACTERS - 1), "pack.yaml": "##"}),
    "nothing": offer(files={}),
    "files with a withdrawal": offer(withdrawn=True),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
async def test_a_wrong_pack_is_refused_with_a_reason_and_the_old_one_stays(box: PackBox, wrong: RulePackOffer) -> None:
    office = box.office()
    await taken(box, office, offer("k-0"))
    digest = box.settings.digest
    await taken(box, office, wrong)
    assert (box.limits(), box.settings.digest, box.loaded().digest) == ([90], digest, digest)
    said = box.sealed()[-1]
    assert said["outcome"] == "refused"
    assert said["words_zh"]
    assert said["words_en"]
    assert len(box.users) == 1


async def test_a_site_file_that_waits_for_a_restart_refuses_and_leaves_all_as_it_was(box: PackBox) -> None:
    box.needs_restart = ("uplinks",)
    await taken(box, box.office(), offer())
    assert box.sealed()[-1]["outcome"] == "refused"
    assert "uplinks" in box.sealed()[-1]["words_en"]
    assert active_names(box.folder) == {}


async def test_where_a_person_decides_nothing_counts_before_they_do(box: PackBox) -> None:
    office = box.office()
    await taken(box, office, offer(), asks=True)
    assert (box.limits(), box.sealed()[-1]["outcome"]) == ([], "waiting")
    ended = await office.approve("k-1", "安全员甲")
    assert (ended.outcome, box.limits()) == (Outcome.ACTIVE, [90])
    assert box.sealed()[-1]["user"] == "安全员甲"
    with pytest.raises(PackDecisionError):
        await office.approve("k-1", "安全员甲")


async def test_a_declined_pack_never_counts_and_needs_a_reason(box: PackBox) -> None:
    office = box.office()
    await taken(box, office, offer(), asks=True)
    with pytest.raises(PackDecisionError):
        await office.decline("k-1", "安全员甲", "  ")
    await office.decline("k-1", "安全员甲", "与方案不符")
    assert (box.limits(), box.sealed()[-1]["outcome"], box.sealed()[-1]["words_zh"]) == ([], "declined", "与方案不符")
    with pytest.raises(PackDecisionError):
        await office.approve("no-such-offer", "安全员甲")


async def test_what_no_longer_fits_when_a_person_decides_is_refused(box: PackBox) -> None:
    office = box.office()
    await taken(box, office, offer(), asks=True)
    text = (box.site.parent / "rules" / "e2e.yaml").read_text()
    (box.site.parent / "rules" / "e2e.yaml").write_text(text.replace("e2e.moment.alarm", "county.moment"))
    assert (await office.approve("k-1", "安全员甲")).outcome is Outcome.REFUSED
    assert active_names(box.folder) == {}


async def test_an_offer_that_comes_again_or_waits_over_a_restart_is_handled_once(box: PackBox) -> None:
    await box.office().take(offer(), "regulator", 7, asks=False)
    restarted = box.office()
    await restarted.look()
    await taken(box, restarted, offer())
    assert [said["outcome"] for said in box.sealed()] == ["active"]


async def test_a_later_offer_or_a_withdrawal_ends_one_that_waits(box: PackBox) -> None:
    office = box.office()
    await taken(box, office, offer("k-1"), asks=True)
    await taken(box, office, offer("k-2", pack(80)), asks=True)
    await taken(box, office, offer("k-3", {}, withdrawn=True), asks=False)
    with pytest.raises(PackDecisionError):
        await office.approve("k-2", "安全员甲")
    told = [(said["offer_id"], said["outcome"]) for said in box.sealed()]
    assert told == [
        ("k-1", "waiting"),
        ("k-1", "withdrawn"),
        ("k-2", "waiting"),
        ("k-2", "withdrawn"),
        ("k-3", "withdrawn"),
    ]


async def test_a_damaged_offer_is_left_alone_and_the_others_are_handled(box: PackBox) -> None:
    office = box.office()
    await office.take(offer("k-0"), "regulator", 1, asks=False)
    (damaged,) = (box.folder / "rule-packs" / "offers").glob("*.json")
    damaged.write_text("{")
    await taken(box, office, offer())
    assert [said["offer_id"] for said in box.sealed()] == ["k-1"]
