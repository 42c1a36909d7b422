"""Keys: bound to their tenant and purpose, used in Vault, refused to every process that has no business with them."""

from __future__ import annotations

import hashlib
import logging
import secrets
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from hypothesis import given
from hypothesis import strategies as st

from saas.core import keys
from saas.core.errors import Invalid, NotFound, Unavailable
from saas.core.keys import Algorithm, Health, KeyName, SealKeyKind, WrongKey
from saas.core.keys.cache import DataKeyCache
from saas.core.keys.client import KeyMissing, VaultClient
from saas.core.keys.policies import TABLE, Capability, role_name, rules
from saas.core.keys.services import forget_cached_keys
from saas.core.keys.setup import VaultSetup
from saas.core.tenancy import TenantRef
from saas.env import Process, Zone, env
from tests.core.vault import acting_as, approle_client, own_vault

SEAL = uuid.uuid4()
DIGEST = hashlib.sha256(b"bytes to sign").digest()


def new_ref(name: str = "丙市档案局") -> TenantRef:
    return TenantRef(uuid.uuid4(), f"b_{secrets.token_hex(6)}", "gamma", name)


@pytest.fixture(scope="module")
def one() -> Iterator[TenantRef]:
    ref = new_ref()
    keys.create_tenant_keys(ref)
    yield ref
    keys.destroy_tenant_keys(ref)


@pytest.fixture(scope="module")
def other() -> Iterator[TenantRef]:
    ref = new_ref("丁市教育局")
    keys.create_tenant_keys(ref)
    yield ref
    keys.destroy_tenant_keys(ref)


def test_a_data_key_comes_back_for_the_same_tenant_and_context(one: TenantRef) -> None:
    made = keys.data_key(one, b"object")
    forget_cached_keys()
    assert keys.unwrap(one, made.wrapped, b"object") == made.plaintext
    assert len(made.plaintext) == 32
    assert repr(made.plaintext) not in repr(made)


def test_a_data_key_is_refused_to_another_context_or_tenant(one: TenantRef, other: TenantRef) -> None:
    made = keys.data_key(one, b"object")
    with pytest.raises(WrongKey):
        keys.unwrap(one, made.wrapped, b"another object")
    with pytest.raises(WrongKey):
        keys.unwrap(other, made.wrapped, b"object")


def test_small_secrets_are_encrypted_for_their_tenant_alone(one: TenantRef, other: TenantRef) -> None:
    hidden = keys.encrypt(one, "口令".encode(), b"device 1")
    assert keys.decrypt(one, hidden, b"device 1") == "口令".encode()
    with pytest.raises(WrongKey):
        keys.decrypt(other, hidden, b"device 1")


def test_creating_keys_twice_changes_nothing(one: TenantRef) -> None:
    made = keys.data_key(one, b"object")
    before = keys.public_keys_pem(KeyName.packages(one))
    keys.create_tenant_keys(one)
    forget_cached_keys()
    assert keys.unwrap(one, made.wrapped, b"object") == made.plaintext
    assert keys.public_keys_pem(KeyName.packages(one)) == before


def test_destroyed_keys_leave_nothing_readable() -> None:
    ref = new_ref()
    keys.create_tenant_keys(ref)
    keys.create_seal_key(ref, SEAL, SealKeyKind.ECDSA_P256)
    wrapped = keys.data_key(ref, b"object").wrapped
    keys.destroy_tenant_keys(ref)
    with pytest.raises(WrongKey):
        keys.unwrap(ref, wrapped, b"object")
    with pytest.raises(NotFound):
        keys.data_key(ref, b"object")
    with pytest.raises(NotFound):
        keys.public_key_pem(KeyName.seal(ref, SEAL))
    keys.destroy_tenant_keys(ref)


def test_destroying_one_tenants_keys_spares_the_others(one: TenantRef) -> None:
    ref = new_ref()
    keys.create_tenant_keys(ref)
    made = keys.data_key(one, b"object")
    keys.destroy_tenant_keys(ref)
    forget_cached_keys()
    assert keys.unwrap(one, made.wrapped, b"object") == made.plaintext


