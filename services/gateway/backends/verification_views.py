"""Proofs and hearing of the invoicing service as JSON schemas."""

from typing import Final

from services.gateway.backends.convert import enum_names, moment
from services.gateway.schemas.verification import (
    BuyerProofView,
    FindingView,
    HearingMode,
    HearingView,
    UncheckedAccountView,
    Verdict,
    VerificationProgressView,
    VerificationRowsView,
    VerificationView,
)
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb

VERDICT: Final[dict[int, Verdict]] = enum_names(pb.Verdict.DESCRIPTOR, "VERDICT_")
MODE: Final[dict[int, HearingMode | None]] = enum_names(pb.HearingMode.DESCRIPTOR, "HEARING_MODE_")


def verification(answer: pb.VerifyShowResponse) -> VerificationView:
    return VerificationView(
        verdict=VERDICT[answer.verdict],
        proven=answer.proven,
        show_name=answer.show_name,
        currency=answer.currency,
        verified_at=moment(answer.verify_time),
        invoice_count=answer.invoice_count,
        provider_invoice_count=answer.provider_invoice_count,
        findings=[_finding(one) for one in answer.findings],
        buyers=[_proof(one) for one in answer.buyers],
        unchecked_accounts=[_account(one) for one in answer.unchecked_accounts],
    )


def progress(one: pb.VerificationProgress) -> VerificationProgressView:
    return VerificationProgressView(one.seen_count, one.found_count, one.expected_count)


def rows(one: pb.VerificationRows) -> VerificationRowsView:
    return VerificationRowsView([_finding(row) for row in one.findings], [_proof(row) for row in one.buyers])


def _finding(one: pb.Finding) -> FindingView:
    return FindingView(one.buyer_id, one.invoice_id, one.external_id, one.problem, one.accepted)


def _proof(one: pb.BuyerProof) -> BuyerProofView:
    return BuyerProofView(
        buyer_id=one.buyer_id,
        platform=one.platform,
        platform_user_id=one.platform_user_id,
        handle=one.handle,
        owed=one.owed,
        invoiced=one.invoiced,
        provider_total=one.provider_total,
        invoice_count=one.invoice_count,
        provider_invoice_count=one.provider_invoice_count,
        verdict=VERDICT[one.verdict],
        reason=one.reason,
    )


def _account(one: pb.UncheckedAccount) -> UncheckedAccountView:
    return UncheckedAccountView(one.provider, one.account_id, one.livemode, one.reason)


def hearing(answer: pb.GetHearingResponse) -> HearingView:
    return HearingView(
        mode=MODE[answer.mode],
        sentence=answer.sentence,
        last_heard_at=moment(answer.last_heard_time),
        last_success_at=moment(answer.last_success_time),
        last_try_at=moment(answer.last_try_time),
        failure=answer.failure,
        account_id=answer.account_id,
        livemode=answer.livemode,
        unpaid_invoice_count=answer.unpaid_invoice_count,
        event_count=answer.event_count,
        told_event_count=answer.told_event_count,
        read_event_count=answer.read_event_count,
        last_event_type=answer.last_event_type,
        last_event_at=moment(answer.last_event_time),
    )
