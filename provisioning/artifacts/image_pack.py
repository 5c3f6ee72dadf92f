"""Image recipes into images, each layer packed once, as many at a time as there are cores."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from .images import ENVIRONMENT, ImageRecipe, LayerRecipe
from .oci import Image, Runtime, image
from .pressed import pressed


@dataclass(frozen=True, slots=True)
class Packed:
    """An image and its recipe."""

    recipe: ImageRecipe
    image: Image


def pack(
    recipes: Sequence[ImageRecipe], layers: Mapping[str, LayerRecipe], *, architecture: str, cache: Path
) -> Iterable[Packed]:
    """Make the images, in order. The same files give the same digests."""
    names = sorted({name for recipe in recipes for name in recipe.layers})
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:  # zlib lets other threads run
        made = dict(zip(names, pool.map(lambda name: pressed(layers[name].entries(), cache=cache), names), strict=True))
    for recipe in recipes:
        runtime = Runtime(
            entrypoint=recipe.entrypoint,
            user=recipe.user,
            environment=ENVIRONMENT,
            labels={"org.opencontainers.image.version": recipe.version},
            architecture=architecture,
        )
        yield Packed(recipe, image([made[name] for name in recipe.layers], runtime, reference=recipe.reference))
