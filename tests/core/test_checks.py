"""`check --deploy` names what is missing or unsafe, and is content with a sound installation."""

from __future__ import annotations

import pytest

from saas.core.checks import findings
from saas.env import EnvironmentInvalid, read

SOUND = {
    "ZONE": "intranet",
    "PROCESS": "web",
    "DATABASE_URL": "postgresql://app:x@db.example:5432/yunshu?sslmode=verify-full",
    "SECRET_KEY": "k" * 40,
    "VAULT_ADDR": "https://vault.example:8200",
    "VAULT_ROLE_ID": "r",
    "VAULT_SECRET_ID": "s",
    "S3_ENDPOINT_URL": "https://s3.example",
    "S3_ACCESS_KEY_ID": "a",
    "S3_SECRET_ACCESS_KEY": "b",
    "HOST_SUFFIX": "gov.example",
    "METRICS_PORT": "9100",
}


def test_a_sound_installation_has_no_finding() -> None:
    assert list(findings(read(SOUND))) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"DEMO": "true"}, "yunshu.E001"),
        ({"PUBLIC_SCHEME": "http"}, "yunshu.E002"),
        ({"HOST_SUFFIX": "localhost"}, "yunshu.E003"),
        ({"VAULT_ADDR": "http://vault.example:8200"}, "yunshu.E004"),
        ({"DATABASE_URL": "postgresql://app:x@db.example/yunshu"}, "yunshu.E005"),
        ({"OWNER_DATABASE_URL": "postgresql://o:x@db.example/yunshu?sslmode=require"}, "yunshu.E006"),
        ({"S3_ENDPOINT_URL": ""}, "yunshu.W001"),
        ({"S3_ACCESS_KEY_ID": ""}, "yunshu.E007"),
        ({"METRICS_PORT": ""}, "yunshu.W002"),
    ],
)
def test_what_is_unsafe_is_named(change: dict[str, str], expected: str) -> None:
    assert [found.id for found in findings(read({**SOUND, **change}))] == [expected]


def test_wrong_variables_are_named_all_at_once_and_never_repeated() -> None:
    with pytest.raises(EnvironmentInvalid) as refused:
        read({**SOUND, "ZONE": "internet", "SECRET_KEY": "canary-short", "VAULT_ADDR": ""})
    assert len(refused.value.problems) == 3
    assert "canary-short" not in str(refused.value)
