"""Kubeconfig files: write one for a cluster of ours, read the one of a cluster that is there."""

from __future__ import annotations

import os
import tempfile
from base64 import b64encode
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import yaml

from ..errors import UsageError
from .access import Access


class Cluster(msgspec.Struct, rename="kebab", omit_defaults=True, frozen=True):
    """Where the API server is, and whom to trust."""

    server: str
    certificate_authority: str = ""
    certificate_authority_data: str = ""
    insecure_skip_tls_verify: bool = False
    tls_server_name: str = ""
    proxy_url: str = ""


class User(msgspec.Struct, rename="kebab", omit_defaults=True, frozen=True):
    """Who one is there."""

    client_certificate: str = ""
    client_certificate_data: str = ""
    client_key: str = ""
    client_key_data: str = ""
    token: str = ""
    token_file: str = msgspec.field(default="", name="tokenFile")
    username: str = ""
    exec: dict[str, Any] | None = None
    auth_provider: dict[str, Any] | None = None


class Context(msgspec.Struct, omit_defaults=True, frozen=True):
    """A user at a cluster."""

    cluster: str
    user: str = ""


class NamedCluster(msgspec.Struct, frozen=True):
    name: str
    cluster: Cluster


class NamedUser(msgspec.Struct, frozen=True):
    name: str
    user: User | None = None


class NamedContext(msgspec.Struct, frozen=True):
    name: str
    context: Context


Named = TypeVar("Named", NamedCluster, NamedUser, NamedContext)


class Kubeconfig(msgspec.Struct, rename="kebab", omit_defaults=True, frozen=True):
    """The part of a kubeconfig that leads to a cluster."""

    clusters: tuple[NamedCluster, ...] | None = ()
    users: tuple[NamedUser, ...] | None = ()
    contexts: tuple[NamedContext, ...] | None = ()
    current_context: str = ""


def kubeconfig_text(*, server: str, ca_pem: bytes, cert_pem: bytes, key_pem: bytes, name: str) -> str:
    """A kubeconfig with one context called ``name``, everything in it."""
    cluster = Cluster(server=server, certificate_authority_data=_base64(ca_pem))
    user = User(client_certificate_data=_base64(cert_pem), client_key_data=_base64(key_pem))
    return text_of(
        Kubeconfig(
            clusters=(NamedCluster(name, cluster),),
            users=(NamedUser(name, user),),
            contexts=(NamedContext(name, Context(cluster=name, user=name)),),
            current_context=name,
        )
    )


def write_kubeconfig(path: Path, *, server: str, ca_pem: bytes, cert_pem: bytes, key_pem: bytes, name: str) -> None:
    """Write :func:`kubeconfig_text` to ``path``: mode 0600, the old file or the whole new one. Raises ``OSError``."""
    text = kubeconfig_text(server=server, ca_pem=ca_pem, cert_pem=cert_pem, key_pem=key_pem, name=name)
    write_private(path, text.encode())


def write_private(path: Path, content: bytes) -> None:
    """Replace ``path`` atomically by a file of mode 0600. Raises ``OSError``."""
    descriptor, new = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(new).replace(path)
    except BaseException:
        Path(new).unlink()
        raise


def access_from_kubeconfig(path: Path | None = None, context: str | None = None) -> Access:
    """How to reach the cluster of a context: by default the current one of $KUBECONFIG or ~/.kube/config.

    Embedded certificates and tokens become files of mode 0600 in a private folder that goes when this process ends;
    an exec plugin is run, and its token's file renewed as long as the process lives. Several files in $KUBECONFIG are
    merged as kubectl does. Raises :class:`UsageError` that names the file, the field and the remedy.
    """
    from .credentials import access_of

    paths = _paths(path)
    merged = merge_kubeconfigs([read_kubeconfig(one) for one in paths])
    return access_of(merged, paths, context or merged.current_context)


def read_kubeconfig(path: Path) -> Kubeconfig:
    """One file, the paths in it made absolute. Raises :class:`UsageError`."""
    try:
        found = yaml.safe_load(path.read_bytes())
        return _absolute(msgspec.convert(found or {}, Kubeconfig), path.absolute().parent)
    except OSError as error:
        raise UsageError(f"kubeconfig {path}: cannot be read ({error.strerror}); {_OTHER}") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" line {mark.line + 1}, column {mark.column + 1}:" if mark else ""
        what = getattr(error, "problem", None) or " ".join(str(error).split())
        raise UsageError(f"kubeconfig {path}:{line} not YAML: {what}; mend it there, or {_OTHER}") from None
    except msgspec.ValidationError as error:
        raise UsageError(f"kubeconfig {path}: {error}; mend that field, or {_OTHER}") from None


def merge_kubeconfigs(files: Sequence[Kubeconfig]) -> Kubeconfig:
    """As kubectl merges $KUBECONFIG: of entries with the same name, and of current contexts, the first counts."""

    def first(entries: Iterable[Named]) -> tuple[Named, ...]:
        by_name: dict[str, Named] = {}
        for entry in entries:
            by_name.setdefault(entry.name, entry)
        return tuple(by_name.values())

    return Kubeconfig(
        clusters=first(entry for file in files for entry in file.clusters or ()),
        users=first(entry for file in files for entry in file.users or ()),
        contexts=first(entry for file in files for entry in file.contexts or ()),
        current_context=next((file.current_context for file in files if file.current_context), ""),
    )


_OTHER = "name another with --kubeconfig FILE"


def _paths(path: Path | None) -> list[Path]:
    if path is not None:
        return [path.expanduser()]
    listed = [Path(each).expanduser() for each in os.environ.get("KUBECONFIG", "").split(os.pathsep) if each]
    if not listed:
        return [Path.home() / ".kube" / "config"]
    if there := [each for each in listed if each.exists()]:
        return there
    raise UsageError(f"kubeconfig: no file of $KUBECONFIG exists ({os.environ['KUBECONFIG']}); mend it, or {_OTHER}")


def _absolute(file: Kubeconfig, folder: Path) -> Kubeconfig:
    def absolute(record: Any, *fields: str) -> Any:
        given = {field: getattr(record, field) for field in fields if getattr(record, field)}
        return msgspec.structs.replace(record, **{field: str(folder / value) for field, value in given.items()})

    return msgspec.structs.replace(
        file,
        clusters=tuple(
            NamedCluster(each.name, absolute(each.cluster, "certificate_authority")) for each in file.clusters or ()
        ),
        users=tuple(
            NamedUser(each.name, absolute(each.user or User(), "client_certificate", "client_key", "token_file"))
            for each in file.users or ()
        ),
    )


def text_of(file: Kubeconfig) -> str:
    """The file as YAML."""
    fields: dict[str, Any] = {"apiVersion": "v1", "kind": "Config"} | msgspec.to_builtins(file)
    return yaml.safe_dump(fields, sort_keys=False)


def _base64(pem: bytes) -> str:
    return b64encode(pem).decode()
