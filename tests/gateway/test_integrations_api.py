"""Connections over REST."""

import pytest
from google.protobuf.duration_pb2 import Duration

from services.common.errors import Fault, InvalidRequest
from services.gateway.schemas.identity import SignIn
from services.gateway.schemas.integrations import StripeKeys
from services.rpc.showbill.integrations.v1 import integrations_pb2 as pb
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as invoicing
from tests.gateway.harness import Gateway, Owner
from tests.gateway.messages import filled

KEY = "sk_test_51" + "planted0" * 4
KEYS = {"secretKey": "sk_test_51abcdefghijklmnop", "publishableKey": "pk_test_51abcdefghijklmnop"}


@pytest.mark.parametrize(
    "body",
    [
        {"secretKey": [KEY], "publishableKey": "pk_test_x"},
        {KEY: "secretKey", "publishableKey": "pk_test_x"},
        {"secretKey": {KEY: KEY}, "publishableKey": 1},
        [KEY],
        KEY,
        {"secretKey": KEY * 20, "publishableKey": "pk_test_x"},
    ],
    ids=["list", "name", "object", "body is a list", "body is a text", "too long"],
)
async def test_key_in_the_wrong_place_is_not_said_again(gateway: Gateway, owner: Owner, body: object) -> None:
    answer = await owner.client("POST", "/api/integrations/stripe/connect", body)
    assert answer.status == 400
    assert KEY not in str(answer.json)
    assert not gateway.integrations.calls


def test_bodies_with_secrets_print_without_them() -> None:
    keys = StripeKeys(secret_key=KEY, publishable_key="pk_test_x")
    sign_in = SignIn(email="owner@example.com", password=KEY)
    assert KEY not in f"{keys!r} {keys} {sign_in} {[sign_in]}"


async def test_the_catalogue_lists_connected_and_not(gateway: Gateway, owner: Owner) -> None:
    entry = pb.CatalogEntry(provider="square", name="Square", availability=pb.AVAILABILITY_COMING_SOON)
    gateway.integrations.script(
        "ListIntegrations",
        pb.ListIntegrationsResponse(integrations=[filled(pb.ListedIntegration()), pb.ListedIntegration(entry=entry)]),
    )
    first, second = (await owner.client("GET", "/api/integrations")).json["items"]
    assert (first["provider"], first["connected"], first["status"]) == ("provider!", True, "active")
    assert (first["availability"], first["updateMode"], first["keyHint"]) == ("available", "live", "key_hint!")
    assert (first["accountName"], first["invoicesUrl"]) == ("account_name!", "invoices_url!")
    assert first["keysUrl"] == "keys_url!"
    assert (second["name"], second["availability"], second["connected"]) == ("Square", "coming_soon", False)
    assert (second["status"], second["livemode"], second["accountId"]) == (None, None, "")


async def test_connecting_hands_the_keys_on_and_never_back(gateway: Gateway, owner: Owner) -> None:
    gateway.integrations.script("ConnectIntegration", filled(pb.ConnectIntegrationResponse()))
    answer = await owner.client("POST", "/api/integrations/stripe/connect", KEYS)
    assert answer.status == 200
    assert (answer.json["connected"], answer.json["status"], answer.json["warnings"]) == (True, "active", ["warnings!"])
    request = gateway.integrations.last("ConnectIntegration")
    assert request.provider == "stripe"
    assert dict(request.credentials) == {
        "secret_key": KEYS["secretKey"],
        "publishable_key": KEYS["publishableKey"],
    }
    for key in KEYS.values():
        assert key not in answer.text


async def test_refused_keys_point_at_their_field(gateway: Gateway, owner: Owner) -> None:
    fault = Fault("credentials.secret_key", "This is not a secret key. Paste one that begins with sk_ or rk_.")
    gateway.integrations.script("ConnectIntegration", InvalidRequest(fault.problem, faults=[fault]))
    answer = await owner.client("POST", "/api/integrations/stripe/connect", KEYS)
    assert answer.status == 400
    assert answer.json["errors"] == [{"pointer": "#/secretKey", "detail": fault.problem}]


async def test_a_key_is_not_repeated_when_the_body_is_wrong(gateway: Gateway, owner: Owner) -> None:
    answer = await owner.client("POST", "/api/integrations/stripe/connect", {**KEYS, "publishableKey": 3})
    assert answer.status == 400
    assert KEYS["secretKey"] not in answer.text
    assert not gateway.integrations.calls


