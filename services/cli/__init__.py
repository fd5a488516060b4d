"""The `showbill` command: starts the whole product on one machine and drives it from a terminal."""
