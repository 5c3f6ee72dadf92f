"""The one module that touches the `kubernetes` package: its kubeconfig loader, and its client as plain requests.

The package takes 0.4 s to import, so it is imported when the first client is made.
"""

from __future__ import annotations

import atexit
import fcntl
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from yaml import YAMLError

from ..errors import UsageError
from .apierror import ApiError, refusal, unreachable

MAX_CONNECTIONS = 16


def load_configuration(kubeconfig: Path, context: str) -> Any:
    """The package's ``Configuration`` for a context (empty: the current one), exec plugins and tokens resolved.

    Embedded certificates go to files of mode 0600 in :func:`private_folder`. Proxies of the environment are ignored.
    Raises :class:`UsageError` with the package's reason; :mod:`idcbench.kube.kubeconfig` checks more, in better words.
    """
    configuration = _package("client").Configuration()
    with _logged_errors() as logged:
        try:
            _package("config").load_kube_config(
                config_file=str(kubeconfig),
                context=context or None,
                client_configuration=configuration,
                persist_config=False,
                temp_file_path=str(private_folder()),
            )
        except (_package("config").ConfigException, OSError, YAMLError) as error:
            raise UsageError(f"kubeconfig {kubeconfig}, context {context or 'current'}: {error}") from None
    if logged:  # the package logs why a credential plugin failed, and goes on without credentials
        raise UsageError(f"kubeconfig {kubeconfig}, context {context or 'current'}: {logged[-1]}; try it by hand")
    configuration.proxy = None
    return configuration


def bearer_token(configuration: Any) -> str:
    """The token of a configuration, renewed by its plugin when it is about to expire; empty without one."""
    settings = configuration.auth_settings().get("BearerToken", {})
    return str(settings.get("value") or "").removeprefix("Bearer ")


