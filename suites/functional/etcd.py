"""etcd behind the API servers: who leads, and how it is made to forget."""

from __future__ import annotations

import http.client
import json
import os
import socket
import ssl
import tempfile
from pathlib import Path

import pytest

from idcbench.kube.access import gateway_socket
from idcbench.kube.apierror import ApiError
from idcbench.kube.crud import Client
from idcbench.plugin.live import LiveCluster, LiveHost

from .commands import flags

CLIENT_PORT = 2379
KEPT_FROM = 3
"""The first revision to be kept: a watch from version 1 begins with revision 2. Every cluster is long past it."""


def gauges(host: LiveHost) -> dict[str, float]:
    """What etcd's metrics on a host say about its place in the cluster, by the names without ``etcd_server_``."""
    [url, *_] = flags(host, "etcd").get("listen-metrics-urls", "").split(",")
    address = url.rpartition("//")[2].replace(":", "/")
    script = f"exec 3<>/dev/tcp/{address}; printf 'GET /metrics HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3"
    lines = host.run("bash", "-c", script).check().stdout.splitlines()
    pairs = (line.split() for line in lines if line.startswith("etcd_server_") and "{" not in line)
    return {name.removeprefix("etcd_server_"): float(value) for name, value in pairs}


def forget_the_first(cluster: LiveCluster, client: Client) -> None:
    """See to it that the cluster's first version is not kept any more, by no etcd and by no API server.

    The API server has etcd forget what is older than some minutes by itself; a younger cluster is helped along. It must
    be asked for events: of other kinds it may itself remember the first version, in its watch cache.
    """
    exactly = {"resourceVersion": "1", "resourceVersionMatch": "Exact", "limit": "1"}
    try:
        client.raw("GET", client.path("Event", api_version="v1"), query=exactly)
    except ApiError as error:
        if error.status == 410:
            return
        raise
    _compact(cluster)


def _compact(cluster: LiveCluster) -> None:
    """Compact what etcd keeps of its first revisions, by its JSON gateway, with the API server's own certificate."""
    if not cluster.hosts:
        pytest.skip("needs a cluster older than ten minutes, or its control-plane hosts to reach etcd; neither is here")
    host = cluster.hosts[0]
    own = flags(host, "kube-apiserver")
    with tempfile.TemporaryDirectory(prefix="idcbench-") as folder:
        files = [
            _copy(host, own[flag], Path(folder) / flag) for flag in ("etcd-cafile", "etcd-certfile", "etcd-keyfile")
        ]
        context = ssl.create_default_context(cafile=str(files[0]))
        context.load_cert_chain(files[1], files[2])
        _post(cluster, context, host.address, "/v3/kv/compaction", {"revision": str(KEPT_FROM), "physical": True})


def _copy(host: LiveHost, path: str, to: Path) -> Path:
    """Bring a file here, readable for nobody else."""
    text = host.run("cat", path).check().stdout
    with os.fdopen(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    return to


def _post(cluster: LiveCluster, context: ssl.SSLContext, address: str, path: str, body: dict[str, object]) -> None:
    gateway = cluster.access.gateway
    raw = gateway_socket(gateway) if gateway else socket.socket()
    raw.settimeout(10.0)
    raw.connect((address, CLIENT_PORT))
    connection = http.client.HTTPConnection(address, CLIENT_PORT)
    connection.sock = context.wrap_socket(raw, server_hostname=address)
    try:
        connection.request("POST", path, body=json.dumps(body))
        response = connection.getresponse()
        answer = response.read().decode(errors="replace")
    finally:
        connection.close()
    if response.status != 200 and "compacted" not in answer:  # it may have been compacted meanwhile
        raise RuntimeError(f"etcd at {address} was to compact its history, but answered {response.status}: {answer}")
