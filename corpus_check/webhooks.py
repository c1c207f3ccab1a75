"""Measures the readers of webhooks on a folder of requests and a `labels.jsonl`. `corpus_check.__main__` enters."""

import json
import secrets
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from massmail_plugin.contracts import EventReader, ProviderEvent
from massmail_plugin.providers import load_event_readers
from massmail_plugin.providers.request_files import Answered, RequestFile, answered, reader_of, request_file

Label = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Heard:
    """One labelled request: what it says when it is not checked, and what it is answered when it is."""

    label: Label
    unchecked: Answered
    checked: Answered

    @property
    def must_be_refused(self) -> bool:
        return bool(self.label["kind"] == "reject")

    @property
    def right(self) -> bool:
        """Taken, with the labelled events: each with its word, recipient, number and time, where the label has one."""
        pairs = zip(self.label["events"], self.unchecked.events, strict=False)
        as_many = len(self.label["events"]) == len(self.unchecked.events)
        return self.unchecked.http < 300 and as_many and all(_same(label, event) for label, event in pairs)

    @property
    def refused(self) -> bool:
        return 400 <= self.checked.http < 500 and not self.checked.events


def heard(folder: Path) -> Iterator[Heard]:
    """Every labelled request of a folder, checked with keys of our own."""
    readers, now = load_event_readers({}), datetime.now(UTC)
    secret = _keys()
    for line in (folder / "labels.jsonl").read_text("utf-8").splitlines():
        label = json.loads(line)
        kept = request_file(folder / label["file"], now)
        yield _heard(label, reader_of(readers, kept.provider), kept, secret)


def _heard(label: Label, reader: EventReader, kept: RequestFile, secret: Sequence[str]) -> Heard:
    unchecked = answered(reader, kept.request, "", verify=False)
    checked = [answered(reader, kept.request, one) for one in secret]
    taken = next((answer for answer in checked if answer.http < 400), checked[0])
    return Heard(label, unchecked, taken)


def _keys() -> list[str]:
    """A password and a public key: each provider finds the kind it needs."""
    public = generate_private_key(SECP256R1()).public_key()
    octets = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return [f"user:{secrets.token_urlsafe()}", b64encode(octets).decode()]


def measure(folder: Path) -> dict[str, float | int]:
    """The figures of a folder: shares of 0 to 1, and counts."""
    return figures(list(heard(folder)))


def figures(requests: Sequence[Heard]) -> dict[str, float | int]:
    """The figures of these requests, by the names they have in the last line of `make corpus`."""
    genuine = [one for one in requests if not one.must_be_refused]
    forged = [one for one in requests if one.must_be_refused]
    return {
        "webhooks.events": _share(sum(one.right for one in genuine), len(genuine)),
        "webhooks.refused": _share(sum(one.refused for one in forged), len(forged)),
        "webhooks.requests": len(requests),
    }


def _same(label: Label, event: ProviderEvent) -> bool:
    said = (event.word.value, event.recipient, None if event.message_id is None else str(event.message_id))
    number = label["provider_message_id"]
    meant = (label["event"], label["recipient"], None if number is None else str(number))
    at = label["timestamp"]
    return said == meant and (at is None or datetime.fromisoformat(at) == event.at)


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 1.0
