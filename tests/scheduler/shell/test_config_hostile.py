"""Configuration files that nobody meant: whatever they hold, the answer comes soon, in one line, with file and line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from idcbench.cli.main import USAGE, main
from idcbench.errors import UsageError
from idcbench.scheduler.service.config import read_configuration
from idcbench.yamlfile.text import BYTES_MOST

HEAD = "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n"
ONE = HEAD + "profiles:\n- schedulerName: x\n"


def bomb(levels: int = 12) -> str:
    """Each list holds the one before nine times."""
    names = [f"n{i}" for i in range(levels)]
    lines = [f"{name}: &{name} [{', '.join([f'*n{i - 1}' if i else 'x'] * 9)}]" for i, name in enumerate(names)]
    return HEAD + "\n".join(lines) + f"\nprofiles: *n{levels - 1}\n"


def argued(plugin: str, args: str) -> str:
    return f"{ONE}  pluginConfig: [{{name: {plugin}, args: {args}}}]\n"


def added(line: str) -> str:
    return argued(
        "NodeAffinity",
        "{addedAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "
        f"{{nodeSelectorTerms: [{{matchExpressions: [{line}]}}]}}}}}}",
    )


POINTS = ", ".join(f"{{utilization: {i}, score: 1}}" for i in range(33))
BAD = {
    "nothing": ("", ": a mapping with apiVersion and kind is wanted; found nothing"),
    "a list": ("# hm\n- a\n", ", line 2: a mapping with apiVersion and kind is wanted; found a list"),
    "two documents": (HEAD + "---\n" + HEAD, ", line 3: not YAML: but found another document; one document only"),
    "a tab": (HEAD + "profiles:\n\t- a\n", ", line 4: not YAML: found character"),
    "an open quote": (HEAD + 'kind: "abc\n', ", line 3: not YAML: found unexpected end of stream; close the quote"),
    "a control character": (HEAD + "profiles: \0\n", ", line 3: not YAML: the character #x0000 may not stand in it"),
    "an alias of nothing": (HEAD + "profiles: *a\n", ", line 3: not YAML: found undefined alias; a text that"),
    "an alias of itself": (HEAD + "profiles: &a [*a]\n", ", line 3: nested deeper than 50 levels, or an alias within"),
    "a bomb": (bomb(), ", line 8: its aliases unfold to more than 100,000 values"),
    "deep lists": (HEAD + "profiles: " + "[" * 5000, ", line 3: not YAML: nested deeper than 50 levels"),
    "deep mappings": (HEAD + "profiles: " + "{a: " * 5000, ", line 3: not YAML: nested deeper than 50 levels"),
    "a key that is a list": (HEAD + "? [a]\n: b\n", ", line 3: a text is wanted; found a list"),
    "a key that is a number": (HEAD + "1: b\n", ", line 3: 1: no such field"),
    "a key that merges": (HEAD + "<<: {a: b}\n", ", line 3: a text is wanted; found <<"),
    "Python": (HEAD + "profiles: !!python/object/apply:os.system [ls]\n", ", line 3: profiles[0]: a mapping is wanted"),
    "many digits": (HEAD + f"podMaxBackoffSeconds: {'9' * 5000}\n", f"from 1 on is wanted; found {'9' * 60}…\n"),
    "an octal number": (HEAD + "podMaxBackoffSeconds: 010\n", "a whole number from 1 on is wanted; found 010"),
    "a long text": (HEAD + f"profiles: {'a' * 5000}\n", f"a list is wanted; found the text '{'a' * 60}…'\n"),
    "digits of elsewhere": (HEAD + "leaderElection: {leaseDuration: １５s}\n", "a duration such as 15s or 1m30s"),
    "a long lease": (HEAD + f"leaderElection: {{leaseDuration: {'9' * 400}h}}\n", "a duration of at most 24h is"),
    "a short lease": (HEAD + "leaderElection: {leaseDuration: 10ms}\n", "a duration of at least 1s is wanted"),
    "times in disorder": (
        HEAD + "leaderElection:\n  leaseDuration: 5s\n  renewDeadline: 10s\n",
        ", line 5: leaderElection.renewDeadline: less than the 5s of leaderElection.leaseDuration is wanted; found",
    ),
    "a lease's name": (HEAD + "leaderElection: {resourceName: A/B}\n", "a name such as kube-scheduler"),
    "no rate": (HEAD + "clientConnection: {qps: fast}\n", ", line 3: clientConnection.qps: a number is wanted; found"),
    "no parallelism": (HEAD + "parallelism: 0\n", ", line 3: parallelism: a whole number from 1 on is wanted; found 0"),
    "a heavy score": (
        ONE + "  plugins: {score: {enabled: [{name: ImageLocality, weight: 2147483647}]}}\n",
        ", line 5: profiles[0].plugins.score.enabled[0].weight: a whole number from 0 to 1000000 is wanted",
    ),
    "many points": (
        argued("NodeResourcesFit", "{scoringStrategy: {type: RequestedToCapacityRatio, requestedToCapacityRatio: "
               f"{{shape: [{POINTS}]}}}}}}"),
        "1 to 32 points are wanted; found 33",
    ),
    "no label key": (added("{key: 'a b', operator: Exists}"), "Exists for key 'a b' has a key that is no label key"),
    "no label value": (added("{key: a, operator: In, values: ['b c']}"), "has value 'b c', which no label can have"),
    "a number too large": (added(f"{{key: a, operator: Gt, values: ['{2**63}']}}"), "where one whole number is needed"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "said"), BAD.values(), ids=BAD.keys())
def test_it_is_told_in_one_line(tmp_path: Path, text: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "scheduler.yaml"
    file.write_text(text)
    assert main(["scheduler", "check-config", str(file)]) == USAGE
    told = capsys.readouterr().err
    assert told.startswith(f"error: {file}")
    assert said in told
    assert told.count("\n") == 1
    assert len(told) < 700


def whole(file: Path) -> None:
    file.write_bytes(b"#" * (BYTES_MOST + 1))


def binary(file: Path) -> None:
    file.write_bytes(b"a: b\n\x7fELF\xff\xfe")


KINDS: dict[str, tuple[Callable[[Path], object], str]] = {
    "none": (lambda _: None, ": cannot be read: No such file or directory"),
    "a folder": (Path.mkdir, ": cannot be read: Is a directory"),
    "large": (whole, ": a configuration of at most 256 KiB is wanted; found more"),
    "without end": (lambda file: file.symlink_to("/dev/zero"), ": a configuration of at most 256 KiB is wanted"),
    "a link to itself": (lambda file: file.symlink_to(file), ": cannot be read: Too many levels of symbolic links"),
    "one that fails": (lambda file: file.symlink_to("/proc/self/mem"), ": cannot be read: Input/output error"),
    "binary": (binary, ", line 2: text in UTF-8 is wanted; found invalid start byte at byte 9"),
}


@pytest.mark.parametrize(("make", "said"), KINDS.values(), ids=KINDS.keys())
def test_what_is_no_file_of_text(tmp_path: Path, make: Callable[[Path], object], said: str) -> None:
    file = tmp_path / "scheduler.yaml"
    make(file)
    with pytest.raises(UsageError) as told:
        read_configuration(file)
    assert str(told.value).startswith(f"{file}{said}")


def test_aliases_that_stay_small_are_taken(tmp_path: Path) -> None:
    file = tmp_path / "scheduler.yaml"
    file.write_text(
        HEAD + "profiles:\n- &one\n  schedulerName: a\n  plugins: &same {score: {disabled: [{name: ImageLocality}]}}\n"
        "- {schedulerName: b, plugins: *same}\n"
    )
    assert [policy.weights.get("ImageLocality") for policy in read_configuration(file).policies] == [None, None]
