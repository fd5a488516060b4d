"""The alarms of `deploy/prometheus` ask for figures that the services offer, and leave out none that tells of money."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY

from services.gateway import figures
from services.integrations.adapters.stripe import api
from services.invoicing import balance, catchup, clearing, leasing

ROOT = Path(__file__).parents[2]
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((ROOT / "deploy" / "prometheus" / "rules.yaml").read_text())["groups"]
    for rule in group["rules"]
]
OFFERED_BY = (figures, api, balance, catchup, clearing, leasing)
SUMMED_UP = re.compile(r"_(total|count|sum|bucket)$")
OF_MONEY = {
    "showbill_unbalanced_shows",
    "showbill_stray_payments",
    "showbill_missed_events",
    "showbill_passed_over_events",
    "showbill_parked_entries",
    "showbill_oldest_leftover_seconds",
}


def offered() -> set[str]:
    assert all(OFFERED_BY)  # imported for what they register
    return {family.name for family in REGISTRY.collect() if family.name.startswith("showbill_")}


def asked_for(rule: dict[str, Any]) -> set[str]:
    return {SUMMED_UP.sub("", name) for name in re.findall(r"showbill_\w+", rule["expr"])}


@pytest.mark.parametrize("rule", RULES, ids=[rule["alert"] for rule in RULES])
def test_an_alarm_asks_for_what_is_offered_and_says_what_to_do(rule: dict[str, Any]) -> None:
    assert asked_for(rule), "it asks for nothing of ours"
    assert asked_for(rule) <= offered()
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert all(rule["annotations"][what].endswith(".") for what in ("summary", "action"))


def test_whatever_tells_of_money_has_an_alarm() -> None:
    assert {name for rule in RULES for name in asked_for(rule)} >= OF_MONEY
