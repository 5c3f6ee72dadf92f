"""Audit: who did what, and who was refused, is written down; what is secret is not."""

from __future__ import annotations

from datetime import datetime

import pytest

from idcbench.kube.crud import Client
from idcbench.plugin.live import LiveHost

from .audit import entries, wait_for_entry
from .manifests import config_map, named
from .refusal import refused

pytestmark = pytest.mark.idc(proves="api")
Hosts = tuple[LiveHost, ...]


def test_audit_tells_who_did_what(idc_client: Client, namespace: str, hosts: Hosts) -> None:
    """A deletion is in the audit log with its user, its object, its answer and its time to the microsecond."""
    idc_client.create(config_map("traced"), namespace)
    idc_client.delete("ConfigMap", "traced", namespace)
    entry = wait_for_entry(hosts, namespace, lambda found: found["verb"] == "delete", what="of the deletion")
    about = entry["objectRef"]
    assert (about["resource"], about["namespace"], about["name"]) == ("configmaps", namespace, "traced")
    assert entry["responseStatus"]["code"] == 200
    assert entry["user"]["username"]
    took = datetime.fromisoformat(entry["stageTimestamp"]) - datetime.fromisoformat(entry["requestReceivedTimestamp"])
    assert 0 < took.total_seconds() < 10


def test_audit_tells_who_was_refused(idc_client: Client, namespace: str, hosts: Hosts) -> None:
    """A request that was forbidden is in the audit log too, with who sent it and the reason."""
    with idc_client.with_token(idc_client.token("default", namespace)) as stranger, refused("Forbidden"):
        stranger.create(config_map("never"), namespace)
    entry = wait_for_entry(
        hosts, namespace, lambda found: found.get("responseStatus", {}).get("code") == 403, what="of the refusal"
    )
    assert entry["user"]["username"] == f"system:serviceaccount:{namespace}:default"
    assert entry["annotations"]["authorization.k8s.io/decision"] == "forbid"


def test_audit_tells_who_acted_as_another(idc_client: Client, namespace: str, hosts: Hosts) -> None:
    """A request under another's name is in the audit log with both names."""
    with idc_client.as_user("jane", group="system:masters") as jane:
        jane.create(config_map("hers"), namespace)
    entry = wait_for_entry(hosts, namespace, lambda found: "impersonatedUser" in found, what="of both names")
    assert entry["impersonatedUser"]["username"] == "jane"
    assert entry["user"]["username"] != "jane"


@pytest.mark.idc(negative=True)
def test_audit_does_not_tell_secrets(idc_client: Client, namespace: str, hosts: Hosts) -> None:
    """The audit log tells that a Secret was written, and nothing of what is in it."""
    content = f"sesame-{namespace}"
    idc_client.create(named("Secret", "door", stringData={"key": content}), namespace)
    wait_for_entry(
        hosts, namespace, lambda found: found.get("objectRef", {}).get("name") == "door", what="of the Secret"
    )
    assert entries(hosts, content) == []
