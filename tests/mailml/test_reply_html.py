"""The HTML that an acknowledgement may carry: beside the same text, escaped, and nothing in it can run."""

from __future__ import annotations

from email.message import EmailMessage
from html.parser import HTMLParser

import pytest

from mailml.autoreply import judge
from mailml.errors import ConfigError, TemplateError
from mailml.message import parse
from mailml.reply import AckPolicy, Words, preview
from mailml.text import own_words
from mailml.verdict import Context, Kind
from tests.mailml.test_reply import DATE, FIXED, KEY, US, ack, customer_mail, read

MARKUP = (
    '<p style="color:#333">Hello <b>{{ customer.name }}</b>, about <i>{{ subject }}</i>:\n'
    "{% if sla.target %}we answer within {{ sla.target | upper }}{% endif %}, "
    "#{{ interaction.reference }}</p>"
)
HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</p></body><iframe srcdoc=x>",
    "\"><a href='javascript:alert(1)'>",
    "&lt;script&gt; {{ 7 * 7 }} {% raw %}",
    "--=_0000 =3Cscript=3E",
)


class Tags(HTMLParser):
    """The tags of a page as a browser's tokenizer sees them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.words: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.found.append(tag)

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def both(found: EmailMessage) -> tuple[str, str]:
    """The text and the HTML of a mail."""
    parts = list(found.iter_parts())
    assert [part.get_content_type() for part in parts] == ["text/plain", "text/html"]
    plain, markup = (str(part.get_content()).replace("\r\n", "\n") for part in parts)
    return plain, markup


def test_without_a_template_nothing_but_text_is_sent() -> None:
    """The default acknowledgement stays text/plain, which every reader and RFC 3834 like best."""
    assert read(ack()).get_content_type() == "text/plain"
    assert b"text/html" not in ack()


def test_html_stands_behind_the_same_text_in_one_mail() -> None:
    """multipart/alternative, the text first; every mark against loops is still in the header."""
    found = read(ack(policy=AckPolicy(body_html=MARKUP)))
    assert found.get_content_type() == "multipart/alternative"
    plain, markup = both(found)
    # the last line end belongs to the boundary (RFC 2046 5.1.1)
    assert plain + "\n" == str(read(ack()).get_content()).replace("\r\n", "\n")
    assert "<b>Jane Doe</b>" in markup
    assert "4 BUSINESS HOURS, #K7Q2-9M4D" in markup
    assert found["Auto-Submitted"] == "auto-replied"
    assert found["X-Mailml-Loop"]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_what_a_customer_wrote_is_text_in_the_html(hostile: str) -> None:
    """No subject and no name adds a tag, ends the part or is taken for a template."""
    raw = ack(customer_mail(hostile), policy=AckPolicy(body_html=MARKUP), customer_name=hostile)
    _, markup = both(read(raw))
    page = Tags(markup)
    assert page.found == ["p", "b", "i"]
    shown = " ".join("".join(page.words).split())
    assert f"about {' '.join(hostile.split())}:" in shown


def test_strangers_get_nothing_of_theirs_back_in_html() -> None:
    """A sender who is not proven finds neither subject nor name in the HTML."""
    policy = AckPolicy(body_html=MARKUP)
    raw = ack(customer_mail("Buy now"), policy=policy, decision_ack=FIXED, customer_name="Mallory")
    _, markup = both(read(raw))
    assert "Buy now" not in markup
    assert "Mallory" not in markup
    assert "K7Q2-9M4D" in markup


def test_a_retry_gives_the_same_bytes_and_is_still_known_as_ours() -> None:
    """The boundary is made from the header, never from chance; a copy that comes back is a loop."""
    policy = AckPolicy(body_html=MARKUP)
    raw = ack(policy=policy)
    assert ack(policy=policy) == raw
    message = parse(raw)
    context = Context(received_at=DATE, now=DATE, loop_key=KEY)
    assert judge(message, own_words(message), US, context, None).kind is Kind.OWN_LOOP
    assert max(map(len, raw.split(b"\r\n"))) <= 998  # RFC 5322 2.1.1
    assert not message.defects


@pytest.mark.parametrize(
    ("markup", "line"),
    [
        ('<a href="{{ subject }}">x</a>', 1),
        ("<p>\n<b {{ customer.name }}>x</b></p>", 2),
        ("{% if subject %}<a title='{% endif %}{{ subject }}'>", 1),
        ("<style>p { color: {{ subject }} }</style>", 1),
        ("<script>\nlet a = '{{ subject }}'</script>", 2),
    ],
)
def test_a_value_inside_a_tag_is_refused_when_the_desk_is_read(markup: str, line: int) -> None:
    """Escaping makes no value safe as an address, a style or a script: such a template is refused."""
    with pytest.raises(TemplateError) as caught:
        AckPolicy(body_html=markup)
    assert caught.value.where == f"body_html, line {line}"
    assert "between tags" in caught.value.cure


@pytest.mark.parametrize(
    "markup", ["{{ subject | safe }}", "{% autoescape false %}{{ subject }}{% endautoescape %}"]
)
def test_escaping_cannot_be_switched_off(markup: str) -> None:
    """Neither a filter nor a block of Jinja's takes the escaping away."""
    with pytest.raises(TemplateError):
        AckPolicy(body_html=markup)


def test_html_is_a_setting_of_the_desk_and_of_named_templates() -> None:
    """Read, written back to an equal policy, and every fault named by its key."""
    settings = {"body_html": "<p>x</p>", "templates": {"vip": {"body": "y", "body_html": "<p>y</p>"}}}
    policy = AckPolicy.from_mapping(settings)
    assert policy.words("vip") == Words(body="y", body_html="<p>y</p>")
    assert policy.words("unknown").body_html == "<p>x</p>"
    assert AckPolicy.from_mapping(policy.to_mapping()) == policy
    assert "body_html" not in AckPolicy().to_mapping()
    bad = {"body_html": "{{ nope }}", "templates": {"vip": {"body_html": "<a href={{ subject }}>"}}}
    with pytest.raises(ConfigError) as caught:
        AckPolicy.from_mapping(bad)
    assert [fault.where.partition(",")[0] for fault in caught.value.faults] == [
        "ack.body_html",
        "ack.templates.vip.body_html",
    ]


def test_the_preview_shows_the_html_in_a_frame_without_rights() -> None:
    """A notebook shows the operator's HTML in a sandboxed frame; a hostile subject is text inside it."""
    shown = preview(AckPolicy(body_html=MARKUP), subject="<img src=x onerror=alert(1)>")
    assert "&lt;img" in shown.body_html
    page = Tags(shown._repr_html_())
    assert page.found == ["b", "pre", "iframe"]
    assert '<iframe sandbox=""' in shown._repr_html_()
