"""ConfigMaps and Secrets: what goes in comes out, and what is fixed stays."""

from __future__ import annotations

import base64

import pytest

from idcbench.kube.crud import Client

from .manifests import config_map, named
from .refusal import refused

pytestmark = pytest.mark.idc(proves="api")
LIMIT_BYTES = 1024 * 1024
"""Of the data of one ConfigMap or Secret (validation.go, MaxSecretSize)."""


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def test_config_map_returns_what_was_put_in(idc_client: Client, namespace: str) -> None:
    """A ConfigMap gives back its text and its bytes as they were."""
    text, data = "größer\nals\tnichts", bytes(range(256))
    idc_client.create(config_map("settings", data={"a.conf": text}, binaryData={"blob": encoded(data)}), namespace)
    found = idc_client.get("ConfigMap", "settings", namespace)
    assert found["data"] == {"a.conf": text}
    assert base64.b64decode(found["binaryData"]["blob"]) == data


def test_secret_takes_plain_text_and_returns_it_encoded(idc_client: Client, namespace: str) -> None:
    """A Secret written as plain text is read back in base64, and the plain form is not kept."""
    idc_client.create(named("Secret", "door", stringData={"key": "sesame"}), namespace)
    found = idc_client.get("Secret", "door", namespace)
    assert found["data"] == {"key": encoded(b"sesame")}
    assert found["type"] == "Opaque"
    assert "stringData" not in found


@pytest.mark.idc(negative=True)
@pytest.mark.parametrize("kind", ["ConfigMap", "Secret"])
def test_immutable_object_cannot_be_changed(idc_client: Client, namespace: str, kind: str) -> None:
    """An immutable ConfigMap or Secret refuses other data, and to become mutable again."""
    idc_client.create(named(kind, "fixed", immutable=True, data={"k": encoded(b"v")}), namespace)
    with refused("Invalid", saying="immutable"):
        idc_client.patch(kind, "fixed", {"data": {"k": encoded(b"w")}}, namespace)
    with refused("Invalid", saying="immutable"):
        idc_client.patch(kind, "fixed", {"immutable": False}, namespace)
    assert idc_client.get(kind, "fixed", namespace)["data"] == {"k": encoded(b"v")}


def test_config_map_holds_up_to_one_mebibyte(idc_client: Client, namespace: str) -> None:
    """A ConfigMap of exactly 1 MiB is stored whole."""
    idc_client.create(config_map("full", data={"k": "x" * LIMIT_BYTES}), namespace)
    assert len(idc_client.get("ConfigMap", "full", namespace)["data"]["k"]) == LIMIT_BYTES


@pytest.mark.idc(negative=True)
def test_config_map_above_one_mebibyte_is_refused(idc_client: Client, namespace: str) -> None:
    """One byte more than 1 MiB is refused, and nothing is stored."""
    with refused("Invalid", saying="Too long"):
        idc_client.create(config_map("over", data={"k": "x" * (LIMIT_BYTES + 1)}), namespace)
    assert idc_client.find("ConfigMap", "over", namespace) is None


@pytest.mark.idc(negative=True)
def test_config_map_key_must_be_a_file_name(idc_client: Client, namespace: str) -> None:
    """A key that could lead out of a volume's directory is refused."""
    with refused("Invalid", saying="../etc/passwd"):
        idc_client.create(config_map("odd", data={"../etc/passwd": "x"}), namespace)


@pytest.mark.idc(negative=True)
def test_typed_secret_must_have_its_keys(idc_client: Client, namespace: str) -> None:
    """A Secret for TLS without a private key is refused."""
    with refused("Invalid", saying="tls.key"):
        idc_client.create(named("Secret", "half", type="kubernetes.io/tls", data={"tls.crt": encoded(b"x")}), namespace)
