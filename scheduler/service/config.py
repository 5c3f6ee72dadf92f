"""The configuration file, in the form of KubeSchedulerConfiguration (kubescheduler.config.k8s.io/v1).

A file that kube-scheduler 1.37 takes is taken here, or refused with the line that says what is different. Fields that
are accepted and change nothing are told in ``notes``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ...yamlfile.values import Section, Value, read_document
from ..policy import DEFAULT_NAME, Policy
from .config_arguments import API_VERSION, Arguments, read_arguments
from .config_election import Election, read_election
from .config_plugins import merge_plugins
from .settings import QueueSettings

KIND = "KubeSchedulerConfiguration"
Unused = Mapping[str, tuple[Callable[[Value], object], str]]
"""Fields that change nothing: how each is read all the same, and why it has no effect."""
WITHOUT_EFFECT: Unused = {
    "parallelism": (lambda value: value.whole(least=1), "one thread decides"),
    "enableProfiling": (Value.flag, "there is no Go profiler to switch on"),
    "enableContentionProfiling": (Value.flag, "there is no Go profiler to switch on"),
}
CLIENT_WITHOUT_EFFECT: Unused = {
    "qps": (Value.number, "there is no limit on this side; the API server's priority and fairness holds"),
    "burst": (
        lambda value: value.whole(least=-1),
        "there is no limit on this side; the API server's priority and fairness holds",
    ),
    "contentType": (Value.text, "requests are JSON"),
    "acceptContentTypes": (Value.text, "answers are JSON"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """What a file says. Without a file: one default profile, elected as ``kube-system/kube-scheduler``."""

    policies: tuple[Policy, ...] = (Policy(),)
    election: Election = field(default_factory=Election)
    queue: QueueSettings = field(default_factory=QueueSettings)
    claim_limit_s: float | None = None
    """``bindTimeoutSeconds`` of VolumeBinding."""
    kubeconfig: Path | None = None
    notes: tuple[str, ...] = ()


def read_configuration(path: Path) -> Configuration:
    """Read a file. Raises :class:`~idcbench.errors.UsageError`: file, line, what was found, what is wanted."""
    document = read_document(path, wanted="a mapping with apiVersion and kind")
    document.need("apiVersion", what=API_VERSION).choice(API_VERSION)
    document.need("kind", what=KIND).choice(KIND)
    notes = _without_effect(document, WITHOUT_EFFECT)
    _refuse_extenders(document)
    _check_percentage(document)
    late = document.take("delayCacheUntilActive")
    if late is not None and late.flag():
        late.refuse("false is wanted; found true: a stand-by here always has its caches filled")
    queue, election = _queue(document), read_election(document.take("leaderElection"))
    kubeconfig, client_notes = _client(document)
    profiles = list(document.sections("profiles"))
    policies, arguments = _policies(profiles)
    document.close()
    return Configuration(
        policies=policies,
        election=election,
        queue=queue,
        claim_limit_s=_claim_limit(arguments),
        kubeconfig=kubeconfig,
        notes=(*notes, *client_notes, *(note for one in arguments for note in one.notes)),
    )


def _policies(profiles: Sequence[Section]) -> tuple[tuple[Policy, ...], list[Arguments]]:
    policies: dict[str, Policy] = {}
    arguments: list[Arguments] = []
    for profile in profiles:
        given = profile.take("schedulerName")
        if given is None and len(profiles) > 1:
            profile.value.refuse("schedulerName: a name is wanted where there are several profiles; found nothing")
        name = given.name() if given else DEFAULT_NAME
        if given and name in policies:
            given.refuse(f"{name!r} is the name of another profile already")
        plugins = profile.take("plugins")
        taking_part = merge_plugins(plugins.section() if plugins else None)
        said = read_arguments(profile.sections("pluginConfig"))
        _check_percentage(profile)
        profile.close()
        arguments.append(said)
        policies[name] = Policy(
            name=name,
            weights=taking_part.weights,
            disabled=taking_part.disabled,
            volume_weight=taking_part.volume_weight,
            **said.policy,
        )
    return tuple(policies.values()) or (Policy(),), arguments


def _queue(document: Section) -> QueueSettings:
    first, most = document.take("podInitialBackoffSeconds"), document.take("podMaxBackoffSeconds")
    first_s = first.whole(least=1) if first else 1
    most_s = most.whole(least=1) if most else 10
    if most_s < first_s:
        (most or first or document.value).refuse(
            f"podMaxBackoffSeconds of at least podInitialBackoffSeconds is wanted; found {most_s} and {first_s}"
        )
    return QueueSettings(backoff_first_s=float(first_s), backoff_most_s=float(most_s))


def _client(document: Section) -> tuple[Path | None, list[str]]:
    given = document.take("clientConnection")
    if given is None:
        return None, []
    section = given.section()
    kubeconfig = section.take("kubeconfig")
    notes = _without_effect(section, CLIENT_WITHOUT_EFFECT)
    section.close()
    text = kubeconfig.text() if kubeconfig else ""
    return Path(text) if text else None, notes


def _without_effect(section: Section, fields: Unused) -> list[str]:
    notes = []
    for name, (read, why) in fields.items():
        if (value := section.take(name)) is not None:
            read(value)
            notes.append(f"line {value.line}: {value.path}: no effect: {why}")
    return notes


def _refuse_extenders(document: Section) -> None:
    given = document.take("extenders")
    if given is not None and given.items():
        given.refuse("extenders are not supported; found one. All decisions are made in this process")


def _check_percentage(section: Section) -> None:
    given = section.take("percentageOfNodesToScore")
    if given is not None and given.whole(least=0, most=100) not in (0, 100):
        given.fail("100, or 0, which means the same here, since all nodes are looked at,")


def _claim_limit(arguments: Sequence[Arguments]) -> float | None:
    """The one limit that the process has. Profiles that differ are refused."""
    found = [one.claim_limit for one in arguments if one.claim_limit is not None]
    for seconds, where in found[1:]:
        if seconds != found[0][0]:
            where.refuse(f"the same in all profiles is wanted; found {seconds:g} and {found[0][0]:g}")
    return found[0][0] if found else None
