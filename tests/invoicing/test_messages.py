"""What a message says: the operator's template or the usual sentence, and always the link."""

from dataclasses import replace

import pytest

from services.integrations.templates import MESSAGE_VARIABLES
from services.invoicing.domain.message import message, values
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from tests.invoicing.caller import Caller
from tests.invoicing.fake_provider import Away, FakeProvider
from tests.invoicing.sightings import NOW
from tests.invoicing.test_status_machine import PENDING

MANUAL = pb.DELIVERY_CHANNEL_MANUAL
LINK = "https://pay.example/p/t"


def test_every_variable_that_settings_allow_has_a_value() -> None:
    assert set(values(PENDING, "Friday", NOW.date(), LINK)) == set(MESSAGE_VARIABLES)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("", "Hi @a, thank you for joining Friday! Your total is £10.00. Pay here: " + LINK),
        ("  \n", "Hi @a, thank you for joining Friday! Your total is £10.00. Pay here: " + LINK),
        ("{buyer}|{show_name}|{show_date}|{item_count}|{total}|{pay_link}", f"@a|Friday|2026-11-01|1|£10.00|{LINK}"),
        ("You owe {total}.", f"You owe £10.00.\n{LINK}"),
    ],
)
def test_template_is_filled_in_and_never_without_the_link(template: str, text: str) -> None:
    assert message(template, replace(PENDING, handle="@a"), "Friday", NOW.date(), LINK) == text


def test_braces_in_a_name_are_only_a_name() -> None:
    buyer = replace(PENDING, display_name="{pay_link}{total}")
    assert message("{buyer} {pay_link}", buyer, "x", NOW.date(), LINK) == "{pay_link}{total} " + LINK


async def test_setting_is_what_goes_out(caller: Caller, provider: FakeProvider) -> None:
    show_id = await caller.small_show(1)
    await caller.generate(show_id)
    (invoice,) = await caller.listed(show_id)
    provider.connected = provider.connected and replace(provider.connected, message_template="Pay {total}: {pay_link}")
    delivery = (await caller.send(invoice, MANUAL)).delivery
    assert delivery.message == f"Pay £10.00: https://pay.example{invoice.pay_path}"
    provider.connected = provider.connected and replace(provider.connected, message_template="Changed {pay_link}")
    (kept,) = (await caller.deliveries(invoice)).deliveries
    assert kept.message == delivery.message


async def test_template_of_the_generation_serves_while_the_settings_cannot_be_read(
    caller: Caller, provider: FakeProvider
) -> None:
    provider.connected = provider.connected and replace(provider.connected, message_template="Kept {pay_link}")
    show_id = await caller.small_show(1)
    await caller.generate(show_id)
    (invoice,) = await caller.listed(show_id)
    provider.unconnected = Away()
    assert (await caller.send(invoice, MANUAL)).delivery.message.startswith("Kept https://pay.example/p/")
