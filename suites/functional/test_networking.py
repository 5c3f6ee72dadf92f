"""Services, EndpointSlices, Ingresses: who is to be reached, and under which address."""

from __future__ import annotations

import pytest

from idcbench.kube.crud import Client, Manifest, Manifests

from .conftest import Scratch
from .manifests import deployment, named, pod, service
from .refusal import refused
from .states import all_ready, is_ready, name_of, names, phase_is


def endpoints(slices: Manifests) -> list[Manifest]:
    return [endpoint for each in slices for endpoint in each.get("endpoints") or ()]


def serving(slices: Manifests) -> set[str]:
    """The names of the pods that a Service sends requests to."""
    return {each["targetRef"]["name"] for each in endpoints(slices) if each["conditions"]["ready"]}


def wait_for_serving(client: Client, namespace: str, wanted: set[str]) -> Manifests:
    return client.wait_for_list(
        "EndpointSlice", lambda slices: serving(slices) == wanted, namespace,
        label_selector="kubernetes.io/service-name=web", what=f"with {sorted(wanted)} serving",
    )  # fmt: skip


@pytest.mark.idc(proves="controller")
def test_service_leads_to_its_ready_pods(idc_client: Client, namespace: str) -> None:
    """The EndpointSlices of a Service hold the address of each ready pod that it selects, and lose it with the pod."""
    idc_client.create(service("web", app="web"), namespace)
    idc_client.create(deployment("web", replicas=3), namespace)
    pods = idc_client.wait_for_list("Pod", all_ready(3), namespace)
    slices = wait_for_serving(idc_client, namespace, names(pods))
    found = {address for endpoint in endpoints(slices) for address in endpoint["addresses"]}
    assert found == {pod["status"]["podIP"] for pod in pods}
    idc_client.scale("Deployment", "web", 1, namespace)
    left = idc_client.wait_for_list("Pod", all_ready(1), namespace)
    wait_for_serving(idc_client, namespace, names(left))


@pytest.mark.idc(proves="controller", negative=True)
def test_service_sends_nothing_to_pods_that_are_not_ready(idc_client: Client, namespace: str) -> None:
    """A pod that runs but is not ready is listed as not ready, while the ready one beside it serves."""
    idc_client.create(service("web", app="web"), namespace)
    idc_client.create(pod("ill", labels={"app": "web"}, outcome="unready"), namespace)
    idc_client.wait_for("Pod", "ill", phase_is("Running"), namespace, what="running")
    idc_client.create(pod("well", labels={"app": "web"}), namespace)
    slices = wait_for_serving(idc_client, namespace, {"well"})
    ready = {each["targetRef"]["name"]: each["conditions"]["ready"] for each in endpoints(slices)}
    assert ready == {"ill": False, "well": True}


@pytest.mark.idc(proves="controller")
def test_headless_service_names_its_pods(idc_client: Client, namespace: str) -> None:
    """A headless Service has no address of its own; its slices name each pod with its host name."""
    made = idc_client.create(service("web", app="web", clusterIP="None"), namespace)
    assert made["spec"]["clusterIPs"] == ["None"]
    for name in ("a", "b"):
        idc_client.create(pod(name, labels={"app": "web"}, hostname=name, subdomain="web"), namespace)
    slices = wait_for_serving(idc_client, namespace, {"a", "b"})
    assert {each["hostname"] for each in endpoints(slices)} == {"a", "b"}


@pytest.mark.idc(proves="api")
def test_service_gets_an_address_of_its_own(idc_client: Client, namespace: str) -> None:
    """Every Service gets a cluster IP that no other has, and keeps it."""
    addresses = [
        idc_client.create(service(name, app="web"), namespace)["spec"]["clusterIP"] for name in ("a", "b", "c")
    ]
    assert len(set(addresses)) == 3
    idc_client.patch("Service", "a", {"spec": {"selector": {"app": "other"}}}, namespace)
    assert idc_client.get("Service", "a", namespace)["spec"]["clusterIP"] == addresses[0]


