"""Calls to the invoicing service over real gRPC, as the gateway makes them."""

import csv
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import grpc
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp

from services.common.client import GrpcClient, Request, Response
from services.common.context import Identity
from services.common.ids import new_id
from services.common.secret import Secret
from services.common.tokens import Signer
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from services.rpc.showbill.invoicing.v1 import invoicing_pb2_grpc as rpc
from tests.waiting import eventually

EXAMPLES = Path(__file__).parents[2] / "examples"
EVERYONE = Identity("", "worker:webhooks")


class Patient(GrpcClient):
    """A busy machine is no fault of what is tested: only an answer that never comes is."""

    async def call(
        self,
        method: grpc.aio.UnaryUnaryMultiCallable[Request, Response],
        request: Request,
        identity: Identity,
        *,
        timeout: float = 60.0,
        wait_for_ready: bool = False,
    ) -> Response:
        return await super().call(method, request, identity, timeout=timeout, wait_for_ready=wait_for_ready)


class Caller:
    """The gateway in the name of one workspace."""

    def __init__(self, address: str, seed: str, service: str = "gateway") -> None:
        self.client = Patient(address, "invoicing", Signer(service, Secret(seed)))
        self.shows = rpc.ShowsServiceStub(self.client.channel)
        self.invoices = rpc.InvoicesServiceStub(self.client.channel)
        self.who = Identity(new_id(), "user:test")

    async def create_show(self, name: str = "Show", currency: str = "GBP", request_id: str = "") -> pb.Show:
        request = pb.CreateShowRequest(name=name, currency=currency, request_id=request_id)
        return (await self.client.call(self.shows.CreateShow, request, self.who)).show

    async def show(self, show_id: str) -> pb.Show:
        return (await self.client.call(self.shows.GetShow, pb.GetShowRequest(show_id=show_id), self.who)).show

    async def items(self, show_id: str, items: Sequence[pb.Item]) -> pb.UpsertItemsResponse:
        request = pb.UpsertItemsRequest(show_id=show_id, items=items)
        return await self.client.call(self.shows.UpsertItems, request, self.who)

    async def ingest(self, show_id: str, claims: Sequence[pb.Claim]) -> pb.IngestClaimsResponse:
        request = pb.IngestClaimsRequest(show_id=show_id, claims=claims)
        return await self.client.call(self.shows.IngestClaims, request, self.who)

    async def stream(
        self, show_id: str, *batches: Sequence[pb.Claim], all_or_none: bool = False
    ) -> pb.StreamClaimsResponse:
        async def requests() -> AsyncIterator[pb.StreamClaimsRequest]:
            for claims in batches:
                yield pb.StreamClaimsRequest(show_id=show_id, claims=claims, all_or_none=all_or_none)

        return await self.client.feed(self.shows.StreamClaims, requests(), self.who, timeout=60)

    async def stream_items(
        self, show_id: str, *batches: Sequence[pb.Item], all_or_none: bool = False
    ) -> pb.StreamItemsResponse:
        async def requests() -> AsyncIterator[pb.StreamItemsRequest]:
            for items in batches:
                yield pb.StreamItemsRequest(show_id=show_id, items=items, all_or_none=all_or_none)

        return await self.client.feed(self.shows.StreamItems, requests(), self.who, timeout=60)

    async def stream_buyers(
        self, show_id: str, *batches: Sequence[pb.Buyer], all_or_none: bool = False
    ) -> pb.StreamBuyersResponse:
        async def requests() -> AsyncIterator[pb.StreamBuyersRequest]:
            for buyers in batches:
                yield pb.StreamBuyersRequest(show_id=show_id, buyers=buyers, all_or_none=all_or_none)

        return await self.client.feed(self.shows.StreamBuyers, requests(), self.who, timeout=60)

    async def update_item(self, show_id: str, item: pb.Item, *paths: str) -> pb.Item:
        request = pb.UpdateItemRequest(show_id=show_id, item=item, update_mask=FieldMask(paths=paths))
        return (await self.client.call(self.shows.UpdateItem, request, self.who)).item

    async def listed_items(self, show_id: str) -> list[pb.Item]:
        request = pb.ListItemsRequest(show_id=show_id, page_size=1000)
        return list((await self.client.call(self.shows.ListItems, request, self.who)).items)

    async def claims(self, show_id: str) -> list[pb.Claim]:
        """Every claim of a show."""
        found: list[pb.Claim] = []
        token = ""
        while True:
            request = pb.ListClaimsRequest(show_id=show_id, page_size=1000, page_token=token)
            answer = await self.client.call(self.shows.ListClaims, request, self.who)
            found += answer.claims
            token = answer.next_page_token
            if not token:
                return found

    async def buyers(self, show_id: str) -> list[pb.Buyer]:
        request = pb.ListBuyersRequest(show_id=show_id, page_size=1000)
        return list((await self.client.call(self.shows.ListBuyers, request, self.who)).buyers)

    async def update_buyer(self, buyer: pb.Buyer, *paths: str) -> pb.Buyer:
        request = pb.UpdateBuyerRequest(buyer=buyer, update_mask=FieldMask(paths=paths))
        return (await self.client.call(self.shows.UpdateBuyer, request, self.who)).buyer

    async def plan(
        self,
        show_id: str,
        buyer_ids: Sequence[str] = (),
        *,
        apply_changes: bool = False,
        reissue_for_email: bool = False,
    ) -> pb.PlanGenerationResponse:
        request = pb.PlanGenerationRequest(
            show_id=show_id, buyer_ids=buyer_ids, apply_changes=apply_changes, reissue_for_email=reissue_for_email
        )
        return await self.client.call(self.invoices.PlanGeneration, request, self.who)

    async def start(
        self,
        show_id: str,
        *,
        buyer_ids: Sequence[str] = (),
        except_buyer_ids: Sequence[str] = (),
        request_id: str = "",
        plan_hash: str = "",
        apply_changes: bool = False,
        reissue_for_email: bool = False,
        base: str = "",
        sends: bool | None = None,
        expected_total: int | None = None,
    ) -> pb.Generation:
        request = pb.StartGenerationRequest(
            show_id=show_id,
            buyer_ids=buyer_ids,
            except_buyer_ids=except_buyer_ids,
            request_id=request_id,
            plan_hash=plan_hash,
            apply_changes=apply_changes,
            reissue_for_email=reissue_for_email,
            pay_link_base=base,
            automatic_sending=sends,
            expected_total=expected_total,
        )
        return (await self.client.call(self.invoices.StartGeneration, request, self.who)).generation

    async def generation(self, generation_id: str) -> pb.Generation:
        request = pb.GetGenerationRequest(generation_id=generation_id)
        return (await self.client.call(self.invoices.GetGeneration, request, self.who)).generation

    async def finished(self, generation_id: str, timeout: float = 60) -> pb.Generation:
        async def done() -> pb.Generation | None:
            run = await self.generation(generation_id)
            return run if run.state == pb.GENERATION_STATE_FINISHED else None

        finished = await eventually(done, timeout=timeout, why="the generation did not finish")
        assert finished is not None
        return finished

    async def generate(
        self, show_id: str, *, apply_changes: bool = False, reissue_for_email: bool = False
    ) -> pb.Generation:
        run = await self.start(show_id, apply_changes=apply_changes, reissue_for_email=reissue_for_email)
        return await self.finished(run.id)

    async def changes(self, show_id: str) -> list[pb.PlannedChange]:
        """What a plan proposes, buyers in the order of their handles."""
        return [entry.change for entry in (await self.plan(show_id)).entries if entry.HasField("change")]

    async def listed(self, show_id: str, *statuses: pb.InvoiceStatus.ValueType) -> list[pb.Invoice]:
        request = pb.ListInvoicesRequest(show_id=show_id, page_size=1000, statuses=statuses)
        return list((await self.client.call(self.invoices.ListInvoices, request, self.who)).invoices)

    async def invoice(self, known: pb.Invoice) -> pb.Invoice:
        request = pb.GetInvoiceRequest(show_id=known.show_id, invoice_id=known.id)
        return (await self.client.call(self.invoices.GetInvoice, request, self.who)).invoice

    async def history(self, known: pb.Invoice) -> list[pb.InvoiceChange]:
        request = pb.ListInvoiceHistoryRequest(show_id=known.show_id, invoice_id=known.id)
        return list((await self.client.call(self.invoices.ListInvoiceHistory, request, self.who)).changes)

    async def send(
        self, known: pb.Invoice, channel: pb.DeliveryChannel.ValueType, request_id: str = ""
    ) -> pb.SendInvoiceResponse:
        request = pb.SendInvoiceRequest(
            show_id=known.show_id,
            invoice_id=known.id,
            channel=channel,
            request_id=request_id,
            pay_link_base="https://pay.example/",
        )
        return await self.client.call(self.invoices.SendInvoice, request, self.who)

    async def send_many(
        self, show_id: str, channel: pb.DeliveryChannel.ValueType = pb.DELIVERY_CHANNEL_UNSPECIFIED, **fields: object
    ) -> pb.Sending:
        request = pb.SendInvoicesRequest(show_id=show_id, channel=channel, pay_link_base="https://pay.example")
        request.MergeFrom(pb.SendInvoicesRequest(**fields))  # type: ignore[arg-type]  # fields of it, by name
        return (await self.client.call(self.invoices.SendInvoices, request, self.who)).sending

    async def sending(self, sending_id: str) -> pb.Sending:
        request = pb.GetSendingRequest(sending_id=sending_id)
        return (await self.client.call(self.invoices.GetSending, request, self.who)).sending

    async def sent(self, sending_id: str) -> pb.Sending:
        """Waits until nothing of the run is queued."""

        async def done() -> pb.Sending | None:
            run = await self.sending(sending_id)
            return run if run.state == pb.SENDING_STATE_FINISHED else None

        finished = await eventually(done, timeout=60, why="the links were not sent")
        assert finished is not None
        return finished

    async def deliveries(
        self, known: pb.Invoice | None = None, *, sending_id: str = "", size: int = 0, token: str = ""
    ) -> pb.ListDeliveriesResponse:
        request = pb.ListDeliveriesRequest(sending_id=sending_id, page_size=size, page_token=token)
        if known is not None:
            request.show_id, request.invoice_id = known.show_id, known.id
        return await self.client.call(self.invoices.ListDeliveries, request, self.who)

    async def report(self, delivery_id: str, state: pb.DeliveryState.ValueType, reason: str = "") -> None:
        request = pb.ReportDeliveryRequest(delivery_id=delivery_id, state=state, reason=reason)
        await self.client.call(self.invoices.ReportDelivery, request, self.who)

    async def revoke(self, known: pb.Invoice) -> str:
        request = pb.RevokePayLinkRequest(show_id=known.show_id, buyer_id=known.buyer_id)
        return (await self.client.call(self.invoices.RevokePayLink, request, self.who)).pay_path

    async def retry(self, show_id: str, *invoice_ids: str) -> pb.RetryInvoicesResponse:
        request = pb.RetryInvoicesRequest(show_id=show_id, invoice_ids=invoice_ids)
        return await self.client.call(self.invoices.RetryInvoices, request, self.who)

    async def void(self, known: pb.Invoice) -> pb.Invoice:
        request = pb.VoidInvoiceRequest(show_id=known.show_id, invoice_id=known.id)
        return (await self.client.call(self.invoices.VoidInvoice, request, self.who)).invoice

    async def mark_paid(self, known: pb.Invoice, note: str = "", amount: int | None = None) -> pb.Invoice:
        request = pb.MarkPaidRequest(show_id=known.show_id, invoice_id=known.id, note=note, amount=amount)
        return (await self.client.call(self.invoices.MarkPaid, request, self.who)).invoice

    async def mark_many(
        self, show_id: str, *batches: Sequence[pb.PaidMark], all_or_none: bool = False, validate_only: bool = False
    ) -> pb.StreamMarksResponse:
        async def requests() -> AsyncIterator[pb.StreamMarksRequest]:
            for marks in batches:
                yield pb.StreamMarksRequest(
                    show_id=show_id, marks=marks, all_or_none=all_or_none, validate_only=validate_only
                )

        return await self.client.feed(self.invoices.StreamMarks, requests(), self.who, timeout=60)

    async def update_draft(self, known: pb.Invoice) -> pb.Invoice:
        request = pb.UpdateDraftRequest(show_id=known.show_id, invoice_id=known.id)
        return (await self.client.call(self.invoices.UpdateDraft, request, self.who)).invoice

    async def finalize(self, known: pb.Invoice) -> pb.Invoice:
        request = pb.FinalizeInvoiceRequest(show_id=known.show_id, invoice_id=known.id)
        return (await self.client.call(self.invoices.FinalizeInvoice, request, self.who)).invoice

    async def cancel(self, generation_id: str) -> pb.Generation:
        request = pb.CancelGenerationRequest(generation_id=generation_id)
        return (await self.client.call(self.invoices.CancelGeneration, request, self.who)).generation

    async def watch(self, generation_id: str) -> AsyncIterator[pb.Generation]:
        request = pb.WatchGenerationRequest(generation_id=generation_id)
        async for answer in self.client.stream(self.invoices.WatchGeneration, request, self.who):
            yield answer.generation

    async def apply(self, *events: pb.ProviderEvent) -> list[pb.EventOutcome.ValueType]:
        request = pb.ApplyProviderEventsRequest(events=events)
        return list((await self.client.call(self.invoices.ApplyProviderEvents, request, EVERYONE)).outcomes)

    async def resolve(self, token: str, *, count_opening: bool = False) -> pb.ResolvePayLinkResponse:
        request = pb.ResolvePayLinkRequest(token=token, count_opening=count_opening)
        return await self.client.call(self.invoices.ResolvePayLink, request, EVERYONE)

    async def verify(self, show_id: str) -> pb.VerifyShowResponse:
        request = pb.VerifyShowRequest(show_id=show_id)
        return await self.client.call(self.invoices.VerifyShow, request, self.who, timeout=30)

    async def follow_verification(self, show_id: str) -> list[pb.StreamVerificationResponse]:
        request = pb.StreamVerificationRequest(show_id=show_id)
        return [part async for part in self.client.stream(self.invoices.StreamVerification, request, self.who)]

    async def summary(
        self, show_id: str, *, with_mailable: bool = False, mailable_of: Sequence[str] = ()
    ) -> pb.GetShowSummaryResponse:
        request = pb.GetShowSummaryRequest(show_id=show_id, with_mailable=with_mailable, mailable_of=mailable_of)
        return await self.client.call(self.invoices.GetShowSummary, request, self.who)

    async def import_example(self, name: str) -> str:
        """Makes a show of an example; answers its id."""
        show = await self.create_show(name)
        await self.items(show.id, example_items(name))
        answer = await self.ingest(show.id, example_claims(name))
        assert not answer.rejected_claims
        return show.id

    async def small_show(self, buyers: int, price: int | None = 1000, *, emails: bool = False) -> str:
        """A show in which each buyer won one item; answers its id."""
        show = await self.create_show("Small show")
        await self.items(show.id, [pb.Item(item_number=str(n), title=f"Item {n}", price=price) for n in range(buyers)])
        await self.ingest(show.id, [winner(n, **_address(n, known=emails)) for n in range(buyers)])
        return show.id

    async def close(self) -> None:
        await self.client.close()


