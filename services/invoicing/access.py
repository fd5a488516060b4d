"""Which service may call which method. The workspace comes from the token; three methods take a service-wide one."""

from typing import Final

from services.common.server import Access

SERVICE_NAMES: Final = ("showbill.invoicing.v1.ShowsService", "showbill.invoicing.v1.InvoicesService")
_SHOWS, _INVOICES = (f"/{name}/" for name in SERVICE_NAMES)

_GATEWAY: Final = Access(frozenset({"gateway"}))
_GATEWAY_WIDE: Final = Access(frozenset({"gateway"}), service_wide=True)
_CLAIM_SOURCES: Final = Access(frozenset({"gateway", "claims"}))
_MESSAGING: Final = Access(frozenset({"messaging"}))

_SHOW_METHODS: Final = (
    "CreateShow GetShow ListShows UpdateShow StartShow PauseShow EndShow UpsertItems StreamItems CreateItem UpdateItem "
    "ListItems IngestClaims StreamClaims ListClaims ListBuyers UpdateBuyer StreamBuyers"
)
_INVOICE_METHODS: Final = (
    "PlanGeneration StartGeneration GetGeneration WatchGeneration CancelGeneration ListInvoices GetInvoice "
    "ListInvoiceHistory UpdateDraft FinalizeInvoice MarkPaid StreamMarks SendInvoice SendInvoices VoidInvoice "
    "RetryInvoices GetSending ListUnsent ListOpened ListDeliveries RevokePayLink VerifyShow StreamVerification "
    "GetHearing ListStrayPayments SettleStrayPayment GetShowSummary"
)

ACCESS: Final[dict[str, Access]] = {
    **{_SHOWS + method: _CLAIM_SOURCES for method in _SHOW_METHODS.split()},
    **{_INVOICES + method: _GATEWAY for method in _INVOICE_METHODS.split()},
    _INVOICES + "ApplyProviderEvents": _GATEWAY_WIDE,
    _INVOICES + "ResolvePayLink": _GATEWAY_WIDE,
    _INVOICES + "ReportDelivery": _MESSAGING,
}
