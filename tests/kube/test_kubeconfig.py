"""Kubeconfigs: what is written is read back, and what is wrong is named."""

from __future__ import annotations

import base64
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from idcbench.errors import UsageError
from idcbench.kube import credentials
from idcbench.kube.kubeconfig import access_from_kubeconfig, kubeconfig_text, write_kubeconfig


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def one(user: object = None, cluster: object = None, **more: object) -> dict[str, object]:
    """A kubeconfig with one context called c."""
    return {
        "clusters": [{"name": "k", "cluster": cluster or {"server": "https://10.0.0.1:6443"}}],
        "users": [{"name": "u", "user": user or {"token": "t"}}],
        "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
        "current-context": "c",
    } | more


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config"


def private(path: Path | None) -> str:
    assert path is not None
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    return path.read_text()


def test_what_is_written_is_read_back(path: Path) -> None:
    write_kubeconfig(path, server="https://10.0.0.1:8443", ca_pem=b"CA", cert_pem=b"CERT", key_pem=b"KEY", name="lab")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    access = access_from_kubeconfig(path)
    assert (access.server, access.kubeconfig, access.context) == ("https://10.0.0.1:8443", path, "lab")
    assert [private(file) for file in (access.ca_file, access.cert_file, access.key_file)] == ["CA", "CERT", "KEY"]
    assert access.token_file is None


def test_the_text_is_a_kubeconfig() -> None:
    text = kubeconfig_text(server="https://x:1", ca_pem=b"a", cert_pem=b"b", key_pem=b"c", name="lab")
    found = yaml.safe_load(text)
    assert (found["apiVersion"], found["kind"], found["current-context"]) == ("v1", "Config", "lab")
    assert found["users"][0]["user"] == {"client-certificate-data": b64("b"), "client-key-data": b64("c")}


def test_a_failed_write_keeps_the_old_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_text("old")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="No space"):
        write_kubeconfig(path, server="https://x:1", ca_pem=b"a", cert_pem=b"b", key_pem=b"c", name="lab")
    assert [each.name for each in path.parent.iterdir()] == ["config"]
    assert path.read_text() == "old"


def test_paths_are_relative_to_the_file_and_token_files_are_used_themselves(path: Path) -> None:
    for name in ("ca.crt", "token"):
        (path.parent / name).write_text(name)
    path.write_text(
        yaml.safe_dump(one({"tokenFile": "token"}, {"server": "https://h:1", "certificate-authority": "ca.crt"}))
    )
    access = access_from_kubeconfig(path, "c")
    assert (access.ca_file, access.token_file) == (path.parent / "ca.crt", path.parent / "token")
    assert access.headers() == {"Authorization": "Bearer token"}


def test_several_files_are_merged_and_the_first_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_text(yaml.safe_dump(one({"token": "first"})))
    (tmp_path / "b").write_text(
        yaml.safe_dump(
            one({"token": "second"}, contexts=[{"name": "d", "context": {"cluster": "k", "user": "u"}}])
            | {"current-context": "d"}
        )
    )
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path / 'a'}:{tmp_path / 'missing'}:{tmp_path / 'b'}")
    assert access_from_kubeconfig().context == "c"
    access = access_from_kubeconfig(None, "d")
    assert access.headers() == {"Authorization": "Bearer first"}
    merged = yaml.safe_load(private(access.kubeconfig))
    assert [each["name"] for each in merged["contexts"]] == ["c", "d"]


