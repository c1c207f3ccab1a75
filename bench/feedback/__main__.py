"""`make bench-feedback`: runs every part, or those that are named, prints a table and a last line of JSON.

It ends with 1 where a figure could not be measured. A figure that falls short is said in the table.
"""

import sys
from pathlib import Path

from bench.parts import run

RESULTS = Path(__file__).parents[1] / "feedback-results.json"
PARTS = ("tracking", "flush", "scanner", "reader", "pages")

if __name__ == "__main__":
    sys.exit(run("bench.feedback", PARTS, RESULTS, sys.argv[1:], __doc__))
