"""Keys in Vault: the only package that speaks to it. Keys are made, used and destroyed there and never leave."""

from saas.core.keys.algorithms import Algorithm, SealKeyKind
from saas.core.keys.certificates import Certificate, issue_seal_certificate, seal_authority_pem
from saas.core.keys.client import Health
from saas.core.keys.names import KeyName
from saas.core.keys.services import (
    DataKey,
    Signature,
    WrongKey,
    create_seal_key,
    create_tenant_keys,
    data_key,
    decrypt,
    destroy_tenant_keys,
    encrypt,
    health,
    public_key_pem,
    public_keys_pem,
    require_ready,
    sign,
    sign_many,
    unwrap,
)
from saas.core.keys.signatures import holds, verifies

__all__ = [
    "Algorithm",
    "Certificate",
    "DataKey",
    "Health",
    "KeyName",
    "SealKeyKind",
    "Signature",
    "WrongKey",
    "create_seal_key",
    "create_tenant_keys",
    "data_key",
    "decrypt",
    "destroy_tenant_keys",
    "encrypt",
    "health",
    "holds",
    "issue_seal_certificate",
    "public_key_pem",
    "public_keys_pem",
    "require_ready",
    "seal_authority_pem",
    "sign",
    "sign_many",
    "unwrap",
    "verifies",
]
