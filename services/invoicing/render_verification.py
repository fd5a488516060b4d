"""The proof of a show as a message."""

from collections.abc import Iterator
from typing import Final

import asyncpg

from services.common.timestamps import to_proto
from services.invoicing.domain.evidence import Finding, Proof, Report, Verdict
from services.invoicing.domain.fairness import Account
from services.invoicing.looking import Listed
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb

_ROWS: Final = 500
"""So many rows in a message of a stream: some hundred kilobytes."""
VERDICTS = {verdict: pb.Verdict.Value(f"VERDICT_{verdict.name}") for verdict in Verdict}


def verification(show: asyncpg.Record, report: Report) -> pb.VerifyShowResponse:
    whole = _verdict(show, report)
    whole.findings.extend(_finding(one) for one in report.findings)
    whole.buyers.extend(_proof(one) for one in report.proofs)
    return whole


def parts(show: asyncpg.Record, report: Report) -> Iterator[pb.StreamVerificationResponse]:
    """The rows, some at a time, and the verdict."""
    for at in range(0, len(report.findings), _ROWS):
        yield _rows(pb.VerificationRows(findings=[_finding(one) for one in report.findings[at : at + _ROWS]]))
    for at in range(0, len(report.proofs), _ROWS):
        yield _rows(pb.VerificationRows(buyers=[_proof(one) for one in report.proofs[at : at + _ROWS]]))
    yield pb.StreamVerificationResponse(result=_verdict(show, report))


def progress(listed: Listed) -> pb.StreamVerificationResponse:
    return pb.StreamVerificationResponse(
        progress=pb.VerificationProgress(
            seen_count=listed.seen, found_count=listed.found, expected_count=listed.expected
        )
    )


def _rows(rows: pb.VerificationRows) -> pb.StreamVerificationResponse:
    return pb.StreamVerificationResponse(rows=rows)


def _verdict(show: asyncpg.Record, report: Report) -> pb.VerifyShowResponse:
    evidence = report.evidence
    return pb.VerifyShowResponse(
        proven=report.verdict is Verdict.PROVEN,
        invoice_count=len(evidence.ours),
        provider_invoice_count=len(evidence.theirs) + len(evidence.strays),
        verify_time=to_proto(evidence.now),
        verdict=VERDICTS[report.verdict],
        unchecked_accounts=[_account(account, reason) for account, reason in evidence.unchecked.items()],
        currency=evidence.currency,
        show_name=show["name"],
    )


def _finding(one: Finding) -> pb.Finding:
    return pb.Finding(
        buyer_id=one.buyer_id,
        invoice_id=one.invoice_id,
        external_id=one.external_id,
        problem=one.problem,
        accepted=one.accepted,
    )


def _proof(one: Proof) -> pb.BuyerProof:
    buyer = one.claimant.buyer
    return pb.BuyerProof(
        buyer_id=buyer.id,
        platform=buyer.platform,
        platform_user_id=buyer.platform_user_id,
        handle=buyer.handle,
        owed=one.claimant.owed.total,
        invoiced=one.invoiced,
        provider_total=one.provider_total,
        invoice_count=one.invoice_count,
        provider_invoice_count=one.provider_invoice_count,
        verdict=VERDICTS[one.verdict],
        reason=" ".join(finding.problem for finding in one.findings),
    )


def _account(account: Account, reason: str) -> pb.UncheckedAccount:
    return pb.UncheckedAccount(
        provider=account.provider, account_id=account.account_id, livemode=account.livemode, reason=reason
    )
