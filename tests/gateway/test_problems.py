"""What goes wrong is said in finished sentences, all at once, in one form."""

from typing import Any

import pytest

from services.common.errors import AnswerLost, Fault, InvalidRequest, Kind, ShowbillError, Unavailable
from services.common.status import RemoteError
from services.common.tokens import BadServiceToken
from services.gateway.errors import pointer
from services.gateway.faults import faults_of
from services.gateway.schemas.shows import ClaimsBody, NewShow
from services.invoicing.worker import NotFinalized
from tests.gateway.harness import Gateway, Owner


async def test_all_faults_of_a_body_come_at_once(gateway: Gateway, owner: Owner) -> None:
    body = {"claims": [{"claimId": "", "platform": 3, "status": "won", "quantity": 0, "colour": "red"}, {}]}
    answer = await owner.client("POST", "/api/shows/x/claims", body)
    assert answer.status == 400
    pointers = {fault["pointer"] for fault in answer.json["errors"]}
    assert {"#/claims/0/" + name for name in ("claimId", "platform", "status", "quantity", "colour")} < pointers
    assert "#/claims/0/itemNumber" in pointers
    assert "#/claims/1/claimId" in pointers
    for fault in answer.json["errors"]:
        assert fault["detail"].endswith(".")
    assert not gateway.invoicing.calls


@pytest.mark.parametrize(
    ("data", "says"),
    [
        *(
            (b"", "body is missing"),
            (b"{", "not JSON"),
            (b"[]", "expected"),
            (b"\xff", "not JSON"),
            (b"null", "expected"),
        ),
        (b'{"name": "caf\xe9", "currency": "GBP"}', "it is not encoded in UTF-8"),
        (b'{"caf\xe9": 1}', "it is not encoded in UTF-8"),
        (b"[" * 100_000 + b"]" * 100_000, "too many times"),
        (b'{"name": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "too many times"),
        (b'{"name": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001, "too many times"),
    ],
    ids=range(10),
)
async def test_a_body_that_is_no_object_is_refused(gateway: Gateway, owner: Owner, data: bytes, says: str) -> None:
    for path in ("/api/shows", "/api/session", "/api/integrations/stripe/connect", "/api/integrations/other/connect"):
        answer = await owner.client("POST", path, data=data, headers={"Content-Type": "application/json"})
        assert (path, answer.status) == (path, 400)
        assert says in answer.json["detail"], path


async def test_a_fault_points_to_the_field_as_it_was_sent(gateway: Gateway, owner: Owner) -> None:
    body = {"name": "x", "currency": "GBP", "start_time": 1, "a.b": 2, "c/d~e": 3, "f g": 4}
    answer = await owner.client("POST", "/api/shows", body)
    pointers = {fault["pointer"] for fault in answer.json["errors"]}
    assert pointers == {"#/start_time", "#/a.b", "#/c~1d~0e", "#/f%20g"}


async def test_a_parameter_that_does_not_fit_is_named(gateway: Gateway, owner: Owner) -> None:
    answer = await owner.client("GET", "/api/shows?pageSize=many")
    assert answer.status == 400
    assert "The parameter pageSize is not usable" in answer.json["detail"]
    assert answer.json["errors"][0]["pointer"] == "#/pageSize"
    assert (await owner.client("GET", "/api/shows?pageSize=5000")).status == 400


async def test_a_body_that_is_too_large_is_refused(gateway: Gateway, owner: Owner) -> None:
    answer = await owner.client("POST", "/api/shows", {"name": "x" * 2_000_000, "currency": "GBP"})
    assert answer.status == 413
    assert answer.json["type"] == "urn:showbill:problem:too-large"


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (Kind.INVALID, 400),
        (Kind.NOT_FOUND, 404),
        (Kind.CONFLICT, 409),
        (Kind.FAILED_PRECONDITION, 409),
        (Kind.OUTDATED, 412),
        (Kind.RATE_LIMITED, 429),
        (Kind.UNIMPLEMENTED, 501),
        (Kind.UNAVAILABLE, 503),
        (Kind.TIMED_OUT, 504),
        (Kind.INTERNAL, 500),
    ],
)
async def test_errors_of_services_keep_their_words(gateway: Gateway, owner: Owner, kind: Kind, status: int) -> None:
    error = ShowbillError("Something is so. Do that.", retry_after=7)
    error.kind, error.reason = kind, "SOME_REASON"
    gateway.invoicing.script("ListShows", error)
    answer = await owner.client("GET", "/api/shows")
    assert answer.status == status
    assert answer.json["type"] == "urn:showbill:problem:some-reason"
    assert answer.json["detail"] == "Something is so. Do that."
    assert answer.headers["Retry-After"] == "7"


