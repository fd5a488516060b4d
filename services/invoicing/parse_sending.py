"""Requests about sending, as the use cases take them. Each raises InvalidRequest."""

from typing import Final

from services.common.errors import Fault, require
from services.common.ids import parse_id
from services.invoicing.deliver import Report, Wish
from services.invoicing.parse import LONGEST_BASE, count_fault, id_faults, request_id, text_fault
from services.invoicing.sendings import Many
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb

MOST_INVOICES: Final = 20_000
MOST_ASKED_OF: Final = 1_000
LONGEST_REASON: Final = 500

CHANNELS: Final[dict[int, str | None]] = {
    pb.DELIVERY_CHANNEL_UNSPECIFIED: None,
    pb.DELIVERY_CHANNEL_EMAIL: "email",
    pb.DELIVERY_CHANNEL_DM: "dm",
    pb.DELIVERY_CHANNEL_MANUAL: "manual",
}
_REPORTS: Final[dict[int, str]] = {pb.DELIVERY_STATE_DELIVERED: "delivered", pb.DELIVERY_STATE_FAILED: "failed"}


def wish(message: pb.SendInvoiceRequest) -> Wish:
    require([*base_faults(message.pay_link_base), *_channel_faults(message.channel)])
    return Wish(
        show_id=parse_id(message.show_id, "show"),
        invoice_id=parse_id(message.invoice_id, "invoice"),
        channel=CHANNELS[message.channel],
        request_id=request_id(message.request_id),
        pay_link_base=message.pay_link_base,
    )


def many(message: pb.SendInvoicesRequest) -> Many:
    faults = [
        *base_faults(message.pay_link_base),
        *_channel_faults(message.channel),
        *count_fault("invoice_ids", message.invoice_ids, MOST_INVOICES),
        *id_faults("invoice_ids", message.invoice_ids[:MOST_INVOICES], "an invoice"),
    ]
    otherwise = message.channel_without_email
    if otherwise not in CHANNELS or otherwise == pb.DELIVERY_CHANNEL_EMAIL:
        faults.append(Fault("channel_without_email", "The channel without an e-mail is not dm or manual."))
    elif otherwise and message.channel:
        faults.append(
            Fault("channel_without_email", "With a channel for all there is no other for some. Leave one out.")
        )
    require(faults)
    return Many(
        show_id=parse_id(message.show_id, "show"),
        invoice_ids=[parse_id(one, "invoice") for one in message.invoice_ids],
        channel=CHANNELS[message.channel],
        otherwise=CHANNELS[otherwise],
        request_id=request_id(message.request_id),
        pay_link_base=message.pay_link_base,
        most_count=message.most_count if message.HasField("most_count") else None,
    )


def mailable_of(message: pb.GetShowSummaryRequest) -> list[str]:
    """The chosen invoices; none is all."""
    ids = message.mailable_of
    require(
        [*count_fault("mailable_of", ids, MOST_ASKED_OF), *id_faults("mailable_of", ids[:MOST_ASKED_OF], "an invoice")]
    )
    return [parse_id(one, "invoice") for one in ids]


def report(message: pb.ReportDeliveryRequest) -> Report:
    faults = text_fault("reason", message.reason, LONGEST_REASON)
    if message.state not in _REPORTS:
        faults.append(Fault("state", "The state is not delivered or failed."))
    elif message.state == pb.DELIVERY_STATE_FAILED and not message.reason:
        faults.append(Fault("reason", "The reason is missing. Say in a sentence why it failed."))
    require(faults)
    return Report(parse_id(message.delivery_id, "delivery"), _REPORTS[message.state], message.reason)


def base_faults(base: str) -> list[Fault]:
    return text_fault("pay_link_base", base, LONGEST_BASE, least=1)


def _channel_faults(channel: int) -> list[Fault]:
    return [] if channel in CHANNELS else [Fault("channel", "The channel is not email, dm or manual.")]
