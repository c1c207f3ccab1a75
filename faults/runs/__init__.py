"""The runs, one file for each thing that breaks. All of them are in FAULTS, by name."""

from faults.run import FAULTS
from faults.runs import (
    clocks,
    contacts,
    databases,
    disks,
    kills,
    poison,
    queues,
    servers,
    starts,
    stops,
)

__all__ = [
    "FAULTS",
    "clocks",
    "contacts",
    "databases",
    "disks",
    "kills",
    "poison",
    "queues",
    "servers",
    "starts",
    "stops",
]