def test_an_ecdsa_signature_verifies_with_the_public_key(one: TenantRef) -> None:
    signature = keys.sign(KeyName.packages(one), DIGEST, Algorithm.ECDSA_P256_SHA256)
    public = load_pem_public_key(keys.public_key_pem(KeyName.packages(one)).encode())
    assert isinstance(public, ec.EllipticCurvePublicKey)
    public.verify(signature, DIGEST, ec.ECDSA(utils.Prehashed(SHA256())))
    with pytest.raises(InvalidSignature):
        public.verify(signature, bytes(32), ec.ECDSA(utils.Prehashed(SHA256())))


def test_many_digests_are_signed_in_order(one: TenantRef) -> None:
    digests = [hashlib.sha256(bytes([n])).digest() for n in range(20)]
    signed = keys.sign_many(KeyName.packages(one), digests, Algorithm.ECDSA_P256_SHA256)
    public = load_pem_public_key(keys.public_key_pem(KeyName.packages(one)).encode())
    assert isinstance(public, ec.EllipticCurvePublicKey)
    for digest, signature in zip(digests, signed, strict=True):
        assert signature.algorithm is Algorithm.ECDSA_P256_SHA256
        public.verify(signature.value, digest, ec.ECDSA(utils.Prehashed(SHA256())))


@pytest.mark.parametrize("algorithm", [Algorithm.SM2_SM3, Algorithm.SM3, Algorithm.SM4_GCM])
def test_reserved_algorithms_are_refused_by_name(one: TenantRef, algorithm: Algorithm) -> None:
    with pytest.raises(Invalid) as refusal:
        keys.sign(KeyName.packages(one), DIGEST, algorithm)
    assert refusal.value.code == "algorithm.reserved"


@pytest.mark.parametrize("kind", list(SealKeyKind))
def test_a_seal_gets_a_certificate_for_a_key_that_never_leaves_vault(one: TenantRef, kind: SealKeyKind) -> None:
    key = keys.create_seal_key(one, uuid.uuid4(), kind)
    issued = keys.issue_seal_certificate(one, key, kind, common_name="丙市档案局办公室")
    certificate = x509.load_pem_x509_certificate(issued.pem.encode())
    authority = x509.load_pem_x509_certificate(keys.seal_authority_pem().encode())
    certificate.verify_directly_issued_by(authority)
    assert certificate.subject.rfc4514_string() == "CN=丙市档案局办公室,O=丙市档案局,C=CN"
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.digital_signature, usage.content_commitment, usage.key_cert_sign) == (True, True, False)
    signature, public = keys.sign(key, DIGEST, kind.algorithm), certificate.public_key()
    if isinstance(public, rsa.RSAPublicKey):
        assert public.key_size == 3072
        public.verify(signature, DIGEST, padding.PKCS1v15(), utils.Prehashed(SHA256()))
    else:
        assert isinstance(public, ec.EllipticCurvePublicKey)
        public.verify(signature, DIGEST, ec.ECDSA(utils.Prehashed(SHA256())))


def test_a_certificate_says_the_bureaus_own_name_whatever_is_asked(one: TenantRef) -> None:
    key = keys.create_seal_key(one, uuid.uuid4(), SealKeyKind.ECDSA_P256)
    issued = keys.issue_seal_certificate(one, key, SealKeyKind.ECDSA_P256, common_name="国务院办公厅")
    subject = x509.load_pem_x509_certificate(issued.pem.encode()).subject
    assert subject.get_attributes_for_oid(x509.NameOID.ORGANIZATION_NAME)[0].value == "丙市档案局"


@given(schema=st.text(max_size=20))
def test_no_other_text_becomes_the_name_of_a_key(schema: str) -> None:
    ref = TenantRef(uuid.uuid4(), schema, "x", "x")
    if schema != "public" and not (schema.startswith("b_") and len(schema) == 14):
        with pytest.raises(ValueError, match="not a tenant"):
            KeyName.wrap(ref)


def test_the_cache_is_bounded_and_forgets_a_tenant() -> None:
    cache = DataKeyCache(limit=3)
    for n in range(5):
        cache.put("b_1", f"w{n}", b"", b"k")
    assert len(cache) == 3
    assert cache.get("b_1", "w0", b"") is None
    assert cache.get("b_1", "w4", b"other context") is None
    cache.forget("b_1")
    assert cache.get("b_1", "w4", b"") is None


