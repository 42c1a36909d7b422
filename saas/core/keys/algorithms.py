"""Names the algorithm of every envelope, digest and signature, so a later one can stand beside it."""

from __future__ import annotations

import enum

from django.utils.translation import gettext as _

from saas.core.errors import Invalid


class Algorithm(enum.StrEnum):
    """The closed set of algorithm identifiers. The SM values are reserved: named, stored nowhere yet."""

    AES_256_GCM = "AES-256-GCM"
    SHA_256 = "SHA-256"
    ECDSA_P256_SHA256 = "ECDSA-P256-SHA256"
    RSA_PKCS1_SHA256 = "RSA-PKCS1-SHA256"
    SM4_GCM = "SM4-GCM"
    SM3 = "SM3"
    SM2_SM3 = "SM2-SM3"


RESERVED = frozenset({Algorithm.SM4_GCM, Algorithm.SM3, Algorithm.SM2_SM3})


class SealKeyKind(enum.StrEnum):
    """What kind of key a seal signs with; the value is Vault transit's key type."""

    RSA_3072 = "rsa-3072"
    ECDSA_P256 = "ecdsa-p256"

    @property
    def algorithm(self) -> Algorithm:
        """The signature algorithm such a key makes."""
        return Algorithm.RSA_PKCS1_SHA256 if self is SealKeyKind.RSA_3072 else Algorithm.ECDSA_P256_SHA256


def require(name: str, *, among: frozenset[Algorithm]) -> Algorithm:
    """Return the algorithm called `name`.

    Args:
        name: the identifier as stored.
        among: what the caller can work with.

    Raises:
        Invalid: the identifier is unknown, reserved, or not for this use; code ``algorithm.reserved`` or
            ``algorithm.unknown``.
    """
    try:
        algorithm = Algorithm(name)
    except ValueError:
        raise Invalid(_("不认识的算法标识。"), code="algorithm.unknown") from None
    if algorithm in RESERVED:
        message = _("算法 %(name)s 已预留但本系统尚未启用。") % {"name": algorithm.value}
        raise Invalid(message, code="algorithm.reserved")
    if algorithm not in among:
        raise Invalid(_("该算法不能用于此处。"), code="algorithm.unknown")
    return algorithm