async def test_what_is_away_always_says_when_to_come_again(gateway: Gateway, owner: Owner) -> None:
    gateway.invoicing.script("ListShows", NotFinalized())
    answer = await owner.client("GET", "/api/shows")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "2")


@pytest.mark.parametrize("path", ["/api/shows", "/shows"])
async def test_a_service_that_takes_us_for_nobody_sends_no_caller_to_sign_in(
    gateway: Gateway, owner: Owner, path: str
) -> None:
    """Their clocks or keys are apart: a person who signs in again would be sent to sign in for ever."""
    gateway.invoicing.script("ListShows", BadServiceToken())
    answer = await (await gateway.signed_in(owner))("GET", path)
    assert answer.status == 500
    assert "Something broke on our side" in answer.text


async def test_faults_of_services_point_into_the_body(gateway: Gateway, owner: Owner) -> None:
    gateway.invoicing.script(
        "CreateShow", InvalidRequest("No such currency.", faults=[Fault("show.start_time", "Not so.")])
    )
    answer = await owner.client("POST", "/api/shows", {"name": "x", "currency": "XXX"})
    assert answer.json["errors"] == [{"pointer": "#/show/startTime", "detail": "Not so."}]


async def test_a_service_that_is_away_takes_down_only_its_own(gateway: Gateway, owner: Owner) -> None:
    await gateway.invoicing.stop()
    try:
        answer = await owner.client("GET", "/api/shows")
        assert answer.status == 503
        assert int(answer.headers["Retry-After"]) >= 1
        assert (await owner.client("GET", "/api/integrations")).status == 200
        health = await gateway.client()("GET", "/api/health")
        assert (health.status, health.json["status"], health.json["invoicing"]) == (200, "ok", "away")
    finally:
        await gateway.invoicing.start(gateway.config.invoicing_address)
    # The connection comes back by itself, and a call made meanwhile waits for it instead of failing.
    assert (await owner.client("GET", "/api/shows")).status == 200


async def test_what_a_service_does_not_know_yet_is_not_built_yet(gateway: Gateway, owner: Owner) -> None:
    gateway.invoicing.script("ListShows", NotImplementedError())
    answer = await owner.client("GET", "/api/shows")
    assert (answer.status, answer.json["type"]) == (501, "urn:showbill:problem:unimplemented")
    assert answer.json["detail"] == "This part of Showbill is announced, but not built yet."


async def test_an_unforeseen_error_tells_nothing_but_its_reference(gateway: Gateway, owner: Owner) -> None:
    gateway.invoicing.script("ListShows", RuntimeError("secret internals"))
    answer = await owner.client("GET", "/api/shows")
    assert answer.status == 500
    assert "secret" not in answer.text
    assert answer.json["requestId"] == answer.headers["X-Request-Id"]


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("", "#"),
        ("name", "#/name"),
        ("claims[3].user_handle", "#/claims/3/userHandle"),
        ("show.start_time", "#/show/startTime"),
        ("/claims/3/user_handle", "#/claims/3/user_handle"),
        ("/a~1b c/é", "#/a~1b%20c/%C3%A9"),
    ],
)
def test_places_become_json_pointers(field: str, expected: str) -> None:
    assert pointer(field) == expected


@pytest.mark.parametrize(
    ("body", "expected"), [(b'{"name":"x","currency":"GBP"}', NewShow), (b'{"claims":[]}', ClaimsBody)]
)
def test_a_good_body_has_no_faults(body: bytes, expected: Any) -> None:
    assert faults_of(body, expected) == []


def test_faults_are_bounded() -> None:
    body = b'{"claims":[' + b",".join([b"{}"] * 1000) + b"]}"
    assert len(faults_of(body, ClaimsBody)) == 100


async def test_only_who_changes_something_is_to_look_whether_it_was_done(gateway: Gateway, owner: Owner) -> None:
    lost = RemoteError(Kind.UNAVAILABLE, "UNAVAILABLE", AnswerLost().message)
    for method in ("ListShows", "CreateShow"):
        gateway.invoicing.script(method, lost)
    read = await owner.client("GET", "/api/shows")
    page = await owner.client("GET", "/shows")
    made = await owner.client("POST", "/api/shows", {"name": "Friday", "currency": "GBP"})
    assert (read.status, page.status, made.status) == (503, 503, 503)
    assert (read.json["detail"], made.json["detail"]) == (Unavailable().message, AnswerLost().message)
    assert "Look whether" not in page.text
