"""etcd's JSON gateway, as far as idcbench asks it, over TLS on a port of loopback."""

from __future__ import annotations

import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web
from machine import ETCD, Machine


@dataclass
class Gateway:
    """Serves one machine from the first time that somebody connects to it on; anew for each cluster that it is in."""

    machine: Machine
    port: int = 0
    _runner: web.AppRunner | None = None
    _authority: bytes | None = None

    async def opened(self) -> int:
        """The port."""
        authority = self.machine.read(f"{ETCD}/ca.crt")
        if self._runner is not None and authority != self._authority:
            await self.close()
        if self._runner is None:
            self._authority = authority
            application = web.Application()
            application.router.add_post("/v3/{path:.*}", self._answer)
            self._runner = web.AppRunner(application, access_log=None)
            await self._runner.setup()
            site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._context())
            await site.start()
            self.port = self._runner.addresses[0][1]
        return self.port

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def _context(self) -> ssl.SSLContext:
        pair = self.machine.etcd_pair()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.TemporaryDirectory() as folder:
            certificate, key = Path(folder) / "crt", Path(folder) / "key"
            certificate.write_bytes(pair.certificate_pem)
            key.write_bytes(pair.key_pem)
            context.load_cert_chain(certificate, key)
        return context

    async def _answer(self, request: web.Request) -> web.Response:
        cluster = self.machine.cluster
        body: dict[str, Any] = await request.json()
        match request.match_info["path"]:
            case "cluster/member/list":
                return web.json_response({"members": cluster.etcd_members()})
            case "cluster/member/remove":
                cluster.remove_member(body["ID"])
                return web.json_response({"members": cluster.etcd_members()})
            case "maintenance/status":
                return web.json_response({"leader": cluster.etcd_members()[0]["ID"]})
        return web.Response(status=404)
