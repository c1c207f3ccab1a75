"""`make corpus CORPUS=folder`: prints a table of how much the readers understand, and a last line of JSON.

The folder holds `bounces` and `webhooks`, each with a `labels.jsonl`. It ends with 1 where a figure falls short.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bench.figures import Figure
from corpus_check import bounces, webhooks

FIGURES = (
    Figure("bounces.found", "bounces whose addresses were all found", least=0.985),
    Figure("bounces.found_without_dsn", "those without a delivery-status part", least=0.96),
    Figure("bounces.precision", "addresses found that were right", least=0.995),
    Figure("bounces.class_end_to_end", "permanent or temporary right, end to end", least=0.975),
    Figure("bounces.hard", "dead or not, as the labels have it"),
    Figure("delays", "delays told from bounces", least=0.97),
    Figure("false_positives", "ordinary mail taken for a bounce or complaint", most=0),
    Figure("exceptions", "mails the reader stumbled over", most=0),
    Figure("complaints", "complaints seen", least=1),
    Figure("complaints.addresses", "complaints whose address was found, where there is one", least=1),
    Figure("auth_reports", "authentication reports that do not suppress", least=1),
    Figure("autoreplies", "automatic replies seen"),
    Figure("bounces.read_per_s", "mails read per second, one core"),
    Figure("webhooks.events", "requests whose events were all read right", least=1),
    Figure("webhooks.refused", "requests that must be refused and were", least=1),
)


def main(words: Sequence[str]) -> int:
    """Measure; 0 where every figure reaches what it must."""
    asked = _parser().parse_args(words)
    found = _measured(asked.folder)
    if asked.faults:
        for line in bounces.faults(asked.folder / "bounces"):
            print(line)
    for figure in FIGURES:
        value = found.get(figure.key)
        shown = "not measured" if value is None else f"{value:g}"
        verdict = "" if value is None else figure.verdict(value)
        print(f"{figure.key:<28}{figure.words:<60}{figure.target:<10}{shown:<14}{verdict}".rstrip())
    print(json.dumps(found))
    return int(any(figure.verdict(found[figure.key]) not in ("", "ok") for figure in FIGURES if figure.key in found))


def _measured(folder: Path) -> dict[str, float]:
    found: dict[str, float] = {}
    if (folder / "bounces").is_dir():
        began = time.process_time()
        found |= bounces.measure(folder / "bounces")
        found["bounces.read_per_s"] = round(found["messages"] / (time.process_time() - began))
    if (folder / "webhooks").is_dir():
        found |= webhooks.measure(folder / "webhooks")
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m corpus_check", description=__doc__)
    parser.add_argument("folder", type=Path, help="folder with bounces/ and webhooks/")
    parser.add_argument("--faults", action="store_true", help="also name the mails that were read wrong")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
