"""Texts of our own whose answers a bundle carries: if they come out differently, it must not serve.

They are made up, in five languages and some oddities; no customer wrote any of them, so a bundle can show
them. They are frozen with format 1: changing one here never changes what an old bundle checks, because the
texts stand in its golden.json.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mailml.autoreply import TextModel
from mailml.classifier import Model
from mailml.errors import BundleDamagedError

_TOLERANCE = 1e-5  # of a probability: another processor's additions may differ in the last digits only

TEXTS: tuple[str, ...] = (
    "Invoice total is wrong\nThe March invoice charges us twice for the same licence. Please correct it.",
    "Refund\nI returned the device two weeks ago and have not seen the money on my account.",
    "Cannot log in\nThe app says that my password has expired, and the reset link shows an error.",
    "Sync stopped\nSince the update the calendar no longer syncs, and the log is full of timeouts.",
    "Opening hours\nAre you open between the holidays, and can I visit the showroom without an appointment?",
    "Rechnung doppelt\nIch habe die Rechnung zweimal bekommen. Welche soll ich bezahlen?",
    "Fehlermeldung beim Start\nDas Programm stürzt beim Start ab, seit ich das Update installiert habe.",
    "Frage zu Ihrem Angebot\nBieten Sie auch Schulungen vor Ort an, und was gehört dazu?",
    "Remboursement\nLe montant de ma dernière facture ne correspond pas à mon contrat.",
    "Connexion impossible\nL'application affiche une page blanche quand je veux me connecter.",
    "Question\nOù puis-je trouver le mode d'emploi en français ?",
    "Factura incorrecta\nMe han cobrado dos veces este mes y quiero la devolución.",
    "No funciona\nLa aplicación se cierra sola cada vez que abro el informe.",
    "Consulta\n¿Tienen una oficina cerca de la costa?",
    "Fattura\nNella fattura manca il nostro numero di partita IVA, potete correggerla?",
    "Errore\nIl programma non si avvia più e mostra un errore di rete.",
    "Informazioni\nVorrei sapere se offrite corsi per nuovi utenti.",
    "help",
    "Re: order\nthx 👍",
    "12345 67890",
    "Zażółć gęślą jaźń, proszę o pomoc",
    "お問い合わせ\nログインできません",
)


def answers(model: Model | None, text_model: TextModel | None) -> list[dict[str, Any]]:
    """What the models say to every golden text, as JSON values."""
    return [_answer(text, model, text_model) for text in TEXTS]


def check(golden: Sequence[Mapping[str, Any]], model: Model | None, text_model: TextModel | None) -> None:
    """Ask the models again; raises BundleDamagedError at the first answer that differs."""
    if not isinstance(golden, list) or not golden:
        raise _damaged("holds no golden texts")
    for number, entry in enumerate(golden, 1):
        try:
            again = _answer(str(entry["text"]), model, text_model)
            same = {name: _close(again.get(name), entry.get(name)) for name in ("probabilities", "automatic")}
        except (KeyError, TypeError, AttributeError) as error:
            raise _damaged(f"golden text {number} is not readable") from error
        if not same["probabilities"] or again.get("label") != entry.get("label"):
            raise _changed(number, "classifier")
        if not same["automatic"]:
            raise _changed(number, "text model of automated mail")


def _answer(text: str, model: Model | None, text_model: TextModel | None) -> dict[str, Any]:
    answer: dict[str, Any] = {"text": text}
    if model is not None:
        category = model.categorize(text)
        answer["label"] = category.label
        answer["probabilities"] = [round(float(p), 6) for p in model.proba(text)]
    if text_model is not None:
        subject, _, body = text.partition("\n")
        answer["automatic"] = [text_model.score(subject=subject, sender="someone", text=body)]
    return answer


def _close(one: Any, other: Any) -> bool:
    if one is None or other is None:
        return one is other
    near = (abs(a - b) <= _TOLERANCE for a, b in zip(one, other, strict=False))
    return len(one) == len(other) and all(near)


def _changed(number: int, who: str) -> BundleDamagedError:
    return _damaged(
        f"the {who} no longer gives golden text {number} the answer it gave when the bundle was made"
    )


def _damaged(what: str) -> BundleDamagedError:
    cure = "Do not serve it: export the bundle again, and compare the versions of numpy"
    return BundleDamagedError(what, where="golden.json", cure=cure)
