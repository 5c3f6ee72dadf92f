"""The synchronous client against the fake API server."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
from fake_api import Break, Drop, FakeApi, Fault, Hang, Kind, Refuse, Say, Stall

from idcbench.kube.apierror import ApiError
from idcbench.kube.crud import Client, Manifest, Manifests, WaitTimeoutError

POD: Manifest = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "namespace": "default"}, "spec": {}}
PODS = "/api/v1/namespaces/default/pods"


@pytest.fixture
def client(api: FakeApi) -> Iterator[Client]:
    with Client(api.access, timeout_s=5) as client:
        yield client


def test_create_get_patch_replace_delete(client: Client) -> None:
    made = client.create(POD)
    assert client.get("Pod", "a", "default") == made == client.find("pods", "a", "default")
    patched = client.patch("Pod", "a", {"spec": {"nodeName": "n1"}}, "default")
    assert patched["spec"] == {"nodeName": "n1"}
    patched["spec"] = {}
    assert client.replace(patched)["spec"] == {}
    with pytest.raises(ApiError) as refused:
        client.replace(made)
    assert (refused.value.status, refused.value.reason) == (409, "Conflict")
    client.delete("Pod", "a", "default")
    assert client.find("Pod", "a", "default") is None
    assert client.delete("Pod", "a", "default", missing_ok=True) is None


def test_a_refusal_tells_status_reason_message_and_path(client: Client) -> None:
    with pytest.raises(ApiError) as refused:
        client.get("Pod", "none", "default")
    error = refused.value
    assert (error.status, error.reason, error.message) == (404, "NotFound", 'pods "none" not found')
    assert str(error) == f'GET {PODS}/none: 404 NotFound: pods "none" not found'


def test_apply_says_who_applies_and_forces(client: Client, api: FakeApi) -> None:
    client.apply(POD, field_manager="me", force=True)
    seen = api.seen[-1]
    assert (seen.method, seen.path, seen.query) == ("PATCH", f"{PODS}/a", {"fieldManager": "me", "force": "true"})
    assert seen.headers["Content-Type"] == "application/apply-patch+yaml"


def test_patch_types(client: Client, api: FakeApi) -> None:
    client.create(POD)
    client.patch("Pod", "a", {"spec": {}}, "default", patch_type="strategic")
    assert api.seen[-1].headers["Content-Type"] == "application/strategic-merge-patch+json"
    api.next(Refuse(422, "Invalid"), method="PATCH")
    with pytest.raises(ApiError):
        client.patch("Pod", "a", [{"op": "remove", "path": "/x"}], "default", patch_type="json")
    assert api.seen[-1].headers["Content-Type"] == "application/json-patch+json"
    assert api.seen[-1].body == b'[{"op": "remove", "path": "/x"}]'


def test_list_reads_all_pages_and_names_the_kind(client: Client, api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("idcbench.kube.crud.PAGE_SIZE", 2)
    for name in "abcde":
        api.put(f"{PODS}/{name}", {})
    pods = client.list("Pod", "default", label_selector="app=x")
    assert [pod["metadata"]["name"] for pod in pods] == list("abcde")
    assert {(pod["apiVersion"], pod["kind"]) for pod in pods} == {("v1", "Pod")}
    assert {seen.query["labelSelector"] for seen in api.seen if seen.path == PODS} == {"app=x"}
    assert client.list("Node") == []


def test_subresources(client: Client, api: FakeApi) -> None:
    client.evict("a", "default")
    assert api.seen[-1].path == f"{PODS}/a/eviction"
    client.bind("a", "default", "n1")
    assert api.seen[-1].path == f"{PODS}/a/binding"
    assert client.token("robot", "default") == "t0ken"
    api.put("/apis/apps/v1/namespaces/default/deployments/web", {"spec": {"replicas": 1}})
    client.scale("Deployment", "web", 3, "default")
    assert api.seen[-1].path.endswith("/deployments/web/scale")
    api.put("/apis/certificates.k8s.io/v1/certificatesigningrequests/r", {"apiVersion": "certificates.k8s.io/v1",
            "kind": "CertificateSigningRequest", "status": {}})  # fmt: skip
    approved = client.approve("r")
    assert api.seen[-1].path.endswith("/r/approval")
    assert approved["status"]["conditions"][0]["type"] == "Approved"


def test_an_eviction_that_a_budget_forbids_is_not_repeated(client: Client, api: FakeApi) -> None:
    api.next(Refuse(429, "TooManyRequests", "Cannot evict pod", retry_after="10"), method="POST")
    with pytest.raises(ApiError) as refused:
        client.evict("a", "default")
    assert (refused.value.status, refused.value.retry_after_s) == (429, 10.0)
    assert api.count(method="POST") == 1


def test_a_read_is_tried_again_at_429_and_says_so(
    client: Client, api: FakeApi, caplog: pytest.LogCaptureFixture
) -> None:
    api.put(f"{PODS}/a", {})
    client.path("Pod")
    api.next(Refuse(429, "TooManyRequests", retry_after="0"), times=3)
    with caplog.at_level(logging.WARNING, "idcbench"):
        assert client.get("Pod", "a", "default")["metadata"]["name"] == "a"
    assert len([each for each in caplog.messages if "trying again" in each]) == 3
    api.next(Refuse(429, "TooManyRequests", retry_after="0"), times=4)
    with pytest.raises(ApiError, match="429"):
        client.get("Pod", "a", "default")


@pytest.mark.parametrize("fault", [Break(), Drop(), Hang()])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_no_answer_is_status_0_and_a_write_is_sent_once(
    client: Client, api: FakeApi, fault: Fault, method: str
) -> None:
    api.put(f"{PODS}/a", {})
    client.get("Pod", "a", "default")
    api.next(fault, method=method)
    with pytest.raises(ApiError) as failed:
        client.raw(method, f"{PODS}/a", body={}, timeout_s=0.3)
    assert (failed.value.status, failed.value.reason) == (0, "Unreachable")
    assert api.url in failed.value.message
    assert api.count(method=method) == 1


def test_a_server_that_is_not_there_is_named(client: Client, api: FakeApi) -> None:
    client.path("Pod")
    api.stop()
    with pytest.raises(ApiError, match="Connection refused") as failed:
        client.create(POD)
    assert failed.value.status == 0


def test_a_kind_that_was_just_defined_is_found(client: Client, api: FakeApi) -> None:
    client.create(POD)
    api.kinds.append(Kind("Widget", "widgets", "example.com/v1"))
    client.create({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w", "namespace": "default"}})
    assert api.seen[-1].path == "/apis/example.com/v1/namespaces/default/widgets"


def test_an_unknown_kind_is_404(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("idcbench.kube.calls.DISCOVERY_SETTLES_S", 0.1)
    with pytest.raises(ApiError, match="no kind Gadget in v7") as failed:
        client.get("Gadget", "g", api_version="v7")
    assert failed.value.status == 404


def test_a_missing_namespace_is_told_before_anything_is_sent(client: Client, api: FakeApi) -> None:
    client.path("Pod")
    sent = api.count()
    with pytest.raises(ValueError, match="namespace"):
        client.get("Pod", "a")
    with pytest.raises(ValueError, match="namespace"):
        client.create(POD | {"metadata": {"name": "a"}})
    with pytest.raises(ValueError, match="namespace"):
        client.delete_all("Pod")
    assert api.count() == sent


def test_wait_for_sees_what_comes_to_hold(client: Client, api: FakeApi) -> None:
    later = threading.Timer(0.1, lambda: api.put(f"{PODS}/a", {"status": {"phase": "Running"}}))
    later.start()
    pod = client.wait_for("Pod", "a", lambda pod: pod["status"]["phase"] == "Running", "default", timeout_s=5)
    assert pod["metadata"]["name"] == "a"
    later.join()

    def one(pods: Manifests) -> bool:
        return len(pods) == 1

    assert len(client.wait_for_list("Pod", one, "default", timeout_s=5)) == 1


def test_wait_for_waits_out_errors_of_the_server(client: Client, api: FakeApi) -> None:
    api.put(f"{PODS}/a", {})
    client.path("Pod")
    api.next(Refuse(500), times=2)
    assert client.wait_for("Pod", "a", lambda _: True, "default", timeout_s=5)
    api.next(Refuse(403, "Forbidden"))
    with pytest.raises(ApiError, match="Forbidden"):
        client.wait_for("Pod", "a", lambda _: True, "default", timeout_s=5)


def test_a_wait_in_vain_says_what_was_last_seen(client: Client, api: FakeApi) -> None:
    api.put(f"{PODS}/a", {"status": {"phase": "Pending"}})
    with pytest.raises(TimeoutError, match=r"Pod default/a to be running; last seen: a at .*Pending") as failed:
        client.wait_for("Pod", "a", lambda _: False, "default", timeout_s=0.2, what="running")
    assert isinstance(failed.value, WaitTimeoutError)
    with pytest.raises(WaitTimeoutError, match="not found"):
        client.wait_for("Pod", "b", lambda _: True, "default", timeout_s=0.2)


def test_wait_gone_names_the_finalizers_that_hold_it(client: Client, api: FakeApi) -> None:
    client.create(POD | {"metadata": POD["metadata"] | {"finalizers": ["example.com/keep"]}})
    client.delete("Pod", "a", "default")
    with pytest.raises(WaitTimeoutError, match=r"example\.com/keep"):
        client.wait_gone("Pod", "a", "default", timeout_s=0.2)
    client.patch("Pod", "a", {"metadata": {"finalizers": None}}, "default")
    api.remove(f"{PODS}/a")
    client.wait_gone("Pod", "a", "default", timeout_s=5)


def test_impersonation_and_token(client: Client, api: FakeApi) -> None:
    with client.as_user("jane", group="devs") as jane:
        jane.list("Pod", "default")
    assert (api.seen[-1].headers["Impersonate-User"], api.seen[-1].headers["Impersonate-Group"]) == ("jane", "devs")
    with client.with_token("s3cret") as robot:
        robot.list("Pod", "default")
    assert api.seen[-1].headers["Authorization"] == "Bearer s3cret"
    with client.with_token("") as nobody:
        nobody.list("Pod", "default")
    assert "Authorization" not in api.seen[-1].headers
    client.list("Pod", "default")
    assert "Impersonate-User" not in api.seen[-1].headers


def test_events_come_one_by_one_and_silence_ends_the_watch(client: Client, api: FakeApi) -> None:
    api.put(f"{PODS}/a", {})
    api.next(Stall(after=2), watch=True)
    events = client.events(PODS, query={"resourceVersion": "0"}, timeout_s=0.3)
    assert next(events)["type"] == "ADDED"
    api.remove(f"{PODS}/a")
    assert next(events)["type"] == "DELETED"
    with pytest.raises(ApiError, match="no answer"):
        next(events)


def test_a_watch_that_is_left_early_does_not_spoil_the_connection(client: Client, api: FakeApi) -> None:
    api.put(f"{PODS}/a", {})
    events = client.events(PODS, query={"resourceVersion": "0"})
    next(events)
    events.close()
    api.put(f"{PODS}/b", {})
    assert len(client.list("Pod", "default")) == 2


def test_a_line_that_is_no_json_does_not_spoil_the_connection(client: Client, api: FakeApi) -> None:
    api.next(Say(b"{half\n"), watch=True)
    with pytest.raises(ApiError, match="no JSON"):
        next(client.events(PODS, query={"resourceVersion": "0"}))
    assert client.list("Pod", "default") == []


def test_raw_takes_a_text_as_it_is(client: Client, api: FakeApi) -> None:
    api.next(Refuse(400, "BadRequest"), method="POST")
    with pytest.raises(ApiError, match="400"):
        client.raw("POST", PODS, body="{half")
    assert api.seen[-1].body == b"{half"


def test_importing_the_client_does_not_import_the_kubernetes_package() -> None:
    code = "import sys, idcbench.kube.crud, idcbench.kube.kubeconfig; sys.exit('kubernetes' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
