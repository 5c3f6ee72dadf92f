"""``idcbench scheduler run | explain | check-config | manifests | image | warm``: the scheduler by itself.

What is heavy (the compiled kernels) is imported by the commands that need it.
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from ..choices import PROFILES as PROFILE_NAMES
from ..errors import ClusterError, UsageError

if TYPE_CHECKING:
    from ..choices import Profile
    from ..kube.access import Access
    from ..scheduler.explain.record import Explained
    from ..scheduler.service.config import Configuration
    from ..scheduler.service.settings import ServiceSettings

DEFAULT_PORT = 10260
"""Beside kube-scheduler's 10259, so that both can run on one host."""
file_option = click.Path(dir_okay=False, path_type=Path)


class Group(click.Group):
    """The command that builds images is imported when it is used: it needs what the others do not."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*super().list_commands(ctx), "image"]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name == "image":
            from .scheduler_image import build_image

            return build_image
        return super().get_command(ctx, cmd_name)


@click.group(cls=Group)
def scheduler() -> None:
    """The scheduler: run it, ask it why, check its configuration, deploy it."""


@scheduler.command()
@click.option("--config", "config_file", type=file_option, help="KubeSchedulerConfiguration; options go before it")
@click.option("--kubeconfig", type=file_option, help="how to reach the API; in a pod its service account by default")
@click.option("--api-server", "members", multiple=True, metavar="URL", help="an API server; several are used together")
@click.option("--scheduler-name", metavar="NAME", help="serve pods of this spec.schedulerName [default-scheduler]")
@click.option(
    "--profile", default="default", type=click.Choice(PROFILE_NAMES), show_default=True, help="times of the lease"
)
@click.option("--leader-elect/--no-leader-elect", default=None, help="one of several leads [yes, or as the file says]")
@click.option("--lease-name", metavar="NAME", help="name of the lease [kube-scheduler]")
@click.option("--lease-namespace", metavar="NAME", help="namespace of the lease [kube-system]")
@click.option("--bind-address", default="0.0.0.0", show_default=True, help="where health and metrics are served")
@click.option(
    "--secure-port",
    default=DEFAULT_PORT,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="their port; 0 serves nothing",
)
@click.option("--plain-http", is_flag=True, help="serve without TLS and to all; on a loopback address only")
@click.option("--tls-cert-file", type=file_option, help="serving certificate [self-signed, in memory]")
@click.option("--tls-private-key-file", type=file_option, help="its key")
@click.option("--seed", type=int, help="settles ties between equal nodes [random]")
@click.option("-v", "--verbose", is_flag=True, help="log details too")
def run(
    config_file: Path | None, kubeconfig: Path | None, members: tuple[str, ...], scheduler_name: str | None,
    profile: str, leader_elect: bool | None, lease_name: str | None, lease_namespace: str | None, bind_address: str,
    secure_port: int, plain_http: bool, tls_cert_file: Path | None, tls_private_key_file: Path | None,
    seed: int | None, verbose: bool,
) -> None:  # fmt: skip
    """Schedule pods until SIGTERM; then the bindings in flight are finished and the lease is given up."""
    from ..kube.apierror import ApiError
    from ..scheduler.service.config_access import find_access
    from ..scheduler.service.jsonlog import log_json_lines
    from ..scheduler.service.serving_process import Listen, run_process
    from ..scheduler.service.serving_tls import CertificateFiles

    if bool(tls_cert_file) != bool(tls_private_key_file):
        raise UsageError("--tls-cert-file and --tls-private-key-file belong together; one is missing")
    if plain_http and not _is_loopback(bind_address):
        raise UsageError(f"--plain-http answers whoever asks; it wants --bind-address 127.0.0.1, found {bind_address}")
    configuration = _configuration(config_file, scheduler_name, lease_name, lease_namespace)
    settings = _settings(configuration, config_file, profile, elect=leader_elect)
    access = find_access(kubeconfig or configuration.kubeconfig, members=members)
    certificate = (
        CertificateFiles(tls_cert_file, tls_private_key_file) if tls_cert_file and tls_private_key_file else None
    )
    listen = Listen(address=bind_address, port=secure_port, plain=plain_http, certificate=certificate)
    log_json_lines(level=10 if verbose else 20)
    try:
        asyncio.run(run_process(access, configuration, settings, listen if secure_port else None, seed=seed))
    except ApiError as error:
        if error.status not in (401, 403):
            raise
        who = "who it is" if error.status == 401 else "what it may do"
        raise ClusterError(
            f"{error}; the kubeconfig or service account settles {who}: "
            "`idcbench scheduler manifests --only-roles-for USER` prints the roles that are needed"
        ) from None


@scheduler.command()
@click.argument("pod", metavar="[NAMESPACE/]POD")
@click.option("--name", default="", metavar="NAME", help="name of the embedded cluster, where there are several")
@click.option("--kubeconfig", type=file_option, help="ask the cluster of this file instead of the embedded one")
@click.option("--context", default="", metavar="NAME", help="context in that file")
@click.option("--server", "servers", multiple=True, metavar="URL", help="ask the scheduler here, https://HOST:10260")
@click.option("--insecure", is_flag=True, help="do not check its certificate; a token is then shown to whoever answers")
@click.option("--config", "config_file", type=file_option, help="its configuration, for what is recomputed")
@click.option("--today", is_flag=True, help="recompute on today's state, ask no scheduler")
@click.option("--json", "as_json", is_flag=True, help="as JSON")
def explain(
    pod: str, name: str, kubeconfig: Path | None, context: str, servers: tuple[str, ...], insecure: bool,
    config_file: Path | None, today: bool, as_json: bool,
) -> None:  # fmt: skip
    """Tell why a pod waits, or why it went where it went.

    The running scheduler is asked first: it keeps its last 10,000 decisions as they were. Where none answers, and
    with --today, the cluster is read and the pod evaluated on its present state, which is said.
    """
    import msgspec

    from ..scheduler.explain.text import render

    namespace, pod_name = _pod_named(pod)
    access, urls = _reach(name, kubeconfig, context, servers)
    asked = None
    if not today:
        asked = asyncio.run(
            _asked(access, urls, namespace=namespace, pod=pod_name, check=not insecure, named=bool(servers))
        )
    explained = asked or asyncio.run(_recomputed(access, config_file, namespace=namespace, pod=pod_name))
    click.echo(msgspec.json.format(msgspec.json.encode(explained)).decode() if as_json else render(explained))


@scheduler.command("check-config")
@click.argument("file", type=file_option)
def check_config(file: Path) -> None:
    """Read a configuration file and say what it means. Exit code 4 when it cannot be used."""
    from tabulate import tabulate

    from ..scheduler.service.config import read_configuration

    configuration = read_configuration(file)
    _settings(configuration, file, "default", elect=None)
    rows = [
        (
            policy.name,
            ", ".join(f"{plugin} {weight}" for plugin, weight in policy.weights.items()),
            ", ".join(sorted(policy.disabled)) or "none",
            policy.fit.strategy,
        )
        for policy in configuration.policies
    ]
    click.echo(tabulate(rows, headers=["profile", "scores", "switched off", "fit"], maxcolwidths=[None, 60, 30, None]))
    election = configuration.election
    lease = f"elected as {election.namespace}/{election.name}" if election.elect else "no election"
    click.echo(f"\n{lease}; back-off {configuration.queue.backoff_first_s:g} to "
               f"{configuration.queue.backoff_most_s:g} s")  # fmt: skip
    for note in configuration.notes:
        click.echo(f"note: {file}, {note}")


@scheduler.command("manifests")
@click.option("--image", default="idcbench-scheduler:latest", show_default=True, help="reference of the image")
@click.option("--namespace", default="kube-system", show_default=True)
@click.option("--replicas", default=2, show_default=True, type=click.IntRange(1))
@click.option("--scheduler-name", default="idcbench", show_default=True, help="serve pods of this name")
@click.option("--lease-name", default="idcbench-scheduler", show_default=True, help="name of the lease")
@click.option("--profile", default="default", type=click.Choice(PROFILE_NAMES), show_default=True)
@click.option("--config", "config_file", type=file_option, help="put this configuration file in")
@click.option("--only-roles-for", "user", metavar="USER", help="nothing but the roles, for this user")
@click.option("--json", "as_json", is_flag=True, help="as a JSON list")
def show_manifests(
    image: str, namespace: str, replicas: int, scheduler_name: str, lease_name: str, profile: str,
    config_file: Path | None, user: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Print the objects that run the scheduler in a cluster, for `kubectl apply -f -`."""
    import json

    import yaml

    from ..scheduler.deploy.manifests import Deployed, manifests
    from ..scheduler.deploy.roles import roles, subject
    from ..scheduler.service.config import read_configuration

    _check_names({"--namespace": namespace, "--scheduler-name": scheduler_name, "--lease-name": lease_name})
    if config_file:
        _settings(read_configuration(config_file), config_file, profile, elect=None)
    deployed = Deployed(
        image=image, namespace=namespace, replicas=replicas, scheduler_name=scheduler_name, lease=lease_name,
        profile=profile, configuration=config_file.read_text() if config_file else "",
    )  # fmt: skip
    objects = roles(subject("User", user), lease=lease_name, namespace=namespace) if user else manifests(deployed)
    click.echo(json.dumps(objects) if as_json else yaml.safe_dump_all(objects, sort_keys=False), nl=as_json)


