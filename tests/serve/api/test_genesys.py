"""The data actions for Genesys Cloud: in the form it imports, and answered by the real API."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from serve.api import models
from tests.conftest import ROOT
from tests.serve.api.running import Api
from tests.serve.api.velocity import carry_out, check, render
from tests.serve.service import US

FOLDER = ROOT / "serve" / "integrations" / "genesys"
MODELS: dict[str, tuple[Any, Any]] = {
    "classify": (models.ClassifyAsked, models.Classified),
    "headers": (models.HeadersAsked, models.HeadersJudged),
    "decide": (models.DecideAsked, models.Decided),
}


def action(name: str) -> dict[str, Any]:
    """One of the files."""
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    return found


def keys(api: Api) -> dict[str, str]:
    """The credentials an administrator enters: type User Defined, two fields."""
    return {"baseUrl": api.url, "apiKey": api.key}


def test_there_are_three() -> None:
    """One for each question of the API."""
    assert {path.stem for path in FOLDER.glob("*.json")} == set(MODELS)


@pytest.mark.parametrize("name", MODELS)
def test_the_form_of_an_import(name: str) -> None:
    """Exactly the keys of an exported custom action, contracts as JSON schema draft 4, all of it flat."""
    found = action(name)
    assert set(found) == {"name", "integrationType", "actionType", "config", "contract", "secure"}
    assert (found["integrationType"], found["actionType"]) == ("custom-rest-actions", "custom")
    assert set(found["config"]["request"]) == {
        "requestUrlTemplate",
        "requestType",
        "headers",
        "requestTemplate",
    }
    assert set(found["config"]["response"]) == {"translationMap", "translationMapDefaults", "successTemplate"}
    for schema in (found["contract"]["input"]["inputSchema"], found["contract"]["output"]["successSchema"]):
        check({}, {**schema, "required": []})
        assert all(
            item["type"] in ("string", "boolean", "integer", "number")
            for item in schema["properties"].values()
        )


@pytest.mark.parametrize("name", MODELS)
def test_contracts_name_what_the_api_knows(name: str) -> None:
    """No input the API would refuse, no output it does not give, no secret in the file."""
    asked, given = MODELS[name]
    found = action(name)
    known = {field.alias or key for key, field in asked.model_fields.items()}
    assert set(found["contract"]["input"]["inputSchema"]["properties"]) <= known
    outputs = set(found["contract"]["output"]["successSchema"]["properties"])
    assert outputs <= set(given.model_fields)
    response = found["config"]["response"]
    assert outputs == set(response["translationMap"]) == set(response["translationMapDefaults"])
    assert found["config"]["request"]["headers"]["X-API-Key"] == "${credentials.apiKey}"


@pytest.mark.parametrize("name", MODELS)
def test_defaults_alone_keep_the_contract(name: str) -> None:
    """An answer without a single known key still satisfies the output contract."""
    found = action(name)
    response = found["config"]["response"]
    told = json.loads(render(response["successTemplate"], response["translationMapDefaults"]))
    schema = found["contract"]["output"]["successSchema"]
    check(told, schema)
    assert set(told) == set(schema["properties"])


HOSTILE = 'He said "no"\\ and\nleft ${credentials.apiKey} $esc #set($x=1) \u2028 Größe 😀 </script>'


def test_a_flow_asks_for_the_category(api: Api) -> None:
    """The guide's ML call: the category that the transfer to a queue depends on."""
    told = carry_out(action("classify"), {"subject": "Bill", "text": "the invoice, the invoice"}, keys(api))
    assert told["category"] == "billing"
    assert told["abstained"] is False


def test_a_flow_asks_about_headers(api: Api) -> None:
    """The guide's header check: an out-of-office leaves the flow, a person stays."""
    away = {"from": "a@customer.example", "to": US, "auto_submitted": "auto-replied", "subject": "Away"}
    assert carry_out(action("headers"), away, keys(api))["automated"] is True
    person = {"from": "a@customer.example", "to": US, "subject": "Help", "auto_submitted": ""}
    assert carry_out(action("headers"), person, keys(api))["automated"] is False


def test_a_flow_asks_for_the_whole_decision(api: Api) -> None:
    """Queue and priority of the guide's first rule."""
    mail = {"from": "a@customer.example", "to": US, "subject": "[URGENT] all is down", "text": "help"}
    told = carry_out(action("decide"), mail, keys(api))
    assert (told["queue"], told["priority"], told["ack"]) == ("Priority Support", 10, True)


@pytest.mark.parametrize("name", MODELS)
def test_hostile_words_pass_unharmed(api: Api, name: str) -> None:
    """Quotes, line ends, template words and letters of any script are data on the way there and back."""
    inputs = {"from": f"{HOSTILE} <a@customer.example>", "subject": HOSTILE, "text": HOSTILE}
    known = action(name)["contract"]["input"]["inputSchema"]["properties"]
    told = carry_out(action(name), {key: value for key, value in inputs.items() if key in known}, keys(api))
    assert api.key not in json.dumps(told)


@pytest.mark.parametrize("name", MODELS)
def test_inputs_the_flow_leaves_unset(api: Api, name: str) -> None:
    """Absent or null, both are a value that was not given."""
    schema = action(name)["contract"]["input"]["inputSchema"]
    empty = {key: ("x" if key in schema["required"] else None) for key in schema["properties"]}
    assert carry_out(action(name), empty, keys(api))["bundle"]
    least = dict.fromkeys(schema["required"], "x")
    told = [carry_out(action(name), inputs, keys(api)) for inputs in (least, empty)]
    for one in told:
        one.pop("due_at", None)  # a moment later is a moment later
    assert told[0] == told[1]


def test_a_wrong_key_is_the_failure_path(api: Api) -> None:
    """401 makes the action fail, and the flow takes its failure path."""
    with pytest.raises(httpx.HTTPStatusError, match="401"):
        carry_out(action("classify"), {"subject": "x"}, {"baseUrl": api.url, "apiKey": "wrong"})


def test_the_page_names_every_file() -> None:
    """The instructions speak of all three, and of both fields of the credentials."""
    text = Path(FOLDER / "README.md").read_text("utf-8")
    assert all(f"`{name}.json`" in text for name in MODELS)
    assert "`baseUrl`" in text
    assert "`apiKey`" in text
