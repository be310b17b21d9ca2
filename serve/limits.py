"""The loop breaker's limits: how many acknowledgements may leave before the service stops to think."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

_Count = Annotated[int, Field(ge=0)]

_FREEMAIL = (
    "aol.com free.fr freenet.de gmail.com gmx.at gmx.ch gmx.de gmx.net googlemail.com hotmail.com hotmail.fr",
    "icloud.com laposte.net libero.it live.com mac.com mail.com mail.ru me.com msn.com naver.com orange.fr",
    "outlook.com outlook.de proton.me protonmail.com qq.com t-online.de wanadoo.fr web.de yahoo.co.jp",
    "yahoo.com yandex.ru zoho.com 126.com 163.com",
)
FREEMAIL = frozenset(domain for line in _FREEMAIL for domain in line.split())


class Limits(BaseModel):
    """Limits on acknowledgements, all counted in the journal before anything is sent.

    Responders exist that change their address every round, so the subject and the body count for themselves,
    whoever the sender is. 0 switches acknowledgements of that measure off altogether.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    per_address_day: _Count = 3
    per_subject_day: _Count = 2
    per_body_day: _Count = 3
    per_domain_hour: _Count = 20
    per_freemail_domain_hour: _Count = 200
    freemail: frozenset[str] = FREEMAIL
    silence_days: _Count = 60  # how long an address whose acknowledgement bounced gets none
    global_hour: _Count = 1000  # acknowledgements in an hour that trip the global breaker
    loop_signs_hour: _Count = 50  # own mail come back, refusals and bounced acknowledgements that trip it

    def per_domain(self, domain: str) -> int:
        """How many acknowledgements this domain may get in an hour."""
        return self.per_freemail_domain_hour if domain in self.freemail else self.per_domain_hour
