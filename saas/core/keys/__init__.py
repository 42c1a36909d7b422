"""Keys in Vault: the only package that speaks to it. Keys are made, used and destroyed there and never leave."""

from saas.core.keys.algorithms import Algorithm, SealKeyKind
from saas.core.keys.certificates import (
    Certificate,
    RevocationList,
    issue_seal_certificate,
    revocation_list,
    revoke_certificate,
    seal_authority_pem,
    sign_as_certified,
)
from saas.core.keys.client import Health
from saas.core.keys.marks import HeadMark, head_marks, number_mark, raise_head_marks, raise_number_mark
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
    "HeadMark",
    "Health",
    "KeyName",
    "RevocationList",
    "SealKeyKind",
    "Signature",
    "WrongKey",
    "create_seal_key",
    "create_tenant_keys",
    "data_key",
    "decrypt",
    "destroy_tenant_keys",
    "encrypt",
    "head_marks",
    "health",
    "holds",
    "issue_seal_certificate",
    "number_mark",
    "public_key_pem",
    "public_keys_pem",
    "raise_head_marks",
    "raise_number_mark",
    "require_ready",
    "revocation_list",
    "revoke_certificate",
    "seal_authority_pem",
    "sign",
    "sign_as_certified",
    "sign_many",
    "unwrap",
    "verifies",
]
