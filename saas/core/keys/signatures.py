"""Checks signatures with public halves alone: no process needs Vault's leave to verify, nor a private key."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from saas.core.keys.algorithms import Algorithm
from saas.core.keys.names import KeyName
from saas.core.keys.services import public_keys_pem

_PREHASHED = Prehashed(hashes.SHA256())


def holds(public_key: str, digest: bytes, signature: bytes, algorithm: Algorithm) -> bool:
    """Whether `signature` over a SHA-256 `digest` was made by the key with this public half.

    Args:
        public_key: PEM.
        digest: 32 bytes.
        signature: DER for ECDSA, raw for RSA.
        algorithm: as stored beside the signature; one that does not fit the key is no signature.
    """
    key = load_pem_public_key(public_key.encode())
    try:
        if isinstance(key, ec.EllipticCurvePublicKey) and algorithm is Algorithm.ECDSA_P256_SHA256:
            key.verify(signature, digest, ec.ECDSA(_PREHASHED))
        elif isinstance(key, rsa.RSAPublicKey) and algorithm is Algorithm.RSA_PKCS1_SHA256:
            key.verify(signature, digest, padding.PKCS1v15(), _PREHASHED)
        else:
            return False
    except InvalidSignature:
        return False
    return True


def verifies(key: KeyName, digest: bytes, signature: bytes, algorithm: Algorithm) -> bool:
    """Whether any version of the Vault key `key` made `signature` over a SHA-256 `digest`.

    Raises:
        NotFound: there is no such key.
        Unavailable: Vault is sealed or away.
    """
    return any(holds(pem, digest, signature, algorithm) for pem in public_keys_pem(key).values())
