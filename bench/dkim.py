"""Two signatures on every message, RSA-2048 and Ed25519: what two workers send."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bench.engine import FAR_ABOVE, Way
from bench.findings import interleave
from bench.ground import Ground
from bench.wire import check_signatures


def measure(ground: Ground) -> None:
    """Fill in the figures of `figures.DKIM`."""
    way = Way(workers=2, sender={**FAR_ABOVE, **_keys()})
    check_signatures(ground, way, 2)
    engine, sink, messages = ground.few, ground.sink, ground.size.messages
    found = interleave({"dkim": lambda: engine.run(sink, messages, way)}, ground.size.rounds, ground.say)["dkim"]
    ground.findings.keep("dkim", found)
    ground.findings.add("dkim.rate", [sample["rate"] for sample in found])


def _keys() -> dict[str, str]:
    return {
        "dkim_domain": "bench.example",
        "dkim_selector": "rsa",
        "dkim_key": _pem(generate_private_key(65537, 2048)),
        "dkim_ed_selector": "ed",
        "dkim_ed_key": _pem(Ed25519PrivateKey.generate()),
    }


def _pem(key: RSAPrivateKey | Ed25519PrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
