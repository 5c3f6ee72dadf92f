"""Client and watch against a real control plane whose API server is killed."""

from __future__ import annotations

import asyncio
import os
from contextlib import aclosing

import pytest

from idcbench.cluster import ClusterSpec
from idcbench.kube.access import Access
from idcbench.kube.apierror import ApiError
from idcbench.kube.crud import Client, Manifest
from idcbench.kube.listing import list_all
from idcbench.kube.objects import ConfigMap
from idcbench.kube.session import ApiSession
from idcbench.kube.watch import watch
from idcbench.provisioning.embedded.target import EmbeddedTarget

PATH = "/api/v1/namespaces/default/configmaps"


@pytest.mark.integration
async def test_client_and_watch_on_a_control_plane_that_is_broken() -> None:
    target = EmbeddedTarget(name=f"test-kube-{os.getpid()}")
    async with target.cluster(ClusterSpec(control_planes=1, nodes=1), keep=False) as cluster:
        await asyncio.to_thread(use_client, cluster.access)
        faults, (host,) = cluster.faults, cluster.hosts
        assert faults is not None
        async with ApiSession(cluster.access, server=cluster.access.members, timeout_s=2) as api:
            world: dict[str, str] = {}
            following = asyncio.create_task(follow(api, world, until="last"))
            for turn in range(3):
                await write(api, f"before-{turn}")
                await faults.kill(host.name, "kube-apiserver")
                await write(api, f"after-{turn}")
            await write(api, "last")
            async with asyncio.timeout(60):
                await following
            listing = await list_all(api, ConfigMap, PATH, page_size=2)
            assert world == {each.metadata.name: each.metadata.resource_version for each in listing.items}


async def follow(api: ApiSession, world: dict[str, str], *, until: str) -> None:
    """Replay a watch; every change must make sense where it comes."""
    async with aclosing(watch(api, ConfigMap, PATH, idle_s=3)) as events:
        async for event in events:
            name = event.object.metadata.name
            assert (name in world) == (event.type != "ADDED"), event
            if event.type == "DELETED":
                del world[name]
            else:
                world[name] = event.object.metadata.resource_version
            if name == until:
                return


async def write(api: ApiSession, name: str) -> None:
    """Create an object, by a repeated write where the first was not answered."""
    async with asyncio.timeout(60):
        while True:
            try:
                await api.post(PATH, {"metadata": {"name": name}})
                return
            except ApiError as error:
                if error.reason == "AlreadyExists":  # an earlier write that got no answer
                    return
                await asyncio.sleep(0.05)


def use_client(access: Access) -> None:
    """What no fake server can vouch for: discovery, apply, a new kind, tokens, deletion."""
    space: Manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"generateName": "test-"}}
    settings: Manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"k": "1"}}
    with Client(access) as client:
        name = client.create(space)["metadata"]["name"]
        client.apply(settings, name, field_manager="one")
        with pytest.raises(ApiError) as conflict:
            client.apply(settings | {"data": {"k": "2"}}, name, field_manager="two")
        assert conflict.value.reason == "Conflict"
        assert client.apply(settings | {"data": {"k": "2"}}, name, field_manager="two", force=True)["data"]["k"] == "2"
        group = f"{name}.example.com"
        client.create(definition(group))
        widget: Manifest = {"apiVersion": f"{group}/v1", "kind": "Widget", "metadata": {"name": "w"}}
        assert client.create(widget, name)["metadata"]["uid"]
        client.wait_for("ServiceAccount", "default", lambda _: True, name)
        with client.with_token(client.token("default", name)) as robot, pytest.raises(ApiError) as refused:
            robot.list("Pod", name)
        assert refused.value.status == 403
        client.delete("CustomResourceDefinition", f"widgets.{group}")
        client.delete("Namespace", name)
        client.wait_gone("Namespace", name)


def definition(group: str) -> Manifest:
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"widgets.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": "widgets", "singular": "widget", "kind": "Widget"},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
        },
    }
