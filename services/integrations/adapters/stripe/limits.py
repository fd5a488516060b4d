"""What Stripe sets, from docs.stripe.com/currencies and the billing limits. Amounts in minor units."""

from typing import Final

from services.integrations.connection_values import Limits

LARGEST_TOTAL: Final = 99_999_999
MOST_LINES: Final = 250
LONGEST_MEMO: Final = 1500
LONGEST_FOOTER: Final = 5000

# Below these a finalized invoice settles itself and the debt moves to the customer's balance.
_MINIMUM_TOTALS: Final = {
    "USD": 50,
    "AED": 200,
    "AUD": 50,
    "BGN": 100,
    "BRL": 50,
    "CAD": 50,
    "CHF": 50,
    "CZK": 1500,
    "DKK": 250,
    "EUR": 50,
    "GBP": 30,
    "HKD": 400,
    "HUF": 17500,
    "INR": 50,
    "JPY": 50,
    "MXN": 1000,
    "MYR": 200,
    "NOK": 300,
    "NZD": 50,
    "PLN": 200,
    "RON": 200,
    "SEK": 300,
    "SGD": 50,
    "THB": 1000,
}

LIMITS: Final = Limits(
    minimum_totals=_MINIMUM_TOTALS,
    maximum_total=LARGEST_TOTAL,
    maximum_lines=MOST_LINES,
    longest_memo=LONGEST_MEMO,
    longest_footer=LONGEST_FOOTER,
    # The last three because Stripe counts them in other minor units than ISO 4217, see amounts.py.
    maximum_totals={"IDR": 999_999_999_999, "ISK": 999_999, "UGX": 999_999, "MGA": 9_999_999_900},
)
