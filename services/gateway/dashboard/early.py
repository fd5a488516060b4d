"""A page whose head goes out at once: the browser fetches styles, scripts and the font while the rest is still made."""

from collections.abc import AsyncIterator, Awaitable

from litestar import Response
from litestar.response import Stream

from services.gateway.dashboard.problems import on_error
from services.gateway.dashboard.rendering import HEADERS, AnyRequest, head_of

_END: bytes = b"</head>"


def begun(request: AnyRequest, template: str, title: dict[str, object], rest: Awaitable[Response[bytes]]) -> Stream:
    """`title` is what the head of the template asks for; `rest` answers the whole page.

    The status is out by then: what goes wrong with the rest is a page that says so, as always, under 200. So only what
    nobody can do anything about belongs there, and whatever may be refused is asked before.
    """
    head = head_of(request, template, title)

    async def pieces() -> AsyncIterator[bytes]:
        yield head
        try:
            page = (await rest).content
        except Exception as error:  # noqa: BLE001  # the boundary: everything becomes an answer
            page = on_error(request, error).content
        yield page[page.find(_END) :]

    return Stream(pieces(), media_type="text/html", headers=HEADERS)
