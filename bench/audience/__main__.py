"""`make bench-audience`: runs every part, or those that are named, prints a table and a last line of JSON.

It ends with 1 where a figure could not be measured. A figure that falls short is said in the table.
"""

import sys
from pathlib import Path

from bench.parts import run

RESULTS = Path(__file__).parents[1] / "audience-results.json"
PARTS = ("count", "funnel", "imports", "screens")

if __name__ == "__main__":
    sys.exit(run("bench.audience", PARTS, RESULTS, sys.argv[1:], __doc__))
