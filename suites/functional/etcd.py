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
from idcbench.plugin.live import LiveCluster, LiveHost

from .commands import flags

CLIENT_PORT = 2379
OLDEST = 2
"""A revision that every cluster is past; what was before it was needed by nobody since its first second."""


def gauges(host: LiveHost) -> dict[str, float]:
    """What etcd's metrics on a host say about its place in the cluster, by the names without ``etcd_server_``."""
    [url, *_] = flags(host, "etcd").get("listen-metrics-urls", "").split(",")
    address = url.rpartition("//")[2].replace(":", "/")
    script = f"exec 3<>/dev/tcp/{address}; printf 'GET /metrics HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3"
    lines = host.run("bash", "-c", script).check().stdout.splitlines()
    pairs = (line.split() for line in lines if line.startswith("etcd_server_") and "{" not in line)
    return {name.removeprefix("etcd_server_"): float(value) for name, value in pairs}


def forget_history(cluster: LiveCluster) -> None:
    """Compact etcd up to its second revision, by its JSON gateway, with the API server's own certificate."""
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
        _post(cluster, context, host.address, "/v3/kv/compaction", {"revision": str(OLDEST), "physical": True})


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
