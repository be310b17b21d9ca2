"""Reading and writing flows: every fault at once, each with rule, key and what was meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailml.errors import FlowError, InputError
from mailml.flow import All, AnyOf, Ask, Flow, Not, Rule, Then, ready, source
from tests.conftest import ROOT

WRONG = sorted((ROOT / "tests" / "bad_flow").glob("*.toml"))
QUEUES = ("General Support", "Billing", "Tech Support")
CATEGORIES = ("billing", "technical", "general")


def refused(toml: str) -> str:
    """The message of a flow that is refused."""
    with pytest.raises(FlowError) as caught:
        source.loads(toml)
    return str(caught.value)


@pytest.mark.parametrize("path", WRONG, ids=lambda path: path.stem)
def test_wrong_flows_say_what_is_wrong(path: Path) -> None:
    """Each wrong flow is refused with exactly the message beside it: all its faults at once."""
    with pytest.raises(FlowError) as caught:
        source.loads(path.read_text("utf-8"), where=path.name, queues=QUEUES, categories=CATEGORIES)
    assert str(caught.value) + "\n" == path.with_suffix(".expected").read_text("utf-8")


def test_there_are_enough_wrong_flows() -> None:
    """The folder of wrong flows covers the language, and every expectation has its flow."""
    assert len(WRONG) >= 15
    expected = {path.stem for path in (ROOT / "tests" / "bad_flow").glob("*.expected")}
    assert {path.stem for path in WRONG} == expected


class TestReading:
    def test_shorthands_mean_is(self) -> None:
        """A bare value or list is `is`."""
        (rule,) = source.loads(
            'default="D"\n[[rule]]\nname="a"\nwhen={kind="human", to=["a@b.c"], is_reply=true}\n'
            'then={queue="Q"}'
        ).rules
        assert rule.when == All(
            (Ask("kind", "is", ("human",)), Ask("to", "is", ("a@b.c",)), Ask("is_reply", "is", (True,)))
        )

    def test_tables_in_any_style_are_the_same(self) -> None:
        """Inline tables, dotted keys and headed tables are one language."""
        inline = 'default="D"\n[[rule]]\nname="a"\nwhen={header.X-A={is="1"}}\nthen={queue="Q"}'
        headed = 'default="D"\n[[rule]]\nname="a"\n[rule.when."header.X-A"]\nis="1"\n[rule.then]\nqueue="Q"'
        dotted = 'default="D"\n[[rule]]\nname="a"\nwhen.header.X-A.is="1"\nthen.queue="Q"'
        assert source.loads(inline) == source.loads(headed) == source.loads(dotted)

    def test_sizes_and_thresholds(self) -> None:
        """`5 MB` is bytes, a threshold is a number."""
        (rule,) = source.loads(
            'default="D"\n[[rule]]\nname="a"\n'
            'when={size={at_least="1.5 MB"}, category={is="x", at_least=1}}\n'
            'then={queue="Q"}'
        ).rules
        assert rule.asks()[0].expected == (1_572_864,)
        assert rule.asks()[2].expected == (1.0,)

    def test_names_are_checked_only_against_a_desk(self) -> None:
        """Without the desk's queues and categories any name is taken; with them the nearest is named."""
        toml = 'default="General Suport"\n[[rule]]\nname="a"\nwhen={category="biling"}\nthen={queue="Biling"}'
        assert source.loads(toml).queues() == ("Biling", "General Suport")
        with pytest.raises(FlowError) as caught:
            source.loads(toml, queues=QUEUES, categories=CATEGORIES)
        assert len(caught.value.faults) == 3
        for meant in ("General Support", "Billing", "billing"):
            assert f'Did you mean "{meant}"?' in str(caught.value)

    def test_a_category_is_named_as_the_desk_does(self) -> None:
        """`Billing` in a rule is the desk's `billing`."""
        toml = 'default="Billing"\n[[rule]]\nname="a"\nwhen={category="BILLING"}\nthen={queue="Billing"}'
        assert source.loads(toml, categories=CATEGORIES).categories() == ("billing",)

    def test_files_that_cannot_be_read(self, tmp_path: Path) -> None:
        """A missing file, one that is not UTF-8 and one that is not TOML are each one sentence."""
        with pytest.raises(InputError, match="no such file"):
            source.load(tmp_path / "none.toml")
        latin = tmp_path / "latin.toml"
        latin.write_bytes('default = "Büro"'.encode("latin-1"))
        with pytest.raises(FlowError, match="is not UTF-8"):
            source.load(latin)
        assert "is not TOML" in refused("default = ")
        good = tmp_path / "good.toml"
        good.write_text(ready.text("default"), "utf-8")
        assert source.load(good) == ready.load("default")

    def test_hostile_files_end_in_a_fault(self) -> None:
        """Deep nesting and a file of megabytes are refused, not followed."""
        deep = "{ not = " * 60 + "{}" + " }" * 60
        assert "nested more than" in refused(
            f"default='D'\n[[rule]]\nname='a'\nwhen={deep}\nthen={{queue='Q'}}"
        )
        bottomless = "{ not = " * 5_000 + "{}" + " }" * 5_000
        assert "nested too deep" in refused(f"rule = {bottomless}")
        assert "longer than" in refused("#" * 4_000_001)

    def test_a_hundred_faults_are_a_hundred_lines(self) -> None:
        """No fault hides another."""
        rules = "".join(
            f"[[rule]]\nname='r{n}'\nwhen={{subjet='x'}}\nthen={{queue='Q'}}\n" for n in range(100)
        )
        with pytest.raises(FlowError) as caught:
            source.loads(f"default='D'\n{rules}")
        assert len(caught.value.faults) == 100
        assert str(caught.value).count("\n") == 100


class TestWriting:
    def test_one_spelling(self) -> None:
        """The written form of a flow, in full."""
        when = All(
            (
                Ask("category", "is", ("billing",)),
                Ask("category", "at_least", (0.8,)),
                Ask("text", "contains", ('say "hi"', "é"), "everything"),
                AnyOf((Ask("authenticated", "is", (True,)), Not(Ask("header.X-A b", "exists", (False,))))),
            )
        )
        then = Then("Billing", -5, ("a", "b"), ack=True, ack_template="short", sla="2 business days")
        assert source.dumps(Flow((Rule("one", when, then, continue_=True),), "General")) == (
            'default = "General"\n'
            "\n"
            "[[rule]]\n"
            'name = "one"\n'
            'when = { category = { is = "billing", at_least = 0.8 }, '
            'text = { contains = ["say \\"hi\\"", "é"], scope = "everything" }, '
            'any = [{ authenticated = true }, { not = { header."X-A b" = { exists = false } } }] }\n'
            'then = { queue = "Billing", priority = -5, tags = ["a", "b"], ack = "short", '
            'sla = "2 business days", continue = true }\n'
        )

    def test_what_one_table_cannot_hold_becomes_a_list(self) -> None:
        """The same field and operator twice needs `all`, and reads back as it was."""
        when = All((Ask("subject", "contains", ("a",)), Ask("subject", "contains", ("b",))))
        flow = Flow((Rule("r", when, Then("Q")),), "D")
        assert "when = { all = [{ subject = " in source.dumps(flow)
        assert source.loads(source.dumps(flow)) == flow

    @pytest.mark.parametrize("name", ready.names())
    def test_ready_flows_read_back(self, name: str) -> None:
        """The flows that come with mailml survive writing and reading."""
        assert source.loads(source.dumps(ready.load(name))) == ready.load(name)
