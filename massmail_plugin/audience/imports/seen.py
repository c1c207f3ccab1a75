"""Which addresses of a file came before: eight bytes for each, so that a file of millions fits. A leaf, no commits."""

BUCKETS = 4096
_BYTES = 8


class Seen:
    """Remembers texts by their hash. Of a billion different pairs of texts one may be taken for the same."""

    def __init__(self) -> None:
        self._buckets = [bytearray() for _ in range(BUCKETS)]

    def before(self, text: str) -> bool:
        """Whether the text came before; from now on it has."""
        number = hash(text)
        bucket = self._buckets[number % BUCKETS]
        mark = number.to_bytes(_BYTES, "little", signed=True)
        place = bucket.find(mark)
        while place % _BYTES and place >= 0:
            place = bucket.find(mark, place + 1)
        if place >= 0:
            return True
        bucket += mark
        return False
