"""Small files that customers attach: documents, pictures of a screen, logs. Real formats, small."""

from __future__ import annotations

from random import Random

from mailml.lab.sample.mime import Part

_PDF = (
    "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    "2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 144]>>endobj\n"
    "% {note}\ntrailer<</Root 1 0 R>>\n%%EOF\n"
)
_PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360f8cf500f0003860180d97a6a160000000049454e44ae426082"
)
_LOG = "08:{m:02d}:11 sync start\n08:{m:02d}:14 http 500 retry 1\n08:{m:02d}:19 abort E-{e}\n"


def attached(rng: Random, category: str) -> tuple[Part, ...]:
    """None, one or two files; which kind depends only loosely on the category."""
    if rng.random() > 0.16:
        return ()
    makers = {
        "billing": (pdf, pdf, picture),
        "technical": (picture, picture, log),
        "general": (pdf, picture, table),
    }
    choices = makers[category] if rng.random() < 0.8 else (pdf, picture, log, table)
    count = 2 if rng.random() < 0.1 else 1
    return tuple(rng.choice(choices)(rng) for _ in range(count))


def pdf(rng: Random) -> Part:
    """A one-page PDF."""
    number = rng.randrange(1000, 99_999)
    name = rng.choice((f"RE-2026-{number}.pdf", f"scan_{number}.pdf", f"document-{number}.pdf"))
    return Part("application/pdf", _PDF.format(note=number).encode(), "base64", name)


def picture(rng: Random) -> Part:
    """A picture of a screen."""
    name = rng.choice(
        (f"Screenshot_{rng.randrange(100, 999)}.png", f"IMG_{rng.randrange(1000, 9999)}.png", "image.png")
    )
    return Part("image/png", _PNG, "base64", name)


def log(rng: Random) -> Part:
    """A log file of the terminal."""
    text = _LOG.format(m=rng.randrange(60), e=rng.randrange(10, 300))
    return Part("text/plain; charset=utf-8", text.replace("\n", "\r\n").encode(), "7bit", "terminal.log")


def table(rng: Random) -> Part:
    """A short CSV."""
    rows = "".join(f"{rng.randrange(1000)};{rng.randrange(50)};ok\r\n" for _ in range(4))
    return Part("text/csv", f"id;count;state\r\n{rows}".encode(), "7bit", f"list{rng.randrange(10)}.csv")
