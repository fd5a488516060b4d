"""Stand-ins for the two services behind the gateway: real gRPC and tokens, answers as a test scripts them."""
