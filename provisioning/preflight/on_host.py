"""Runs on a host, by its python3-minimal: measures what facts do not tell, says it as lines KEY=VALUE, leaves nothing.

Sent to the host by :mod:`.measuring`, never imported there: only modules of the minimal standard library, ASCII only.
Everything it opens is its own sockets, so its end (of its input, by the alarm, or by a kill) closes them all. Reads a
line with the plan, then the lines ``time``, ``go`` and the end of its input.
"""

from __future__ import annotations

import ast
import contextlib
import errno
import os
import selectors
import signal
import socket
import struct
import subprocess
import threading
import time
from typing import Any

WAIT_S = 2.5
"""For a connection: long enough for one lost packet, which is sent again after a second."""
AGAIN_S = 0.4
"""Datagrams are sent three times, so far apart."""
MAGIC = b"\x00idcbench"
"""Begins every probe. As VRRP it is version 0, which every implementation drops."""
VRRP = 112
IP_MTU_DISCOVER, IP_PMTUDISC_DO = 10, 2
"""include/uapi/linux/in.h: never cut a datagram."""
HEADERS = 28
"""IPv4's and UDP's."""


def say(key: str, value: object) -> None:
    os.write(1, f"{key}={value}\n".encode())


class Host:
    """What is open, and what came out."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self.plan = plan
        self.selector = selectors.DefaultSelector()
        self.connecting: dict[socket.socket, tuple[str, int]] = {}
        self.udp: dict[tuple[str, str], str] = {}
        self.heard: set[str] = set()
        self.dns: dict[str, str] = {}
        self.endpoint = ""

    def listen(self) -> None:
        """Take connections, answer datagrams, hear VRRP; a port that is taken stays its owner's."""
        for port in self.plan["listen"]:
            try:
                self._watch(socket.create_server((self.plan["address"], port)), self._accept)
            except OSError as error:
                say("busy", f"{port} {error.strerror}")
        if self.plan["echo"]:
            self._bound(socket.SOCK_DGRAM, 0, self.plan["echo"], self._echo)
        if self.plan["vrrp"]:
            self._bound(socket.SOCK_RAW, VRRP, 0, self._hear)

    def _bound(self, kind: int, protocol: int, port: int, then: Any) -> None:
        one = socket.socket(socket.AF_INET, kind, protocol)
        try:
            one.bind((self.plan["address"], port))
            self._watch(one, then)
        except OSError as error:
            say("busy", f"{port or protocol} {error.strerror}")

    def _watch(self, one: socket.socket, then: Any) -> None:
        one.setblocking(False)
        self.selector.register(one, selectors.EVENT_READ, then)

    def _accept(self, one: socket.socket) -> None:
        one.accept()[0].close()

    def _echo(self, one: socket.socket) -> None:
        data, source = one.recvfrom(65536)
        if data.startswith(MAGIC):
            one.sendto(MAGIC + str(len(data)).encode(), source)

    def _hear(self, one: socket.socket) -> None:
        packet, (address, _) = one.recvfrom(65536)
        if MAGIC in packet:
            self.heard.add(address)

    def ask(self) -> None:
        """Begin all connections and send the first datagrams."""
        for name, address, ports in self.plan["tcp"]:
            for port in ports:
                self._connect((name, port), address, port)
        if self.plan["endpoint"]:
            self._connect(("endpoint", 0), *self.plan["endpoint"])
        self.asking = self._socket_for(self._answered)
        self.sending = self._socket_for(self._heard_back)
        self.sending.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO)
        self.dns = dict.fromkeys(resolvers(), "silent")

    def _socket_for(self, then: Any) -> socket.socket:
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._watch(one, then)
        return one

    def _connect(self, key: tuple[str, int], address: str, port: int) -> None:
        one = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        one.setblocking(False)
        try:
            code = one.connect_ex((address, port))
        except OSError as error:
            return self._connected(key, f"no address ({error})")
        if code not in (0, errno.EINPROGRESS):
            return self._connected(key, os.strerror(code))
        self.connecting[one] = key
        self.selector.register(one, selectors.EVENT_WRITE, self._finish)
        return None

    def _finish(self, one: socket.socket) -> None:
        code = one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        said = {0: "open", errno.ECONNREFUSED: "refused"}.get(code, os.strerror(code))
        self._connected(self.connecting.pop(one), said)
        self.selector.unregister(one)
        one.close()

    def _connected(self, key: tuple[str, int], said: str) -> None:
        if key[0] == "endpoint":
            say("endpoint", said)
        else:
            say("tcp", f"{key[0]} {key[1]} {said}")

    def send(self) -> None:
        """Datagrams to those that have not answered."""
        for name, address in self.plan["udp"]:
            for size, length in (("small", 32), ("large", self.plan["mtu"] - HEADERS)):
                if self.udp.get((name, size)) != "ok":
                    self._send(name, address, size, length)
        for address in self.plan["vrrp"]:
            send_vrrp(self.plan["address"], address)
        for address, said in self.dns.items():
            if said == "silent":
                with contextlib.suppress(OSError):  # not sent is as good as not answered
                    self.asking.sendto(QUESTION, (address, 53))

    def _send(self, name: str, address: str, size: str, length: int) -> None:
        self.udp.setdefault((name, size), "silent")
        try:
            self.sending.sendto(MAGIC + b"." * (length - len(MAGIC)), (address, self.plan["port"]))
        except OSError as error:
            if error.errno == errno.EMSGSIZE:
                self.udp[name, size] = "too long for the path, says the kernel"

    def _heard_back(self, one: socket.socket) -> None:
        data, (address, _) = one.recvfrom(65536)
        size = "small" if data == MAGIC + b"32" else "large"
        for name, known in self.plan["udp"]:
            if known == address:
                self.udp[name, size] = "ok"

    def _answered(self, one: socket.socket) -> None:
        address = one.recvfrom(65536)[1][0]
        if address in self.dns:
            self.dns[address] = "ok"

    def turn(self, until_s: float) -> bool:
        """Serve sockets until then; false when the input has ended, true also when a line came."""
        while (left := until_s - time.monotonic()) > 0:
            for key, _ in self.selector.select(left):
                if key.data is None:
                    return True
                with contextlib.suppress(OSError):  # of a neighbour that is not reached; it counts as silent
                    key.data(key.fileobj)
        return False

    def measure(self) -> None:
        """Ask everybody, wait for the answers, say what came."""
        self.ask()
        began = time.monotonic()
        for turn in range(3):
            self.send()
            self.turn(began + AGAIN_S * (turn + 1))
        while time.monotonic() < began + WAIT_S and not self._done():
            self.turn(min(time.monotonic() + 0.05, began + WAIT_S))
        for key in self.connecting.values():
            self._connected(key, "silent")
        for (name, size), how in self.udp.items():
            say("udp", f"{name} {size} {how}")
        for address in self.plan["vrrp"]:
            say("vrrp_from", address)
        for address, how in self.dns.items():
            say("dns", f"{address} {how}")

    def _done(self) -> bool:
        silent = "silent" in self.udp.values() or "silent" in self.dns.values()
        return not self.connecting and not silent


