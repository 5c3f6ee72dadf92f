"""Leader election by a Lease, as client-go does it, with stand-bys that watch the Lease besides looking."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from contextlib import aclosing

import msgspec

from idcbench.kube.apierror import ApiError
from idcbench.kube.objects import Lease, version_of
from idcbench.kube.session import ApiSession
from idcbench.kube.watch import watch

from .fence import Fence, boot_s
from .leaserecord import Observed, released, taken
from .settings import LeaseSettings

_log = logging.getLogger(__name__)


class Election:
    """Takes the Lease, keeps it, and opens the ``fence`` as far as it reaches.

    :meth:`acquire`, then :meth:`hold` until that returns, then again; :meth:`follow` runs beside them, with the session
    ``watches`` if there is one. A predecessor that died may have requests under way until :attr:`clear_s`.
    """

    def __init__(
        self, api: ApiSession, settings: LeaseSettings, fence: Fence, *, request_limit_s: float,
        watches: ApiSession | None = None,
    ) -> None:  # fmt: skip
        self._api = api
        self._watches = watches or api
        self._settings = settings
        self._fence = fence
        self._request_limit_s = request_limit_s
        self._observed: Observed | None = None
        self._stirred = asyncio.Event()
        self._heard = 0
        self._unheard: tuple[int, float] | None = None
        self.clear_s = 0.0
        """CLOCK_BOOTTIME from which on no request of an earlier leader is under way."""
        collection = f"/apis/coordination.k8s.io/v1/namespaces/{settings.namespace}/leases"
        self._collection, self._path = collection, f"{collection}/{settings.name}"

    @property
    def holder(self) -> str:
        """Who holds the Lease, as far as we know; empty when nobody does."""
        return self._observed.holder if self._observed is not None else ""

    @property
    def unheard_s(self) -> float:
        """For how long the watch has not told of a Lease that was read or written; 0 when nothing is missing."""
        return boot_s() - self._unheard[1] if self._unheard is not None else 0.0

    async def follow(self) -> None:
        """Watch the Lease for ever, so that its release is heard of at once."""
        query = {"fieldSelector": f"metadata.name={self._settings.name}"}
        while True:
            try:
                async with aclosing(watch(self._watches, Lease, self._collection, query=query)) as events:
                    async for event in events:
                        self._hear(event.object)
                        if event.type == "DELETED":
                            self._stirred.set()
                        else:
                            self._see(event.object)
            except ApiError as error:
                _log.warning(
                    "watch of the lease: %s; looking at it every %g s meanwhile", error, self._settings.retry_s
                )
                self._heard, self._unheard = 0, None  # nothing is to be heard without a watch
                await asyncio.sleep(self._settings.retry_s)

    async def acquire(self) -> None:
        """Wait until we hold the Lease."""
        while True:
            self._stirred.clear()
            try:
                if await self._try_to_take():
                    _log.info("lease %s/%s is ours", self._settings.namespace, self._settings.name)
                    return
            except ApiError as error:
                self._failed("take", error)
            wait_s = self._settings.retry_s
            if self._observed is not None and self._observed.holder:
                wait_s = min(wait_s, max(0.01, self._observed.expires_s - boot_s()))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stirred.wait(), wait_s)

    async def hold(self) -> None:
        """Renew the Lease until it is lost; the fence is closed then."""
        renewed_s = boot_s()
        try:
            while boot_s() - renewed_s < self._settings.renew_deadline_s:
                self._stirred.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stirred.wait(), self._settings.retry_s)
                try:
                    if not await self._renew():
                        break
                    renewed_s = boot_s()
                except ApiError as error:
                    self._failed("renew", error)
        finally:
            self._fence.close()
        _log.error("lease %s/%s is lost to %s", self._settings.namespace, self._settings.name, self.holder or "nobody")

    async def release(self) -> None:
        """Give the Lease up, if it is ours. Nothing may be under way any more. Failing is logged: it expires then."""
        self._fence.close()
        if self._observed is None or self._observed.holder != self._settings.identity:
            return
        for _ in range(2):  # a renewal that was cut short may have gone through
            try:
                await self._api.put(self._path, released(self._settings, self._observed.lease), timeout_s=self._limit_s)
                return
            except ApiError as error:
                self._failed("release", error)
            with contextlib.suppress(ApiError):
                lease = await self._read()
                if lease is None or lease.spec.holder_identity != self._settings.identity:
                    return

    @property
    def _limit_s(self) -> float:
        """client-go's: half the renew deadline."""
        return max(0.5, self._settings.renew_deadline_s / 2)

    async def _try_to_take(self) -> bool:
        lease = await self._read()
        observed = self._observed
        if observed is not None and observed.holder not in ("", self._settings.identity):
            if lease is not None and boot_s() < observed.expires_s:
                return False
            self._succeeded(observed)  # holds also when somebody deleted the Lease
            _log.info("the lease of %s has %s", observed.holder, "expired" if lease else "been deleted")
        return await self._write(lease)

    async def _renew(self) -> bool:
        """Whether the Lease is still ours. Raises ``ApiError`` when nobody could say."""
        observed = self._observed
        if observed is None or observed.holder != self._settings.identity:
            return False
        try:
            return await self._write(observed.lease)
        except ApiError as error:
            if error.status != 409:
                raise
        lease = await self._read()
        if lease is None or lease.spec.holder_identity != self._settings.identity:
            return False
        return await self._write(lease)

    async def _write(self, before: Lease | None) -> bool:
        sent_s = boot_s()
        body = taken(self._settings, before)
        try:
            if before is None:
                answer = await self._api.post(self._collection, body, timeout_s=self._limit_s)
            else:
                answer = await self._api.put(self._path, body, timeout_s=self._limit_s)
        except ApiError as error:
            if error.status == 409 and (before is None or before.spec.holder_identity != self._settings.identity):
                return False  # somebody was quicker
            raise
        self._observed = Observed(msgspec.json.decode(answer, type=Lease), sent_s)
        self._expect(self._observed.lease)
        self._fence.extend(sent_s, round(self._settings.duration_s))
        return True

    async def _read(self) -> Lease | None:
        try:
            lease = await self._api.read(Lease, self._path, timeout_s=self._limit_s)
        except ApiError as error:
            if error.status == 404:
                return None
            raise
        self._expect(lease)
        self._see(lease)
        return lease

    def _see(self, lease: Lease) -> None:
        before = self._observed
        self._observed = Observed(lease, boot_s()) if before is None else before.seen_again(lease, boot_s())
        if before is not None and before.holder != self.holder and before.holder and self.holder:
            self._succeeded(before)
        if self._observed is not before and self.holder != (before.holder if before else ""):
            self._stirred.set()

    def _expect(self, lease: Lease) -> None:
        """Known by asking: the watch has to tell of it too."""
        version = version_of(lease.metadata)
        if self._unheard is None and 0 < self._heard < version:
            self._unheard = version, boot_s()

    def _hear(self, lease: Lease) -> None:
        self._heard = max(self._heard, version_of(lease.metadata))
        if self._unheard is not None and self._unheard[0] <= self._heard:
            self._unheard = None

    def _succeeded(self, dead: Observed) -> None:
        """Somebody came after ``dead``, who did not hand over (one who did has finished before)."""
        if dead.holder != self._settings.identity:
            self.clear_s = max(self.clear_s, dead.expires_s + self._request_limit_s)

    def _failed(self, what: str, error: ApiError) -> None:
        _log.warning("could not %s the lease: %s", what, error)
        if error.status in (0, 401, 403) or error.status >= 500:  # one that starts knows nobody's roles yet
            self._api.move_on(self._api.server)
