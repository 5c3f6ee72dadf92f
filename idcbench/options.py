"""The one table of options: ``--idc-X`` in pytest, ``--X`` in ``idcbench up`` and ``run``, ``idc_X`` in an ini file.

Only the standard library is imported here, since every start of pytest imports this module.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from .choices import PROFILES, Profile, version

if TYPE_CHECKING:
    from .cluster import ClusterSpec, SchedulerChoice, Shape

SHAPES = ("full", "bench")
SCHEDULERS = ("kube-scheduler", "idcbench", "both")
CONTROL_PLANES = (1, 3, 5)


def text(value: str) -> str:
    """Anything but nothing. Raises ``ValueError``."""
    if not value.strip():
        raise ValueError("a value is wanted, found an empty one")
    return value.strip()


def name(value: str) -> str:
    """What can name a folder and a cluster. Raises ``ValueError``."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,49}", value):
        raise ValueError(f"up to 50 letters, digits and . _ - are wanted, the first no sign; found {value!r}")
    return value


def whole_number(value: str, *, least: int) -> int:
    """A whole number from ``least`` on. Raises ``ValueError``."""
    if not re.fullmatch(r"-?\d+", value.strip()) or int(value) < least:
        raise ValueError(f"a whole number from {least} on is wanted, found {value!r}")
    return int(value)


def node_count(value: str) -> int:
    """How many simulated nodes. Raises ``ValueError``."""
    return whole_number(value, least=0)


def repetitions(value: str) -> int:
    """How many repetitions. Raises ``ValueError``."""
    return whole_number(value, least=1)


def share(value: str) -> float:
    """A share above 0 and up to 1: ``0.1``. Raises ``ValueError``."""
    try:
        found = float(value)
    except ValueError:
        found = 0.0
    if not 0 < found <= 1:
        raise ValueError(f"a number above 0 and up to 1 is wanted, found {value!r}")
    return found


def control_planes(value: str) -> int:
    """How many control-plane hosts: an odd number, so that one can be lost. Raises ``ValueError``."""
    if value not in map(str, CONTROL_PLANES):
        raise ValueError(f"1, 3 or 5 is wanted (etcd needs an odd number), found {value!r}")
    return int(value)


def profile(value: str) -> str:
    """A set of timers. Raises ``ValueError``."""
    return _one_of(PROFILES, value)


def shape(value: str) -> str:
    """What the cluster is made of. Raises ``ValueError``."""
    return _one_of(SHAPES, value)


def scheduler(value: str) -> str:
    """Which schedulers run. Raises ``ValueError``."""
    return _one_of(SCHEDULERS, value)


def _one_of(choices: Sequence[str], value: str) -> str:
    if value not in choices:
        raise ValueError(f"one of {', '.join(choices)} is wanted, found {value!r}")
    return value