QUESTION = struct.pack(">HHHHHH", 0x1DC0, 0x0100, 1, 0, 0, 0) + b"\x00" + struct.pack(">HH", 2, 1)
"""Which name servers has the root? Every resolver answers, if only with a refusal (RFC 1035)."""


def send_vrrp(source: str, target: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, VRRP) as one:
        one.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 255)
        one.bind((source, 0))
        with contextlib.suppress(OSError):
            one.sendto(MAGIC, (target, 0))


def resolvers() -> list[str]:
    """Of /etc/resolv.conf, as many as the C library asks."""
    try:
        with open("/etc/resolv.conf") as file:
            words = [line.split() for line in file]
    except OSError:
        return []
    return [each[1] for each in words if len(each) > 1 and each[0] == "nameserver" and "." in each[1]][:3]


def ask_arp(interface: str, address: str) -> None:
    """Who has the address? An ARP probe (RFC 5227) three times within a second."""
    try:
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0806)) as one:
            one.bind((interface, 0x0806))
            mac = one.getsockname()[4]
            target = socket.inet_aton(address)
            head = b"\xff" * 6 + mac + struct.pack(">HHHBBH", 0x0806, 1, 0x0800, 6, 4, 1)
            frame = head + mac + b"\x00" * 4 + b"\x00" * 6 + target
            for _ in range(3):
                one.send(frame)
                if found := _arp_answer(one, target, time.monotonic() + 0.3):
                    return say("arp", f"{address} {found}")
            say("arp", f"{address} none")
    except OSError as error:
        say("arp_error", error.strerror)
    return None


