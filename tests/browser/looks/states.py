"""Every page of the dashboard and every state it can be in: one line each.

A new page or state is one more line here. The pictures and the walk of axe take it from there: the name of its picture,
the room (`rooms.py`) that it is looked at in, its address, and what somebody does there first (`doings.py`). The lines
of a room are gone through in their order. Those that are `main` are walked in every run of the tests, the others when
pictures are made.
"""

from dataclasses import dataclass
from typing import Final

from tests.browser.looks import doings
from tests.browser.looks.doings import Doing, click, menu, see


@dataclass(frozen=True)
class State:
    """`path` may name what the room holds: `/shows/{mixed}`."""

    name: str
    room: str
    path: str
    doing: Doing | None = None
    main: bool = False
    status: int = 200
    """What the page itself is answered with."""
    signed_in: bool = True


def _street(name: str, path: str, doing: Doing | None = None, *, main: bool = False, status: int = 200) -> State:
    return State(name, "street", path, doing, main, status, signed_in=False)


STATES: Final = (
    _street("sign-in", "/sign-in", main=True),
    _street("sign-in-wrong", "/sign-in", doings.wrong_password),
    _street("join", "{invitation}", main=True),
    _street("join-gone", "/join/nothing", status=404),
    _street("pay-open", "{payable}", main=True),
    _street("pay-paid", "{paid}"),
    _street("pay-void", "{void}"),
    _street("pay-needs-price", "{unpriced}"),
    _street("pay-below-minimum", "{small}"),
    _street("pay-revoked", "{revoked}", status=404),
    State("shows-empty", "new", "/shows", main=True),
    State("shows-new", "new", "/shows/new", main=True),
    State("connections-empty", "new", "/connections", main=True),
    State("connections-grpc", "new", "/connections", click("How to")),
    State("integrations", "new", "/integrations", main=True),
    State("stripe-connect", "new", "/integrations/stripe", main=True),
    State("stripe-wrong-shape", "new", "/integrations/stripe", doings.swapped_keys),
    State("stripe-refused", "new", "/integrations/stripe", doings.refused_key),
    State("stripe-lacking", "new", "/integrations/stripe", doings.lacking_key, main=True),
    State("manual-connect", "new", "/integrations/manual"),
    State("plans", "new", "/plans", main=True),
    State("error-404", "new", "/shows/no-such-show", status=404, main=True),
    State("show-no-claims", "claimed", "/shows/{bare}", see("text=No claims to invoice"), main=True),
    State("show-items-empty", "claimed", "/shows/{bare}/items"),
    State("show-claims-empty", "claimed", "/shows/{bare}/claims"),
    State("show-buyers-empty", "claimed", "/shows/{bare}/buyers"),
    State("show-not-connected", "claimed", "/shows/{show}", see("text=Connect Stripe to invoice"), main=True),
    State("import", "claimed", "/shows/{show}/import"),
    State("import-preview", "claimed", "/shows/{bare}/import", doings.preview_file, main=True),
    State("import-report", "claimed", "/shows/{bare}/import", doings.import_file),
    State("shows-begun", "claimed", "/shows"),
    State("shows", "busy", "/shows", main=True),
    State("show-ready", "busy", "/shows/{ready}", see("#live[data-state=on]"), main=True),
    State("shows-none-found", "busy", "/shows?q=nothing"),
    State("show-edit", "busy", "/shows/{bare}/edit", main=True),
    State("show-end", "busy", "/shows/{bare}", click("End show…")),
    State("show-mixed", "busy", "/shows/{mixed}", see("#live[data-state=on]"), main=True),
    State("import-marks", "busy", "/shows/{mixed}/import", doings.preview_marks),
    State("show-mixed-menu", "busy", "/shows/{mixed}", menu("@maya.k")),
    State("show-menu-error", "busy", "/shows/{mixed}", menu("@goldie.loops")),
    State("show-timeline-error", "busy", "/shows/{mixed}", menu("@goldie.loops", "Timeline")),
    State("show-timeline", "busy", "/shows/{mixed}", menu("@maya.k", "Timeline"), main=True),
    State("show-mark-paid", "busy", "/shows/{mixed}", menu("@thriftqueen_22", "Mark as paid…")),
    State("show-void", "busy", "/shows/{mixed}", menu("@thriftqueen_22", "Void invoice…")),
    State("show-send-all", "busy", "/shows/{mixed}", doings.ask_to_send_all),
    State("show-selected", "busy", "/shows/{mixed}", doings.select_two),
    State("show-keys", "busy", "/shows/{mixed}", doings.keyboard_help),
    State("show-no-results", "busy", "/shows/{mixed}?q=nobody"),
    State("show-plan-changes", "busy", "/shows/{mixed}/plan?changes=1", main=True),
    State("show-nothing-left", "busy", "/shows/{done}/plan"),
    State("show-items", "busy", "/shows/{mixed}/items", main=True),
    State("show-items-unpriced", "busy", "/shows/{mixed}/items?first=unpriced"),
    State("show-items-add", "busy", "/shows/{mixed}/items", click("Add item")),
    State("show-claims", "busy", "/shows/{mixed}/claims", main=True),
    State("show-buyers", "busy", "/shows/{mixed}/buyers", main=True),
    State("show-done", "busy", "/shows/{done}"),
    State("show-sending", "busy", "/shows/{done}", doings.send_all),
    State("show-running", "busy", "/shows/{running}", doings.run_held),
    State("show-all-paid", "busy", "/shows/{paid}"),
    State("show-strays", "busy", "/shows/{paid}", doings.settle_one_stray, main=True),
    State("desk", "busy", "/shows/{mixed}/desk", see("#live[data-state=on]"), main=True),
    State("desk-empty", "busy", "/shows/{paid}/desk"),
    State("connections", "busy", "/connections", main=True),
    State("integrations-connected", "busy", "/integrations"),
    State("stripe-connected", "busy", "/integrations/stripe", see("#health:has-text('Healthy')"), main=True),
    State("stripe-replace", "busy", "/integrations/stripe", click("Replace keys")),
    State("stripe-disconnect", "busy", "/integrations/stripe", click("Disconnect…")),
    State("manual-connected", "busy", "/integrations/manual"),
    State("settings", "busy", "/settings", main=True),
    State("settings-invited", "busy", "/settings", doings.invite),
    State("settings-remove", "busy", "/settings", doings.ask_to_remove),
    State("settings-tokens", "busy", "/settings/tokens", main=True),
    State("settings-token-made", "busy", "/settings/tokens", doings.make_token),
    State("settings-account", "busy", "/settings/account", main=True),
    State("settings-account-refused", "busy", "/settings/account", doings.short_password),
    State("settings-audit", "busy", "/settings/audit", main=True),
    State("account-menu", "busy", "/shows", doings.account_menu),
    State("stripe-attention", "broken", "/integrations/stripe", see("#health:has-text('key')"), main=True),
    State("integrations-attention", "broken", "/integrations"),
    State("show-broken", "broken", "/shows/{show}"),
    State("stripe-polling", "polling", "/integrations/stripe", see("#health:has-text('Healthy')")),
    State("show-polling", "polling", "/shows/{show}", see("#heard")),
    State("show-rehearsed", "live", "/shows/{show}", see("#rehearsed")),
    State("show-rehearsed-plan", "live", "/shows/{show}/plan", see("text=made in test mode")),
    State("show-reconnecting", "busy", "/shows/{mixed}", doings.gateway_gone),
    State("show-offline", "busy", "/shows/{mixed}", doings.network_gone),
    State("error-500", "busy", "/shows", doings.own_fault),
    State("error-unavailable", "busy", "/shows", doings.service_gone),
)
