"""The figures of a run: what each must reach, and how near it came."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One number. At least `least` or at most `most`; neither where it is for information."""

    key: str
    words: str
    least: float | None = None
    most: float | None = None

    @property
    def target(self) -> str:
        if self.least is not None:
            return f">= {self.least:,g}"
        return "" if self.most is None else f"<= {self.most:,g}"

    def verdict(self, value: float) -> str:
        """ "ok", or by how much of the target it is short."""
        if self.least is not None and value < self.least:
            return f"short by {1 - value / self.least:.0%}"
        if self.most is not None and value > self.most:
            return f"over by {value / self.most - 1:.0%}" if self.most else f"over by {value:,g}"
        return "" if self.least is self.most is None else "ok"


ENGINE = (
    Figure("engine.rate", "messages a second, one worker"),
    Figure("engine.vs_smtp_source.one", "one worker, uvloop, against smtp-source", least=0.75),
    Figure("engine.vs_smtp_source.one_asyncio", "one worker, stock asyncio", least=0.55),
    Figure("engine.vs_smtp_source.two", "two workers, uvloop", least=0.95),
    Figure("engine.vs_smtp_source.logic", "one worker, filters, conditions and a loop", least=0.5),
    Figure("engine.cpu_us", "CPU microseconds a message, one worker", most=100),
    Figure("engine.vs_naive_cpu", "CPU of the naive way over ours", least=90),
    Figure("engine.vs_post_office", "one worker against django-post-office", least=15),
    Figure("sqlite.vs_postgresql", "rate on SQLite over rate on PostgreSQL", least=1),
)
COSTS = (
    Figure("costs.mark", "share of CPU: the durable mark"),
    Figure("costs.limits", "share of CPU: the limits"),
    Figure("costs.recheck", "share of CPU: the opt-out re-check"),
    Figure("costs.together", "share of CPU: these three", most=0.15),
)
RELAY = (Figure("relay_20ms.rate", "messages a second, 200 connections, 20 ms", least=4000),)
DKIM = (Figure("dkim.rate", "messages a second, two workers, two signatures", least=3500),)
MEMORY = (
    Figure("engine.rss_over_idle_mb", "MB of a worker at the many over the same idle", most=40),
    Figure("engine.rss_growth", "memory at the many over memory at the few", most=1.1),
)
FILL = (Figure("fill.vs_bare", "filling the many against a bare INSERT ... SELECT", most=1.3),)
PANEL = (Figure("panel.growth", "live panel at the many over the panel at 10,000", most=2),)