def _arp_answer(one: socket.socket, target: bytes, until_s: float) -> str:
    while (left := until_s - time.monotonic()) > 0:
        one.settimeout(left)
        try:
            frame = one.recv(2048)
        except TimeoutError:
            return ""
        if frame[12:14] == b"\x08\x06" and frame[28:32] == target:
            return ":".join(f"{each:02x}" for each in frame[22:28])
    return ""


def sync(directory: str, most: int, limit_s: float) -> None:
    """Write and fdatasync as etcd's log does; in a file beside its data, gone as soon as it is open."""
    while not os.path.isdir(directory):
        directory = os.path.dirname(directory)
    path = os.path.join(directory, f".idcbench-sync-{os.getpid()}")
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        os.unlink(path)
        taken: list[int] = []
        end = time.monotonic() + limit_s
        while len(taken) < most and time.monotonic() < end:
            began = time.perf_counter_ns()
            os.write(file, b"." * 2300)
            os.fdatasync(file)
            taken.append((time.perf_counter_ns() - began) // 1000)
        os.close(file)
    except OSError as error:
        return say("sync_error", error.strerror)
    taken.sort()
    return say("sync_us", f"{len(taken)} {taken[len(taken) // 2]} {taken[(len(taken) * 99 - 1) // 100]} {taken[-1]}")


def try_vxlan() -> None:
    name = f"idcp{os.getpid()}"[:15]
    made = subprocess.run(
        ["ip", "link", "add", name, "type", "vxlan", "id", "4242", "dstport", "4242"], capture_output=True, text=True
    )
    if made.returncode == 0:
        subprocess.run(["ip", "link", "delete", name])
    said = (made.stderr.strip().splitlines() or ["refused"])[-1]
    say("vxlan", "yes" if made.returncode == 0 else said)


def try_nftables() -> None:
    """Ask the kernel for the generation of its rules (NFT_MSG_GETGEN); without nf_tables the question is an error."""
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12) as one:
            one.settimeout(2)
            one.send(struct.pack("=LHHLL", 20, (10 << 8) | 16, 1, 1, 0) + b"\x00" * 4)
            answer = one.recv(4096)
        kind, code = struct.unpack_from("=H", answer, 4)[0], struct.unpack_from("=i", answer, 16)[0]
        say("nftables", "yes" if kind != 2 else os.strerror(-code))
    except OSError as error:
        say("nftables", error.strerror or error)


def work(plan: dict[str, Any]) -> None:
    """What takes time of its own, beside the sockets."""
    if plan["arp"]:
        ask_arp(*plan["arp"])
    if plan["vxlan"]:
        try_vxlan()
    try_nftables()
    if plan["sync"]:
        sync(*plan["sync"])


def main() -> None:
    host = Host(ast.literal_eval(read_line()))
    signal.alarm(host.plan["alarm_s"])
    host.selector.register(0, selectors.EVENT_READ, None)
    host.listen()
    say("ready", "yes")
    while True:
        host.turn(time.monotonic() + host.plan["alarm_s"])
        line = read_line()
        if line == "time":
            say("clock", time.time_ns())
        elif line == "go":
            host.selector.unregister(0)
            beside = threading.Thread(target=work, args=(host.plan,), daemon=True)
            beside.start()
            host.measure()
            while beside.is_alive():
                host.turn(time.monotonic() + 0.02)
            host.selector.register(0, selectors.EVENT_READ, None)
            say("done", "yes")
        else:
            break
    for address in sorted(host.heard):
        say("vrrp", address)
    say("complete", "yes")


def read_line() -> str:
    """A line of the input; the descriptor is read by the byte, as nothing may be left in a buffer."""
    line = b""
    while (byte := os.read(0, 1)) not in (b"\n", b""):
        line += byte
    return line.decode()


if __name__ == "__main__":
    main()
