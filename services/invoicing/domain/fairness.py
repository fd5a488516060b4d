"""Who gets the next free hands: accounts side by side, and the shows of one account in turn."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import NamedTuple


class Account(NamedTuple):
    """A provider account as one workspace connected it: what pace and limits hang on."""

    workspace_id: str
    provider: str
    account_id: str
    livemode: bool


class Waiting(NamedTuple):
    """Invoices of one show and account that wait to be made."""

    account: Account
    show_id: str
    ready: int


def share(waiting: Sequence[Waiting], busy: Mapping[Account, int], each: int, free: int) -> dict[Waiting, int]:
    """How many of each to take now, at most `each` under way for an account and `free` in all.

    A giant show holds up neither another account nor a small show of its own account.
    """
    by_account: defaultdict[Account, list[Waiting]] = defaultdict(list)
    for group in waiting:
        by_account[group.account].append(group)
    queues = [_in_turn(groups)[: max(each - busy.get(account, 0), 0)] for account, groups in sorted(by_account.items())]
    return dict(Counter(_round(queues)[:free]))


def _in_turn(groups: Sequence[Waiting]) -> list[Waiting]:
    return _round([[group] * group.ready for group in groups])


def _round(queues: Sequence[Sequence[Waiting]]) -> list[Waiting]:
    """One of each queue, then the next of each."""
    return [group for turn in zip_longest(*queues) for group in turn if group is not None]
