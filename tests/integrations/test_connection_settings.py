"""Settings of a connection: kept, refused with their place, and fixed on an invoice when it is first asked for."""

import asyncio
from typing import Any

import pytest

from services.common.errors import Kind
from services.common.status import RemoteError
from services.rpc.showbill.integrations.v1 import integrations_pb2 as pb
from tests.integrations.shop import Shop


async def test_only_named_settings_change(connected: Shop) -> None:
    before = (await connected.connection()).settings
    await connected.caller.set(connected.who, footer="Thank you.", automatic_sending=True)
    after = (await connected.connection()).settings
    assert (after.footer, after.automatic_sending) == ("Thank you.", True)
    assert (after.memo_template, after.days_until_due) == (before.memo_template, before.days_until_due)


async def test_two_who_change_different_settings_both_win(connected: Shop) -> None:
    changes: list[dict[str, Any]] = [{"footer": "A"}, {"days_until_due": 30}, {"memo_template": "{buyer}"}]
    await asyncio.gather(*(connected.caller.set(connected.who, **one) for one in changes))
    after = (await connected.connection()).settings
    assert (after.footer, after.days_until_due, after.memo_template) == ("A", 30, "{buyer}")


async def test_every_bad_setting_is_named(connected: Shop) -> None:
    with pytest.raises(RemoteError) as refused:
        await connected.caller.set(
            connected.who, default_currency="QQQ", memo_template="For {byer}", footer="x" * 5001, days_until_due=400
        )
    assert refused.value.kind is Kind.INVALID
    assert {fault.field for fault in refused.value.faults} == {
        *("default_currency", "memo_template", "footer", "days_until_due")
    }
    assert "{byer} (at character 5)" in str([fault.problem for fault in refused.value.faults])


@pytest.mark.parametrize("name", ["memo_template", "message_template", "footer", "payment_instructions"])
async def test_text_with_a_secret_key_in_it_is_refused(connected: Shop, name: str) -> None:
    key = "rk_live_" + "51abcdef" * 4
    with pytest.raises(RemoteError) as refused:
        await connected.caller.set(connected.who, **{name: f"Thank you {key}"})
    (fault,) = refused.value.faults
    assert fault.field == name
    assert "looks like a secret key" in fault.problem
    assert key not in str(refused.value.faults)


async def test_preview_does_not_say_a_secret_key(connected: Shop) -> None:
    key = "rk_live_" + "51abcdef" * 4
    for template, values in ((f"Hi {key}", {}), ("Hi {buyer}", {"buyer": key})):
        with pytest.raises(RemoteError) as refused:
            await connected.caller.preview(connected.who, template, **values)
        assert "looks like a secret key" in refused.value.faults[0].problem


async def test_setting_that_does_not_exist_is_refused(connected: Shop) -> None:
    request = pb.UpdateIntegrationSettingsRequest(provider="stripe")
    request.update_mask.paths.append("colour")
    with pytest.raises(RemoteError) as refused:
        await connected.caller.gateway.call(
            connected.caller.integrations.UpdateIntegrationSettings, request, connected.who
        )
    assert [fault.problem for fault in refused.value.faults] == ["There is no setting colour."]


async def test_settings_of_nothing_connected_are_refused(shop: Shop) -> None:
    with pytest.raises(RemoteError) as refused:
        await shop.caller.set(shop.who, footer="x")
    assert refused.value.reason == "NOT_CONNECTED"


async def test_default_currency_has_its_exponent_and_empties_back_to_the_accounts(connected: Shop) -> None:
    for given, currency, digits in (("jpy", "JPY", 0), ("KWD", "KWD", 3), ("", "GBP", 2)):
        settings = (await connected.caller.set(connected.who, default_currency=given)).settings
        assert (settings.default_currency, settings.default_currency_exponent) == (currency, digits)


async def test_settings_outlive_new_keys(connected: Shop) -> None:
    await connected.caller.set(connected.who, footer="Ours")
    await connected.replace()
    assert (await connected.connection()).settings.footer == "Ours"


async def test_settings_go_along_to_live_mode(connected: Shop) -> None:
    await connected.caller.set(connected.who, footer="Ours", default_currency="EUR")
    live = await connected.connect(connected.account.sk_live, connected.account.pk_live)
    assert (live.integration.settings.footer, live.integration.settings.default_currency) == ("Ours", "GBP")


async def test_preview_fills_in_values_and_samples(connected: Shop) -> None:
    shown = await connected.caller.preview(connected.who, "{buyer}: {total} for {item_count}, {pay_link}", buyer="Ana")
    assert shown.text == "Ana: £123.45 for 3, https://pay.example/p/3k9x"
    assert list(shown.variables) == ["buyer", "show_name", "show_date", "item_count", "total", "pay_link"]


async def test_preview_refuses_unknown_variable_with_place(connected: Shop) -> None:
    with pytest.raises(RemoteError) as refused:
        await connected.caller.preview(connected.who, "Hi {name}")
    assert (refused.value.kind, refused.value.faults[0].field) == (Kind.INVALID, "template")
    assert "{name} (at character 4)" in refused.value.faults[0].problem


