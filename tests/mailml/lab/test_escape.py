"""A stranger's words never become markup, and addresses are masked unless asked for."""

from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import given, settings
from hypothesis import strategies as st

from mailml.lab.escape import esc, mask, plain_text


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attrs: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attrs += [name for name, _ in attrs]


def test_an_image_with_a_handler_is_text() -> None:
    """The classic hostile subject holds no tag after escaping."""
    assert esc("<img src=x onerror=alert(1)>") == "&lt;img src=x onerror=alert(1)&gt;"


@settings(max_examples=200)
@given(st.text(alphabet=st.sampled_from("<>\"'&/= abonerx`\x00\u202e\n"), max_size=80))
def test_no_text_opens_a_tag_or_leaves_an_attribute(text: str) -> None:
    """Whatever is escaped stays inside the element or the quoted attribute it was put in."""
    parser = _Tags()
    parser.feed(f'<p title="{esc(text)}">{esc(text)}</p>')
    assert parser.tags == ["p"]
    assert parser.attrs == ["title"]


def test_controls_and_direction_overrides_are_shown_as_such() -> None:
    """NUL, escape sequences and right-to-left overrides become a visible replacement character."""
    assert plain_text("a\x00b\x1b[31m\u202egpj.exe") == "a\ufffdb\ufffd[31m\ufffdgpj.exe"


def test_a_limit_cuts_before_escaping() -> None:
    """Cutting never leaves half an entity behind."""
    assert esc("<<<<<<", limit=3) == "&lt;&lt;…"


def test_none_is_empty() -> None:
    """A missing value is shown as nothing."""
    assert esc(None) == ""
    assert mask(None) == ""


def test_addresses_are_masked_inside_text() -> None:
    """The local part goes, the domain stays, and text around it is untouched."""
    assert mask("Anna <anna.schmidt@example.com>, b@x.org") == "Anna <a…t@example.com>, b…@x.org"
