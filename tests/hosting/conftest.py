"""The databases these tests run on."""

from tests.upkeep.small_host import database_url

__all__ = ["database_url"]