@contextmanager
def _logged_errors() -> Iterator[list[str]]:
    """The errors that are logged on the root logger meanwhile."""
    logged: list[str] = []

    class Note(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.name == "root":
                logged.append(record.getMessage())

    note = Note(logging.ERROR)
    logging.getLogger().addHandler(note)
    try:
        yield logged
    finally:
        logging.getLogger().removeHandler(note)


def bearer_configuration(configuration: Any, token: str) -> Any:
    """The same server and CA, but with a token as the only credential; an empty token: anonymous."""
    other = _package("client").Configuration(host=configuration.host)
    other.ssl_ca_cert = configuration.ssl_ca_cert
    other.proxy = None
    if token:
        other.api_key = {"BearerToken": f"Bearer {token}"}
    return other


def server_configuration(configuration: Any, server: str) -> Any:
    """The same credentials, but for another server of the cluster, by its URL."""
    other = copy(configuration)
    other.host = server
    return other


def exec_in_pod(
    configuration: Any, *, pod: str, namespace: str, command: Sequence[str], container: str, timeout_s: float
) -> tuple[int, str, str]:
    """Run a command in a container of a pod (the only one when ``container`` is empty): exit code, stdout, stderr.

    Raises :class:`ApiError` when the server refuses or does not answer, and ``TimeoutError``.
    """
    core = _package("client").CoreV1Api(_package("client").ApiClient(configuration))
    path = f"/api/v1/namespaces/{namespace}/pods/{pod}/exec"
    try:
        stream = _package("stream").stream(
            core.connect_get_namespaced_pod_exec, pod, namespace, command=list(command), stdin=False, stdout=True,
            stderr=True, tty=False, _preload_content=False, **({"container": container} if container else {}),
        )  # fmt: skip
    except _package("client").ApiException as error:
        raise unreachable(configuration.host, " ".join(str(error.reason).split()), path=path, method="GET") from None
    try:
        stream.run_forever(timeout=timeout_s)
        if stream.is_open():
            raise TimeoutError(f"`{' '.join(command)}` in pod {namespace}/{pod} did not end within {timeout_s:g} s")
        return int(stream.returncode), stream.read_stdout(timeout=0) or "", stream.read_stderr(timeout=0) or ""
    finally:
        stream.close()
        core.api_client.close()


class Transport:
    """Requests through the package's dynamic client. Safe to use from several threads."""

    def __init__(self, configuration: Any) -> None:
        from urllib3.util.retry import Retry

        self.configuration = configuration
        configuration.connection_pool_maxsize = MAX_CONNECTIONS
        # Only a connection that was never made is tried again: then nothing has been sent. The rest is our caller's.
        configuration.retries = Retry(
            total=None, connect=2, read=0, redirect=0, status=0, other=0, backoff_factor=0.2, raise_on_status=False,
            respect_retry_after_header=False,
        )  # fmt: skip
        self._client = _package("client").ApiClient(configuration)
        # The package's own discovery keeps a file in /tmp named after the server's address alone, and so would serve
        # the paths of an earlier cluster on the same port; ours is asked instead.
        self._dynamic = _package("dynamic").DynamicClient(self._client, discoverer=lambda _client, _cache_file: None)

    def close(self) -> None:
        self._client.rest_client.pool_manager.clear()
        self._client.close()

    @contextmanager
    def open(
        self, method: str, path: str, *, query: Mapping[str, str], headers: Mapping[str, str], body: Any,
        content_type: str, timeout_s: float,
    ) -> Iterator[Any]:  # fmt: skip
        """The answer as urllib3's response, unread; its connection goes back, or is closed when it was left unread.

        ``timeout_s`` bounds the connect and each wait for data. Raises :class:`ApiError` for an answer that is no
        success, and with status 0 when none came, also while the answer is being read.
        """
        from urllib3.exceptions import HTTPError

        try:
            response = self._dynamic.request(
                method, path, body=body, query_params=list(query.items()), header_params=dict(headers),
                content_type=content_type, serialize=False, _request_timeout=(timeout_s, timeout_s),
            )  # fmt: skip
        except _package("dynamic.exceptions").DynamicApiError as error:
            raise _told(error, path=path, method=method, server=self.configuration.host) from None
        except (HTTPError, OSError) as error:
            raise unreachable(self.configuration.host, _why(error), path=path, method=method) from error
        try:
            yield response
        except (HTTPError, OSError) as error:
            raise unreachable(self.configuration.host, _why(error), path=path, method=method) from error
        finally:
            if not response.closed:  # left unread: the rest of the answer must not greet the next request
                response.close()
            response.release_conn()


def _package(module: str) -> Any:
    """A module of the package, imported when first needed; its own annotations are partial, hence ``Any``."""
    return import_module(f"kubernetes.{module}")


def _told(error: Any, *, path: str, method: str, server: str) -> ApiError:
    """Our error for the package's; its status 0 is a TLS failure."""
    if not error.status:
        return unreachable(server, " ".join(str(error.reason).split()), path=path, method=method)
    body = error.body if isinstance(error.body, bytes) else str(error.body or "").encode()
    retry_after = (error.headers or {}).get("Retry-After")
    return refusal(error.status, body, path=path, method=method, phrase=error.reason or "", retry_after=retry_after)


def _why(error: BaseException) -> str:
    """The innermost cause in words: urllib3 wraps it in its count of tries."""
    reason = getattr(error, "reason", None)
    return _why(reason) if isinstance(reason, BaseException) else str(error) or type(error).__name__


def _lock(folder: Path) -> int | None:
    """A descriptor that locks the folder; ``None`` when a living process holds it, or it is gone."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _remove_if_left(folder: Path) -> None:
    """Remove a folder of ours that no living process holds; others that start now may be doing the same."""
    try:
        ours = folder.lstat().st_uid == os.getuid()
    except FileNotFoundError:
        return
    if ours and (lock := _lock(folder)) is not None:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


@cache
def private_folder() -> Path:
    """This process's folder (mode 0700) for credentials that clients want as files.

    Removed when the process exits; what a killed process left is removed here by the next one that needs a folder.
    """
    runtime = Path(os.environ.get("XDG_RUNTIME_DIR", ""))
    root = runtime if runtime.is_absolute() and os.access(runtime, os.W_OK | os.X_OK) else Path(tempfile.gettempdir())
    prefix = f"idcbench-credentials-{os.getuid()}-"
    for left in root.glob(f"{prefix}*"):
        _remove_if_left(left)
    folder, owner = Path(tempfile.mkdtemp(prefix=prefix, dir=root)), os.getpid()
    # the lock lasts as long as the process: a number of a process means nothing in another PID namespace
    while _lock(folder) is None or not folder.exists():  # another process that starts took it for left behind
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=root))
    atexit.register(lambda: shutil.rmtree(folder, ignore_errors=True) if os.getpid() == owner else None)
    return folder
