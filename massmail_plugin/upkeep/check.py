"""One line of the doctor: what was looked at, how it is, what to do. The files with checks make them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from massmail_plugin.contracts import Host


class Level(StrEnum):
    """How it is; the order of the members is from best to worst."""

    OK = "ok"
    WARNING = "warning"
    FAIL = "fail"


@dataclass(frozen=True)
class Check:
    """One finding; `what_to_do` is empty where all is well."""

    name: str
    level: Level
    text: str
    what_to_do: str = ""


Look = Callable[[Host], Iterable[Check]]


def ok(name: str, text: str) -> Check:
    return Check(name, Level.OK, text)


def warning(name: str, text: str, what_to_do: str) -> Check:
    return Check(name, Level.WARNING, text, what_to_do)


def fail(name: str, text: str, what_to_do: str) -> Check:
    return Check(name, Level.FAIL, text, what_to_do)
