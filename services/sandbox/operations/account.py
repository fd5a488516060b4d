"""The account of the key, and its balance."""

from services.sandbox.call import Answer, Call
from services.sandbox.objects.account import render_account, render_balance


def retrieve(call: Call) -> Answer:
    return render_account(call.dataset.account)


def balance(call: Call) -> Answer:
    return render_balance(call.dataset.account, livemode=call.dataset.livemode)
