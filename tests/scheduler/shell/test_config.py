"""The configuration file: what it gives, and what is said about one that cannot be used."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from idcbench.errors import UsageError
from idcbench.scheduler.policy import DEFAULT_WEIGHTS, FitScore, Policy, ShapePoint, WeightedResource
from idcbench.scheduler.service.config import Configuration, read_configuration
from idcbench.scheduler.service.config_election import Election

HEAD = "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n"


def read(tmp_path: Path, body: str, *, head: str = HEAD) -> Configuration:
    file = tmp_path / "scheduler.yaml"
    file.write_text(head + textwrap.dedent(body))
    return read_configuration(file)


def policy(tmp_path: Path, body: str) -> Policy:
    (one,) = read(tmp_path, "profiles:\n- schedulerName: default-scheduler\n" + textwrap.indent(body, "  ")).policies
    return one


def test_an_empty_file_gives_the_defaults(tmp_path: Path) -> None:
    assert read(tmp_path, "") == Configuration()
    assert read(tmp_path, "profiles: []\n").policies == (Policy(),)


def test_times_and_names(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        """
        leaderElection: {leaderElect: true, leaseDuration: 1m30s, renewDeadline: 10s, retryPeriod: 500ms,
                         resourceName: ours, resourceNamespace: idc, resourceLock: leases}
        clientConnection: {kubeconfig: /etc/x.conf, qps: 5000}
        podInitialBackoffSeconds: 2
        podMaxBackoffSeconds: 20
        percentageOfNodesToScore: 100
        """,
    )
    assert found.election == Election(
        elect=True, namespace="idc", name="ours", duration_s=90, renew_deadline_s=10, retry_s=0.5
    )
    assert (found.queue.backoff_first_s, found.queue.backoff_most_s) == (2, 20)
    assert found.kubeconfig == Path("/etc/x.conf")
    assert len(found.notes) == 1
    assert "clientConnection.qps: no effect" in found.notes[0]


def test_a_score_is_switched_off_and_another_weighed(tmp_path: Path) -> None:
    found = policy(
        tmp_path,
        "plugins:\n  score:\n    disabled: [{name: ImageLocality}]\n"
        "    enabled: [{name: NodeResourcesFit, weight: 7}]\n",
    )
    expected = dict(DEFAULT_WEIGHTS) | {"NodeResourcesFit": 7}
    del expected["ImageLocality"]
    assert found.weights == expected
    assert found.disabled == frozenset()


def test_star_leaves_what_is_named(tmp_path: Path) -> None:
    found = policy(
        tmp_path,
        "plugins:\n  multiPoint:\n    disabled: [{name: '*'}]\n    enabled:\n"
        "    - {name: PrioritySort}\n    - {name: DefaultBinder}\n    - {name: SchedulingGates}\n"
        "    - {name: NodeResourcesFit, weight: 4}\n    - {name: TaintToleration}\n",
    )
    assert found.weights == {"NodeResourcesFit": 4, "TaintToleration": 1}
    assert not found.preempts
    assert found.filters("NodeResourcesFit")
    assert not found.filters("PodTopologySpread")
    assert found.volume_weight == 0


def test_star_at_a_point_leaves_the_others(tmp_path: Path) -> None:
    found = policy(tmp_path, "plugins: {score: {disabled: [{name: '*'}], enabled: [{name: ImageLocality, weight: 2}]}}")
    assert found.weights == {"ImageLocality": 2}
    assert found.disabled == frozenset()


def test_arguments_of_plugins(tmp_path: Path) -> None:
    found = policy(
        tmp_path,
        textwrap.dedent("""\
        pluginConfig:
        - name: NodeResourcesFit
          args:
            apiVersion: kubescheduler.config.k8s.io/v1
            kind: NodeResourcesFitArgs
            ignoredResources: [example.com/foo]
            ignoredResourceGroups: [example.org]
            scoringStrategy:
              type: RequestedToCapacityRatio
              resources: [{name: cpu, weight: 3}, {name: memory}]
              requestedToCapacityRatio: {shape: [{utilization: 0, score: 0}, {utilization: 100, score: 10}]}
        - name: InterPodAffinity
          args: {hardPodAffinityWeight: 0, ignorePreferredTermsOfExistingPods: true}
        - name: PodTopologySpread
          args:
            defaultingType: List
            defaultConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule}]
        - name: NodeAffinity
          args:
            addedAffinity:
              requiredDuringSchedulingIgnoredDuringExecution:
                nodeSelectorTerms: [{matchExpressions: [{key: disk, operator: In, values: [ssd]}]}]
        """),
    )
    assert found.fit == FitScore(
        "RequestedToCapacityRatio",
        (WeightedResource("cpu", 3), WeightedResource("memory")),
        (ShapePoint(0, 0), ShapePoint(100, 10)),
    )
    assert (found.ignored_resources, found.ignored_resource_groups) == ({"example.com/foo"}, {"example.org"})
    assert (found.hard_pod_affinity_weight, found.ignore_preferred_terms_of_existing) == (0, True)
    assert [(c.topology_key, c.when_unsatisfiable) for c in found.spread_defaults] == [("zone", "DoNotSchedule")]
    assert found.spread_defaulting == "List"
    assert found.added_affinity is not None
    assert found.added_affinity.required is not None


BAD = {
    "profils: []": "line 3: profils: no such field; did you mean profiles?",
    "podMaxBackoffSeconds: ten": "line 3: podMaxBackoffSeconds: a whole number from 1 on is wanted; found the text",
    "percentageOfNodesToScore: 50": "line 3: percentageOfNodesToScore: 100, or 0",
    "extenders: [{urlPrefix: http://x}]": "line 3: extenders: extenders are not supported",
    "leaderElection: {leaseDuration: 15}": "line 3: leaderElection.leaseDuration: a duration such as 15s",
    "leaderElection:\n  leaseDuration: 5s\n  leaseDuration: 6s": "line 5: leaderElection.leaseDuration: stands here ag",
    "delayCacheUntilActive: yes": "line 3: delayCacheUntilActive: true or false is wanted",
    "profiles:\n- plugins:\n    score:\n      enabled:\n      - name: NodeResourceFit": (
        "line 7: profiles[0].plugins.score.enabled[0].name: no plugin 'NodeResourceFit' here; "
        "did you mean NodeResourcesFit?"
    ),
    "profiles:\n- plugins: {filter: {enabled: [{name: ImageLocality}]}}": "ImageLocality does not act at filter",
    "profiles:\n- plugins: {filter: {disabled: [{name: NodeAffinity}]}}": "NodeAffinity is switched off at one of",
    "profiles:\n- plugins: {bind: {disabled: [{name: '*'}]}}": "DefaultBinder cannot be switched off at bind",
    "profiles:\n- plugins: {multiPoint: {enabled: [{name: PodGroupPodsCount}]}}": "is not implemented here",
    "profiles:\n- {schedulerName: a}\n- {schedulerName: a}": "line 5: profiles[1].schedulerName: 'a' is the name of",
    "profiles:\n- {schedulerName: a}\n- {}": "line 5: profiles[1]: schedulerName: a name is wanted",
    "profiles:\n- pluginConfig: [{name: NodePorts, args: {}}]": "NodePorts takes no arguments",
    "profiles:\n- pluginConfig: [{name: InterPodAffinity, args: {hardPodAffinityWeight: 101}}]": "from 0 to 100 is",
    "profiles:\n- pluginConfig: [{name: NodeResourcesFit, args: {kind: X}}]": "kind: NodeResourcesFitArgs is wanted",
    "profiles:\n- pluginConfig: [{name: NodeResourcesFit, args: {scoringStrategy: {type: Least}}}]": (
        "one of LeastAllocated, MostAllocated, RequestedToCapacityRatio is wanted; found 'Least'"
    ),
    "profiles:\n- pluginConfig:\n  - name: NodeResourcesBalancedAllocation\n"
    "    args: {resources: [{name: a, weight: 2}]}": ("a whole number from 0 to 1 is wanted; found 2"),
    "profiles: [": "not YAML",
}


@pytest.mark.parametrize(("body", "said"), BAD.items(), ids=[line.replace("\n", " ")[:40] for line in BAD])
def test_a_bad_file_is_told_with_its_line(tmp_path: Path, body: str, said: str) -> None:
    with pytest.raises(UsageError) as told:
        read(tmp_path, body)
    assert said in str(told.value)
    assert str(told.value).startswith(str(tmp_path / "scheduler.yaml"))


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ("", "a mapping with apiVersion and kind is wanted; found nothing"),
        ("kind: KubeSchedulerConfiguration\n", "line 1: apiVersion: kubescheduler.config.k8s.io/v1 is wanted here"),
        (HEAD.replace("/v1", "/v1beta3"), "line 1: apiVersion: kubescheduler.config.k8s.io/v1 is wanted; found"),
    ],
)
def test_another_kind_of_file_is_refused(tmp_path: Path, head: str, said: str) -> None:
    with pytest.raises(UsageError, match=said.replace("/", ".")):
        read(tmp_path, "", head=head)


def test_a_limit_that_differs_between_profiles_is_refused(tmp_path: Path) -> None:
    profile = "- schedulerName: {0}\n  pluginConfig: [{{name: VolumeBinding, args: {{bindTimeoutSeconds: {1}}}}}]\n"
    same = read(tmp_path, "profiles:\n" + profile.format("a", 5) + profile.format("b", 5))
    assert same.claim_limit_s == 5
    with pytest.raises(UsageError, match=r"line 7: .*the same in all profiles is wanted; found 6 and 5"):
        read(tmp_path, "profiles:\n" + profile.format("a", 5) + profile.format("b", 6))
