"""Plain manifests in and out, synchronously: what the suites and users' own tests do to a cluster."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import parse_qsl

from .access import Access
from .apierror import ApiError
from .calls import Answer, Calls
from .execution import Executed
from .official import bearer_configuration, exec_in_pod, load_configuration, server_configuration
from .waiting import WaitTimeoutError, patiently, wait_until

__all__ = ["Answer", "ApiError", "Client", "Executed", "Manifest", "Manifests", "WaitTimeoutError"]

Manifest = dict[str, Any]
Manifests = list[Manifest]
PatchType = Literal["merge", "strategic", "json"]
Propagation = Literal["Background", "Foreground", "Orphan"]

FIELD_MANAGER = "idcbench"
PAGE_SIZE = 500
APPLY = "application/apply-patch+yaml"
PATCH_TYPES: Mapping[PatchType, str] = {
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "json": "application/json-patch+json",
}


class Client:
    """A Kubernetes client on manifests as plain dicts. Safe to use from several threads.

    A kind is named as in a manifest (``Deployment``) or in a path (``deployments``); without ``api_version`` the
    version that the server prefers is used. An object of a namespaced kind needs its namespace (``ValueError``).
    Every call raises :class:`ApiError` when the server refuses or does not answer. ``raw`` sends any request,
    ``events`` watches a path once: see :class:`idcbench.kube.calls.Calls`.
    """

    def __init__(self, access: Access, *, timeout_s: float = 30.0) -> None:
        """Read ``access.kubeconfig`` and ``access.context``; connect at the first call. Each call has ``timeout_s``."""
        self._use(Calls(load_configuration(access.kubeconfig, access.context), timeout_s=timeout_s, headers={}))

    def _use(self, calls: Calls) -> None:
        self._calls = calls
        self.raw = calls.raw
        self.events = calls.events

    @classmethod
    def _of(cls, calls: Calls) -> Self:
        client = cls.__new__(cls)
        client._use(calls)
        return client

    def as_user(self, user: str, *, group: str = "") -> Self:
        """A client that impersonates a user, ``system:serviceaccount:NAMESPACE:NAME`` for instance; close it too."""
        headers = {"Impersonate-User": user} | ({"Impersonate-Group": group} if group else {})
        return self._of(Calls(self._calls.configuration, timeout_s=self._calls.timeout_s, headers=headers))

    def with_token(self, token: str) -> Self:
        """A client whose only credential is a bearer token, an empty one makes it anonymous; close it too."""
        configuration = bearer_configuration(self._calls.configuration, token)
        return self._of(Calls(configuration, timeout_s=self._calls.timeout_s, headers={}))

    def at(self, server: str) -> Self:
        """A client of the same user at another server of the cluster, by its URL (``access.members``); close it too."""
        configuration = server_configuration(self._calls.configuration, server)
        return self._of(Calls(configuration, timeout_s=self._calls.timeout_s, headers={}))

    def close(self) -> None:
        """Close the connections."""
        self._calls.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def path(
        self, kind: str, name: str = "", namespace: str = "", *, api_version: str = "", subresource: str = ""
    ) -> str:
        """The path of an object, of its subresource or, without a name, of the collection (for :meth:`raw`)."""
        return self._calls.resource(kind, api_version).path(name, namespace, subresource)

    def create(self, manifest: Manifest, namespace: str = "", *, dry_run: bool = False) -> Manifest:
        """Create an object; ``namespace`` counts where the manifest names none."""
        resource = self._calls.resource(manifest["kind"], manifest["apiVersion"])
        path = resource.collection(_namespace(manifest, namespace))
        return _object(self.raw("POST", path, body=manifest, query=_query(FIELD_MANAGER, dry_run)))

    def apply(
        self, manifest: Manifest, namespace: str = "", *, field_manager: str = FIELD_MANAGER, force: bool = False,
        subresource: str = "", dry_run: bool = False,
    ) -> Manifest:  # fmt: skip
        """Server-side apply: create the object or own the fields given. A conflict of owners is ApiError 409."""
        query = _query(field_manager, dry_run) | ({"force": "true"} if force else {})
        path = self._path_of(manifest, namespace, subresource)
        return _object(self.raw("PATCH", path, body=manifest, query=query, content_type=APPLY))

    def replace(
        self, manifest: Manifest, namespace: str = "", *, subresource: str = "", dry_run: bool = False
    ) -> Manifest:
        """Put the whole object; where it holds a ``resourceVersion``, only if nobody changed it since (else 409)."""
        path = self._path_of(manifest, namespace, subresource)
        return _object(self.raw("PUT", path, body=manifest, query=_query(FIELD_MANAGER, dry_run)))

    def patch(
        self, kind: str, name: str, body: Manifest | Sequence[Manifest], namespace: str = "", *,
        patch_type: PatchType = "merge", api_version: str = "", subresource: str = "", dry_run: bool = False,
    ) -> Manifest:  # fmt: skip
        """Patch an object; ``json`` takes a list of operations."""
        path = self.path(kind, name, namespace, api_version=api_version, subresource=subresource)
        query = _query(FIELD_MANAGER, dry_run)
        return _object(self.raw("PATCH", path, body=body, query=query, content_type=PATCH_TYPES[patch_type]))

    def get(
        self, kind: str, name: str, namespace: str = "", *, api_version: str = "", subresource: str = ""
    ) -> Manifest:
        """Read one object, or its subresource."""
        path = self.path(kind, name, namespace, api_version=api_version, subresource=subresource)
        return _object(self.raw("GET", path))

    def find(self, kind: str, name: str, namespace: str = "", *, api_version: str = "") -> Manifest | None:
        """Read one object; ``None`` when it is not there."""
        try:
            return self.get(kind, name, namespace, api_version=api_version)
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def list(
        self, kind: str, namespace: str = "", *, api_version: str = "", label_selector: str = "",
        field_selector: str = "",
    ) -> Manifests:  # fmt: skip
        """All objects of a kind, read page by page, each with kind and apiVersion; of all namespaces without one."""
        resource = self._calls.resource(kind, api_version)
        query = _selectors(label_selector, field_selector) | {"limit": str(PAGE_SIZE)}
        named = {"apiVersion": resource.api_version, "kind": resource.kind}
        items: Manifests = []
        while True:
            page = self.raw("GET", resource.path("", namespace), query=query).json()
            items += [named | item for item in page["items"] or ()]
            if not (token := page["metadata"].get("continue")):
                return items
            query = query | {"continue": token}

    def delete(
        self, kind: str, name: str, namespace: str = "", *, api_version: str = "",
        propagation: Propagation = "Background", grace_s: int | None = None, missing_ok: bool = False,
    ) -> Manifest | None:  # fmt: skip
        """Ask for an object's deletion, and return what the server says; finalizers may keep it (:meth:`wait_gone`).

        ``None`` when it was not there and ``missing_ok``.
        """
        options: Manifest = {"propagationPolicy": propagation}
        if grace_s is not None:
            options["gracePeriodSeconds"] = grace_s
        path = self.path(kind, name, namespace, api_version=api_version)
        try:
            return _object(self.raw("DELETE", path, body=options))
        except ApiError as error:
            if error.status == 404 and missing_ok:
                return None
            raise

    def delete_all(
        self, kind: str, namespace: str = "", *, api_version: str = "", label_selector: str = "",
        field_selector: str = "", propagation: Propagation = "Background",
    ) -> None:  # fmt: skip
        """Ask for the deletion of all objects of a kind that fit, in one namespace when the kind lives in them."""
        path = self._calls.resource(kind, api_version).collection(namespace)
        query = _selectors(label_selector, field_selector)
        self.raw("DELETE", path, query=query, body={"propagationPolicy": propagation})

    def scale(self, kind: str, name: str, replicas: int, namespace: str = "", *, api_version: str = "") -> Manifest:
        """Set the replicas through the scale subresource."""
        body = {"spec": {"replicas": replicas}}
        return self.patch(kind, name, body, namespace, api_version=api_version, subresource="scale")

    def evict(self, pod: str, namespace: str, *, grace_s: int | None = None) -> None:
        """Evict a pod; a disruption budget that forbids it answers ApiError 429."""
        options = {} if grace_s is None else {"deleteOptions": {"gracePeriodSeconds": grace_s}}
        meta = {"name": pod, "namespace": namespace}
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": meta} | options
        self.raw("POST", self.path("Pod", pod, namespace, subresource="eviction"), body=body)

    def bind(self, pod: str, namespace: str, node: str) -> None:
        """Bind a pod to a node, as a scheduler does."""
        target = {"apiVersion": "v1", "kind": "Node", "name": node}
        body = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": pod}, "target": target}
        self.raw("POST", self.path("Pod", pod, namespace, subresource="binding"), body=body)

    def token(
        self, service_account: str, namespace: str, *, expiration_s: int = 3600, audiences: Sequence[str] = ()
    ) -> str:
        """Request a token of a service account (at least 600 s long); :meth:`with_token` uses it."""
        spec = {"expirationSeconds": expiration_s} | ({"audiences": [*audiences]} if audiences else {})
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
        path = self.path("ServiceAccount", service_account, namespace, subresource="token")
        return str(self.raw("POST", path, body=body).json()["status"]["token"])

    def approve(self, certificate_signing_request: str, *, reason: str = "IdcbenchApproves") -> Manifest:
        """Approve a certificate signing request."""
        request = self.get("CertificateSigningRequest", certificate_signing_request)
        condition = {"type": "Approved", "status": "True", "reason": reason, "message": "approved by idcbench"}
        request["status"]["conditions"] = [*request["status"].get("conditions", ()), condition]
        return self.replace(request, subresource="approval")

    def exec(self, pod: str, namespace: str, *command: str, container: str = "", timeout_s: float = 30.0) -> Executed:
        """Run a command in a pod to its end. Raises :class:`ApiError` when that is refused, ``TimeoutError``."""
        configuration = self._calls.configuration
        code, stdout, stderr = exec_in_pod(
            configuration, pod=pod, namespace=namespace, command=command, container=container, timeout_s=timeout_s
        )
        return Executed(code, stdout, stderr)

    def log(self, pod: str, namespace: str, *, container: str = "", previous: bool = False) -> str:
        """What a pod's container has written so far; of the run before with ``previous``."""
        query = ({"container": container} if container else {}) | ({"previous": "true"} if previous else {})
        path = self.path("Pod", pod, namespace, subresource="log")
        return self.raw("GET", path, query=query, headers={"Accept": "*/*"}).body.decode(errors="replace")

    def ask_pod(
        self, pod: str, namespace: str, path: str, *, port: int = 8080, method: str = "GET", body: str = ""
    ) -> str:
        """A request to a pod, sent on by the API server (the ``proxy`` subresource); the answer's text."""
        where, _, query = path.partition("?")
        whole = f"/api/v1/namespaces/{namespace}/pods/{pod}:{port}/proxy{where}"
        answer = self.raw(method, whole, body=body, query=dict(parse_qsl(query)), headers={"Accept": "*/*"},
                          content_type="text/plain")  # fmt: skip
        return answer.body.decode(errors="replace")

    def wait_for(
        self, kind: str, name: str, predicate: Callable[[Manifest], object], namespace: str = "", *,
        api_version: str = "", timeout_s: float = 60.0, what: str = "",
    ) -> Manifest:  # fmt: skip
        """Wait until ``predicate`` holds for an object, and return that object; it need not be there at first.

        Refusals other than 404 and 429 are raised at once; no answer, or an error of the server, is waited out.
        Raises :class:`WaitTimeoutError` (a ``TimeoutError``) that says what was last seen.
        """

        def check() -> tuple[Manifest | None, str]:
            found = self.get(kind, name, namespace, api_version=api_version)
            return (found if predicate(found) else None), _summary(found)

        where = f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"
        return wait_until(f"{where} to be {what or 'as asked'}", patiently(check), timeout_s=timeout_s)

    def wait_for_list(
        self, kind: str, predicate: Callable[[Manifests], object], namespace: str = "", *, api_version: str = "",
        label_selector: str = "", field_selector: str = "", timeout_s: float = 60.0, what: str = "",
    ) -> Manifests:  # fmt: skip
        """Wait until ``predicate`` holds for the list of objects, and return that list; as :meth:`wait_for`."""

        def check() -> tuple[Manifests | None, str]:
            found = self.list(
                kind, namespace, api_version=api_version, label_selector=label_selector, field_selector=field_selector
            )
            return (found if predicate(found) else None), f"{len(found)}: " + "; ".join(map(_summary, found[:5]))

        where = f"{kind} list in {namespace or 'all namespaces'}"
        return wait_until(f"{where} to be {what or 'as asked'}", patiently(check), timeout_s=timeout_s)

    def wait_gone(
        self, kind: str, name: str, namespace: str = "", *, api_version: str = "", timeout_s: float = 60.0
    ) -> None:
        """Wait until an object is not there any more; as :meth:`wait_for`."""

        def check() -> tuple[bool | None, str]:
            found = self.find(kind, name, namespace, api_version=api_version)
            return (True if found is None else None), _summary(found or {})

        where = f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"
        wait_until(f"{where} to be gone", patiently(check), timeout_s=timeout_s)

    def _path_of(self, manifest: Manifest, namespace: str, subresource: str) -> str:
        resource = self._calls.resource(manifest["kind"], manifest["apiVersion"])
        return resource.path(manifest["metadata"]["name"], _namespace(manifest, namespace), subresource)


def _namespace(manifest: Manifest, namespace: str) -> str:
    return str(manifest["metadata"].get("namespace") or namespace)


def _query(field_manager: str, dry_run: bool) -> dict[str, str]:
    return {"fieldManager": field_manager} | ({"dryRun": "All"} if dry_run else {})


def _selectors(label_selector: str, field_selector: str) -> dict[str, str]:
    given = {"labelSelector": label_selector, "fieldSelector": field_selector}
    return {name: value for name, value in given.items() if value}


def _object(answer: Answer) -> Manifest:
    found: Manifest = answer.json()
    return found


def _summary(found: Manifest) -> str:
    """An object in a line, for the message of a wait that failed."""
    meta = found.get("metadata", {})
    deleted = f", deletion asked at {meta['deletionTimestamp']}" if "deletionTimestamp" in meta else ""
    finalizers = f", finalizers {meta['finalizers']}" if meta.get("finalizers") else ""
    status = json.dumps(found.get("status", {}), separators=(",", ":"))[:600]
    return f"{meta.get('name', 'nothing')} at {meta.get('resourceVersion')}{deleted}{finalizers}, status {status}"
