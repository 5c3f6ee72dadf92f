"""An HTTP extender for kube-scheduler that changes nothing and tells, a JSON line per call, what it was asked.

A program of its own, because it has to run in the cluster's network: ``python extender.py``; its first line is the
port, on 127.0.0.1. It wants ``nodeCacheCapable: true``, so that nodes come by name.
"""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Extender(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        nodes = asked.get("NodeNames") or asked.get("nodenames") or []
        pod = asked.get("Pod") or asked.get("pod")
        verb = self.path.strip("/")
        print(json.dumps({"verb": verb, "uid": pod["metadata"]["uid"], "nodes": sorted(nodes)}), flush=True)
        self._answer({"NodeNames": nodes} if verb == "filter" else [{"Host": node, "Score": 0} for node in nodes])

    def _answer(self, value: Any) -> None:
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: stdout has the calls."""


def main() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Extender)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    sys.exit(main())
