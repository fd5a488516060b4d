"""The services behind the gateway, as typed methods. Only here is protobuf seen."""