def test_a_cached_key_expires() -> None:
    cache = DataKeyCache(seconds=0)
    cache.put("b_1", "w", b"", b"k")
    assert cache.get("b_1", "w", b"") is None


# --- Policies -----------------------------------------------------------------------------------------------------
S = "b_0123456789ab"
WRAPPING = [("post", f"datakey/plaintext/wrap-{S}"), ("post", f"decrypt/wrap-{S}"), ("post", f"encrypt/wrap-{S}")]
SEALING = [("post", f"sign/seal-{S}-1"), ("post", f"sign/sign-{S}"), ("post", f"keys/seal-{S}-1")]
MARKS = f"marks-intranet/data/books/current/{S}/0123456789abcdef"
HEAD_MARKS = "marks-intranet/data/heads/c1/current"
OWNING = [("post", f"keys/wrap-{S}"), ("delete", f"keys/wrap-{S}"), ("post", f"keys/sign-{S}"), ("list", "keys")]
OTHER_KINDS = [("post", "keys/something")]
# A certificate is of one version of a seal's key.
ROTATING = [("post", f"keys/seal-{S}-1/{act}") for act in ("rotate", "config", "trim")]
HEADS = [("post", "sign/audit-head-c1")]
CELL = [("post", "sign/cell-intranet-c1")]
ALWAYS = [
    ("get", f"export/encryption-key/wrap-{S}"),
    ("get", f"export/signing-key/seal-{S}-1"),
    ("get", f"backup/wrap-{S}"),
    ("post", "keys/audit-head-c1"),
    ("post", f"datakey/plaintext/seal-{S}"),
    ("post", "sign/something"),
    # Another cell's heads and requests.
    ("post", "sign/audit-head-c2"),
    ("get", "keys/audit-head-c2"),
    ("post", "sign/cell-intranet-c2"),
]
REFUSED = {
    Process.WEB: SEALING + OWNING + HEADS + CELL + OTHER_KINDS + ROTATING + ALWAYS,
    Process.JOBS: OWNING + HEADS + CELL + ROTATING + ALWAYS,
    Process.AGENT: WRAPPING + SEALING[:2] + OTHER_KINDS + ALWAYS,
    Process.CLI: OTHER_KINDS + ALWAYS,
}
# Web reads the marks of numbers and jobs raise them; the agent raises those of heads; nobody sees another's.
ABOUT_MARKS: dict[Process, list[tuple[str, str]]] = {
    Process.WEB: [("post", MARKS), ("get", HEAD_MARKS), ("post", HEAD_MARKS), ("post", "pki-seals-intranet/revoke")],
    Process.JOBS: [("get", HEAD_MARKS), ("post", HEAD_MARKS), ("delete", MARKS)],
    Process.AGENT: [("get", MARKS), ("post", MARKS), ("post", "pki-seals-intranet/revoke")],
    Process.CLI: [("delete", MARKS)],
}
ELSEWHERE = [
    ("get", "marks-intranet/data/heads/c2/current"),
    ("post", "marks-intranet/data/heads/c2/current"),
    ("post", "marks-intranet/config"),
    ("post", "marks-extranet/data/books/current/x"),
    ("post", f"transit-extranet/decrypt/wrap-{S}"),
    ("post", "transit-management/sign/commands"),
    ("post", "transit-management/decrypt/wrap-public"),
    ("get", "sys/mounts"),
    ("get", "sys/policies/acl/intranet-c1-web"),
    ("post", "auth/approle/role/intranet-c1-agent/secret-id"),
    ("post", "pki-seals-intranet/root/generate/exported"),
    ("get", "sys/raw/core/keyring"),
]


@pytest.mark.parametrize("process", list(Process))
def test_each_process_is_refused_what_is_not_its_business(process: Process) -> None:
    client = approle_client(Zone.INTRANET, process)
    paths = (
        [(method, f"transit-intranet/{path}") for method, path in REFUSED[process]] + ELSEWHERE + ABOUT_MARKS[process]
    )
    for method, path in paths:
        with pytest.raises(Unavailable) as refusal:
            client.call(method, path, {} if method == "post" else None)
        assert refusal.value.code == "keys.refused", path
    client.close()


