"""Which services may call which method. A method that is missing here is refused to all."""

from typing import Final

from services.common.server import Access

INTEGRATIONS: Final = "showbill.integrations.v1.IntegrationsService"
INVOICE_PROVIDER: Final = "showbill.integrations.v1.InvoiceProviderService"

_GATEWAY: Final = frozenset({"gateway"})
_INVOICING: Final = frozenset({"invoicing"})

ACCESS: Final[dict[str, Access]] = {
    f"/{INTEGRATIONS}/ListIntegrations": Access(_GATEWAY),
    f"/{INTEGRATIONS}/GetIntegration": Access(_GATEWAY | _INVOICING),
    f"/{INTEGRATIONS}/ConnectIntegration": Access(_GATEWAY),
    f"/{INTEGRATIONS}/UpdateIntegrationSettings": Access(_GATEWAY),
    f"/{INTEGRATIONS}/ReplaceCredentials": Access(_GATEWAY),
    f"/{INTEGRATIONS}/TestIntegration": Access(_GATEWAY),
    f"/{INTEGRATIONS}/DisconnectIntegration": Access(_GATEWAY),
    f"/{INTEGRATIONS}/PreviewTemplate": Access(_GATEWAY),
    f"/{INTEGRATIONS}/ListAuditEntries": Access(_GATEWAY),
    f"/{INTEGRATIONS}/VerifyWebhooks": Access(_GATEWAY, service_wide=True),
    f"/{INVOICE_PROVIDER}/CreateInvoice": Access(_INVOICING),
    f"/{INVOICE_PROVIDER}/UpdateDraft": Access(_INVOICING),
    f"/{INVOICE_PROVIDER}/FinalizeInvoice": Access(_INVOICING),
    f"/{INVOICE_PROVIDER}/SendInvoice": Access(_INVOICING),
    f"/{INVOICE_PROVIDER}/MarkPaid": Access(_INVOICING),
    f"/{INVOICE_PROVIDER}/VoidInvoice": Access(_INVOICING),
    f"/{INVOICE_PROVIDER}/GetInvoice": Access(_INVOICING),
    f"/{INVOICE_PROVIDER}/FindInvoice": Access(_INVOICING),
    f"/{INVOICE_PROVIDER}/ListInvoices": Access(_INVOICING),
    f"/{INVOICE_PROVIDER}/ListChangedInvoices": Access(_INVOICING),
}
