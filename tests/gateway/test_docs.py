"""The interface described."""

import re

from services.gateway.identity.access import RULES, SOCKET
from tests.gateway.harness import Gateway


async def test_openapi_describes_every_route_of_the_interface(gateway: Gateway) -> None:
    answer = await gateway.client()("GET", "/api/openapi.json")
    schema = answer.json
    assert schema["openapi"].startswith("3.1")
    described = {(method.upper(), path) for path, item in schema["paths"].items() for method in item}
    assert {(method, path) for method, path in described} == {
        (method, path)
        for method, path in RULES
        if method != SOCKET
        and path.startswith("/api/")
        and path not in ("/api/openapi.json", "/api/asyncapi.json", "/api/docs")
        if "/webhooks/" not in path
    }
    for path, item in schema["paths"].items():
        for method, operation in item.items():
            assert operation["description"].endswith((".", "`")), (method, path)
            assert operation["responses"]["500"]["content"].keys() == {"application/problem+json"}


async def test_problems_are_described_as_they_come(gateway: Gateway) -> None:
    schema = (await gateway.client()("GET", "/api/openapi.json")).json
    operation = schema["paths"]["/api/shows/{show_id}/invoices/generate"]["post"]
    assert {"202", "400", "401", "403", "404", "409", "503", "504"} <= operation["responses"].keys()
    assert operation["requestBody"]["required"] is False
    assert "Idempotency-Key" in {parameter["name"] for parameter in operation["parameters"]}
    problem = await gateway.client()("GET", "/api/shows")
    assert set(schema["components"]["schemas"]["Problem"]["required"]) <= problem.json.keys()


async def test_the_reader_page_loads_nothing_from_elsewhere(gateway: Gateway) -> None:
    page = await gateway.client()("GET", "/api/docs")
    assert page.status == 200
    assert "/api/shows/{show_id}/invoices/generate" in page.text
    assert not re.findall(r"(?:src|href)=\"(?!/|#)", page.text)
    assert "<script" not in page.text
    sheet = await gateway.client()("GET", "/static/docs.css")
    assert (sheet.status, sheet.headers["Content-Type"].split(";")[0]) == (200, "text/css")
    again = await gateway.client()("GET", "/static/docs.css", headers={"If-None-Match": sheet.headers["ETag"]})
    assert (again.status, again.text) == (304, "")
    for name in ("nothing.css", "..%2fapp.py", "__init__.py"):
        assert (await gateway.client()("GET", f"/static/{name}")).status == 404


async def test_every_post_takes_a_key_and_every_route_is_limited(gateway: Gateway) -> None:
    schema = (await gateway.client()("GET", "/api/openapi.json")).json
    for path, item in schema["paths"].items():
        for method, operation in item.items():
            if RULES[method.upper(), path].guarded:
                assert "429" in operation["responses"], (method, path)
                names = [parameter["name"] for parameter in operation.get("parameters", [])]
                wanted = method == "post" and "/imports/" not in path
                assert names.count("Idempotency-Key") == wanted, (method, path)
