"""From the mailbox to the office of rule packs: an offer is kept there before the regulator hears that it has come."""

from contract.mailbox import RulePackOffer
from gateway.parts.rule_packs.office import PackOffice
from gateway.uplinks.regulator import RegulatorUplink
from gateway.uplinks.regulator_mailbox import DownMessage, MessageHandler

KIND = "rule_pack"


async def take_pack(down: DownMessage, keep: MessageHandler, office: PackOffice, uplink: RegulatorUplink) -> None:
    """Returns once the message is durable. Raises OSError: it will be delivered again."""
    await keep(down)
    if down.message.kind == KIND:
        offer = RulePackOffer.model_validate(down.message.body)
        await office.take(offer, uplink.name, down.message.mailbox_seq, asks=uplink.packs_need_a_person)
