"""What the contracts promise as a whole, read from their descriptors."""

from collections.abc import Iterator

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor

from services.integrations.access import ACCESS as INTEGRATIONS_ACCESS
from services.invoicing.access import ACCESS as INVOICING_ACCESS
from services.rpc.showbill.events.v1 import events_pb2
from services.rpc.showbill.integrations.v1 import integrations_pb2
from services.rpc.showbill.invoicing.v1 import invoicing_pb2

CONTRACTS = [integrations_pb2.DESCRIPTOR, invoicing_pb2.DESCRIPTOR]
METHODS = [method for file in CONTRACTS for service in file.services_by_name.values() for method in service.methods]
SECRET_WORDS = ("secret", "credential", "password", "token", "private", "api_key")
NOT_SECRET = {"next_page_token", "page_token"}


def name_of(method: MethodDescriptor) -> str:
    return f"/{method.containing_service.full_name}/{method.name}"


def reachable(message: Descriptor, seen: set[str]) -> Iterator[FieldDescriptor]:
    if message.full_name in seen:
        return
    seen.add(message.full_name)
    for field in message.fields:
        yield field
        if field.message_type is not None:
            yield from reachable(field.message_type, seen)


@pytest.mark.parametrize("method", METHODS, ids=name_of)
def test_no_answer_has_room_for_a_secret(method: MethodDescriptor) -> None:
    for field in reachable(method.output_type, set()):
        assert not field.GetOptions().debug_redact, f"{field.full_name} is marked secret and stands in an answer"
        guilty = [word for word in SECRET_WORDS if word in field.name and field.name not in NOT_SECRET]
        assert not guilty, f"{field.full_name} has a secret's name and stands in an answer"


@pytest.mark.parametrize("method", METHODS, ids=name_of)
def test_secrets_in_requests_are_marked_as_such(method: MethodDescriptor) -> None:
    for field in reachable(method.input_type, set()):
        if "credential" in field.name or "secret" in field.name:
            assert field.GetOptions().debug_redact, f"{field.full_name} must be marked debug_redact"


def test_every_method_says_who_may_call_it() -> None:
    assert {name_of(method) for method in METHODS} == set(INTEGRATIONS_ACCESS) | set(INVOICING_ACCESS)
    assert all(access.callers for access in (*INTEGRATIONS_ACCESS.values(), *INVOICING_ACCESS.values()))


def test_only_group_and_pay_link_calls_are_service_wide() -> None:
    tables = INTEGRATIONS_ACCESS | INVOICING_ACCESS
    wide = {name.rsplit("/", 1)[1] for name, access in tables.items() if access.service_wide}
    assert wide == {"VerifyWebhooks", "ApplyProviderEvents", "ResolvePayLink"}


def test_every_method_has_its_own_request_and_response() -> None:
    assert len({method.input_type.full_name for method in METHODS}) == len(METHODS)
    assert len({method.output_type.full_name for method in METHODS}) == len(METHODS)


def test_shared_words_mean_the_same_in_each_contract() -> None:
    """The packages do not import one another; the enums that cross them must agree number by number."""
    kept_apart = {"ErrorReason"}  # each service has reasons of its own
    by_name: dict[str, list[dict[str, int]]] = {}
    for file in (*CONTRACTS, events_pb2.DESCRIPTOR):
        for name, enum in file.enum_types_by_name.items():
            by_name.setdefault(name, []).append({value.name: value.number for value in enum.values})
    shared = {name: meanings for name, meanings in by_name.items() if len(meanings) > 1 and name not in kept_apart}
    assert {"ProviderEventType", "InvoiceStatus"} <= set(shared)
    assert [name for name, meanings in shared.items() if any(one != meanings[0] for one in meanings)] == []
