"""The audit: each thing done with credentials leaves an entry with who and when, and no secret."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from services.common.context import Identity
from services.common.db import Connection, Pool, open_pool, transaction
from services.common.errors import Kind
from services.common.ids import new_id
from services.common.secret import Secret
from services.common.status import RemoteError
from services.integrations import audit
from services.integrations.audit import Action, Uses
from services.integrations.connection import from_row
from services.rpc.showbill.integrations.v1 import integrations_pb2 as pb
from tests.e2e.stack import Stack
from tests.integrations.conftest import MakeShop
from tests.integrations.shop import Shop
from tests.waiting import eventually


async def told(shop: Shop) -> list[tuple[str, str]]:
    """Action and detail of all entries, the oldest first."""
    return [(one.action, one.detail) for one in reversed((await shop.caller.audit(shop.who)).entries)]


async def uses(shop: Shop) -> dict[str, int]:
    """How often the keys were opened, by purpose."""
    return {one.detail: one.count for one in (await shop.caller.audit(shop.who)).entries if one.action == "use"}


async def test_connecting_is_told_with_account_actor_and_time(connected: Shop) -> None:
    (entry,) = (await connected.caller.audit(connected.who)).entries
    assert (entry.action, entry.actor, entry.provider, entry.count) == ("connect", connected.who.actor, "stripe", 1)
    hint = connected.account.sk_test[-4:]
    assert entry.detail == (
        f"Connected to the account {connected.account.id} in test mode, with the key that ends in {hint}."
    )
    found = (await connected.caller.get(connected.who)).integration
    assert entry.create_time.ToMilliseconds() == pytest.approx(found.connect_time.ToMilliseconds(), abs=1000)


async def test_connecting_again_and_disconnecting_are_told(connected: Shop) -> None:
    await connected.connect()
    await connected.caller.disconnect(connected.who)
    actions = [(action, detail.split(" to ")[0]) for action, detail in await told(connected) if action != "use"]
    assert actions == [
        ("connect", "Connected"),
        ("connect", "Connected again"),
        ("disconnect", "Disconnected; the keys were destroyed."),
    ]


async def test_replaced_keys_are_told_with_their_end(connected: Shop) -> None:
    await connected.replace()
    hint = connected.account.sk_test[-4:]
    assert [one for one in await told(connected) if one[0] != "use"][1:] == [
        (
            "replace",
            f"Keys replaced for the account {connected.account.id} in test mode, with the key that ends in {hint}.",
        )
    ]
    assert await uses(connected) == {"Opened to replace the keys.": 1}


async def test_changed_settings_are_told_by_name_alone(connected: Shop) -> None:
    await connected.caller.set(connected.who, footer="Thank you", days_until_due=3)
    assert (await told(connected))[-1] == ("settings", "Settings changed: footer, days until due.")
    with pytest.raises(RemoteError):
        await connected.caller.set(connected.who, days_until_due=0)
    assert len(await told(connected)) == 2


async def test_endpoint_left_behind_is_told(connected: Shop) -> None:
    await connected.fault("webhook_endpoints.delete", "error", status=500, times=None)
    done = await connected.caller.disconnect(connected.who)
    assert any(f"{done.orphaned_endpoint_id} could not be deleted" in detail for _, detail in await told(connected))


async def test_test_is_told_with_its_result(connected: Shop) -> None:
    health = await connected.caller.test(connected.who)
    assert ("test", health.reason) in await told(connected)
    await connected.sandbox.revoke(connected.account.sk_test)
    health = await connected.caller.test(connected.who)
    assert ("test", health.reason) in await told(connected)


async def test_a_page_that_only_looks_is_no_test_of_the_audit(connected: Shop) -> None:
    before = await told(connected)
    health = await connected.caller.test(connected.who, passive=True)
    assert health.healthy
    assert [one for one in await told(connected) if one[0] == "test"] == [one for one in before if one[0] == "test"]


async def test_refused_connect_is_told_with_its_reason(shop: Shop) -> None:
    lame = await shop.restricted_key(["rak_balance_read", "rak_customer_write", "rak_event_read"])
    strange = "sk_test_" + "x" * 40
    sentences = []
    for key in ("sk_test_short", strange, lame):
        with pytest.raises(RemoteError) as refused:
            await shop.connect(key)
        sentences.append(refused.value.message)
    entries = list(reversed((await shop.caller.audit(shop.who)).entries))
    assert [(one.action, one.detail) for one in entries] == [("connect_refused", sentence) for sentence in sentences]
    assert {(one.actor, one.provider, one.count) for one in entries} == {(shop.who.actor, "stripe", 1)}
    assert not any(key[-4:] in one.detail for key in (strange, lame) for one in entries)


async def test_refused_replace_is_told_with_its_reason(connected: Shop, make_shop: MakeShop) -> None:
    other = await make_shop()
    for secret, publishable in (("sk_test_" + "x" * 40, ""), (other.account.sk_test, other.account.pk_test)):
        with pytest.raises(RemoteError) as refused:
            await connected.replace(secret, publishable)
        assert (await told(connected))[-1] == ("replace_refused", refused.value.message)
        assert secret[-4:] not in (await told(connected))[-1][1]
    assert await told(other) == []


async def test_loser_of_a_race_is_told(shop: Shop) -> None:
    results = await asyncio.gather(*(shop.connect() for _ in range(3)), return_exceptions=True)
    lost = sum(isinstance(one, RemoteError) for one in results)
    assert [action for action, _ in await told(shop)].count("connect_refused") == lost


async def test_uses_are_counted_by_purpose_not_by_call(connected: Shop) -> None:
    made = [await connected.create(connected.order()) for _ in range(4)]
    await connected.caller.read(connected.who, connected.account.id, made[0].external_id)

    async def counted() -> bool:
        return await uses(connected) == {"Opened to create invoices.": 4, "Opened to read invoices.": 1}

    await eventually(counted)
    entries = [one for one in (await connected.caller.audit(connected.who)).entries if one.action == "use"]
    assert len(entries) == 2
    assert {one.actor for one in entries} == {connected.who.actor}


async def test_verified_webhooks_count_as_use(connected: Shop) -> None:
    found = (await connected.caller.get(connected.who)).integration
    secret = await connected.webhook_secret(found.id)
    forged = connected.delivery(found.id, "whsec_guessed")
    for _ in range(3):  # whoever knows the address can send anything: it is no use of the secret
        await connected.caller.verify(connected.delivery(found.id, secret), forged, forged)

    async def counted() -> bool:
        return await uses(connected) == {"Opened to verify webhooks.": 3}

    await eventually(counted)


async def test_other_workspaces_read_nothing(connected: Shop, make_shop: MakeShop) -> None:
    other = await make_shop()
    assert await told(other) == []
    assert await told(connected) != []


async def test_pages_hold_every_entry_once(connected: Shop) -> None:
    for _ in range(3):
        await connected.caller.test(connected.who)
    whole = [one.id for one in (await connected.caller.audit(connected.who)).entries]
    paged: list[str] = []
    token = ""
    while True:
        page = await connected.caller.audit(connected.who, 2, token)
        paged += [one.id for one in page.entries]
        assert len(page.entries) <= 2
        if not (token := page.next_page_token):
            break
    assert paged == whole
    assert len(whole) == 5


@pytest.mark.parametrize(("token", "kind"), [("nonsense", Kind.INVALID), ("WyJ4Il0=", Kind.NOT_FOUND)])
async def test_foreign_page_token_is_refused(connected: Shop, token: str, kind: Kind) -> None:
    with pytest.raises(RemoteError) as refused:
        await connected.caller.audit(connected.who, 2, token)
    assert refused.value.kind is kind


async def test_only_the_gateway_may_ask(connected: Shop) -> None:
    request = pb.ListAuditEntriesRequest(provider="stripe")
    with pytest.raises(RemoteError) as refused:
        await connected.caller.invoicing.call(connected.caller.integrations.ListAuditEntries, request, connected.who)
    assert refused.value.reason == "CALL_NOT_ALLOWED"


@pytest.fixture
async def pool(stack: Stack) -> AsyncIterator[Pool]:
    pool = await open_pool(Secret(stack.databases["integrations"]), "tests", largest=4)
    yield pool
    await pool.close()


async def row_of(pool: Pool, shop: Shop) -> asyncpg.Record:
    row = await pool.fetchrow("SELECT * FROM integrations WHERE workspace_id = $1", shop.who.workspace_id)
    assert row is not None
    return row


async def test_entry_stands_or_falls_with_the_transaction(connected: Shop, pool: Pool) -> None:
    connection = from_row(await row_of(pool, connected))

    async def broken(database: Connection) -> None:
        await audit.record(database, connection, Action.SETTINGS, "Changed the footer.")
        raise LookupError

    with pytest.raises(LookupError):
        async with transaction(pool) as database:
            await broken(database)
    assert [action for action, _ in await told(connected)] == ["connect"]
    async with transaction(pool) as database:
        await audit.record(database, connection, Action.REPLACE, f"Replaced {connected.account.sk_test}.")
    assert (await told(connected))[-1] == ("replace", "Replaced sk_test_***.")


async def test_two_replicas_add_up_their_counts(connected: Shop, pool: Pool) -> None:
    row = await row_of(pool, connected)
    replicas = [Uses(pool) for _ in range(3)]
    for _ in range(5):
        await asyncio.gather(*(one.note(str(row["workspace_id"]), str(row["id"])) for one in replicas))
    await asyncio.gather(*(one.write() for one in replicas))
    assert await uses(connected) == {audit.OTHER_PURPOSE: 15}


async def test_counts_wait_for_a_database_that_is_away(connected: Shop, pool: Pool) -> None:
    row = await row_of(pool, connected)
    counting = Uses(pool)
    for _ in range(3):
        await counting.note(str(row["workspace_id"]), str(row["id"]))
    url = Secret("postgres://nobody@127.0.0.1:9/x")
    counting._pool = asyncpg.create_pool(url.reveal())
    await counting.write()
    counting._pool = pool
    await counting.write()
    assert await uses(connected) == {audit.OTHER_PURPOSE: 3}


async def test_counts_outlive_a_writing_that_is_cut_off(
    connected: Shop, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the end of the process the writer is cancelled wherever it is."""
    monkeypatch.setattr(audit, "WRITE_EVERY", 0)
    row = await row_of(pool, connected)
    counting = Uses(pool)
    for _ in range(4):
        await counting.note(str(row["workspace_id"]), str(row["id"]))
    async with pool.acquire() as other, other.transaction():
        await other.execute("LOCK TABLE audit IN EXCLUSIVE MODE")
        writing = asyncio.create_task(counting.run())

        async def waits() -> bool:
            asked = (
                "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'relation' AND query LIKE '%INTO audit%'"
            )
            return bool(await pool.fetchval(asked))

        await eventually(waits)
        writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert await uses(connected) == {audit.OTHER_PURPOSE: 4}


async def test_every_method_that_opens_keys_has_a_purpose() -> None:
    services = pb.DESCRIPTOR.services_by_name
    methods = {method.name for service in services.values() for method in service.methods}
    unasked = {"ListIntegrations", "GetIntegration", "ListAuditEntries"}
    assert set(audit.PURPOSES) == methods - unasked


async def test_use_of_a_stranger_connection_is_not_counted(connected: Shop, pool: Pool) -> None:
    row = await row_of(pool, connected)
    await Uses(pool).note(new_id(), str(row["id"]))
    assert await uses(connected) == {}
    assert (await connected.caller.audit(Identity(new_id(), "user:1"))).entries == []
