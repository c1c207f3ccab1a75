"""The figures of `make corpus`: each rises and falls with what they say they count."""

import json
from collections.abc import Mapping
from pathlib import Path
from shutil import copy
from typing import Any

import pytest

from corpus_check import bounces

MAILS = Path(__file__).parents[1] / "feedback" / "reports" / "mails"
ANNA = {"address": "anna@shop.example", "class": "permanent", "hard": True}


def label(file: str, kind: str, *recipients: Mapping[str, Any], **more: object) -> dict[str, Any]:
    return {"file": f"{file}.eml", "kind": kind, "recipients": list(recipients), **more}


RIGHT = [
    label("postfix-unknown", "bounce", ANNA),
    label("exim-two", "bounce", {"address": "gerd@shop.example"}, {"address": "hanna@other.example"}),
    label("gmail-delay", "delay", {"address": "xena@shop.example"}),
    label("arf-abuse", "complaint", {"address": "mia@provider.example"}),
    label("arf-dmarc", "report-not-complaint", {"address": "susi@provider.example"}),
    label("reply-by-a-person", "none"),
    label("auto-english", "autoreply"),
]


@pytest.fixture
def measured(tmp_path):
    def measure(*labels: dict[str, Any]) -> dict[str, float]:
        for one in labels:
            copy(MAILS / one["file"], tmp_path)
        (tmp_path / "labels.jsonl").write_text("\n".join(map(json.dumps, labels)))
        return bounces.measure(tmp_path)

    return measure


def test_all_right_is_all_right(measured):
    found = measured(*RIGHT)
    counts = {"false_positives": 0, "exceptions": 0, "messages": len(RIGHT)}
    assert found == {key: counts.get(key, 1.0) for key in found}


@pytest.mark.parametrize(
    ("wrong", "figures"),
    [
        (label("postfix-unknown", "bounce", {**ANNA, "address": "other@shop.example"}), {"bounces.found": 0.0}),
        (label("postfix-unknown", "bounce", ANNA, {"address": "b@shop.example"}), {"bounces.found": 0.0}),
        (
            label("exim-two", "bounce", {"address": "gerd@shop.example"}),
            {"bounces.precision": 0.5, "bounces.found": 1.0},
        ),
        (label("qmail-no-host", "bounce", {"address": "a@b.example"}), {"bounces.found_without_dsn": 0.0}),
        (label("postfix-unknown", "bounce", {**ANNA, "class": "temporary"}), {"bounces.class_end_to_end": 0.0}),
        (label("postfix-unknown", "bounce", {**ANNA, "hard": False}), {"bounces.hard": 0.0}),
        (label("postfix-unknown", "delay", ANNA), {"delays": 0.0}),
        (label("postfix-unknown", "none"), {"false_positives": 1}),
        (label("arf-abuse", "autoreply"), {"false_positives": 1, "autoreplies": 0.0}),
        (label("arf-abuse", "report-not-complaint"), {"auth_reports": 0.0}),
        (label("arf-dmarc", "complaint"), {"complaints": 0.0}),
        (label("arf-abuse", "complaint", {"address": "b@shop.example"}), {"complaints.addresses": 0.0}),
    ],
)
def test_what_is_wrong_is_counted(measured, wrong, figures):
    found = measured(wrong)
    assert {key: found[key] for key in figures} == figures


def test_another_spelling_that_counts_counts(measured):
    assert measured(label("postfix-unknown", "bounce", {"address": "A", "accept": ["ANNA@shop.example"]}))[
        "bounces.found"
    ]


def test_ambiguous_labels_are_left_out(measured):
    assert measured(label("postfix-unknown", "none", ambiguous=True))["messages"] == 0


def test_what_was_read_wrong_is_named(measured, tmp_path):
    measured(*RIGHT, label("qmail-two", "delay", {"address": "b@shop.example", "class": "temporary"}))
    assert list(bounces.faults(tmp_path)) == [
        "qmail-two.eml: missed b@shop.example; wrong lena@shop.example; wrong max@other.example; delay taken for bounce"
    ]
