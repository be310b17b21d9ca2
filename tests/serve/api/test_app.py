"""The door of the API: keys, rates, sizes, kinds; every refusal is flat JSON that says what to do."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from mailml.errors import InputError
from serve import clients
from serve.api.server import ApiServer
from serve.clients import Clients, Rates
from serve.config import loads
from serve.journal import Journal, api_keys
from tests.serve.api.running import Api, serving
from tests.serve.room import KEY, TOML


@pytest.mark.parametrize("path", ["/v1/classify", "/v1/headers", "/v1/decide"])
@pytest.mark.parametrize("key", ["", "wrong", "mml_" + "x" * 43, "ä", "x" * 10_000])
def test_nobody_enters_without_a_key(api: Api, path: str, key: str) -> None:
    """No key, a wrong one, one that is no ASCII, one that never ends: 401 and the cure."""
    headers = {"X-API-Key": key.encode()} if key else {}
    answer = httpx.post(api.url + path, json={}, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "keys add" in answer.json()["cure"]


def test_both_ways_to_show_a_key(api: Api) -> None:
    """As X-API-Key and as Bearer."""
    for headers in ({"X-API-Key": api.key}, {"Authorization": f"Bearer {api.key}"}):
        answer = httpx.post(f"{api.url}/v1/classify", json={"text": "hello"}, headers=headers)
        assert answer.status_code == 200


def test_keys_are_kept_as_digests(journal: Journal) -> None:
    """The key itself stands nowhere in the journal's files; its first letters do."""
    key = clients.add(journal, "genesys")
    stored = b"".join(path.read_bytes() for path in journal.path.parent.iterdir() if path.is_file())
    assert key.encode() not in stored
    assert key[8:].encode() not in stored
    with journal.read() as tx:
        (one,) = api_keys.every(tx)
    assert key.startswith(one.hint)
    assert len(one.hint) == 8


def test_a_revoked_key_is_shut_out(journal: Journal) -> None:
    """Within two seconds; other keys of other clients stay good, and two keys of one name both go."""
    now = [0.0]
    found = Clients(journal, time=lambda: now[0])
    first, second = clients.add(journal, "a"), clients.add(journal, "a")
    other = clients.add(journal, "b", per_minute=7)
    assert [one.name if one else None for one in map(found.who, (first, second, other))] == ["a", "a", "b"]
    with journal.write() as tx:
        assert api_keys.revoke(tx, "a", 1) == 2
        assert api_keys.revoke(tx, "a", 1) == 0
    now[0] = 2.0
    assert found.who(first) is None
    assert found.who(second) is None
    client = found.who(other)
    assert client is not None
    assert client.per_minute == 7


@pytest.mark.parametrize("name", ["", "  ", "a" * 101, "a\nb", "\x1b[31m"])
def test_a_name_is_a_name(name: str, journal: Journal) -> None:
    """What cannot be read in a list is refused."""
    with pytest.raises(InputError, match="no name"):
        clients.add(journal, name)


def test_a_bucket_refills_evenly() -> None:
    """A minute's worth at once, then one for each part of a minute; clients do not share."""
    now = [0.0]
    rates = Rates(time=lambda: now[0])
    assert [rates.wait("a", 3) for _ in range(3)] == [0, 0, 0]
    assert rates.wait("a", 3) == pytest.approx(20)
    assert rates.wait("b", 3) == 0
    now[0] = 20.0
    assert rates.wait("a", 3) == 0
    assert rates.wait("a", 3) == pytest.approx(20)
    now[0] = 10_000.0
    assert [rates.wait("a", 3) for _ in range(4)][:3] == [0, 0, 0]


def test_who_comes_too_often_is_told_when_to_come_back(tmp_path: Path) -> None:
    """429 with Retry-After; a key with a limit of its own is counted by that."""
    with serving(tmp_path, "per_minute = 2") as api:
        codes = [api.post("/v1/classify", text="x").status_code for _ in range(3)]
        last = api.post("/v1/classify", text="x")
        assert codes == [200, 200, 429]
        assert 1 <= int(last.headers["retry-after"]) <= 30
        more = clients.add(api.journal, "busy", per_minute=100)
        time.sleep(2.1)  # keys are looked up every two seconds
        again = [
            httpx.post(f"{api.url}/v1/classify", json={"text": "x"}, headers={"X-API-Key": more}).status_code
            for _ in range(5)
        ]
        assert again == [200] * 5


@pytest.mark.parametrize(
    ("body", "kind", "status", "says"),
    [
        (b"{}", "text/plain", 415, "application/json"),
        (b"{}", "", 415, "application/json"),
        (b"a=b", "application/x-www-form-urlencoded", 415, "application/json"),
        (b"{", "application/json", 400, "not JSON"),
        (b"", "application/json", 400, "not JSON"),
        (b"[]", "application/json", 400, "not a JSON object"),
        (b"null", "application/json", 400, "not a JSON object"),
        (b'{"text": "\xff"}', "application/json", 400, "not UTF-8"),
        (b"[" * 50_000, "application/json", 400, "not JSON"),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "application/json", 400, "not JSON"),
        (b'{"text": ' + b"9" * 5_000 + b"}", "application/json", 400, "not JSON"),
        (b'{"text": "' + b"x" * 70_000 + b'"}', "application/json", 413, "over 64 KB"),
        (b'{"txt": "x"}', "application/json", 422, "txt"),
        (b'{"text": 3}', "application/json", 422, "text"),
        (b'{"text": ["x"]}', "application/json", 422, "text"),
        (b'{"text": {"a": 1}}', "application/json; charset=utf-8", 422, "text"),
    ],
)
def test_what_cannot_be_read_is_refused_in_a_sentence(
    api: Api, body: bytes, kind: str, status: int, says: str
) -> None:
    """Wrong kinds, no JSON, deep nests, giants, misspelt keys: the right code, the reason, nothing echoed."""
    headers = {"X-API-Key": api.key, **({"Content-Type": kind} if kind else {})}
    answer = httpx.post(f"{api.url}/v1/classify", content=body, headers=headers)
    assert answer.status_code == status, answer.text
    told = answer.json()
    assert says in f"{told['error']} {told['cure']}"
    assert len(answer.content) < 3000


