"""Export: what was trained, under the desk's prices, in a bundle that answers alike and names nobody."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailml.bundle import Bundle, desk
from mailml.classifier import Policy
from mailml.errors import BundleError
from mailml.flow import ready
from mailml.lab.export import export
from tests.mailml.lab.tickets import tickets
from tests.mailml.lab.trained import judged, trained

MADE = datetime(2026, 3, 1, 12, tzinfo=UTC)
DESK = desk.default("support@acme.example")
DEAR = desk.from_mapping(
    {
        "identity": {"addresses": ["support@acme.example"]},
        "classifier": {"costs": {"general": {"billing": 50.0}, "technical": {"billing": 50.0}}},
    }
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """One exported bundle."""
    path = tmp_path_factory.mktemp("export") / "bundle"
    return export(trained(), ready.load("default"), DESK, path, report=judged(), created=MADE, by="anna")


def test_answers_as_the_trained_model_does(made: Bundle) -> None:
    """The loaded bundle's categories are the trained model's, to the last digit."""
    assert made.model is not None
    for text in tickets(40, seed=8).texts:
        assert made.model.categorize(text) == trained().model.categorize(text)


def test_the_manifest_says_where_it_came_from(made: Bundle) -> None:
    """Versions, training data, parameters, who and when."""
    manifest = made.manifest
    assert manifest["by"] == "anna"
    assert manifest["created"] == MADE.isoformat()
    assert {"mailml", "python", "numpy", "scikit-learn"} <= set(manifest["versions"])
    assert manifest["training"]["sha256"] == trained().examples.hash
    assert manifest["training"]["messages"] == 240
    assert manifest["parameters"]["C"] == 0.5
    assert made.card["enough_data"] is True


def test_the_same_export_is_the_same_bundle(made: Bundle, tmp_path: Path) -> None:
    """Same model, flow, desk and time: the same id; a path that is taken is refused."""
    again = export(
        trained(), ready.load("default"), DESK, tmp_path / "b", report=judged(), created=MADE, by="anna"
    )
    assert again.id == made.id
    with pytest.raises(BundleError, match="already"):
        export(trained(), ready.load("default"), DESK, tmp_path / "b", created=MADE)


def test_no_customer_can_be_found_in_it(made: Bundle) -> None:
    """No sender, thread, name, number or whole sentence of the training mail in any file."""
    files = {file.name: file.read_bytes().decode("utf-8", "replace") for file in made.path.iterdir()}
    traces = ["Quackenbush", "quackenbush", "4711", "0815", "bart@", "customer0.example", "thread-"]
    traces += tickets(240).senders + [text.split("\n")[1][:40] for text in tickets(240).texts]
    for name, content in files.items():
        found = [trace for trace in traces if trace in content or trace.lower() in content]
        assert not found, (name, found[:3])


def test_the_desks_prices_decide(tmp_path: Path) -> None:
    """Costs of desk.toml are in the model, and the card is of the model as it decides."""
    dear = export(trained(), ready.load("default"), DEAR, tmp_path / "b", created=MADE)
    assert dear.model is not None
    assert dear.model.policy.costs == DEAR.costs
    cheap = judged()
    said = {row["label"]: row["said"] for row in dear.card["per_class"]}
    assert said["billing"] < cheap.to_frame().loc["billing", "said"]


def test_prices_tried_out_in_a_notebook_are_kept(tmp_path: Path) -> None:
    """What the desk leaves open stays as `with_policy` set it."""
    priced = trained().with_policy(Policy(trained().classes, thresholds={"billing": 0.75}))
    kept = export(priced, ready.load("default"), DESK, tmp_path / "b", created=MADE)
    assert kept.model is not None
    assert kept.model.policy.thresholds == {"billing": 0.75}


def test_rules_alone_make_a_bundle_too(tmp_path: Path) -> None:
    """Without a model there is no card of one, and it says so."""
    bare = export(None, ready.load("guide"), DESK, tmp_path / "b", created=MADE)
    assert bare.model is None
    assert "rules alone" in bare.card["verdict"]
    assert json.loads((bare.path / "manifest.json").read_text())["training"] == {}
