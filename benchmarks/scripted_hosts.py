"""Hosts that are not there: one SSH server on many addresses of loopback that answers as Debian hosts do, with latency.

    python benchmarks/scripted_hosts.py FOLDER COUNT        # prints its port; ends with its input

Knows what `idcbench check` asks: to become root, the facts, and the conversation of measuring.
"""

from __future__ import annotations

import ast
import asyncio
import os
import sys
import time
from pathlib import Path
from typing import Any

import asyncssh

LATENCY_S = 0.02
MEASURING_S = 2.5
"""As long as on real hosts when something is silent."""
RECORDED = (Path(__file__).parents[1] / "tests/provisioning/preflight/debian-12.facts").read_text()


async def serve(process: asyncssh.SSHServerProcess[str]) -> None:
    """One command."""
    await asyncio.sleep(LATENCY_S)
    address = process.get_extra_info("sockname")[0]
    command = process.command or ""
    if "sh -s" in command:
        await process.stdin.read()
        process.stdout.write(facts(address))
    elif "python3 -IS -c" in command:
        await measure(process)
    elif command.endswith(" id -u"):
        process.stdout.write("0\n")
    process.exit(0)


def facts(address: str) -> str:
    """Of the host with that address."""
    last = int(address.rpartition(".")[2])
    return RECORDED.format(
        name=f"h{last}",
        address=address,
        mac=f"52:54:00:00:00:{last:02x}",
        machine_id=f"{last:032x}",
        product_uuid=f"00000000-0000-0000-0000-{last:012}",
        clock_ns=time.time_ns(),
    )


async def measure(process: asyncssh.SSHServerProcess[str]) -> None:
    """As on_host.py, with everything open."""
    await process.stdin.readexactly(int(await process.stdin.readexactly(8)))
    plan: dict[str, Any] = ast.literal_eval(await process.stdin.readline())
    process.stdout.write("ready=yes\n")
    while line := (await process.stdin.readline()).strip():
        await asyncio.sleep(LATENCY_S)
        if line == "time":
            process.stdout.write(f"clock={time.time_ns()}\n")
        elif line == "go":
            await asyncio.sleep(MEASURING_S)
            process.stdout.write("".join(f"{each}\n" for each in answers(plan)) + "done=yes\n")
        else:
            process.stdout.write("".join(f"vrrp={address}\n" for address in plan["vrrp"]) + "complete=yes\n")
            return


def answers(plan: dict[str, Any]) -> list[str]:
    """What is measured where nothing is wrong."""
    found = [f"tcp={name} {port} open" for name, _, ports in plan["tcp"] for port in ports]
    found += [f"udp={name} {size} ok" for name, _ in plan["udp"] for size in ("small", "large")]
    found += [f"vrrp_from={address}" for address in plan["vrrp"]]
    return [*found, "vxlan=yes", "nftables=yes", "sync_us=500 400 900 2000", "dns=192.0.2.53 ok"]


class Anybody(asyncssh.SSHServer):
    def begin_auth(self, username: str) -> bool:  # noqa: ARG002 - asyncssh's signature
        return False


async def main(folder: Path, count: int) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    port = 0
    for last in range(1, count + 1):
        server = await asyncssh.create_server(
            Anybody, f"127.1.1.{last}", port, server_host_keys=[key], process_factory=serve
        )
        port = server.get_port()
    public = key.export_public_key().decode()
    hosts = "".join(f"[127.1.1.{last}]:{port} {public}" for last in range(1, count + 1))
    (folder / "known_hosts").write_text(hosts)
    print(port, flush=True)
    await asyncio.get_running_loop().run_in_executor(None, os.read, 0, 1)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