@pytest.mark.idc(proves="api", negative=True)
def test_address_of_a_service_is_not_given_twice(idc_client: Client, namespace: str) -> None:
    """A Service that asks for the cluster IP of another is refused."""
    taken = idc_client.create(service("a", app="web"), namespace)["spec"]["clusterIP"]
    with refused("Invalid", saying="already allocated"):
        idc_client.create(service("b", app="web", clusterIP=taken), namespace)


@pytest.mark.idc(proves="api", negative=True)
def test_node_port_is_not_given_twice(idc_client: Client, namespace: str) -> None:
    """A Service that asks for the node port of another is refused."""
    made = idc_client.create(service("a", app="web", type="NodePort"), namespace)
    taken = made["spec"]["ports"][0]["nodePort"]
    with refused("Invalid", saying="already allocated"):
        idc_client.create(service("b", app="web", type="NodePort", ports=[{"port": 80, "nodePort": taken}]), namespace)


@pytest.mark.idc(proves="controller")
def test_service_does_not_count_finished_pods(idc_client: Client, namespace: str) -> None:
    """A pod that has ended gets nothing from the Service, though its object is still there.

    Its address may stay in a slice, as not ready: the controller looks again only when readiness or addresses change.
    """
    idc_client.create(service("web", app="web"), namespace)
    idc_client.create(pod("lasting", labels={"app": "web"}), namespace)
    idc_client.create(pod("ended", labels={"app": "web"}, outcome="failed", restartPolicy="Never"), namespace)
    idc_client.wait_for("Pod", "ended", phase_is("Failed"), namespace, what="failed")
    idc_client.wait_for("Pod", "lasting", is_ready, namespace, what="ready")
    wait_for_serving(idc_client, namespace, {"lasting"})


@pytest.mark.idc(proves="api")
def test_ingress_names_its_class(idc_client: Client, namespace: str, unique: str, scratch: Scratch) -> None:
    """An Ingress keeps its IngressClass, rules and backends, which are what its controller acts on."""
    scratch.create(ingress_class(unique))
    rules = [{"host": "shop.example", "http": {"paths": [path_to("web")]}}]
    idc_client.create(ingress(rules, ingressClassName=unique), namespace)
    found = idc_client.get("Ingress", "shop", namespace)
    assert found["spec"] == {"ingressClassName": unique, "rules": rules}
    assert found["status"] == {"loadBalancer": {}}


@pytest.mark.idc(proves="api", negative=True)
def test_ingress_class_keeps_its_controller(idc_client: Client, unique: str, scratch: Scratch) -> None:
    """The controller of an IngressClass cannot be exchanged under the Ingresses that use it."""
    made = scratch.create(ingress_class(unique))
    with refused("Invalid", saying="immutable"):
        idc_client.patch("IngressClass", name_of(made), {"spec": {"controller": "example.com/other"}})


@pytest.mark.idc(proves="api", negative=True)
def test_ingress_with_a_relative_path_is_refused(idc_client: Client, namespace: str) -> None:
    """An Ingress whose path does not begin at the root is refused."""
    rules = [{"http": {"paths": [path_to("web") | {"path": "shop"}]}}]
    with refused("Invalid", saying="absolute path"):
        idc_client.create(ingress(rules), namespace)


@pytest.mark.idc(proves="api", negative=True)
def test_network_policy_with_an_impossible_port_is_refused(idc_client: Client, namespace: str) -> None:
    """A NetworkPolicy for a port that cannot exist is refused rather than never matched."""
    spec = {"podSelector": {}, "ingress": [{"ports": [{"port": 70000}]}]}
    with refused("Invalid", saying="65535"):
        idc_client.create(named("NetworkPolicy", "odd", api_version="networking.k8s.io/v1", spec=spec), namespace)


def ingress_class(name: str) -> Manifest:
    return named(
        "IngressClass", name, api_version="networking.k8s.io/v1", spec={"controller": "idcbench.io/functional"}
    )


def ingress(rules: Manifests, **spec: object) -> Manifest:
    return named("Ingress", "shop", api_version="networking.k8s.io/v1", spec={"rules": rules} | spec)


def path_to(service: str) -> Manifest:
    backend = {"service": {"name": service, "port": {"number": 80}}}
    return {"path": "/", "pathType": "Prefix", "backend": backend}
