"""/metrics in the Prometheus format, read from the journal at every scrape: the same in whichever process."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from .bundles import Bundles
from .config import Config
from .instants import SECOND, Clock, now_ms
from .journal import Journal, Tx, counts, deliveries, figures, limits, marks

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class JournalCollector(Collector):
    """Everything the journal knows in numbers. Counts of decisions are kept and only added to: a journal of a
    million decisions is read whole once, not at every scrape.
    """

    def __init__(
        self, journal: Journal, config: Config, bundles: Bundles | None, *, clock: Clock = now_ms
    ) -> None:
        self.journal, self.config, self.bundles, self.clock = journal, config, bundles, clock
        self._lock = threading.Lock()
        self._decided: Counter[counts.Decided] = Counter()
        self._alarms: Counter[str] = Counter()
        self._last_decision = self._last_event = 0

    def collect(self) -> Iterator[Metric]:
        """All metrics of one consistent snapshot."""
        now = self.clock()
        with self._lock, self.journal.read() as tx:
            self._last_decision, decided = counts.decided(tx, self._last_decision)
            self._last_event, told = counts.alarms(tx, self._last_event)
            self._decided += decided
            self._alarms += told
            found = [*self._mailboxes(tx, now), *_waiting(tx, now), *_effects(tx, now), *self._totals()]
            found += [*_edges(tx), *self._bundles()]
        yield from found

    def _mailboxes(self, tx: Tx, now: int) -> Iterator[Metric]:
        age = _gauge("mailbox_fresh_age_seconds", "Since the server last showed the inbox", ["mailbox"])
        failing = _gauge("mailbox_failing", "Whether the mailbox cannot be read now", ["mailbox"])
        watched = {mailbox.name for mailbox in self.config.mailboxes}
        for row in figures.watched(tx):
            if row["name"] in watched:
                fresh = row["fresh_at"]
                # never seen is as old as can be: an absent series would look like a healthy one
                age.add_metric([row["name"]], float("inf") if fresh is None else (now - fresh) / SECOND)
                failing.add_metric([row["name"]], float(bool(row["failure"])))
        yield age
        yield failing

    def _totals(self) -> Iterator[Metric]:
        decisions = CounterMetricFamily(
            "mailml_decisions", "Decisions", labels=["mailbox", "kind", "rule", "bundle"]
        )
        withheld = CounterMetricFamily(
            "mailml_acks_withheld", "Messages that got no acknowledgement", labels=["reason"]
        )
        by_rule: Counter[tuple[str, ...]] = Counter()
        by_reason: Counter[str] = Counter()
        for (mailbox, kind, rule, bundle, reason), count in self._decided.items():
            by_rule[(mailbox, kind, rule, bundle)] += count
            if reason:
                by_reason[reason] += count
        for labels, count in sorted(by_rule.items()):
            decisions.add_metric(list(labels), count)
        for reason, count in sorted(by_reason.items()):
            withheld.add_metric([reason], count)
        alarms = CounterMetricFamily("mailml_alarms", "Alarms told", labels=["kind"])
        for kind, count in sorted(self._alarms.items()):
            alarms.add_metric([kind], count)
        yield decisions
        yield withheld
        yield alarms

    def _bundles(self) -> Iterator[Metric]:
        if self.bundles is None:
            return
        info = _gauge("bundle_info", "The bundles in use", ["role", "bundle"])
        held = {"current": self.bundles.current, "shadow": self.bundles.shadow, "canary": self.bundles.canary}
        for role, bundle in held.items():
            if bundle is not None:
                info.add_metric([role, bundle.id], 1)
        refused = _gauge("bundle_refused", "Whether what stands at the path could not be loaded", ["role"])
        for role in held:
            refused.add_metric([role], float(role in self.bundles.refusals))
        yield info
        yield refused


def _gauge(name: str, says: str, labels: list[str] | None = None) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"mailml_{name}", says, labels=labels or [])


def _waiting(tx: Tx, now: int) -> Iterator[Metric]:
    """Messages by state, how long the oldest has waited, and how fast the latest were."""
    messages = _gauge("messages", "Messages by state", ["state"])
    for state, count in {"new": 0, "decided": 0, "quarantined": 0, **figures.states(tx)}.items():
        messages.add_metric([state], count)
    lag = _gauge("lag_seconds", "How long the oldest undecided message has waited")
    lag.add_metric([], figures.lag(tx, now) / SECOND)
    latency = _gauge(
        "latency_seconds", "From seen to decided and moved, latest messages", ["step", "quantile"]
    )
    for step, spread in figures.latencies(tx).items():
        for quantile, name in (("0.5", "p50"), ("0.99", "p99")):
            if name in spread:
                latency.add_metric([step, quantile], spread[name])
    yield messages
    yield lag
    yield latency


def _effects(tx: Tx, now: int) -> Iterator[Metric]:
    """The outbox by effect and state, its age, and the loop breaker."""
    depth = _gauge("outbox", "Effects by kind and state", ["effect", "state"])
    for effect, states in sorted(figures.outbox_states(tx).items()):
        for state, count in sorted(states.items()):
            depth.add_metric([effect, state], count)
    age = _gauge("outbox_oldest_seconds", "How long the oldest unfinished effect has waited", ["effect"])
    oldest = counts.oldest_by_effect(tx)
    for effect in ("move", "ack", "reply"):
        age.add_metric([effect], (now - oldest[effect]) / SECOND if effect in oldest else 0.0)
    late = _gauge("interactions", "Interactions by state", ["state"])
    for state, count in sorted(figures.conversations(tx, now).items()):
        late.add_metric([state], count)
    breaker = _gauge("breaker_open", "Whether the loop breaker stops acknowledgements")
    breaker.add_metric([], float(limits.tripped(tx) is not None))
    yield from (depth, age, late, breaker)


def _edges(tx: Tx) -> Iterator[Metric]:
    """Tokens, signs of life, webhooks."""
    tokens = _gauge("token_expires_timestamp_seconds", "When the last token of an account ends", ["account"])
    for name, at in marks.every(tx, "token:").items():
        tokens.add_metric([name], at / SECOND)
    alive = _gauge("part_alive_timestamp_seconds", "The last sign of life of a part", ["part"])
    for name, at in marks.every(tx, "part:").items():
        alive.add_metric([name], at / SECOND)
    hooks = _gauge("webhook_deliveries", "Deliveries by target and state", ["target", "state"])
    for target, state, count in deliveries.counts(tx):
        hooks.add_metric([target, state], count)
    yield from (tokens, alive, hooks)


class Metrics:
    """The registry of one process."""

    def __init__(
        self, journal: Journal, config: Config, bundles: Bundles | None = None, *, clock: Clock = now_ms
    ) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self.registry.register(JournalCollector(journal, config, bundles, clock=clock))

    def text(self) -> bytes:
        """What Prometheus reads."""
        return generate_latest(self.registry)
