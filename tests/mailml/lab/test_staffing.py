"""Who is there when: read with every fault at once, laid out on the desk's own clock."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailml.errors import ConfigError, InputError
from mailml.lab.staffing import Team, from_mapping, load
from mailml.sla import Calendar

BERLIN = Calendar("Europe/Berlin", dict.fromkeys(range(5), ((540, 1020),)), country="DE", subdiv="BE")
QUEUES = {"Billing", "Tech Support"}
FILE = """
handling = { Billing = 6, "Tech Support" = 15 }
handover = 3
[[team]]
name = "Front"
queues = ["Billing"]
staff = 2
[[team]]
name = "Tech"
queues = ["Tech Support"]
staff = { mon-wed = 1, sat = [0,0,0,0,0,0,0,0,0,3,3,0,0,0,0,0,0,0,0,0,0,0,0,0] }
"""


def test_a_file_is_read(tmp_path: Path) -> None:
    """Teams, people by weekday and hour, and the minutes of each queue."""
    path = tmp_path / "staffing.toml"
    path.write_text(FILE, encoding="utf-8")
    made = load(path, QUEUES)
    assert [team.name for team in made.teams] == ["Front", "Tech"]
    assert (made.minutes("Billing"), made.minutes("Tech Support"), made.handover) == (6.0, 15.0, 3.0)
    tech = made.teams[1]
    assert sorted(tech.week) == [0, 1, 2, 5]
    assert tech.week[0] == (1,) * 24
    assert tech.week[5][9:11] == (3, 3)
    assert made.queues() == QUEUES


def test_queues_to_people_is_enough() -> None:
    """A plain mapping is one team for each queue."""
    made = from_mapping({"Billing": 2, "Tech Support": [1] * 24}, QUEUES)
    assert [(team.queues, team.always) for team in made.teams] == [(("Billing",), 2), (("Tech Support",), 0)]


def test_every_fault_comes_at_once() -> None:
    """Unknown keys, queues, days, wrong numbers: all named, with what was meant."""
    with pytest.raises(ConfigError) as caught:
        from_mapping(
            {
                "handlin": 3,
                "handover": -1,
                "team": [
                    {"name": "A", "queues": ["Biling"], "staff": -2},
                    {"name": "B", "queues": [], "staff": [1, 2]},
                    {"name": "C", "queues": ["Billing"], "staff": {"mom": 1}, "people": 3},
                ],
            },
            QUEUES,
        )
    told = str(caught.value)
    for part in (
        "Did you mean 'handling'", "handover: -1", "Did you mean 'Billing'", "-2 is no number of people",
        "is no list of queues", "has 2 numbers", "Did you mean 'mon'", "'people' is no key",
    ):  # fmt: skip
        assert part in told, part
    assert len(caught.value.faults) == 8


@pytest.mark.parametrize("values", [{}, {"team": []}, {"team": 3}])
def test_a_staffing_without_teams_is_a_fault(values: dict[str, object]) -> None:
    """Nobody at all cannot be simulated."""
    with pytest.raises(ConfigError, match="team: is missing"):
        from_mapping(values)


def test_files_that_are_none(tmp_path: Path) -> None:
    """A file that is missing, or no TOML, is one clear sentence."""
    with pytest.raises(InputError, match="cannot be read"):
        load(tmp_path / "no.toml")
    (tmp_path / "bad.toml").write_text("= 3", encoding="utf-8")
    with pytest.raises(ConfigError, match="is not TOML"):
        load(tmp_path / "bad.toml")


def test_people_are_there_while_the_desk_is_open() -> None:
    """Office hours on the desk's clock, over the change to winter time; holidays are free."""
    start = datetime(2026, 10, 23, 7, tzinfo=UTC)  # Friday, 9:00 in Berlin; Sunday the clocks go back
    crew = Team("T", ("q",), always=2).crew(BERLIN, start, 5)
    monday = (3 * 24 + 1) * 60.0  # an hour later in UTC than on Friday
    office = [(0.0, 2), (480.0, 0), (monday, 2), (monday + 480, 0), (monday + 1440, 2), (monday + 1920, 0)]
    assert list(crew.shifts) == office
    unity = Team("T", ("q",), always=2).crew(BERLIN, datetime(2025, 10, 3, 7, tzinfo=UTC), 1)
    assert list(unity.shifts) == [(0.0, 0)]


def test_people_by_the_hour() -> None:
    """24 numbers are hours of the day on the desk's clock; where two hours meet the later one counts."""
    hours = (0,) * 9 + (1, 3) + (0,) * 13
    crew = Team("T", ("q",), week={4: hours}).crew(BERLIN, datetime(2026, 10, 23, 7, tzinfo=UTC), 2)
    assert list(crew.shifts) == [(0.0, 1), (60.0, 3), (120.0, 0)]
