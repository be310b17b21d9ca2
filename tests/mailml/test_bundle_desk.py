"""desk.toml: every fault at once, each with its table, key and what was meant; defaults that are ready."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from mailml.bundle import desk
from mailml.bundle.toml import dumps
from mailml.errors import ConfigError, InputError
from mailml.verdict import Identity
from tests.conftest import ROOT
from tests.mailml.bundles import DESK, small_desk

BAD = sorted((ROOT / "tests" / "bad_config" / "desk").glob("*.toml"))


@pytest.mark.parametrize("path", BAD, ids=lambda p: p.stem)
def test_a_bad_desk_lists_every_fault(path: Path) -> None:
    """Each wrong file gets exactly the message beside it."""
    with pytest.raises(ConfigError) as caught:
        desk.loads(path.read_text())
    assert str(caught.value) == path.with_suffix(".expected").read_text().rstrip("\n")


def test_there_are_bad_desks() -> None:
    """The folder of wrong files is not empty."""
    assert len(BAD) >= 6


def test_a_good_desk_is_read_whole() -> None:
    """Every table arrives where it belongs."""
    made = small_desk()
    assert made.identity == Identity(
        addresses=frozenset({"support@acme.example", "billing@acme.example"}),
        domains=frozenset({"acme.example"}),
        authserv_ids=frozenset({"mx.acme.example"}),
        primary="support@acme.example",
        name="Acme Support",
    )
    assert made.calendar.zone == "Europe/Berlin"
    assert made.calendar.country == "DE"
    assert (made.sla_target.minutes, made.sla_target.business) == (240, True)
    assert made.cut_off == timedelta(hours=12)
    assert made.categories == ("billing", "general", "technical")
    policy = made.policy(made.categories)
    assert policy.matrix()[1].tolist() == [3.0, 0.0, 2.0]


def test_the_default_desk_needs_an_address_and_nothing_else() -> None:
    """Office hours, four business hours, acknowledgements on, a day's cut-off."""
    made = desk.default("Help@Acme.example", name="Acme")
    assert made.identity.address == "help@acme.example"
    assert made.identity.domains == {"acme.example"}
    assert made.sla_target.text == "4 business hours"
    assert made.ack.enabled
    assert made.cut_off == timedelta(days=1)
    assert made.fallback == "general"


def test_the_cut_off_stands_with_the_ack() -> None:
    """[ack] cut_off_hours is the one place of the cut-off; a second table for it is refused."""
    head = '[identity]\naddresses = ["a@b.example"]\n[ack]\ncut_off_hours = 5\n'
    assert desk.loads(head).cut_off == timedelta(hours=5)
    with pytest.raises(ConfigError, match=r"\[limits\]: is not a table of a desk"):
        desk.loads(head + "[limits]\ncut_off_hours = 3\n")


def test_a_desk_is_kept_as_it_was_written() -> None:
    """Comments and order survive, and reading again gives an equal desk."""
    commented = "# our desk\n" + DESK
    made = desk.loads(commented)
    assert desk.dumps(made) == commented
    assert desk.loads(desk.dumps(made)) == made


def test_a_desk_made_in_a_notebook_reads_back() -> None:
    """A mapping becomes TOML and the TOML the same desk."""
    values = {
        "identity": {"addresses": ["support@acme.example"], "name": 'The "A" team\n'},
        "calendar": {"zone": "UTC", "holidays": [date(2026, 12, 24)], "week": {"mon-fri": ["09:00-12:00"]}},
        "classifier": {"costs": {"billing": {"general": 2}}, "thresholds": {"billing": 0.8}},
        "ack": {"cut_off_hours": 1.5},
    }
    made = desk.from_mapping(values)
    assert made.identity.name == 'The "A" team\n'
    assert made.thresholds == {"billing": 0.8}
    assert made.calendar.holidays == {date(2026, 12, 24)}
    assert desk.loads(made.source) == made


def test_toml_refuses_what_it_cannot_say() -> None:
    """A value without TOML form is a TypeError with its type."""
    with pytest.raises(TypeError, match="object has no TOML form"):
        dumps({"a": object()})


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """A missing file and one that is not text."""
    with pytest.raises(InputError, match=r"nowhere\.toml"):
        desk.load(tmp_path / "nowhere.toml")
    (tmp_path / "x.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match=r"x\.toml"):
        desk.load(tmp_path / "x.toml")
    (tmp_path / "good.toml").write_text(DESK)
    assert desk.load(tmp_path / "good.toml") == small_desk()