@scheduler.command()
def warm() -> None:
    """Compile the kernels unless they are kept already; a first start then need not wait for that."""
    from ..scheduler.core import kernels
    from ..scheduler.core.keeping import cache_folder

    warmed = kernels.warm()
    if warmed.unkept:
        why = next(iter(warmed.unkept.values()))
        raise UsageError(
            f"{why}: kernels are to be kept in {cache_folder()}; set XDG_CACHE_HOME to where one may write"
        )
    click.echo(f"{len(warmed.compiled)} of {len(kernels.ENTRIES)} kernels compiled; all are in {cache_folder()}")


def _configuration(
    file: Path | None, scheduler_name: str | None, lease_name: str | None, lease_namespace: str | None
) -> Configuration:
    """The file, if any, with what the options say instead."""
    from ..scheduler.service.config import Configuration, read_configuration

    _check_names({"--lease-name": lease_name, "--lease-namespace": lease_namespace})
    found = read_configuration(file) if file else Configuration()
    election = replace(
        found.election,
        name=lease_name or found.election.name,
        namespace=lease_namespace or found.election.namespace,
    )
    policies = found.policies
    if scheduler_name:
        if len(policies) > 1:
            raise UsageError(f"--scheduler-name names one profile; {file} has {len(policies)}: name them there")
        policies = (replace(policies[0], name=scheduler_name),)
    return replace(found, election=election, policies=policies)


