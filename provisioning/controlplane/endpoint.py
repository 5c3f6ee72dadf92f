"""The one endpoint in front of all API servers: haproxy on every control-plane host, one address held by keepalived.

haproxy judges API servers by ``/readyz``. keepalived judges only its own haproxy, and by weight, so that some host
always holds the address, even when no API server is ready. The same files serve namespaces and real hosts.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...cluster import Timers

API_PORT = 6443
ENDPOINT_PORT = 8443
HEALTH_PORT = 8444
"""haproxy answers keepalived's check here, on loopback."""
BASE_PRIORITY = 100
HAPROXY_WEIGHT = -50
"""More than the spread of priorities, so that any host with a haproxy goes before any host without."""
CHECK_INTERVAL_S = 1
"""keepalived 2.2 runs scripts at whole seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointHost:
    """A control-plane host as the endpoint sees it. ``order`` counts from 1 and sets the VRRP priority."""

    name: str
    address: str
    order: int
    interface: str = "eth0"


def haproxy_config(
    hosts: list[EndpointHost],
    *,
    virtual_ip: str,
    timers: Timers,
    own: EndpointHost,
    socket: Path,
    port: int = ENDPOINT_PORT,
    user: str = "",
) -> str:
    """haproxy's configuration on ``own``, whose API server comes first among equals.

    It listens on ``port`` of ``virtual_ip``, and becomes ``user`` when that is given.
    """
    become = f"\n  user {user}\n  group {user}" if user else ""
    check = (
        f"check check-ssl verify none inter {timers.check_inter_ms}ms fastinter {timers.check_fast_ms}ms"
        f" downinter {timers.check_fast_ms}ms fall {timers.check_fall} rise 2"
        " observe layer4 error-limit 1 on-error mark-down tcp-ut 2s"
    )
    servers = "\n".join(f"  server {host.name} {host.address}:{API_PORT}" for host in hosts)
    return f"""# {own.name}: the endpoint in front of every API server; written by idcbench
global
  maxconn 4000{become}
  stats socket unix@{socket} mode 600 level admin
defaults
  mode tcp
  # a server that refuses is left for the next one at once, and by the first refusal counts as down: restarted, it
  # listens long before it serves. Sessions are not cut by that, which would cost the very request that noticed
  retries 3
  option redispatch 1
  timeout connect {timers.connect_ms}ms
  # watches are silent for minutes; those to a host that is gone end by keep-alive, or by tcp-ut with data on the way
  option srvtcpka
  srvtcpka-idle 1s
  srvtcpka-intvl 1s
  srvtcpka-cnt 2
  timeout client 1h
  timeout server 1h
  timeout check {max(1000, timers.check_inter_ms)}ms
frontend kubernetes
  bind {virtual_ip}:{port}
  default_backend api-servers
backend api-servers
  balance leastconn
  option httpchk
  http-check send meth GET uri /readyz ver HTTP/1.1 hdr Host kubernetes
  http-check expect status 200
  default-server {check}
{servers}
frontend health
  mode http
  timeout client 5s
  bind 127.0.0.1:{HEALTH_PORT}
  monitor-uri /healthz
"""


def keepalived_config(
    hosts: list[EndpointHost], *, virtual_ip: str, prefix: int, timers: Timers, own: EndpointHost, script: Path
) -> str:
    """keepalived's configuration on ``own``: unicast VRRPv3 among ``hosts``, no preemption."""
    peers = "\n".join(f"    {host.address}" for host in hosts if host is not own)
    unicast = f"  unicast_src_ip {own.address}\n  unicast_peer {{\n{peers}\n  }}" if peers else ""
    return f"""# {own.name}: who holds {virtual_ip}; written by idcbench
global_defs {{
  router_id {own.name}
  vrrp_version 3
  script_user root
  vrrp_garp_master_refresh 10
}}
vrrp_script haproxy {{
  script "{script}"
  interval {CHECK_INTERVAL_S}
  timeout 1
  fall 2
  rise 1
  weight {HAPROXY_WEIGHT}
}}
vrrp_instance kubernetes {{
  state BACKUP
  nopreempt
  interface {own.interface}
  virtual_router_id 51
  priority {BASE_PRIORITY + 10 * own.order}
  advert_int {timers.vrrp_advert_s}
{unicast}
  virtual_ipaddress {{
    {virtual_ip}/{prefix}
  }}
  track_script {{
    haproxy
  }}
}}
"""


HAPROXY_CHECK = f"""#!/bin/bash
# keepalived asks whether the haproxy of this host answers; a frozen one does not. Written by idcbench.
exec 3<>/dev/tcp/127.0.0.1/{HEALTH_PORT} || exit 1
printf 'GET /healthz HTTP/1.0\\r\\n\\r\\n' >&3
read -r -t 1 _ status _ <&3 && [ "$status" = 200 ]
"""
