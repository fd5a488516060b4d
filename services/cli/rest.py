"""A small client of the gateway's REST interface, for commands that work against a running Showbill."""

import json
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, Self

import aiohttp

from services.cli.complaint import Complaint


class Refused(Complaint):
    """The gateway said no; the message is its own sentence."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(str(problem.get("detail") or f"The gateway answered {status}."))
        self.status = status
        self.problem = problem


class Rest:
    """Calls with an API token. Answers are JSON as it came."""

    def __init__(self, url: str, token: str, *, patience: float = 60.0) -> None:
        """`patience`: seconds that an answer may take, and that one that comes in lines may be silent."""
        self._silence = aiohttp.ClientTimeout(total=None, sock_connect=patience, sock_read=patience)
        self.url = url.rstrip("/")
        self._session = aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {token}"} if token else {},
            timeout=aiohttp.ClientTimeout(total=patience),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        csv: bytes | AsyncIterator[bytes] | None = None,
        headers: dict[str, str] | None = None,
        params: dict[str, str] | None = None,
    ) -> Any:
        """One call; `csv` goes instead of a JSON body. Raises Refused, and Complaint when nobody answers."""
        try:
            async with self._session.request(
                method,
                self.url + path,
                json=body if csv is None else None,
                data=csv,
                headers={**({"Content-Type": "text/csv"} if csv is not None else {}), **(headers or {})},
                params=params,
            ) as response:
                return await _answer(response)
        except aiohttp.ClientConnectionError as error:
            raise self._nobody() from error

    async def lines(self, path: str) -> AsyncIterator[dict[str, Any]]:
        """Objects as they come, for as long as they come. Raises Refused, and Complaint when they break off."""
        try:
            async with self._session.get(self.url + path, timeout=self._silence) as response:
                if response.status >= 400:
                    await _answer(response)
                pending = bytearray()
                async for piece in response.content.iter_any():
                    *whole, rest = (bytes(pending) + piece).split(b"\n")
                    pending[:] = rest
                    for line in whole:
                        yield json.loads(line)
        except aiohttp.ClientConnectionError as error:
            raise self._nobody() from error
        except aiohttp.ClientPayloadError as error:
            raise Complaint("The answer broke off before its end. Try again in a moment.") from error

    async def pieces(self, path: str, **params: str) -> AsyncIterator[bytes]:
        """A file as it comes. Raises Refused, and Complaint when nobody answers or the file breaks off."""
        try:
            async with self._session.get(self.url + path, params=params) as response:
                if response.status >= 400:
                    await _answer(response)
                async for piece in response.content.iter_any():
                    yield piece
        except aiohttp.ClientConnectionError as error:
            raise self._nobody() from error
        except aiohttp.ClientPayloadError as error:
            raise Complaint("The file broke off before its end. Try again in a moment.") from error

    async def download(self, path: str, **params: str) -> bytes:
        """A file, whole."""
        return b"".join([piece async for piece in self.pieces(path, **params)])

    def _nobody(self) -> Complaint:
        return Complaint(f"Nobody answers at {self.url}. Start Showbill with `./run up` and try again.")

    async def pages(self, path: str, **params: str) -> AsyncIterator[dict[str, Any]]:
        """Every entry of a list that comes in pages."""
        token = ""
        while True:
            page = await self.call("GET", path, params={**params, **({"pageToken": token} if token else {})})
            for entry in page["items"]:
                yield entry
            token = page.get("nextPageToken") or ""
            if not token:
                return

    def events(self, show_id: str) -> Any:
        """The show's WebSocket, as aiohttp's context manager; `receive_json` gives its events."""
        return self._session.ws_connect(f"{self.url}/api/realtime", params={"show_id": show_id}, max_msg_size=0)


async def _answer(response: aiohttp.ClientResponse) -> Any:
    """Raises Refused."""
    # An error page of a proxy, or of the dashboard, is no JSON: its status must do.
    answer = await response.json(content_type=None) if response.content_type.endswith("json") else None
    if response.status >= 400:
        raise Refused(response.status, answer if isinstance(answer, dict) else {})
    return answer
