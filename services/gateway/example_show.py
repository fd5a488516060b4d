"""The example show: a real sale, that somebody new can try everything on. Where it comes from: examples/README.md."""

from functools import partial
from pathlib import Path
from typing import Final

from services.common.context import Identity
from services.common.errors import NotFound
from services.gateway.api.parameters import request_id_of
from services.gateway.backends.shows import Shows
from services.gateway.imports.claims import CLAIMS
from services.gateway.imports.items import import_items
from services.gateway.imports.taking import take_file
from services.gateway.schemas.shows import NewShow, ShowView

EXAMPLE: Final = "retail-2010-12-05"
_NAME: Final = "Example: a gift shop’s Sunday"
_PLACES: Final = (Path(__file__).parent / "example_shows", Path(__file__).parents[2] / "examples")
"""In an installed package, and in the repository."""


class NoExample(NotFound):
    """The example show did not come along with this installation. Import files of your own instead."""

    reason = "NO_EXAMPLE"


async def load_example(shows: Shows, caller: Identity) -> ShowView:
    """Makes it once for a workspace: again, or cut off and begun again, it ends as the same show. Raises NoExample."""
    folder = next((place / EXAMPLE for place in _PLACES if (place / EXAMPLE).is_dir()), None)
    if folder is None:
        raise NoExample
    show = await shows.create(
        caller, NewShow(name=_NAME, currency="GBP"), request_id_of("example", caller, "load example")
    )
    with (folder / "items.csv").open("rb") as items, (folder / "claims.csv").open("rb") as claims:
        await import_items(items, shows, caller, show.id)
        await take_file(claims, CLAIMS, partial(shows.stream_claims, caller, show.id), all_or_none=False)
    return show
