"""A person's words as a mail body: greeting, text, closing, signature, what was quoted; plain and HTML."""

from __future__ import annotations

import html
from dataclasses import dataclass
from random import Random

from mailml.lab.sample.mime import Part, text_part
from mailml.lab.sample.people import Customer
from mailml.lab.sample.wording import Pen

# A 1x1 PNG: enough for an inline logo.
_PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360f8cf500f0003860180d97a6a160000000049454e44ae426082"
)
_HEAD = '<meta charset="utf-8"><style>p.MsoNormal{margin:0cm;font-size:11pt}</style>'
# What each mail program sends: plain, html, both.
_FORMS = {
    "outlook": "html",
    "gmail": "both",
    "thunderbird": "plain",
    "phone": "both",
    "apple": "plain",
    "webmail": "html",
}


@dataclass(frozen=True, slots=True)
class Quoted:
    """The earlier message below an answer."""

    who: str
    when: str
    to: str
    subject: str
    text: str


def body_text(pen: Pen, customer: Customer, sentences: str) -> str:
    """Greeting, sentences, closing, name and, from some, a signature."""
    greeting, closing = pen.pick("greeting"), pen.pick("closing")
    given = customer.name.split()[0] if pen.rng.random() < 0.3 else customer.name
    blocks = [block for block in (greeting, sentences) if block]
    end = "\n".join(line for line in (closing, given) if line) if pen.rng.random() < 0.93 else ""
    blocks += [end] if end else []
    return "\n\n".join(blocks)


def signature(pen: Pen, customer: Customer) -> str:
    """What the mail program appends: nothing, a phone's line, or a block, sometimes with a disclaimer."""
    if customer.client == "phone":
        return pen.pick("mobile")
    if not customer.company or pen.rng.random() < 0.35:
        return ""
    lines = ["-- ", customer.name, customer.company, customer.phone, f"www.{customer.domain}"]
    tail = ["", pen.pick("disclaimer")] if pen.rng.random() < 0.35 else []
    return "\n".join(lines + tail)


def body_parts(
    pen: Pen, customer: Customer, text: str, quoted: Quoted | None
) -> tuple[Part | None, Part | None, tuple[Part, ...]]:
    """(plain, html, inline images) as this customer's program would write them."""
    rng, mark = pen.rng, signature(pen, customer)
    form, charset = _FORMS[customer.client], customer.charset
    if form == "html" and rng.random() < 0.45:
        form = "both"
    below = plain_quote(pen, quoted, style=customer.client) if quoted else ""
    plain = "\n\n".join(block for block in (text, mark, below) if block)
    if form == "plain":
        return text_part(plain, "plain", charset, rng), None, ()
    logo = f"logo.{customer.domain}" if mark and customer.client == "outlook" and rng.random() < 0.4 else ""
    page = html_page(pen, text, mark, quoted, style=customer.client, logo=logo)
    inline = (Part("image/png", _PNG, "base64", "", logo),) if logo else ()
    if form == "both":
        return text_part(plain, "plain", charset, rng), text_part(page, "html", charset, rng), inline
    return None, text_part(page, "html", charset, rng), inline


def plain_quote(pen: Pen, quoted: Quoted, *, style: str) -> str:
    """The earlier message as Outlook prints it, or with an attribution line and `>`."""
    lead = _lead(pen, quoted, outlook=style == "outlook")
    if style == "outlook":
        return f"________________________________\n{lead}\n\n{quoted.text}"
    return lead + "\n\n" + "\n".join(f"> {line}".rstrip() for line in quoted.text.split("\n"))


def _lead(pen: Pen, quoted: Quoted, *, outlook: bool) -> str:
    said = {"who": quoted.who, "long_date": quoted.when, "to": quoted.to, "subject": quoted.subject}
    line = pen.bank.lines["outlook" if outlook else "quote"][0]
    for name, value in said.items():
        line = line.replace("{" + name + "}", value)
    return line


def html_page(pen: Pen, text: str, mark: str, quoted: Quoted | None, *, style: str, logo: str) -> str:
    """The same as HTML, in the manner of the program."""
    paragraphs = "".join(_paragraph(block, style) for block in text.split("\n\n"))
    image = f'<p><img src="cid:{logo}" width="1" height="1"></p>' if logo else ""
    foot = f'<div class="signature">{_lines(mark)}</div>' if mark else ""
    quote = _html_quote(pen, quoted, style) if quoted else ""
    return f"<html><head>{_HEAD}</head>\n<body>{paragraphs}{foot}{image}{quote}</body></html>"


def _paragraph(block: str, style: str) -> str:
    if style == "outlook":
        return f'<p class="MsoNormal">{_lines(block)}<o:p></o:p></p>\n'
    return f"<div>{_lines(block)}</div><div><br></div>\n" if style == "gmail" else f"<p>{_lines(block)}</p>\n"


def _lines(text: str) -> str:
    return html.escape(text, quote=False).replace("\n", "<br>\n")


def _html_quote(pen: Pen, quoted: Quoted, style: str) -> str:
    lead = _lines(_lead(pen, quoted, outlook=style == "outlook"))
    if style == "outlook":
        border = '<div style="border:none;border-top:solid #E1E1E1 1.0pt">'
        return f'{border}<p class="MsoNormal">{lead}</p></div><p>{_lines(quoted.text)}</p>'
    said = f'<div class="gmail_attr">{lead}</div><blockquote>{_lines(quoted.text)}</blockquote>'
    return f'<div class="gmail_quote">{said}</div>'


def typos(rng: Random, text: str, care: float) -> str:
    """The text as a hurried person types it; careful people (care 1) keep theirs."""
    if care >= 1.0:
        return text
    if care < 0.7 and rng.random() < 0.4:
        text = text.lower()
    out: list[str] = []
    for letter in text:
        slip = letter.isalpha() and bool(out) and out[-1].isalpha() and rng.random() < (1 - care) * 0.035
        out.extend(_slip(rng, out, letter) if slip else letter)
    return "".join(out)


def _slip(rng: Random, out: list[str], letter: str) -> str:
    """A letter left out, doubled, or swapped with the one before."""
    way = rng.randrange(3)
    if way == 0:
        return ""
    return letter * 2 if way == 1 else letter + out.pop()
