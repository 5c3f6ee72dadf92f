"""The addons' manifests: what is given lands where it belongs, and nothing that was given can break out."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from idcbench.provisioning.addons import flannel, metrics_server, registry
from idcbench.provisioning.addons.serving import Serving
from idcbench.provisioning.addons.template import Manifest, render

SERVING = Serving(certificate=b"CERTIFICATE", key=b"KEY", ca=b"CA")
ALL = [
    *flannel.manifests(image="an/image:1", pods="10.244.0.0/16", endpoint="172.30.77.100", port=8443),
    *metrics_server.manifests(image="an/image:1", serving=SERVING),
    *registry.manifests(image="an/image:1", serving=SERVING, address="10.96.0.30", node="w1"),
]


def one(kind: str, name: str) -> Manifest:
    (found,) = [each for each in ALL if (each["kind"], each["metadata"]["name"]) == (kind, name)]
    return found


def containers(workload: Manifest) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = workload["spec"]["template"]["spec"]["containers"]
    return found


def test_every_container_runs_the_given_image_and_drops_what_it_does_not_need() -> None:
    workloads = [each for each in ALL if each["kind"] in ("DaemonSet", "Deployment")]
    assert len(workloads) == 3
    for container in (container for workload in workloads for container in containers(workload)):
        assert container["image"] == "an/image:1"
        assert container["securityContext"]["capabilities"]["drop"] == ["ALL"]
        assert "requests" in container["resources"]


def test_flannel_reaches_the_api_by_the_endpoint_and_binds_to_the_nodes_address() -> None:
    daemon, writer = containers(one("DaemonSet", "flannel"))
    environment = {variable["name"]: variable.get("value") for variable in daemon["env"]}
    assert environment["KUBERNETES_SERVICE_HOST"] == "172.30.77.100"
    assert environment["KUBERNETES_SERVICE_PORT"] == "8443"
    assert "--iface=$(HOST_IP)" in daemon["command"]
    assert json.loads(one("ConfigMap", "flannel")["data"]["net-conf.json"])["Network"] == "10.244.0.0/16"
    assert {mount["mountPath"] for mount in writer["volumeMounts"]} == {"/run/flannel", "/etc/cni/net.d"}


def test_no_tls_goes_unchecked() -> None:
    service = one("APIService", "v1beta1.metrics.k8s.io")["spec"]
    assert "insecureSkipTLSVerify" not in service
    assert base64.b64decode(service["caBundle"]) == b"CA"
    (server,) = containers(one("Deployment", "metrics-server"))
    assert not any("insecure" in argument for argument in server["command"])
    assert base64.b64decode(one("Secret", "metrics-server")["data"]["tls.key"]) == b"KEY"


def test_the_registry_stays_on_its_node_at_its_address() -> None:
    assert one("Service", "registry")["spec"]["clusterIP"] == "10.96.0.30"
    pod = one("Deployment", "registry")["spec"]["template"]["spec"]
    assert pod["nodeSelector"] == {"kubernetes.io/hostname": "w1"}
    assert {"path": registry.FOLDER, "type": "DirectoryOrCreate"} in [v.get("hostPath") for v in pod["volumes"]]


def test_a_value_is_a_scalar_whatever_is_in_it() -> None:
    hostile = 'x"\n---\nkind: Secret # $image'
    made = flannel.manifests(image=hostile, pods="10.0.0.0/8", endpoint="::1", port=1)
    assert len(made) == 6
    assert containers(made[-1])[0]["image"] == hostile


def test_a_place_without_a_value_is_an_error() -> None:
    with pytest.raises(KeyError):
        render("flannel.yaml", image="x")
