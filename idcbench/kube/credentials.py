"""From a kubeconfig's entries to files that any client can use."""

from __future__ import annotations

import binascii
import hashlib
import threading
import time
from base64 import b64decode
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..errors import UsageError
from .access import Access
from .kubeconfig import Cluster, Kubeconfig, User, text_of, write_private
from .official import bearer_token, load_configuration, private_folder

RENEW_EVERY_S = 30.0
"""How often a plugin's token is looked at; the package renews it five minutes before it expires."""


def access_of(file: Kubeconfig, paths: Sequence[Path], context: str) -> Access:
    """How to reach the cluster of ``context``. ``paths`` are the files that ``file`` was read from.

    Raises :class:`UsageError` that names file, field and remedy.
    """
    entry = _Entry(file, f"kubeconfig {':'.join(map(str, paths))}", context)
    cluster, user = entry.cluster, entry.user
    own = paths[0] if len(paths) == 1 else _stored(text_of(file).encode(), "kubeconfig")
    cert_file = entry.file(user.client_certificate_data, user.client_certificate, "client-certificate")
    key_file = entry.file(user.client_key_data, user.client_key, "client-key")
    token_file = entry.token_file()
    if user.exec or user.auth_provider:
        cert_file, key_file, token_file = _ask_plugin(own, context, entry.where)
    if bool(cert_file) != bool(key_file):
        raise UsageError(f"{entry.where}: client-certificate and client-key belong together, one is missing")
    return Access(
        server=cluster.server.rstrip("/"),
        kubeconfig=own,
        context=context,
        ca_file=entry.file(cluster.certificate_authority_data, cluster.certificate_authority, "certificate-authority"),
        cert_file=cert_file,
        key_file=key_file,
        token_file=None if cert_file else token_file,
    )


class _Entry:
    """A context with its cluster and its user."""

    def __init__(self, file: Kubeconfig, where: str, context: str) -> None:
        contexts = {each.name: each.context for each in file.contexts or ()}
        if context not in contexts:
            wanted = f"there is no context {context}" if context else "current-context is not set"
            known = ", ".join(contexts) or "none"
            raise UsageError(f"{where}: {wanted}; name one with --context (it has: {known})")
        chosen = contexts[context]
        self.where = f"{where}, context {context}"
        clusters = {each.name: each.cluster for each in file.clusters or ()}
        users = {each.name: each.user or User() for each in file.users or ()}
        if chosen.cluster not in clusters:
            raise UsageError(f"{self.where}: its cluster {chosen.cluster} is not in clusters; add it, or name another")
        if chosen.user and chosen.user not in users:
            raise UsageError(f"{self.where}: its user {chosen.user} is not in users; add it, or name another context")
        self.cluster = clusters[chosen.cluster]
        self.user = users.get(chosen.user, User())
        _refuse_unsupported(self.cluster, self.user, self.where)

    def file(self, data: str, path: str, field: str) -> Path | None:
        """The file of a certificate or key; embedded data counts first, as for kubectl."""
        if data:
            try:
                return _stored(b64decode(data, validate=True), field)
            except binascii.Error as error:
                raise UsageError(f"{self.where}: {field}-data is not base64 ({error}); mend that field") from None
        return _existing(path, f"{self.where}: {field}") if path else None

    def token_file(self) -> Path | None:
        """The file of the user's token; one that the kubeconfig names is used itself, as it may rotate."""
        if self.user.token_file:
            return _existing(self.user.token_file, f"{self.where}: tokenFile")
        return _stored(self.user.token.encode(), "token") if self.user.token else None


def _refuse_unsupported(cluster: Cluster, user: User, where: str) -> None:
    if not cluster.server.startswith(("https://", "http://")):
        raise UsageError(f"{where}: server is {cluster.server!r}; a URL like https://HOST:6443 is needed")
    for field, given, remedy in (
        ("insecure-skip-tls-verify", cluster.insecure_skip_tls_verify, "give the CA in certificate-authority-data"),
        ("tls-server-name", cluster.tls_server_name, "use a server address that its certificate names"),
        ("proxy-url", cluster.proxy_url, "run idcbench where the server is reached directly"),
        ("username", user.username, "use a certificate, a token or an exec plugin"),
    ):
        if given:
            raise UsageError(f"{where}: {field} is not supported; {remedy}")


def _existing(path: str, field: str) -> Path:
    try:
        with Path(path).open("rb"):
            return Path(path)
    except OSError as error:
        raise UsageError(f"{field}: {path} cannot be read ({error.strerror}); mend the path or the file") from None


def _stored(content: bytes, kind: str) -> Path:
    """A private file of this content, the same one each time."""
    path = private_folder() / f"{kind}-{hashlib.sha256(content).hexdigest()[:16]}"
    if not path.exists():
        write_private(path, content)
    return path


def _ask_plugin(kubeconfig: Path, context: str, where: str) -> tuple[Path | None, Path | None, Path | None]:
    """What an exec or auth plugin gives: certificate and key, or a token in a file that is kept fresh."""
    configuration = load_configuration(kubeconfig, context)
    if configuration.cert_file and configuration.key_file:
        return Path(configuration.cert_file), Path(configuration.key_file), None
    token = bearer_token(configuration)
    if not token:
        raise UsageError(f"{where}: the credential plugin gave neither token nor certificate; try it by hand")
    path = _stored(token.encode(), "plugin-token")
    threading.Thread(target=_keep_fresh, args=(configuration, path, token), daemon=True, name="kube-token").start()
    return None, None, path


def _keep_fresh(configuration: Any, path: Path, token: str) -> None:
    """Renew the token's file as long as the process lives; clients read it for each connection or request."""
    while True:
        time.sleep(RENEW_EVERY_S)
        renewed = bearer_token(configuration)  # the package asks the plugin again when the old one is about to expire
        if renewed and renewed != token:
            write_private(path, renewed.encode())
            token = renewed