async def test_the_health_report_is_in_milliseconds(gateway: Gateway, owner: Owner) -> None:
    report = pb.TestIntegrationResponse(healthy=True, latency=Duration(nanos=12_340_000), reason="Fine.")
    gateway.integrations.script("TestIntegration", report)
    answer = await owner.client("GET", "/api/integrations/stripe/test")
    assert answer.json == {
        "healthy": True,
        "livemode": False,
        "latencyMs": 12.3,
        "reason": "Fine.",
        "accountId": "",
        "permissions": [],
        "webhookEndpoint": None,
        "updateMode": None,
        "lastEventAt": None,
    }


async def test_disconnecting_names_what_stays_behind(gateway: Gateway, owner: Owner) -> None:
    gateway.integrations.script(
        "DisconnectIntegration",
        pb.DisconnectIntegrationResponse(
            integration=pb.Integration(provider="stripe", status=pb.INTEGRATION_STATUS_INACTIVE),
            orphaned_endpoint_id="we_1",
            warning="Remove we_1 by hand.",
        ),
    )
    answer = await owner.client("DELETE", "/api/integrations/stripe")
    assert answer.status == 200
    assert (answer.json["connected"], answer.json["status"]) == (False, "inactive")
    assert (answer.json["orphanedEndpointId"], answer.json["warning"]) == ("we_1", "Remove we_1 by hand.")


async def test_the_connection_is_read_alone(gateway: Gateway, owner: Owner) -> None:
    gateway.integrations.script("GetIntegration", filled(pb.GetIntegrationResponse()))
    answer = await owner.client("GET", "/api/integrations/stripe")
    assert (answer.json["accountId"], answer.json["settings"]["footer"]) == ("account_id!", "footer!")


async def test_an_owner_reads_the_audit_by_pages(gateway: Gateway, owner: Owner) -> None:
    entry = pb.AuditEntry(id="e1", provider="stripe", action="use", actor="user:1", detail="Opened to test.", count=3)
    entry.create_time.FromJsonString("2026-11-23T10:00:00Z")
    page = pb.ListAuditEntriesResponse(entries=[entry], next_page_token="more")
    gateway.integrations.script("ListAuditEntries", page)
    answer = await owner.client("GET", "/api/integrations/stripe/audit?pageSize=1&pageToken=before")
    assert answer.json == {
        "items": [
            {
                "id": "e1",
                "action": "use",
                "actor": "user:1",
                "time": "2026-11-23T10:00:00Z",
                "detail": "Opened to test.",
                "count": 3,
            }
        ],
        "nextPageToken": "more",
    }
    request = gateway.integrations.last("ListAuditEntries")
    assert (request.provider, request.page_size, request.page_token) == ("stripe", 1, "before")


async def test_an_operator_does_not_read_the_audit(gateway: Gateway, owner: Owner) -> None:
    operator = await gateway.make_operator(owner)
    answer = await operator("GET", "/api/integrations/stripe/audit")
    assert answer.status == 403
    assert not gateway.integrations.calls["ListAuditEntries"]


async def test_new_keys_are_handed_on_to_replace(gateway: Gateway, owner: Owner) -> None:
    gateway.integrations.script("ReplaceCredentials", filled(pb.ReplaceCredentialsResponse()))
    answer = await owner.client("PUT", "/api/integrations/stripe/credentials", KEYS)
    assert (answer.status, answer.json["warnings"]) == (200, ["warnings!"])
    assert answer.json["permissions"] == [
        {"name": "name!", "granted": True, "required": True, "purpose": "purpose!"},
    ]
    assert dict(gateway.integrations.last("ReplaceCredentials").credentials) == {
        "secret_key": KEYS["secretKey"],
        "publishable_key": KEYS["publishableKey"],
    }


async def test_only_the_settings_that_are_named_change(gateway: Gateway, owner: Owner) -> None:
    gateway.integrations.script("UpdateIntegrationSettings", filled(pb.UpdateIntegrationSettingsResponse()))
    change = {"footer": "", "daysUntilDue": 3, "automaticSending": False}
    answer = await owner.client("PATCH", "/api/integrations/stripe/settings", change)
    assert (answer.status, answer.json["footer"]) == (200, "footer!")
    request = gateway.integrations.last("UpdateIntegrationSettings")
    assert sorted(request.update_mask.paths) == ["automatic_sending", "days_until_due", "footer"]
    assert (request.provider, request.settings.days_until_due) == ("stripe", 3)


