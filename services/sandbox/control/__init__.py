"""The control address, `/_sandbox/…`: JSON in, JSON out; see docs/sandbox.md."""