def is_inventory(target: str) -> bool:
    """Whether a target is the path of an inventory."""
    return target.endswith((".yaml", ".yml")) or "/" in target


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One option. ``parse`` takes the text and raises ``ValueError`` saying what was wanted and what was found.

    ``ini``: also read from pytest's ini file; ``up``: belongs to ``idcbench up`` too; ``flag``: takes no value;
    ``many``: may be given several times; ``cluster``: says what the cluster is like, so that ``--ab`` can vary it.
    """

    name: str
    help: str
    parse: Callable[[str], Any] = text
    default: Any = ""
    metavar: str = "TEXT"
    ini: bool = False
    up: bool = False
    flag: bool = False
    many: bool = False
    cluster: bool = False

    @property
    def dest(self) -> str:
        """The name of the value in Python: ``control_planes``."""
        return self.name.replace("-", "_")

    @property
    def pytest_flag(self) -> str:
        return f"--idc-{self.name}"

    @property
    def pytest_dest(self) -> str:
        return f"idc_{self.dest}"


TARGET = Option(
    name="target",
    metavar="TARGET",
    ini=True,
    help="where the cluster comes from: embedded, kubeconfig, or an inventory file; without it the plugin does nothing",
)
OPTIONS: tuple[Option, ...] = (
    Option(
        name="suite",
        parse=name,
        default=(),
        metavar="NAME",
        many=True,
        help="run this packaged suite (failover, functional, performance); may be given several times",
    ),
    Option(
        name="name",
        parse=name,
        metavar="NAME",
        ini=True,
        up=True,
        help="name of the cluster, where one target has several",
    ),
    Option(
        name="control-planes",
        parse=control_planes,
        default=3,
        metavar="1|3|5",
        ini=True,
        up=True,
        cluster=True,
        help="control-plane hosts",
    ),
    Option(
        name="nodes",
        parse=node_count,
        default=50,
        metavar="N",
        ini=True,
        up=True,
        cluster=True,
        help="simulated nodes",
    ),
    Option(
        name="kubernetes",
        parse=version,
        default="1.37",
        metavar="VERSION",
        ini=True,
        up=True,
        cluster=True,
        help="version of Kubernetes, 1.37 or 1.37.2",
    ),
    Option(
        name="profile",
        parse=profile,
        default="default",
        metavar="|".join(PROFILES),
        ini=True,
        up=True,
        cluster=True,
        help="sets all timers together",
    ),
    Option(
        name="shape",
        parse=shape,
        default="full",
        metavar="|".join(SHAPES),
        ini=True,
        up=True,
        cluster=True,
        help="bench: one etcd and one API server without controllers, for benchmarks",
    ),
    Option(
        name="scheduler",
        parse=scheduler,
        default="kube-scheduler",
        metavar="|".join(SCHEDULERS),
        ini=True,
        up=True,
        cluster=True,
        help="which scheduler serves; both: idcbench's beside the other, for pods of schedulerName idcbench",
    ),
    Option(name="kubeconfig", metavar="FILE", ini=True, up=True, help="kubeconfig of the target kubeconfig"),
    Option(name="context", metavar="NAME", ini=True, up=True, help="context in that kubeconfig"),
    Option(name="artifacts", metavar="DIR", ini=True, up=True, help="directory that holds the binaries"),
    Option(name="mirror", metavar="URL", ini=True, up=True, help="mirror of the release sites, same layout"),
    Option(name="bundle", metavar="FILE", ini=True, up=True, help="what the hosts of an inventory are made from"),
    Option(name="keep", default=False, flag=True, help="leave the cluster there after the tests"),
    Option(name="run-name", parse=name, default="run", metavar="NAME", help="name of the run directory"),
    Option(name="repeat", parse=repetitions, default=3, metavar="N", help="repetitions of each fault"),
    Option(
        name="scale",
        parse=share,
        default=0.1,
        metavar="SHARE",
        ini=True,
        help="size of what the performance suite loads, as a share of the stated sizes; 1 for all of them",
    ),
    Option(
        name="limits",
        metavar="FILE",
        ini=True,
        help="YAML file of limits (metric, labels, statistic, at_most or at_least); a breach fails the test",
    ),
    Option(
        name="allow-disruption",
        metavar="NAME",
        help="name of a cluster that idcbench did not make and that disruptive tests may break",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetOptions:
    """What a target needs to find its cluster and binaries; empty text where nothing was said."""

    name: str = ""
    kubeconfig: str = ""
    context: str = ""
    artifacts: str = ""
    mirror: str = ""
    bundle: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All options with their values, parsed; ``target`` is empty when none was given."""

    target: str = ""
    suite: tuple[str, ...] = ()
    name: str = ""
    control_planes: int = 3
    nodes: int = 50
    kubernetes: str = "1.37"
    profile: str = "default"
    shape: str = "full"
    scheduler: str = "kube-scheduler"
    kubeconfig: str = ""
    context: str = ""
    artifacts: str = ""
    mirror: str = ""
    bundle: str = ""
    keep: bool = False
    run_name: str = "run"
    repeat: int = 3
    scale: float = 0.1
    limits: str = ""
    allow_disruption: str = ""
    given: frozenset[str] = field(default_factory=frozenset)
    """Names of the options that the user gave, as opposed to defaults."""

    def target_options(self) -> TargetOptions:
        return TargetOptions(
            name=self.name,
            kubeconfig=self.kubeconfig,
            context=self.context,
            artifacts=self.artifacts,
            mirror=self.mirror,
            bundle=self.bundle,
        )

    def spec(self) -> ClusterSpec:
        """The cluster that is asked for."""
        from .cluster import ClusterSpec  # imports ssl, which a start of pytest without a target has no use for

        return ClusterSpec(
            name=self.name,
            control_planes=self.control_planes,
            nodes=self.nodes,
            kubernetes=self.kubernetes,
            profile=cast(Profile, self.profile),
            shape=cast("Shape", self.shape),
            scheduler=cast("SchedulerChoice", self.scheduler),
            asked=self.given,
        )


def settings(raw: Mapping[str, Any], *, spell: Callable[[Option], str]) -> Settings:
    """Parse what a command line gave, by ``Option.dest``; ``None``, ``()`` and a missing key mean the default.

    ``spell`` says how the option was spelt, for the message of the ``ValueError`` that a wrong value raises.
    """
    values: dict[str, Any] = {}
    for option in (TARGET, *OPTIONS):
        given = raw.get(option.dest)
        if given is None or given == () or (option.flag and not given):
            continue
        try:
            values[option.dest] = _parsed(option, given)
        except ValueError as error:
            raise ValueError(f"{spell(option)}: {error}") from None
    return Settings(**values, given=frozenset(values))


def _parsed(option: Option, given: Any) -> Any:
    if option.flag:
        return bool(given)
    if option.many:
        return tuple(option.parse(part) for value in given for part in str(value).split(","))
    return option.parse(str(given))
