"""Row 11, and who is a mail system: local parts compared whole, never by a piece in the middle."""

from __future__ import annotations

import re

from mailml.autoreply.case import Case, Finding

_DAEMONS = frozenset(
    {
        "mailer-daemon",
        "mailerdaemon",
        "mailer_daemon",
        "mailer.daemon",
        "mail-daemon",
        "maildaemon",
        "mail_daemon",
    }
    | {
        "mdaemon",
        "smtp-daemon",
        "smtpd",
        "daemon",
        "mmdf",
        "maildelivery",
        "mail-delivery",
        "maildeliverysystem",
    }
    | {"mail-delivery-system", "mailsystem", "mail-system", "mail_system", "mailrouter", "mail-router"}
    | {"systemadministrator", "ndr", "dsn", "bounce-notification", "bounce-notifications"}
)
_DAEMON_NAMES = frozenset(
    {
        "mail delivery subsystem",  # Sendmail, Gmail
        "mail delivery system",  # Postfix, Exim
        "mail delivery service",
        "mail delivery",
        "mailer-daemon",
        "mailer daemon",
        "mail system",
        "internet mail delivery",  # Sun iPlanet, PMDF
        "pmdf e-mail interconnect",
        "mail router daemon",
        "system administrator",  # Exchange 5.5 and 2000
        "systemadministrator",  # Exchange de-DE
    }
)
# Exchange 2007 and later send as MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@ the organisation.
_EXCHANGE = re.compile(r"microsoftexchange[0-9a-f]{32}")
_BARE = re.compile(r"[\s\"'<(]*(mailer-daemon|mail delivery (?:sub)?system|postmaster)\b")

_ROLES = frozenset({"postmaster", "abuse", "root"})  # RFC 2142; people read and write there

_NO_REPLY = (
    r"no[-_.]?repl(?:y|ies)|(?:do[-_.]?)?not[-_.]?reply|dont[-_.]?reply|never[-_.]?reply|no[-_.]?response"
    r"|no[-_.]?answer|unattended|ne[-_.]?pas[-_.]?repondre|no[-_.]?responder|no[-_.]?contest(?:e|ar)"
    r"|nao[-_.]?respond(?:a|er)|non[-_.]?rispondere|nicht[-_.]?antworten|keine[-_.]?antwort"
    r"|niet[-_.]?beantwoorden|ikke[-_.]?svar|svar[-_.]?ikke|svara[-_.]?ej|ingen[-_.]?svar"
    r"|nie[-_.]?odpowiadaj|neodpovidat|ne[-_.]?valaszoljon"
)
_MACHINES = (
    r"bounces?|bounced|notifications?|notify|notifier|alerts?|newsletters?|e?mailings?|listserv|majordomo"
    r"|listproc|sympa|ezmlm|mailman|automailer|auto[-_.]?(?:reply|respond(?:er)?|confirm|mailer|notify)"
    r"|autoanswer|bugzilla(?:-daemon)?"
)
_ALONE = (
    r"mailer|crond?|www-data|nagios|zabbix|icinga2?|grafana|alertmanager|prometheus|check_?mk|munin|monit|jenkins"
    r"|jira|rss|rssfeeds?|feeds?|news|updates?|digest|reminders?|automated|automatic|automail|autosend|robot|bot|system-?mail"
    # telephone systems and copiers: what they bring is a customer's, but nobody reads answers to them
    r"|asterisk|freepbx|pbx|voice-?mail|scanner|scan-?(?:2|to)-?e?mail"
)
_ROBOT = re.compile(
    rf"(?:(?:.{{1,60}}[-_.+=])?(?:{_NO_REPLY})\d{{0,3}}(?:[-_.+=].*)?"
    # what a machine adds to its name is a tag or a code; a dot or a blank leads on to a person's name
    rf"|(?:{_MACHINES})(?:[-+=].*)?|(?:{_ALONE})"
    r"|.{1,60}[-_](?:notifications?|bounces?|alerts?|news|newsletter|updates|digest|daemon|robot|bot)"
    # behind a dot stands a person's last name, as in jo.alert@: plurals only
    r"|.{1,60}\.(?:notifications?|bounces|alerts|newsletter|updates)"
    r"|owner-.+|.+-(?:request|owner|bounces|errors))"
)
_LONGEST_LOCAL = 128  # RFC 5321 4.5.3.1.1 allows 64; VERP senders are longer


def daemon(case: Case) -> Finding | None:
    """From, if it is a mail system's own sender and not the postmaster a person may be."""
    value = case.message.get("From") or ""
    sender = case.from_
    if sender is None:
        bare = _BARE.match(value[:100].lower())
        return ("From", value) if bare and bare[1] != "postmaster" else None
    local = case.sender_local
    named = " ".join(sender.name.lower().strip("\"' ").split()) in _DAEMON_NAMES
    return ("From", value) if local in _DAEMONS or named or _EXCHANGE.fullmatch(local) else None


def postmaster(case: Case) -> Finding | None:
    """From, if it is a postmaster: a mail system only where something else says so too."""
    value = case.message.get("From") or ""
    return ("From", value) if case.sender_local == "postmaster" else None


def robot(case: Case) -> list[Finding]:
    """Row 11: a sender at which nobody reads answers; an allow-listed web form of a customer is none."""
    local = case.sender_local
    if case.web_form or not local or len(local) > _LONGEST_LOCAL or not _ROBOT.fullmatch(local):
        return []
    return [("From", case.sender)]


def role(case: Case) -> list[Finding]:
    """Row 11: postmaster, abuse and root alone are people; they get no acknowledgement and nothing more."""
    return [("From", case.sender)] if case.sender_local in _ROLES else []


def web_form(case: Case) -> list[Finding]:
    """Row 11: our own form wrote it for the customer in Reply-To."""
    return [("Reply-To", case.web_form)] if case.web_form else []