def _address(number: int, *, known: bool) -> dict[str, object]:
    return {"email": f"u{number}@example.com"} if known else {}


def winner(number: int, **fields: object) -> pb.Claim:
    """Buyer u<number> won item <number>."""
    claim = pb.Claim(
        claim_id=f"c{number}",
        platform="facebook",
        platform_user_id=f"u{number}",
        user_handle=f"@u{number:05}",
        item_number=str(number),
        quantity=1,
        status=pb.CLAIM_STATUS_WINNER,
        claim_time=Timestamp(seconds=1_790_000_000 + number),
    )
    claim.MergeFrom(pb.Claim(**fields))  # type: ignore[arg-type]  # fields of a claim, by name
    return claim


def example_items(name: str) -> list[pb.Item]:
    with (EXAMPLES / name / "items.csv").open(newline="", encoding="utf-8") as file:
        return [
            pb.Item(
                item_number=row["item_number"],
                title=row["title"],
                price=int(row["price"]) if row["price"] else None,
            )
            for row in csv.DictReader(file)
        ]


def example_claims(name: str) -> list[pb.Claim]:
    claims = []
    with (EXAMPLES / name / "claims.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            claim = pb.Claim(
                claim_id=row["claim_id"],
                platform=row["platform"],
                platform_user_id=row["platform_user_id"],
                user_handle=row["user_handle"],
                item_number=row["item_number"],
                quantity=int(row["quantity"]),
                status=pb.ClaimStatus.Value(f"CLAIM_STATUS_{row['status'].upper()}"),
            )
            claim.claim_time.FromJsonString(row["claimed_at"].replace("+00:00", "Z"))
            claims.append(claim)
    return claims
