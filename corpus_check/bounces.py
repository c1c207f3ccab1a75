"""Measures the reader of bounces on a folder with mails and a `labels.jsonl`. `corpus_check.__main__` enters."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from massmail_plugin.feedback.reports import Report, ReportKind, read_report

Label = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reading:
    """One labelled mail and what was read out of it; `fault` is the exception it raised, which it never should."""

    label: Label
    report: Report
    has_status_part: bool
    fault: str = ""

    @property
    def expected(self) -> Sequence[Label]:
        recipients: Sequence[Label] = self.label["recipients"]
        return recipients

    @property
    def missed(self) -> list[Label]:
        """Labelled recipients that were not found under any spelling that counts."""
        return [one for one in self.expected if not any(_fits(one, found) for found in self._addresses)]

    @property
    def wrong(self) -> list[str]:
        """Addresses found that no label has."""
        return [found for found in self._first_addresses if not any(_fits(one, found) for one in self.expected)]

    @property
    def wrong_class(self) -> list[Label]:
        """Labelled recipients whose class is not what was read end to end; those that say none do not count."""
        return [one for one in self.expected if one.get("class") and self._class_of(one) != one["class"]]

    @property
    def wrong_hard(self) -> list[Label]:
        return [one for one in self.expected if one.get("hard") is not None and self._hard_of(one) != one["hard"]]

    @property
    def _addresses(self) -> list[str]:
        return [name for one in self.report.recipients for name in one.names]

    @property
    def _first_addresses(self) -> list[str]:
        return [one.address for one in self.report.recipients]

    def _class_of(self, label: Label) -> str | None:
        found = [one.lasting for one in self.report.recipients if any(_fits(label, name) for name in one.names)]
        return found[0].value if found and found[0] else None

    def _hard_of(self, label: Label) -> bool:
        return any(one.hard for one in self.report.recipients if any(_fits(label, name) for name in one.names))


def readings(folder: Path) -> Iterator[Reading]:
    """Every scored mail of a folder, read from its file. Labels marked ambiguous are left out."""
    for line in (folder / "labels.jsonl").read_text("utf-8").splitlines():
        label = json.loads(line)
        if not label.get("ambiguous"):
            yield _reading(folder / label["file"], label)


def measure(folder: Path) -> dict[str, float | int]:
    """The figures of a folder: shares of 0 to 1, and counts."""
    return figures(list(readings(folder)))


def figures(read: Sequence[Reading]) -> dict[str, float | int]:
    """The figures of these readings, by the names they have in the last line of `make corpus`."""
    bounces = [one for one in read if one.label["kind"] == "bounce" and one.expected]
    bare = [one for one in bounces if not one.has_status_part]
    found = sum(len(one.report.recipients) for one in bounces)
    wrong = sum(len(one.wrong) for one in bounces)
    classed = sum(1 for one in bounces for label in one.expected if label.get("class"))
    delays = [one for one in read if one.label["kind"] == "delay"]
    complaints = [one for one in read if one.label["kind"] == "complaint"]
    named = [one for one in complaints if one.expected]
    authentication = [one for one in read if one.label["kind"] == "report-not-complaint"]
    ordinary = [one for one in read if one.label["kind"] in ("none", "autoreply", "delivered")]
    return {
        "bounces.found": _share(sum(not one.missed for one in bounces), len(bounces)),
        "bounces.found_without_dsn": _share(sum(not one.missed for one in bare), len(bare)),
        "bounces.precision": _share(found - wrong, found),
        "bounces.class_end_to_end": _share(classed - sum(len(one.wrong_class) for one in bounces), classed),
        "bounces.kind": _share(sum(one.report.kind is ReportKind.BOUNCE for one in bounces), len(bounces)),
        "bounces.hard": _share(
            sum(one.get("hard") is not None for each in bounces for one in each.expected)
            - sum(len(one.wrong_hard) for one in bounces),
            sum(one.get("hard") is not None for each in bounces for one in each.expected),
        ),
        "delays": _share(sum(one.report.kind is ReportKind.DELAY for one in delays), len(delays)),
        "false_positives": sum(one.report.kind in (ReportKind.BOUNCE, ReportKind.COMPLAINT) for one in ordinary),
        "exceptions": sum(bool(one.fault) for one in read),
        "complaints": _share(sum(one.report.kind is ReportKind.COMPLAINT for one in complaints), len(complaints)),
        "complaints.addresses": _share(sum(not one.missed for one in named), len(named)),
        "auth_reports": _share(
            sum(one.report.kind is ReportKind.REPORT_NOT_COMPLAINT for one in authentication), len(authentication)
        ),
        "autoreplies": _share(
            sum(one.report.kind is ReportKind.AUTOREPLY for one in read if one.label["kind"] == "autoreply"),
            sum(one.label["kind"] == "autoreply" for one in read),
        ),
        "messages": len(read),
    }


def faults(folder: Path) -> Iterator[str]:
    """A line for each mail that was read otherwise than its label says."""
    for one in readings(folder):
        said = [
            f"missed {label['address']}" if label in one.missed else f"class of {label['address']}"
            for label in one.expected
            if label in one.missed or label in one.wrong_class
        ]
        said += [f"wrong {address}" for address in one.wrong]
        if one.report.kind.value != one.label["kind"]:
            said.append(f"{one.label['kind']} taken for {one.report.kind.value}")
        if one.fault or said:
            yield f"{one.label['file']}: {'; '.join([one.fault, *said] if one.fault else said)}"


def _reading(file: Path, label: Label) -> Reading:
    raw = file.read_bytes()
    lower = raw.lower()
    has_status = b"message/delivery-status" in lower or b"message/global-delivery-status" in lower
    try:
        return Reading(label, read_report(raw), has_status)
    except Exception as fault:  # A measuring tool reports what went wrong, whatever it is.
        return Reading(label, Report(), has_status, repr(fault))


def _fits(label: Label, address: str) -> bool:
    return address.casefold() in {one.casefold() for one in [label["address"], *label.get("accept", ())]}


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 1.0
