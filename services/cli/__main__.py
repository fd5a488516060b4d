"""The command line. A command is registered by the place of its function, so that only the one called is imported."""

import signal
import sys

from cyclopts import App

app = App(name="showbill", help="Turns the claims of a live sale into paid invoices.", version_flags=[])
app.command("services.cli.up:up", name="up")
app.command("services.cli.demo:demo", name="demo")
app.command("services.cli.keys:app", name="keys")
app.command("services.cli.files:import_file", name="import")
app.command("services.cli.files:export_file", name="export")
app.command("services.cli.verify_show:verify_show", name="verify-show")
app.command("services.cli.service_key:service_key", name="service-key")


def main() -> None:
    """Run the command that the arguments name."""
    try:
        result = app(result_action="return_value")
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    sys.exit(result if isinstance(result, int) else 0)


if __name__ == "__main__":
    main()
