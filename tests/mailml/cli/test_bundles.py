"""`mailml bundle show`: a bundle for people, and the same for machines."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

from typer.testing import CliRunner

from mailml.bundle import Bundle
from mailml.cli import app
from mailml.cli.bundle_facts import facts

FROZEN = Path(__file__).resolve().parents[2] / "bundles" / "v1"


def test_show_speaks_in_words_and_rounded_figures() -> None:
    """Shares in per cent with intervals, days, counts: no raw float, dict or hash of the training data."""
    said = CliRunner().invoke(app, ["bundle", "show", str(FROZEN)])
    assert said.exit_code == 0
    assert "240 messages from 2026-01-01 to 2026-03-12: billing 72, general 92, technical 76" in said.stdout
    assert "accuracy 94.6% (91.6% to 97.1%)" in said.stdout
    assert "cost 0.096 (0.050 to 0.154) a message" in said.stdout
    assert "made  2026-03-01 12:00 UTC, by the first version of format 1" in said.stdout
    assert not re.search(r"\d\.\d{5}|[{}\[\]=]", said.stdout.partition("versions")[0])


def test_show_for_machines_has_everything() -> None:
    """`--json` gives manifest and card as they are."""
    said = json.loads(CliRunner().invoke(app, ["bundle", "show", str(FROZEN), "--json"]).stdout)
    assert said["id"] == Bundle.load(FROZEN).id
    assert said["manifest"]["training"]["messages"] == 240
    assert said["card"]["overall"]["accuracy"]["value"] == 0.945833


def test_show_of_a_bundle_without_a_classifier() -> None:
    """Rules alone have no figures; lines with nothing to say are left out."""
    bare = replace(Bundle.load(FROZEN), model=None, card={}, manifest={"format": 1, "by": "e\x1b[31mve"})
    told = dict(facts(bare, FROZEN))
    assert told["classifier"] == "none: it routes by rules alone"
    assert set(told) == {"made", "signed", "rules", "queues", "classifier"}
    assert "\x1b" not in told["made"]
