"""Limits in plain English, for screens. Nothing is read or written here."""

from datetime import date, datetime

from massmail_plugin.sending.limits.allowance import Limits, Rate
from massmail_plugin.sending.limits.grants import Grant
from massmail_plugin.sending.limits.pace import Book

_STRETCHES = {1: "a second", 60: "a minute", 3600: "an hour", 86_400: "a day"}


def limits_in_words(limits: Limits, day: date) -> list[str]:
    """Each limit that holds on `day`, such as "1,000 an hour" or "gmail.com: 100 a minute"."""
    said = []
    if limits.per_window and limits.window_seconds:
        said.append(_rate(Rate(limits.per_window, limits.window_seconds)))
    if limits.seconds_between > 0:
        said.append(f"{_seconds(limits.seconds_between)} between two mails")
    quota = limits.quota(day)
    if quota is not None:
        warming = ", while it is warmed up" if quota != limits.per_day else ""
        said.append(f"{quota:,} on this day{warming}" if warming else f"{quota:,} a day")
    if quota is not None and limits.spreads_day:
        said.append("spread evenly over the day")
    return said + [f"{domain}: {_rate(rate)}" for domain, rate in limits.domains()]


def why(book: Book, domain: str, grant: Grant) -> str:
    """Why nothing goes now, and when it goes on; `domain` is the one that is at its limit, or "" for all mail."""
    if grant.used_up:
        quota = book.limits.quota(book.now.date())
        return f"{quota:,} of {quota:,} for today are sent; goes on at {_time(book.now, grant.free_at)}."
    next_one = f"the next may leave at {_time(book.now, grant.free_at)}."
    slow = book.standing(domain).slowed(book.now)
    if slow is not None:
        who = f"The server asks for patience with {domain}" if domain else "The server asks for patience"
        return f"{who}, {slow * 60:,.0f} a minute for now; {next_one}"
    said = [_rate(rate) for rate in book.limits.rates(domain, book.now.date())]
    return f"{f'{domain}: ' if domain else ''}{', '.join(said)} at the most; {next_one}"


def _rate(rate: Rate) -> str:
    stretch = _STRETCHES.get(int(rate.seconds)) if rate.seconds == int(rate.seconds) else None
    return f"{rate.count:,} {stretch}" if stretch else f"{rate.count:,} in {_seconds(rate.seconds)}"


def _seconds(number: float) -> str:
    return "1 second" if number == 1 else f"{number:,g} seconds"


def _time(now: datetime, moment: datetime) -> str:
    """The time of day; with its date where that is later than the coming midnight."""
    clock = f"{moment:%H:%M}" if moment.second == 0 else f"{moment:%H:%M:%S}"
    near = (moment.date() - now.date()).days <= 1
    return f"{clock} UTC" if near else f"{clock} UTC on {moment.day} {moment:%b}"
