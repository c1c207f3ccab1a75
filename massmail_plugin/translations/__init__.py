"""What recipients read, in their language: shipped catalogues, and the host's own above them. A leaf, no commits."""

from massmail_plugin.translations.catalogues import Wording, languages, matching
from massmail_plugin.translations.speech import Words, words_in

__all__ = ["Wording", "Words", "languages", "matching", "words_in"]
