"""A claim engine in small: makes a show of a folder's items.csv, and feeds its claims.csv over gRPC (docs/claims.md).

    python examples/feed_claims.py examples/retail-2010-12-05

Needs grpcio, protobuf, pyjwt and cryptography, and the stubs that are generated of protos/ (here: services/rpc).
SHOWBILL_INVOICING is the address, SHOWBILL_WORKSPACE the workspace's id, SERVICE_SIGNING_KEY the engine's own key.
"""

import base64
import csv
import os
import sys
import time
import uuid
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import grpc
import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

sys.path.insert(0, str(Path(__file__).parents[1]))
from services.rpc.showbill.invoicing.v1 import invoicing_pb2 as pb
from services.rpc.showbill.invoicing.v1.invoicing_pb2_grpc import ShowsServiceStub

BATCH = 5_000


def service_token(seed: str, workspace: str) -> str:
    """Signed anew for each call: it lives two minutes. A stream is checked when it begins."""
    key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(seed))
    now = int(time.time())
    said = {"iss": "claims", "aud": "invoicing", "sub": "worker:claims", "ws": workspace, "iat": now, "exp": now + 120}
    return jwt.encode(said, key, algorithm="EdDSA")


def authorized() -> list[tuple[str, str]]:
    token = service_token(os.environ["SERVICE_SIGNING_KEY"], os.environ["SHOWBILL_WORKSPACE"])
    return [("authorization", f"Bearer {token}")]


def read_items(folder: Path) -> Iterator[pb.Item]:
    with (folder / "items.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            price = int(row["price"]) if row["price"] else None  # minor units; None is unpriced
            yield pb.Item(item_number=row["item_number"], title=row["title"], price=price)


def read_claims(folder: Path) -> Iterator[pb.Claim]:
    with (folder / "claims.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            claim = pb.Claim(
                claim_id=row["claim_id"],  # ours: the same again changes nothing
                platform=row["platform"],
                platform_user_id=row["platform_user_id"],
                user_handle=row["user_handle"],
                item_number=row["item_number"],
                quantity=int(row["quantity"]),
                status=pb.ClaimStatus.Value(f"CLAIM_STATUS_{row['status'].upper()}"),
            )
            claim.claim_time.FromJsonString(row["claimed_at"])
            yield claim


def feed(shows: ShowsServiceStub, show_id: str, folder: Path) -> pb.StreamClaimsResponse:
    """One stream, sent again from its beginning when it breaks: what was taken stays, and is not taken twice."""

    def batches() -> Iterator[pb.StreamClaimsRequest]:
        claims = read_claims(folder)
        while batch := list(islice(claims, BATCH)):
            yield pb.StreamClaimsRequest(show_id=show_id, claims=batch)

    for pause in (1, 2, 4, 8, 0):
        try:
            return shows.StreamClaims(batches(), metadata=authorized())
        except grpc.RpcError as error:
            if not pause or error.code() is not grpc.StatusCode.UNAVAILABLE:
                raise
            time.sleep(pause)
    raise AssertionError("the last attempt returns or raises")


def main(folder: Path) -> int:
    channel = grpc.insecure_channel(os.environ["SHOWBILL_INVOICING"])  # secure_channel where TLS is on
    shows = ShowsServiceStub(channel)
    request_id = str(uuid.uuid5(uuid.NAMESPACE_URL, folder.name))  # the same folder, the same show
    made = pb.CreateShowRequest(name=folder.name, currency="GBP", request_id=request_id)
    show = shows.CreateShow(made, timeout=5, metadata=authorized()).show
    items = pb.UpsertItemsRequest(show_id=show.id, items=read_items(folder))
    shows.UpsertItems(items, timeout=30, metadata=authorized())

    done = feed(shows, show.id, folder)
    print(f"{show.id}: {done.created_count} new, {done.updated_count} changed, {done.unchanged_count} as before")
    for rejected in done.rejected_claims:
        print(f"{rejected.claim_id} was not taken: {rejected.reason}")
    return 1 if done.rejected_count else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
