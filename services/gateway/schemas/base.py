"""What all bodies share."""

from datetime import datetime
from typing import Annotated

import msgspec

LARGEST_AMOUNT = 2**53 - 1
"""What every JSON reader can hold exactly."""

Amount = Annotated[int, msgspec.Meta(ge=0, le=LARGEST_AMOUNT, description="Minor units of the currency.")]
Quantity = Annotated[int, msgspec.Meta(ge=1, le=1_000_000_000)]
Stock = Annotated[int, msgspec.Meta(ge=0, le=LARGEST_AMOUNT)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Key = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Label = Annotated[str, msgspec.Meta(max_length=500)]
Currency = Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$", description="ISO 4217, upper case.", examples=["GBP"])]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]
"""A time that a caller sends: with its zone, else nobody knows when it is."""


class Body(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """What a caller sends. A field that we do not know is a fault, for it is a slip of the pen."""

    def __repr__(self) -> str:
        """Without what is in it: keys, passwords, addresses of people."""
        return f"{type(self).__name__}(…)"


class View(msgspec.Struct, rename="camel"):
    """What we answer."""
