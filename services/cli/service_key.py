"""`showbill service-key`: the public half of a service's signing key, as SERVICE_PUBLIC_KEYS wants it."""

import sys

from services.common.secret import Secret
from services.common.tokens import public_key_of


def service_key() -> int:
    """Read a signing key (SERVICE_SIGNING_KEY) from standard input and print the public key that belongs to it."""
    try:
        print(public_key_of(Secret(sys.stdin.readline().strip())))
    except ValueError:
        print("That is not the base64 of 32 bytes. Make a key with: openssl rand -base64 32", file=sys.stderr)
        return 1
    return 0