def test_a_body_without_length_is_cut_off_too(api: Api) -> None:
    """Chunks are counted: an endless upload ends at the limit."""

    def chunks() -> Any:
        for _ in range(10_000):
            yield b" " * 1024

    headers = {"X-API-Key": api.key, "Content-Type": "application/json"}
    try:
        status = httpx.post(f"{api.url}/v1/classify", content=chunks(), headers=headers).status_code
    except httpx.WriteError:
        status = 413  # the server answered and closed before the upload was over
    assert status == 413
    assert api.post("/v1/classify", text="x").status_code == 200


def test_all_faults_at_once(api: Api) -> None:
    """Two wrong keys are two faults in one answer."""
    told = api.post("/v1/headers", sbject="x", prio=1).json()
    assert "sbject" in told["error"]
    assert "prio" in told["error"]


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"raw": "not base64!"}, "not base64"),
        ({"received_at": "2026-03-02T10:00:00"}, "no time zone"),
        ({"received_at": "yesterday"}, "received_at"),
        ({"acked": "perhaps"}, "acked"),
    ],
)
def test_a_decision_asked_wrongly(api: Api, values: dict[str, object], says: str) -> None:
    """422 and what is wrong."""
    answer = api.post("/v1/decide", **values)
    assert answer.status_code == 422
    assert says in answer.json()["error"]


def test_unknown_places_and_methods(api: Api) -> None:
    """404 and 405 in the same flat form."""
    assert api.client.get("/v2/nothing").json().keys() == {"error", "cure"}
    answer = api.client.get("/v1/classify")
    assert (answer.status_code, set(answer.json())) == (405, {"error", "cure"})


def test_the_description_is_complete(api: Api) -> None:
    """OpenAPI names every route, how to show a key, and the error form; no page loads foreign scripts."""
    told = api.client.get("/openapi.json").json()
    assert set(told["paths"]) == {
        "/v1/classify",
        "/v1/headers",
        "/v1/decide",
        "/healthz",
        "/readyz",
        "/metrics",
    }
    asked = told["paths"]["/v1/classify"]["post"]
    assert asked["security"]
    assert "Refused" in json.dumps(asked["responses"]["429"])
    assert api.client.get("/docs").status_code == 404


def test_a_mail_that_would_break_the_service_breaks_one_answer(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error nobody foresaw is a 500 without a trace of the request, and the next question is answered."""
    from serve.api import answers

    def fails(*_: object) -> None:
        raise ZeroDivisionError("secret text")

    monkeypatch.setattr(answers, "classify", fails)
    answer = api.post("/v1/classify", text="secret text")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    monkeypatch.undo()
    assert api.post("/v1/classify", text="x").status_code == 200


def test_a_body_that_trickles_loses_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who sends a byte now and then is told so after a while, and others are served meanwhile."""
    from serve.api import guard

    monkeypatch.setattr(guard.Guard.__init__, "__kwdefaults__", {"seconds": 0.5})
    with serving(tmp_path) as api, socket.create_connection(("127.0.0.1", api.server.port)) as slow:
        head = "POST /v1/classify HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        slow.sendall(f"{head}Content-Length: 100\r\n\r\n{{".encode())
        assert api.post("/v1/classify", text="x").status_code == 200
        slow.settimeout(10)
        assert b"408" in slow.recv(4096)


def test_a_port_in_use_stops_the_start(tmp_path: Path) -> None:
    """In words, before any role is started."""
    with serving(tmp_path / "a") as api:
        text = f"{TOML}\n[http]\nport = {api.server.port}\n"
        config = loads(text, path=tmp_path / "serve.toml", environment={})
        with pytest.raises(InputError, match="cannot listen"):
            ApiServer(config, api.journal, api.bundles, KEY)


def test_over_tls(tmp_path: Path) -> None:
    """With certificate and key the API speaks TLS."""
    import ssl

    from tests.servers import tls

    files = tls.make(tmp_path / "tls")
    lines = f'certificate_file = "{files.certificate}"\nkey_file = "{files.key}"'
    with serving(tmp_path / "a", lines) as api:
        trusted = ssl.create_default_context(cafile=str(files.ca))
        url = api.url.replace("http://127.0.0.1", "https://localhost")
        assert httpx.get(f"{url}/healthz", verify=trusted).json()["alive"] is True


def test_a_new_bundle_answers_without_a_restart(tmp_path: Path) -> None:
    """The API follows the link as the worker does."""
    from tests.serve.service import bundle

    with serving(tmp_path) as api:
        before = api.good("/v1/classify", text="invoice")["bundle"]
        (tmp_path / "bundle").rename(tmp_path / "old")
        other = bundle(tmp_path / "bundle", 'default = "Elsewhere"\n')
        api.bundles.reload()
        assert api.good("/v1/classify", text="invoice")["bundle"] == other.id != before