async def test_bad_setting_points_at_its_field(gateway: Gateway, owner: Owner) -> None:
    fault = Fault("memo_template", "There is no variable {byer} (at character 1).")
    gateway.integrations.script("UpdateIntegrationSettings", InvalidRequest(fault.problem, faults=[fault]))
    answer = await owner.client("PATCH", "/api/integrations/stripe/settings", {"memoTemplate": "{byer}"})
    assert (answer.status, answer.json["errors"]) == (
        400,
        [{"pointer": "#/memoTemplate", "detail": fault.problem}],
    )


async def test_settings_are_read_by_provider(gateway: Gateway, owner: Owner) -> None:
    gateway.integrations.script("GetIntegration", filled(pb.GetIntegrationResponse()))
    answer = await owner.client("GET", "/api/integrations/manual/settings")
    assert (answer.json["memoTemplate"], gateway.integrations.last("GetIntegration").provider) == (
        *("memo_template!", "manual"),
    )


async def test_template_is_previewed_with_its_variables(gateway: Gateway, owner: Owner) -> None:
    shown = pb.PreviewTemplateResponse(text="Hi Maya", variables=["buyer"], warning="Its end is cut.", max_length=9)
    gateway.integrations.script("PreviewTemplate", shown)
    body = {"template": "Hi {buyer}", "values": {"buyer": "Maya"}}
    answer = await owner.client("POST", "/api/integrations/stripe/preview", body)
    assert (answer.status, answer.json) == (
        200,
        {"text": "Hi Maya", "variables": ["buyer"], "warning": "Its end is cut.", "maxLength": 9},
    )
    assert dict(gateway.integrations.last("PreviewTemplate").values) == {"buyer": "Maya"}


async def test_template_is_previewed_on_an_invoice(gateway: Gateway, owner: Owner) -> None:
    show = invoicing.Show(name="Friday live", currency="GBP")
    show.create_time.FromJsonString("2026-11-20T18:00:00Z")
    made = invoicing.Invoice(display_name="Maya K", total=5896, currency="GBP", pay_path="/p/3k9x")
    made.lines.add(title="Lunch bag", quantity=2)
    gateway.invoicing.script("GetInvoice", invoicing.GetInvoiceResponse(invoice=made))
    gateway.invoicing.script("GetShow", invoicing.GetShowResponse(show=show))
    gateway.integrations.script("PreviewTemplate", pb.PreviewTemplateResponse(text="x"))
    body = {
        "template": "{buyer}",
        "values": {"show_name": "Mine"},
        "invoice": {"showId": "s1", "invoiceId": "i1"},
    }
    answer = await owner.client("POST", "/api/integrations/stripe/preview", body)
    assert answer.status == 200, answer.text
    assert gateway.invoicing.last("GetInvoice").invoice_id == "i1"
    values = dict(gateway.integrations.last("PreviewTemplate").values)
    assert values.pop("pay_link").endswith("/p/3k9x")
    assert values == {
        "buyer": "Maya K",
        "show_name": "Mine",
        "show_date": "2026-11-20",
        "item_count": "1",
        "total": "£58.96",
    }


async def test_other_providers_have_the_same_routes(gateway: Gateway, owner: Owner) -> None:
    for method in (
        "ConnectIntegration",
        "ReplaceCredentials",
        "TestIntegration",
        "ListAuditEntries",
        "DisconnectIntegration",
    ):
        answer = getattr(pb, f"{method}Response")()
        gateway.integrations.script(method, filled(answer))
    for http, path, body, method in (
        ("POST", "/connect", {"apiKey": "k"}, "ConnectIntegration"),
        ("PUT", "/credentials", {"apiKey": "k"}, "ReplaceCredentials"),
        ("GET", "/test", None, "TestIntegration"),
        ("GET", "/audit", None, "ListAuditEntries"),
        ("DELETE", "", None, "DisconnectIntegration"),
    ):
        answer = await owner.client(http, f"/api/integrations/square{path}", body)
        assert answer.status == 200, answer.text
        request = gateway.integrations.last(method)
        assert request.provider == "square"
        assert not body or dict(request.credentials) == {"api_key": "k"}
