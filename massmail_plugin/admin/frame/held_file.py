"""An uploaded file that waits inside the page between two steps of a screen: in hidden fields, compressed.

So nothing of it stays on a server, and the next step may be answered by another one. Views enter; nothing is committed.
"""

import base64
import binascii
import zlib
from collections.abc import Iterable
from typing import IO

from massmail_plugin.errors import ImportRefused

LARGEST = 5_000_000
PIECE = 60_000
"""Characters of one field: far below what Flask takes for a form field by default."""


def taken(stream: IO[bytes]) -> bytes:
    """The bytes of an upload. Raises ImportRefused for an empty one or one that is too large for a page."""
    data = stream.read(LARGEST + 1)
    if not data:
        raise ImportRefused("The file is empty. Nothing was imported.")
    return _not_too_large(data)


def packed(data: bytes) -> list[str]:
    """The values of the hidden fields."""
    text = base64.b64encode(zlib.compress(data)).decode("ascii")
    return [text[at : at + PIECE] for at in range(0, len(text), PIECE)]


def unpacked(pieces: Iterable[str]) -> bytes:
    """The file again; at most LARGEST bytes are ever unpacked. Raises ImportRefused for what is none of ours."""
    inflate = zlib.decompressobj()
    try:
        data = inflate.decompress(base64.b64decode("".join(pieces), validate=True), LARGEST + 1)
    except (binascii.Error, ValueError, zlib.error):
        data = b""
    if not data:
        raise ImportRefused("The file did not come along. Choose it again. Nothing was imported.")
    return _not_too_large(data)


def _not_too_large(data: bytes) -> bytes:
    if len(data) > LARGEST:
        raise ImportRefused(
            f"The file is larger than {LARGEST // 1_000_000} MB. Split it, or keep the address column alone."
        )
    return data