async def test_preview_of_a_memo_knows_that_there_is_no_link_yet(connected: Shop) -> None:
    preview = connected.caller.integrations.PreviewTemplate
    request = pb.PreviewTemplateRequest(provider="stripe", setting="memo_template", template="Hi {buyer}")
    shown = await connected.caller.gateway.call(preview, request, connected.who)
    assert (shown.text, "pay_link" in shown.variables) == ("Hi Maya K", False)
    for setting, template in (("memo_template", "{pay_link}"), ("memo_template", "x" * 1501), ("footer", "x")):
        request = pb.PreviewTemplateRequest(provider="stripe", setting=setting, template=template)
        with pytest.raises(RemoteError) as refused:
            await connected.caller.gateway.call(preview, request, connected.who)
        assert refused.value.kind is Kind.INVALID


async def test_preview_says_that_the_end_of_a_long_memo_is_cut(connected: Shop) -> None:
    """The template is short enough, what its variables make of it is not: at Stripe its end is missing."""
    preview = connected.caller.integrations.PreviewTemplate

    async def shown(setting: str, name: str, template: str = "{buyer}") -> pb.PreviewTemplateResponse:
        values = {"buyer": name}
        request = pb.PreviewTemplateRequest(provider="stripe", setting=setting, template=template, values=values)
        return await connected.caller.gateway.call(preview, request, connected.who)

    assert (await shown("memo_template", "x" * 1500)).warning == ""
    assert (await shown("memo_template", "x" * 1501)).warning == (
        "With these values the text is 1 character too long: its end is cut, 1500 fit."
    )
    assert (await shown("memo_template", "Ana", "x" * 1300 + "{show_name}")).warning == ""
    assert (await shown("memo_template", "Ana", "x" * 1302 + "{show_name}")).warning == (
        "With the longest names the text is 2 characters too long: its end is cut, 1500 fit."
    )
    assert (await shown("message_template", "x" * 1501)).warning == "", "messages are not Stripe's"
    limits = [(await shown(setting, "Ana")).max_length for setting in ("memo_template", "message_template")]
    assert limits == [1500, 2000]


async def test_settings_reach_the_invoices_made_from_then_on(connected: Shop) -> None:
    await connected.create(connected.order())
    await connected.caller.set(
        connected.who, memo_template="{buyer} owes {total} ({item_count})", footer="Bye", days_until_due=21
    )
    buyer = pb.InvoiceBuyer(platform="tiktok", platform_user_id="u", handle="@maya", email="maya@example.com")
    await connected.create(connected.order(buyer=buyer))
    first, second = await connected.invoices()
    assert (first["description"], first["footer"]) == ("Friday live, 2010-12-01", None)
    assert (second["description"], second["footer"]) == ("@maya owes £24.99 (2)", "Bye")
    assert second["due_date"] - second["created"] == 21 * 24 * 3600


@pytest.mark.parametrize(("effect", "status"), [("cut", 500), ("error", 500)])
async def test_retry_after_a_change_of_settings_sends_the_same(connected: Shop, effect: str, status: int) -> None:
    """The provider did the first try, nobody heard of it, and the memo changed before the second."""
    order = connected.order()
    await connected.fault("invoices.create", effect, when="after", status=status, keep=False)
    with pytest.raises(RemoteError):
        await connected.create(order)
    await connected.caller.set(connected.who, memo_template="Another memo", footer="Another footer", days_until_due=2)
    made = await connected.create(order)
    (invoice,) = await connected.invoices()
    assert (made.external_id, made.status) == (invoice["id"], pb.PROVIDER_INVOICE_STATUS_OPEN)
    assert (invoice["description"], invoice["footer"]) == ("Friday live, 2010-12-01", None)
    counts = (await connected.sandbox.calls(connected.account.id))["invoices.create"]
    assert counts["replayed"] == 1, "the second try was the same request, byte for byte, under the same key"


async def test_operators_retry_takes_the_settings_of_now(connected: Shop) -> None:
    order = connected.order()
    await connected.fault("invoices.create", "error", status=400)
    with pytest.raises(RemoteError):
        await connected.create(order)
    await connected.caller.set(connected.who, memo_template="Another memo")
    order.attempt = 2
    await connected.create(order)
    (invoice,) = await connected.invoices()
    assert invoice["description"] == "Another memo"


async def test_of_two_who_edit_the_same_settings_the_second_is_told(connected: Shop) -> None:
    read = (await connected.connection()).settings.etag
    after = await connected.caller.set(connected.who, footer="A", etag=read)
    assert after.settings.etag not in ("", read)
    with pytest.raises(RemoteError) as refused:
        await connected.caller.set(connected.who, footer="B", etag=read)
    assert (refused.value.kind, refused.value.reason) == (Kind.OUTDATED, "SETTINGS_CHANGED")
    assert (await connected.caller.set(connected.who, footer="A", etag=read)).settings.footer == "A"  # sent again
    races = [connected.caller.set(connected.who, footer=text, etag=after.settings.etag) for text in ("C", "D", "E")]
    won = [one for one in await asyncio.gather(*races, return_exceptions=True) if not isinstance(one, Exception)]
    assert len(won) == 1