def _settings(
    configuration: Configuration, file: Path | None, profile: str, *, elect: bool | None
) -> ServiceSettings:  # fmt: skip
    """Raises :class:`UsageError` when the times of the file, and of the profile where it has none, do not fit."""
    from ..provisioning.controlplane.timers import PROFILES
    from ..scheduler.service.config_settings import new_identity, service_settings

    elect = configuration.election.elect if elect is None else elect
    try:
        return service_settings(configuration, PROFILES[cast("Profile", profile)], elect=elect, identity=new_identity())
    except ValueError as error:
        raise UsageError(f"{file}: leaderElection, with what profile {profile} adds: {error}") from None


def _check_names(given: Mapping[str, str | None]) -> None:
    from ..scheduler.service.config_election import NAME_WANTED, can_name

    for option, name in given.items():
        if name is not None and not can_name(name):
            raise UsageError(f"{option}: {NAME_WANTED} is wanted; found {name!r}")


def _pod_named(text: str) -> tuple[str, str]:
    """Namespace and name. Raises :class:`UsageError` for what no pod can be called."""
    namespace, slash, name = text.rpartition("/")
    if not re.fullmatch(r"[a-z0-9.-]+", name) or not re.fullmatch(r"[a-z0-9-]+" if slash else "", namespace):
        raise UsageError(f"POD or NAMESPACE/POD is wanted, such as shop/web-7d9; found {text!r}")
    return namespace or "default", name


def _reach(name: str, kubeconfig: Path | None, context: str, servers: tuple[str, ...]) -> tuple[Access, list[str]]:
    """The cluster, and where its schedulers may be; an empty list means: find their pods."""
    from ..kube.kubeconfig import access_from_kubeconfig
    from ..provisioning.embedded.target import EmbeddedTarget

    if kubeconfig or context or ("KUBECONFIG" in os.environ and not name):
        return access_from_kubeconfig(kubeconfig, context or None), list(servers)
    cluster = EmbeddedTarget(name=name).attach()
    return cluster.access, list(servers) or [f"https://{host.address}:{DEFAULT_PORT}" for host in cluster.hosts]


async def _asked(
    access: Access, urls: list[str], *, namespace: str, pod: str, check: bool, named: bool
) -> Explained | None:  # fmt: skip
    from ..scheduler.explain.asking import ask_schedulers, scheduler_pods

    urls = urls or await scheduler_pods(access)
    return await ask_schedulers(access, urls, namespace=namespace, pod=pod, check=check, named=named)


async def _recomputed(access: Access, config_file: Path | None, *, namespace: str, pod: str) -> Explained:
    from ..scheduler.explain.today import explain_today
    from ..scheduler.service.config import Configuration, read_configuration

    policies = (read_configuration(config_file) if config_file else Configuration()).policies
    return await explain_today(access, policies, namespace=namespace, pod=pod)


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"