@pytest.mark.parametrize(
    ("process", "parameters"),
    [
        (Process.AGENT, {"exportable": True}),
        (Process.AGENT, {"allow_plaintext_backup": True}),
        (Process.JOBS, {"exportable": True}),
        (Process.CLI, {"exportable": True}),
    ],
)
def test_nobody_makes_a_key_that_could_leave_vault(process: Process, parameters: dict[str, object]) -> None:
    client = approle_client(Zone.INTRANET, process)
    path = f"transit-intranet/keys/seal-b_{secrets.token_hex(6)}-1"
    with pytest.raises(Unavailable):
        client.call("post", path, {"type": "ecdsa-p256", **parameters})
    with pytest.raises(Unavailable):
        client.call("post", f"{path}/import", {"type": "ecdsa-p256", "ciphertext": "AAAA"})
    with pytest.raises(KeyMissing):
        client.call("get", path)
    client.close()


def test_the_agent_cannot_make_an_existing_key_exportable(one: TenantRef) -> None:
    client = approle_client(Zone.INTRANET, Process.AGENT)
    with pytest.raises(Unavailable):
        client.call("post", f"transit-intranet/keys/wrap-{one.schema}/config", {"exportable": True})
    client.close()


PUBLIC_HALVES_OF_CELLS = {"transit-intranet/keys/cell-*", "transit-extranet/keys/cell-*"}


def test_the_only_paths_into_another_zone_read_a_public_key() -> None:
    for zone, processes in TABLE.items():
        own = (f"transit-{zone}/", f"pki-seals-{zone}/", f"marks-{zone}/")
        known = PUBLIC_HALVES_OF_CELLS if zone is Zone.MANAGEMENT else {"transit-management/keys/commands"}
        for process in processes:
            for path, rule in rules(zone, "c1", process).items():
                if not path.startswith(own) and rule.capabilities != (Capability.DENY,):
                    assert path in known
                    assert rule.capabilities == (Capability.READ,)


def test_a_role_is_named_by_zone_and_cell_and_another_cells_role_cannot_sign_for_this_one() -> None:
    for zone, processes in TABLE.items():
        for process in processes:
            first, second = rules(zone, "c1", process), rules(zone, "c2", process)
            own = {path for path in first if "c1" in path}
            assert not own & set(second)
            granted = [path for path, rule in first.items() if rule.capabilities != (Capability.DENY,)]
            assert not any("audit-head-*" in path or "sign/cell-*" in path for path in granted)
    assert role_name(Zone.INTRANET, "c2", Process.JOBS) == "intranet-c2-jobs"


def test_a_mark_rises_and_never_falls(one: TenantRef) -> None:
    assert keys.number_mark(one, "云数发〔2026〕") == 0
    for serial in (3, 7, 5):
        keys.raise_number_mark(one, "云数发〔2026〕", serial)
    assert keys.number_mark(one, "云数发〔2026〕") == 7
    assert keys.number_mark(one, "云数函〔2026〕") == 0
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda serial: keys.raise_number_mark(one, "云数发〔2026〕", serial), range(8, 20)))
    assert keys.number_mark(one, "云数发〔2026〕") == 19
    before = keys.head_marks(Zone.INTRANET, "c1")
    keys.raise_head_marks(Zone.INTRANET, "c1", {one.schema: keys.HeadMark(4, "ab")})
    assert keys.head_marks(Zone.INTRANET, "c1") == {**before, one.schema: keys.HeadMark(4, "ab")}


def test_web_does_its_own_work(one: TenantRef) -> None:
    with acting_as(approle_client(Zone.INTRANET, Process.WEB)):
        made = keys.data_key(one, b"object")
        forget_cached_keys()
        assert keys.unwrap(one, made.wrapped, b"object") == made.plaintext
        assert keys.public_key_pem(KeyName.packages(one)).startswith("-----BEGIN PUBLIC KEY")


