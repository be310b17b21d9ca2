"""The part of Genesys Cloud that carries out a data action: templates, answers, contracts.

Velocity references are written `${a.b}`; `input.rawRequest` is the inputs as JSON; values of the translation
map reach the success template as JSON, texts with their quotes; a path that finds nothing takes its default.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import httpx

_REFERENCE = re.compile(r"\$!?\{([A-Za-z][\w.]*)\}")


def render(template: str, values: Mapping[str, Any]) -> str:
    """The template with every reference replaced; an unknown one stays as it is, as in Velocity."""

    def value(found: re.Match[str]) -> str:
        node: Any = values
        for name in found[1].split("."):
            if not isinstance(node, Mapping) or name not in node:
                return found[0]
            node = node[name]
        return str(node)

    return _REFERENCE.sub(value, template)


def carry_out(
    action: Mapping[str, Any], inputs: Mapping[str, Any], credentials: Mapping[str, str]
) -> dict[str, Any]:
    """What the flow gets from a data action. Raises AssertionError where a contract does not hold."""
    check(inputs, action["contract"]["input"]["inputSchema"])
    request, response = action["config"]["request"], action["config"]["response"]
    values = {"input": {**inputs, "rawRequest": json.dumps(inputs)}, "credentials": credentials}
    answer = httpx.request(
        request["requestType"],
        render(request["requestUrlTemplate"], values),
        headers={name: render(value, values) for name, value in request["headers"].items()},
        content=render(request["requestTemplate"], values).encode(),
    )
    answer.raise_for_status()
    told = answer.json()
    mapped = {}
    for name, path in response["translationMap"].items():
        key = path.removeprefix("$.")
        mapped[name] = json.dumps(told[key]) if key in told else response["translationMapDefaults"][name]
    output: dict[str, Any] = json.loads(render(response["successTemplate"], mapped))
    check(output, action["contract"]["output"]["successSchema"])
    return output


_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
}


def check(value: Mapping[str, Any], schema: Mapping[str, Any]) -> None:
    """The part of JSON schema draft 4 that a flat contract uses."""
    assert schema["$schema"] == "http://json-schema.org/draft-04/schema#"
    assert schema["type"] == "object"
    missing = [name for name in schema.get("required", []) if name not in value]
    assert not missing, f"{missing} missing"
    for name, item in value.items():
        if name not in schema["properties"]:
            assert schema.get("additionalProperties", True), f"{name} is not in the contract"
        elif item is not None:
            kind = schema["properties"][name]["type"]
            assert isinstance(item, _TYPES[kind]), f"{name} is no {kind}"