def test_the_default_is_in_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(UsageError, match=r"\.kube/config: cannot be read .*--kubeconfig FILE"):
        access_from_kubeconfig()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("clusters: [\n  - {\n", r"config: line \d, column \d: not YAML"),
        ("- a list", r"Expected `object`, got `array`"),
        (one(clusters=[{"name": "k", "cluster": {"server": 5}}]), r"Expected `str`, got `int` - at `\$.clusters\[0\]"),
        (one(clusters=[{"name": "k", "cluster": {}}]), r"missing required field `server`"),
        (one() | {"current-context": ""}, r"current-context is not set; name one with --context \(it has: c\)"),
        ({}, r"it has: none"),
        (one(clusters=[]), r"context c: its cluster k is not in clusters"),
        (one(users=[]), r"context c: its user u is not in users"),
        (one(None, {"server": "10.0.0.1:6443"}), r"server is '10.0.0.1:6443'; a URL like"),
        (one(None, {"server": "https://h:1", "insecure-skip-tls-verify": True}), r"insecure-skip-tls-verify is not"),
        (one(None, {"server": "https://h:1", "certificate-authority-data": "%"}), r"certificate-authority-data is not"),
        (one(None, {"server": "https://h:1", "certificate-authority": "none.crt"}), r"authority: .*none.crt"),
        (one({"username": "admin", "password": "x"}), r"username is not supported; use a certificate"),
        (one({"client-certificate-data": b64("x")}), r"client-certificate and client-key belong together"),
        (one({"exec": {"command": "no-such-plugin", "apiVersion": "v1"}}), r"no-such-plugin.*try it by hand"),
        (one({"exec": {"command": "true", "apiVersion": "v1"}}), r"failed to decode process output.*try it by hand"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(path: Path, content: object, says: str) -> None:
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    with pytest.raises(UsageError, match=says) as wrong:
        access_from_kubeconfig(path)
    assert str(path) in str(wrong.value)


def test_an_unknown_context_lists_those_that_are_there(path: Path) -> None:
    path.write_text(yaml.safe_dump(one()))
    with pytest.raises(UsageError, match=r"there is no context x; name one with --context \(it has: c\)"):
        access_from_kubeconfig(path, "x")


def test_an_exec_plugin_is_asked_and_its_token_renewed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = path.parent / "answer.json"

    def say(token: str) -> None:
        status = {"token": token, "expirationTimestamp": "2020-01-01T00:00:00Z"}
        answer.write_text(json.dumps({"apiVersion": "e/v1", "kind": "ExecCredential", "status": status}))

    say("one")
    path.write_text(yaml.safe_dump(one({"exec": {"command": "cat", "args": [str(answer)], "apiVersion": "e/v1"}})))
    rounds = iter([None])

    class NoMoreRoundsError(Exception):
        pass

    def sleep(_: float) -> None:
        if next(rounds, "end") == "end":
            raise NoMoreRoundsError
        say("two")

    class Later:
        """A thread that runs when the test wants it."""

        def __init__(self, target: object, args: tuple[object, ...], **_: object) -> None:
            self.target, self.args = target, args
            started.append(self)

        def start(self) -> None: ...

    started: list[Later] = []
    monkeypatch.setattr(credentials.time, "sleep", sleep)
    monkeypatch.setattr(credentials.threading, "Thread", Later)
    access = access_from_kubeconfig(path)
    assert private(access.token_file) == "one"
    with pytest.raises(NoMoreRoundsError):
        credentials._keep_fresh(*started[0].args)  # type: ignore[arg-type]
    assert access.headers() == {"Authorization": "Bearer two"}


def test_credentials_go_with_the_process_also_a_killed_one(path: Path) -> None:
    path.write_text(yaml.safe_dump(one()))
    runtime = path.parent / "runtime"
    runtime.mkdir(mode=0o700)
    code = f"""
import os, sys
from pathlib import Path
from idcbench.kube.kubeconfig import access_from_kubeconfig
access_from_kubeconfig(Path({str(path)!r}))
print(len(os.listdir({str(runtime)!r})), flush=True)
if sys.argv[1] == "kill": os.kill(os.getpid(), 9)
"""

    def folders_seen(how: str) -> str:
        environment = os.environ | {"XDG_RUNTIME_DIR": str(runtime)}
        done = subprocess.run(
            [sys.executable, "-c", code, how], env=environment, check=False, capture_output=True, text=True
        )
        return done.stdout.strip()

    assert folders_seen("kill") == "1"
    assert len(list(runtime.iterdir())) == 1
    assert folders_seen("exit") == "1"
    assert list(runtime.iterdir()) == []
