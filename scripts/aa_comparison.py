#!/usr/bin/env python3
"""How often a comparison is wrong, and how often it finds what is there: synthetic rounds whose truth is known.

    scripts/aa_comparison.py [--comparisons 1000] [--rounds 30] [--seed 1] [--jobs 2] [--json FILE]

Every comparison has four metrics with p50 and p99 each, eight headlines. A round has 3,000 latencies (a minute at 50/s)
with a heavy tail: lognormal, and 2 % Pareto with exponent 2.5. They are correlated in time (AR(1), 0.8, of the
logarithm), and a round as a whole is 5 % faster or slower (standard deviation), independently for each side. Questions:

A/A             no difference, minimum effect 5 %: in how many comparisons is any headline better or worse?
same            no difference, minimum effect 10 %: in how many is every headline the same?
found           all latencies of B 10 % longer, minimum effect 3 %: in how many headlines of p99 is that found?

Bounds are those of Clopper and Pearson.
"""

from __future__ import annotations

import argparse
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import msgspec
import numpy as np
from scipy.signal import lfilter

from idcbench.measure.effect import Effect, paired_effect
from idcbench.measure.statistics import Values
from idcbench.runs.judging import judge

METRICS, SAMPLES = 4, 3000
QUANTILES = (0.50, 0.99)
ROUND_SD, CORRELATION, HEAVY, EXPONENT = 0.05, 0.8, 0.02, 2.5
SHIFT = 1.10
DIFFERS = ("better", "worse")


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """Of one comparison: headlines that differ, all headlines the same, p99 headlines in which the shift was found."""

    false: int
    same: bool
    same_headlines: int
    found: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--comparisons", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    began_s = time.monotonic()
    with ProcessPoolExecutor(given.jobs) as pool:
        seeds = range(given.seed * 1_000_000, given.seed * 1_000_000 + given.comparisons)
        found = list(pool.map(partial(compared, rounds=given.rounds), seeds, chunksize=4))
    if given.json:
        given.json.write_bytes(msgspec.json.encode(found))
    n, headlines = len(found), METRICS * len(QUANTILES)
    say("A/A, any headline better or worse", sum(one.false > 0 for one in found), n)
    say("every headline the same", sum(one.same for one in found), n)
    say("headlines the same", sum(one.same_headlines for one in found), n * headlines)
    say("p99 headlines in which the shift is found", sum(one.found for one in found), n * METRICS)
    print(f"{n} comparisons of {given.rounds} rounds in {time.monotonic() - began_s:.0f} s")


def compared(seed: int, *, rounds: int) -> Found:
    """One comparison of each sort, on the same rounds."""
    draw = np.random.default_rng(seed)
    sides = [[[one_round(draw) for _ in range(rounds)] for _ in range(2)] for _ in range(METRICS)]
    null = [paired_effect(a, b, q=q, seed=seed) for a, b in sides for q in QUANTILES]
    shifted = [paired_effect(a, [SHIFT * one for one in b], q=q, seed=seed) for a, b in sides for q in QUANTILES]
    same = words(null, 0.10)
    return Found(
        false=sum(word in DIFFERS for word in words(null, 0.05)),
        same=all(word == "same" for word in same),
        same_headlines=sum(word == "same" for word in same),
        found=sum(word == "worse" for word in words(shifted, 0.03)[1::2]),
    )


def one_round(draw: np.random.Generator) -> Values:
    """Latencies in ms; each has the distribution told above, whatever came before it."""
    noise = (1 - CORRELATION**2) ** 0.5 * draw.normal(size=SAMPLES)
    noise[0] = draw.normal()
    logs = lfilter([1.0], [1.0, -CORRELATION], noise)
    values = 10 * np.exp(0.4 * logs)
    heavy = draw.random(SAMPLES) < HEAVY
    values[heavy] = 20 * (1 + draw.pareto(EXPONENT, size=int(heavy.sum())))
    return np.asarray(values * np.exp(ROUND_SD * draw.normal()))


def words(effects: list[Effect], minimum_effect: float) -> list[str]:
    judged = judge([(one, "lower") for one in effects], minimum_effect=minimum_effect, headlines=True)
    return [one.word for one in judged]


def say(what: str, count: int, n: int) -> None:
    low, high = clopper_pearson(count, n)
    print(f"{what}: {count} of {n} ({count / n:.2%}; 95 % interval {low:.2%} to {high:.2%})")


def clopper_pearson(count: int, n: int) -> tuple[float, float]:
    """By halving, on sums of the binomial distribution."""
    logs = np.cumsum(np.log(np.arange(1, n + 1)))
    choose = np.array([logs[-1] - (logs[k - 1] if k else 0) - (logs[n - k - 1] if k < n else 0) for k in range(n + 1)])

    def at_most(k: int, p: float) -> float:
        steps = np.arange(k + 1)
        return float(np.exp(choose[: k + 1] + steps * np.log(p) + (n - steps) * np.log1p(-p)).sum())

    def solve(target: float, k: int) -> float:
        low, high = 1e-12, 1 - 1e-12
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if at_most(k, middle) > target else (low, middle)
        return low

    return (solve(0.975, count - 1) if count else 0.0), (solve(0.025, count) if count < n else 1.0)


if __name__ == "__main__":
    main()
