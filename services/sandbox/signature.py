"""`Stripe-Signature`, as the SDK's `WebhookSignature.verify_header` expects it."""

import hashlib
import hmac
import time


def signature_header(body: bytes, secret: str, *, livemode: bool, at: int | None = None) -> str:
    """`t=…,v1=…`, and in test mode the `v0` that a receiver has to ignore."""
    timestamp = int(time.time()) if at is None else at
    signed = f"{timestamp}.".encode() + body
    v1 = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    header = f"t={timestamp},v1={v1}"
    return header if livemode else f"{header},v0={hashlib.sha256(signed).hexdigest()}"