def test_jobs_seal_and_the_agent_makes_and_destroys() -> None:
    ref = new_ref()
    with acting_as(approle_client(Zone.INTRANET, Process.AGENT)):
        keys.create_tenant_keys(ref)
        keys.sign(KeyName.audit_head(Zone.INTRANET, "c1"), DIGEST, Algorithm.ECDSA_P256_SHA256)
        keys.sign(KeyName.cell(Zone.INTRANET, "c1"), DIGEST, Algorithm.ECDSA_P256_SHA256)
    with acting_as(approle_client(Zone.INTRANET, Process.JOBS)):
        key = keys.create_seal_key(ref, SEAL, SealKeyKind.ECDSA_P256)
        keys.issue_seal_certificate(ref, key, SealKeyKind.ECDSA_P256, common_name="章")
        keys.sign(key, DIGEST, Algorithm.ECDSA_P256_SHA256)
    with acting_as(approle_client(Zone.INTRANET, Process.AGENT)):
        keys.destroy_tenant_keys(ref)


# --- A Vault in trouble -------------------------------------------------------------------------------------------
def test_a_sealed_vault_is_one_clear_sentence_and_a_503() -> None:
    with own_vault() as vault:
        setup = VaultSetup(address=vault.address, token=vault.token)
        done = setup.apply(zones=[Zone.INTRANET], cell="c1", known={})
        role = done.approles["intranet-c1-cli"]
        again = setup.apply(zones=[Zone.INTRANET], cell="c1", known=done.approles)
        assert again.approles["intranet-c1-cli"].secret_id == role.secret_id
        assert again.public_keys == done.public_keys
        client = VaultClient(address=vault.address, role_id=role.role_id, secret_id=role.secret_id)
        with acting_as(client):
            ref = new_ref()
            keys.create_tenant_keys(ref)
            wrapped = keys.data_key(ref, b"object").wrapped
            assert keys.health() is Health.READY
            vault.seal()
            forget_cached_keys()
            assert keys.health() is Health.SEALED
            for attempt in (lambda: keys.data_key(ref, b"object"), lambda: keys.unwrap(ref, wrapped, b"object")):
                with pytest.raises(Unavailable) as refusal:
                    attempt()
                assert (refusal.value.status, refusal.value.code) == (503, "keys.sealed")
                assert "封存" in str(refusal.value)


def test_an_absent_vault_is_unavailable_and_nothing_secret_is_said(caplog: pytest.LogCaptureFixture) -> None:
    client = VaultClient(address="http://127.0.0.1:9", role_id="role-id-canary", secret_id="secret-id-canary")
    with caplog.at_level(logging.DEBUG), pytest.raises(Unavailable) as refusal:
        client.call("get", "transit-intranet/keys/x")
    assert refusal.value.code == "keys.unreachable"
    assert client.health() is Health.UNREACHABLE
    assert "canary" not in caplog.text + repr(client) + repr(refusal.value)


def test_wrong_credentials_are_refused_without_repeating_them(caplog: pytest.LogCaptureFixture) -> None:
    client = VaultClient(address=env.vault_addr, role_id="role-id-canary", secret_id="secret-id-canary")
    with caplog.at_level(logging.DEBUG), pytest.raises(Unavailable) as refusal:
        client.call("get", "transit-intranet/keys/x")
    assert refusal.value.code == "keys.refused"
    assert "canary" not in caplog.text + str(refusal.value)


def test_a_revoked_token_is_replaced_without_anyone_noticing(one: TenantRef) -> None:
    client = approle_client(Zone.INTRANET, Process.WEB)
    client.call("get", f"transit-intranet/keys/sign-{one.schema}")
    client.call("post", "auth/token/revoke-self", {})
    assert client.call("get", f"transit-intranet/keys/sign-{one.schema}")["name"] == f"sign-{one.schema}"
    client.close()


def test_threads_share_one_client(one: TenantRef) -> None:
    from concurrent.futures import ThreadPoolExecutor

    client = approle_client(Zone.INTRANET, Process.WEB)
    with acting_as(client), ThreadPoolExecutor(16) as pool:
        made = list(pool.map(lambda n: keys.data_key(one, bytes([n])), range(64)))
    assert len({key.plaintext for key in made}) == 64
    client.close()
