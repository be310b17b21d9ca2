"""Twenty rules as a flow, as Python patterns, and as a hand-written CASE: three spellings of one meaning."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from mailml.flow import Facts, Flow, source

# (field, operator, expected, the same as a Python pattern)
CONDITIONS = [
    ("subject", "contains", "[URGENT]", r"(?i)\[URGENT\]"),
    ("text", "contains", "invoice", r"(?i)invoice"),
    ("text", "contains", "credit note", r"(?i)credit\s+note"),
    ("from_domain", "is", "enterprise-client.com", r"(?i)\Aenterprise-client\.com\Z"),
    ("subject", "starts_with", "Complaint", r"(?i)\AComplaint"),
    ("text", "matches", r"(?i)\border\s+no\.?\s*\d{6}\b", r"(?ai)\border\s+no\.?\s*\d{6}\b"),
    ("text", "contains", "password", r"(?i)password"),
    ("text", "contains", "two-factor", r"(?i)two-factor"),
    ("from_address", "ends_with", ".gov", r"(?i)\.gov\Z"),
    ("subject", "matches", r"(?i)\b(refund|chargeback)\b", r"(?ai)\b(refund|chargeback)\b"),
    ("text", "contains", "cancel my subscription", r"(?i)cancel\s+my\s+subscription"),
    ("text", "contains", "data protection", r"(?i)data\s+protection"),
    ("subject", "contains", "quote", r"(?i)quote"),
    (
        "text",
        "matches",
        r"\b[A-Z]{2}\d{2}(\s?[A-Z0-9]{4}){3,7}\b",
        r"(?a)\b[A-Z]{2}\d{2}(\s?[A-Z0-9]{4}){3,7}\b",
    ),
    ("header.X-Mailer", "contains", "Outlook Express", r"(?i)Outlook Express"),
    ("text", "contains", "lawyer", r"(?i)lawyer"),
    ("to", "contains", "sales@", r"(?i)sales@"),
    ("text", "contains", "server down", r"(?i)server\s+down"),
    ("subject", "contains", "partnership", r"(?i)partnership"),
    ("text", "contains", "unsubscribe", r"(?i)unsubscribe"),
]


def the_flow() -> Flow:
    """Twenty rules, one condition each."""
    rules = [
        f"[[rule]]\nname = 'r{n}'\nwhen = {{ {field} = {{ {operator} = '{expected}' }} }}\n"
        "then = { queue = 'Q' }"
        for n, (field, operator, expected, _) in enumerate(CONDITIONS)
    ]
    return source.loads("default = 'General Support'\n" + "\n".join(rules))


def many_rules(count: int) -> Flow:
    """So many rules, one in ten about the subject and the others about the text; hardly any hits."""
    rules = [
        f"[[rule]]\nname = 'r{n}'\nwhen = {{ {'text' if n % 10 else 'subject'} = "
        f"{{ contains = 'case {n:05d}' }} }}\nthen = {{ queue = 'Q' }}"
        for n in range(count)
    ]
    return source.loads("default = 'General Support'\n" + "\n".join(rules))


def by_re(facts: Facts) -> str:
    """The yardstick: the first rule whose compiled Python pattern is found in its field."""
    message = facts.message
    return first_by_re(
        {
            "subject": (message.subject,),
            "text": (facts.text.own,),
            "from_domain": (message.from_.domain if message.from_ else "",),
            "from_address": (message.from_.addr if message.from_ else "",),
            "to": [address.addr for address in message.to],
            "header.X-Mailer": message.all("X-Mailer"),
        }
    )


def first_by_re(fields: Mapping[str, Sequence[str]]) -> str:
    """The same for fields that were read already."""
    for n, (field, search) in enumerate(PATTERNS):
        for value in fields[field]:
            if search(value):
                return f"r{n}"
    return "default"


PATTERNS = [(field, re.compile(pattern).search) for field, _, _, pattern in CONDITIONS]


def case_of_sql() -> str:
    """The same as a CASE over `s` and `t`, subject and text in lower case, and the columns as written."""
    whens = [f"WHEN {_sql(*one)} THEN {n}" for n, one in enumerate(CONDITIONS)]
    return f"CASE {' '.join(whens)} ELSE {len(CONDITIONS)} END"


def _sql(field: str, operator: str, expected: str, pattern: str) -> str:
    column = {"subject": "s", "text": "t"}.get(field, f'"{field}"')
    if field in ("to", "header.X-Mailer"):
        return f"len(list_filter({column}, lambda x: contains(lower(x), '{expected.lower()}'))) > 0"
    if operator == "matches":
        # DuckDB searches with RE2 too
        return f"regexp_matches({field}, '{expected}')"
    if " " in expected:
        return f"regexp_matches({column}, '{pattern.removeprefix('(?i)').lower()}')"
    if operator == "is":
        return f"{column} = '{expected}'"
    name = {"contains": "contains", "starts_with": "starts_with", "ends_with": "ends_with"}[operator]
    return f"{name}({column}, '{expected.lower()}')"


def sieve_script() -> str:
    """The same as a Sieve script: a folder for each rule, named as the rule is."""
    lines = ['require ["fileinto", "body", "regex"];']
    for n, one in enumerate(CONDITIONS):
        lines.append(f'if {_sieve(*one[:3])} {{ fileinto "r{n}"; stop; }}')
    return "\n".join([*lines, 'fileinto "default";', ""])


def _sieve(field: str, operator: str, expected: str) -> str:
    name = field.removeprefix("header.").lower()
    where = {
        "text": "body :text",
        "from_domain": "address :domain",
        "from_address": "address :all",
        "to": "address :all",
    }
    test, keys = where.get(field, "header"), "" if field == "text" else f'"{name.removesuffix("_domain")}" '
    keys = keys.replace("from_address", "from")
    if operator == "matches" or (field == "text" and " " in expected):
        return f'{test} :regex {_posix(operator, expected)} {keys}"{_posix_pattern(expected)}"'
    if operator in ("starts_with", "ends_with"):
        wild = f"{expected}*" if operator == "starts_with" else f"*{expected}"
        return f'{test} :matches {keys}"{wild}"'
    return f'{test} :{operator} {keys}"{expected}"'


def _posix(operator: str, expected: str) -> str:
    # without a comparator Sieve ignores the case of ASCII letters
    return "" if operator == "contains" or expected.startswith("(?i)") else ':comparator "i;octet"'


def _posix_pattern(pattern: str) -> str:
    r"""RE2's pattern, or a phrase, in the words of POSIX: blanks as a class, no \d, and a quoted string."""
    pattern = pattern.removeprefix("(?i)").replace(r"\d", "[0-9]")
    return pattern.replace(" ", r"\s+").replace("\\", "\\\\")
