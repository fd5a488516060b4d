"""What the Stripe adapter offers, and how it is made."""

from typing import Final
from uuid import UUID

import msgspec

from services.common.addresses import UrlPrefix
from services.common.errors import CannotStart
from services.common.secret import Secret
from services.integrations.adapters.stripe.adapter import StripeAdapter
from services.integrations.adapters.stripe.keys import PUBLISHABLE_KEY, SECRET_KEY
from services.integrations.adapters.stripe.permissions import ASKED
from services.integrations.offers import ConnectField, Entry, Lent, Made, Offer, PlainAddress, Rate, Rates


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """From the environment. `.env.example` says what each means."""

    stripe_api_base: UrlPrefix = UrlPrefix("https://api.stripe.com")
    stripe_dashboard_base: UrlPrefix = UrlPrefix("https://dashboard.stripe.com")
    stripe_rate_live: Rate = 100
    """Calls per second that Stripe allows an account in live mode. It raises them for some."""
    stripe_rate_test: Rate = 25
    stripe_rate_per_operation: Rate = 25
    stripe_webhook_secret: Secret | None = None
    """Signing secret of the plain webhook address; several during a roll, separated by commas."""
    stripe_webhook_connection: UUID | None = None
    """The connection that the plain address is bound to."""


def make(settings: Settings, lent: Lent) -> Made:
    rates = Rates(settings.stripe_rate_live, settings.stripe_rate_test, settings.stripe_rate_per_operation)
    adapter = StripeAdapter(settings.stripe_api_base, settings.stripe_dashboard_base, lent.pace(rates), lent.book)
    return Made(adapter, _plain_address(settings))


def _plain_address(settings: Settings) -> PlainAddress | None:
    """None, which turns the plain address off, without its settings. Raises CannotStart for one without the other."""
    listed = settings.stripe_webhook_secret.reveal().split(",") if settings.stripe_webhook_secret else []
    secrets = [Secret(part.strip()) for part in listed if part.strip()]
    connection = settings.stripe_webhook_connection
    if bool(secrets) != bool(connection):
        raise CannotStart(
            "The plain webhook address needs STRIPE_WEBHOOK_SECRET and STRIPE_WEBHOOK_CONNECTION. Set both or neither."
        )
    return PlainAddress(StripeAdapter.provider, str(connection), secrets) if connection else None


OFFER: Final = Offer(
    Entry(
        StripeAdapter.provider,
        "Stripe",
        "Invoice your buyers and take payments into your own Stripe account.",
        available=True,
        place=10,
        connect_fields=(
            ConnectField(
                SECRET_KEY,
                "Secret key",
                "Starts with rk_ (restricted, recommended) or sk_.",
                "rk_test_… or sk_test_…",
                hidden=True,
            ),
            ConnectField(
                PUBLISHABLE_KEY,
                "Publishable key",
                "Starts with pk_. Must come from the same account and mode; Stripe does not tell us, so look twice.",
                "pk_test_…",
            ),
        ),
        permissions=ASKED,
        settings=(
            "default_currency",
            "days_until_due",
            "memo_template",
            "message_template",
            "footer",
            "automatic_sending",
        ),
    ),
    Settings,
    make,
)
