"""The least that could take a webhook, to compare ours with: one process, one statement for what came together.

    DATABASE_URL=… SECRET=whsec_… LISTEN_PORT=… python -m benchmarks.bare

Litestar on uvicorn as the gateway has it, the signature checked, then inbox, rank-guarded status and outbox in one
statement, for all deliveries that arrived while two such statements were under way. No accounts, no tenants, no
history, no position, nothing published: what the product does beyond this is the price of its promises.
"""

import asyncio
import hashlib
import hmac
import json
import os
import socket
from collections.abc import Sequence
from typing import Any

import asyncpg
import uvloop
from litestar import Litestar, Request, Response, get, post

from services.common.grouping import Grouper
from services.common.ids import new_id
from services.gateway.serving import serve_until

SETUP = """
CREATE TABLE IF NOT EXISTS bare_invoices (external_id text PRIMARY KEY, status text NOT NULL, rank integer NOT NULL);
CREATE TABLE IF NOT EXISTS bare_inbox (event_id text PRIMARY KEY, received_at timestamptz DEFAULT clock_timestamp());
CREATE TABLE IF NOT EXISTS bare_outbox (id uuid PRIMARY KEY, payload bytea NOT NULL);
"""
APPLY = """
WITH told AS (SELECT * FROM unnest($1::text[], $2::text[], $3::uuid[]) AS told (event_id, external_id, id)),
fresh AS (INSERT INTO bare_inbox (event_id) SELECT event_id FROM told ON CONFLICT DO NOTHING RETURNING event_id),
moved AS (
  UPDATE bare_invoices SET status = 'paid', rank = 8 FROM told JOIN fresh USING (event_id)
  WHERE bare_invoices.external_id = told.external_id AND rank < 8 RETURNING told.id, told.external_id
)
INSERT INTO bare_outbox (id, payload) SELECT id, convert_to(external_id, 'UTF8') FROM moved;
"""


async def main() -> None:
    secret = os.environ["SECRET"].encode()
    pool = await asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=2, max_size=4)

    async def apply(bodies: Sequence[bytes]) -> list[None]:
        events = [json.loads(body) for body in bodies]
        await pool.execute(
            APPLY,
            [event["id"] for event in events],
            [event["data"]["object"]["id"] for event in events],
            [new_id() for _ in events],
        )
        return [None] * len(events)

    grouper: Grouper[bytes, None] = Grouper(apply, most=256, weigh=len, heaviest=8 * 1024 * 1024)

    @post("/", status_code=200)
    async def receive(request: Request[Any, Any, Any]) -> Response[None]:
        body = await request.body()
        parts = dict(part.split("=", 1) for part in request.headers["stripe-signature"].split(","))
        expected = hmac.new(secret, parts["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, parts["v1"]):
            return Response(None, status_code=400)
        await grouper.submit(body)
        return Response(None)

    @get("/")
    async def ready() -> str:
        return "ready"

    app = Litestar(route_handlers=[receive, ready], openapi_config=None, logging_config=None)
    listening = socket.create_server(("127.0.0.1", int(os.environ["LISTEN_PORT"])))
    await serve_until(app, listening, asyncio.Event())


if __name__ == "__main__":
    uvloop.run(main())
