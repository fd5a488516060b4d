"""The parameters that are accepted are those of the SDK's types."""

from typing import Any

import aiohttp
import pytest

from services.sandbox import schema
from services.sandbox.errors import ApiError
from services.sandbox.generate_parameters import generate
from services.sandbox.operations.modelled import MODELLED, check_modelled
from services.sandbox.routes import ROUTES
from tests.sandbox.harness import Account


def check(operation: str, *pairs: tuple[str, str]) -> dict[str, Any]:
    return schema.check(operation, schema.decode(pairs))


def refusal(operation: str, *pairs: tuple[str, str]) -> ApiError:
    with pytest.raises(ApiError) as caught:
        check(operation, *pairs)
    return caught.value


def test_the_parameter_file_is_what_the_sdk_says() -> None:
    assert schema.PARAMETERS_FILE.read_text(encoding="utf-8") == generate()


def test_every_operation_has_its_parameters() -> None:
    for route in ROUTES:
        assert "object" in schema.schema_of(route.operation)


def test_everything_modelled_is_a_parameter_of_stripe() -> None:
    for operation, names in MODELLED.items():
        known = set(schema.schema_of(operation)["object"])
        lines = set(schema.schema_of("invoices.lines.update")["object"]) | {"id", "behavior"}
        assert names <= known | (lines if operation == "invoices.lines.update" else set()), operation


def test_brackets_become_nested_values() -> None:
    decoded = check(
        "invoices.add_lines",
        ("lines[0][amount]", "999"),
        ("lines[0][metadata][sku]", "a"),
        ("lines[1][price_data][product_data][name]", "P"),
        ("lines[1][price_data][currency]", "gbp"),
        ("expand[]", "customer"),
    )
    assert decoded == {
        "lines": [
            {"amount": 999, "metadata": {"sku": "a"}},
            {"price_data": {"product_data": {"name": "P"}, "currency": "gbp"}},
        ],
        "expand": ["customer"],
    }


@pytest.mark.parametrize(
    ("operation", "name", "value", "code", "message"),
    [
        ("invoices.create", "lines[0][amount]", "1", "parameter_unknown", "Received unknown parameter: lines"),
        (
            "invoices.add_lines",
            "lines[0][price]",
            "p",
            "parameter_unknown",
            "Received unknown parameter: lines[0][price]",
        ),
        ("invoices.add_lines", "lines[0][amount]", "9.5", "parameter_invalid_integer", "Invalid integer: 9.5"),
        ("invoices.create", "auto_advance", "yes", None, "Invalid boolean: yes"),
        ("invoices.add_lines", "expand[0]", "customer", "parameter_missing", "Missing required param: lines."),
        ("customers.create", "metadata[k][l]", "v", "parameter_invalid_type", "Invalid string"),
    ],
)
def test_a_parameter_at_fault_is_refused(operation: str, name: str, value: str, code: str | None, message: str) -> None:
    error = refusal(operation, (name, value))
    assert (error.status, error.code, error.message, error.executed) == (400, code, message, False)


def test_a_parameter_without_effect_here_is_refused_by_name() -> None:
    params = check("invoices.create", ("customer", "cus_1"), ("automatic_tax[enabled]", "true"))
    with pytest.raises(ApiError, match="does not model the parameter 'automatic_tax'"):
        check_modelled("invoices.create", params)
    check_modelled("invoices.create", check("invoices.create", ("automatic_tax[enabled]", "false")))


async def test_json_metadata_is_merged_and_unset(session: aiohttp.ClientSession, account: Account) -> None:
    headers = {"Authorization": f"Bearer {account.keys['sk_test']}"}

    async def post(path: str, **form: str) -> dict[str, Any]:
        async with session.post(path, data=form, headers=headers) as response:
            shown: dict[str, Any] = await response.json()
            return shown

    made = await post("/v1/customers", **{"metadata[a]": "1", "metadata[b]": "2"})
    path = f"/v1/customers/{made['id']}"
    assert (await post(path, **{"metadata[a]": "", "metadata[c]": "3"}))["metadata"] == {"b": "2", "c": "3"}
    assert (await post(path, metadata=""))["metadata"] == {}
