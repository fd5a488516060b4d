"""What `up` says when all is ready: where to look, how to sign in, what to try."""

from services.cli.private_files import write_private
from services.cli.processes import DEMO_EMAIL, Stack


def write_demo_file(stack: Stack) -> None:
    """What a script needs to use the stack, as shell variables, in a private file."""
    values = {
        "SHOWBILL_URL": stack.gateway_url,
        "SHOWBILL_EMAIL": DEMO_EMAIL,
        "SHOWBILL_PASSWORD": stack.secrets["demo_password"],
        "SHOWBILL_API_TOKEN": stack.secrets["demo_api_token"],
    }
    if stack.with_sandbox:
        values |= {
            "SANDBOX_URL": stack.sandbox_url,
            "STRIPE_SECRET_KEY": stack.secrets["sk_key"],
            "STRIPE_PUBLISHABLE_KEY": stack.secrets["pk_key"],
        }
    write_private(stack.state.demo, "".join(f"{name}={value}\n" for name, value in values.items()))


def welcome(stack: Stack, seconds: float) -> str:
    """The text for the terminal."""
    rows = [
        ("Showbill", stack.gateway_url),
        ("Sign in", f"{DEMO_EMAIL}   password {stack.secrets['demo_password']}"),
        ("API", f"{stack.gateway_url}/api/docs   token in {stack.state.demo}"),
    ]
    if stack.with_sandbox:
        rows += [
            ("Stripe sandbox", f"{stack.sandbox_url}   mail {stack.sandbox_url}/mailbox   control /_sandbox/..."),
            ("Its keys", stack.secrets["sk_key"]),
            ("", stack.secrets["pk_key"]),
        ]
    else:
        rows.append(("Stripe", stack.environment["STRIPE_API_BASE"]))
    rows += [
        ("State and logs", str(stack.state.path)),
        ("Try", "./run demo   in another terminal"),
        ("Stop", "Ctrl-C"),
    ]
    table = "\n".join(f"  {label:<15} {value}" for label, value in rows)
    return f"READY in {seconds:.1f} s\n\n{table}\n"
