"""Which path of the API serves a kind: read from the server's aggregated discovery."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote

import msgspec

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
"""What to accept so that /api and /apis answer with every resource at once (served since Kubernetes 1.30)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One kind as one API version serves it."""

    kind: str
    plural: str
    api_version: str
    namespaced: bool

    def path(self, name: str = "", namespace: str = "", subresource: str = "") -> str:
        """The path of an object, of its subresource, or without a name of the collection.

        Without a namespace, the collection of a namespaced kind is that of all namespaces. Raises ``ValueError`` when
        an object of a namespaced kind is named without its namespace.
        """
        if name and self.namespaced and not namespace:
            raise ValueError(f"{self.kind} {name}: the namespace is missing; {self.kind} objects live in one")
        parts = ["apis" if "/" in self.api_version else "api", self.api_version]
        if self.namespaced and namespace:
            parts += ["namespaces", quote(namespace, safe="")]
        parts.append(self.plural)
        parts += [quote(part, safe="") for part in (name, subresource) if part]
        return "/" + "/".join(parts)

    def collection(self, namespace: str) -> str:
        """The path of the collection in one namespace, where objects are created. Raises ``ValueError`` without it."""
        if self.namespaced and not namespace:
            raise ValueError(f"{self.kind}: the namespace is missing; {self.kind} objects live in one")
        return self.path("", namespace)


class _Kind(msgspec.Struct, frozen=True):
    kind: str = ""


class _Resource(msgspec.Struct, frozen=True, rename="camel"):
    resource: str
    scope: str = ""
    response_kind: _Kind | None = None


class _Version(msgspec.Struct, frozen=True):
    version: str
    resources: tuple[_Resource, ...] | None = None


class _Meta(msgspec.Struct, frozen=True):
    name: str = ""


class _Group(msgspec.Struct, frozen=True):
    metadata: _Meta = _Meta()
    versions: tuple[_Version, ...] | None = None


class _Groups(msgspec.Struct, frozen=True):
    items: tuple[_Group, ...] | None = None


def read_discovery(body: bytes) -> list[Resource]:
    """The resources of an ``APIGroupDiscoveryList``, in the server's order of preference.

    Raises ``msgspec.DecodeError`` when the body is something else.
    """
    return [
        Resource(
            kind=resource.response_kind.kind,
            plural=resource.resource,
            api_version=f"{group.metadata.name}/{version.version}" if group.metadata.name else version.version,
            namespaced=resource.scope == "Namespaced",
        )
        for group in msgspec.json.decode(body, type=_Groups).items or ()
        for version in group.versions or ()
        for resource in version.resources or ()
        if resource.response_kind is not None
    ]


def find_resource(resources: Iterable[Resource], kind: str, api_version: str = "") -> Resource | None:
    """The first resource of that kind (``Deployment``) or plural (``deployments``), in that version if one is named."""
    for resource in resources:
        if kind in (resource.kind, resource.plural) and api_version in ("", resource.api_version):
            return resource
    return None
