#!/usr/bin/env python3
"""Hold our scheduler against kube-scheduler's own code, on random clusters and pods.

    .venv/bin/python scripts/compare_real_scheduler.py --cases 8000 --seed 1 [--save FOLDER] [--oracle-only]

Every case goes to the reference program (scheduler/reference, built from the modules of the Kubernetes release when
it is not there yet: some minutes), to the plain Python oracle and to the engine. The table tells how many cases each
plugin had a say in; every difference is saved as a JSON file that holds the case and both answers, and that
``--replay FILE`` asks again. Ends with 1 when there is a difference, 2 when a plugin was met in too few cases.

    .venv/bin/python scripts/compare_real_scheduler.py --live 12

holds the reference program itself against kube-scheduler as a process, on that many embedded clusters with up to a
dozen pods each: every feasible set as an extender sees it, the node that is chosen, the words of a refusal.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from random import Random

import msgspec
from tabulate import tabulate

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "scheduler"))

from against_real.build import reference_scheduler
from against_real.coverage import Coverage
from against_real.engine_check import Difference, as_json, engine_differences
from against_real.live import live_cases, live_differences
from against_real.oracle_check import oracle_differences
from against_real.reference import Answer, Reference
from cases import THEMES, Case, make_case

from idcbench.scheduler.engine.engine import ClusterEngine

Check = Callable[[Case, Answer], list[Difference]]


def main() -> int:
    options = _options()
    if options.live:
        return asyncio.run(_live(options))
    checks: dict[str, Check] = {"oracle": _oracle}
    if not options.oracle_only:
        checks["engine"] = _engine
    begun, seen, differing = time.monotonic(), Coverage(), Counter[str]()
    with Reference(reference_scheduler()) as reference:
        for case, answer in reference.answers(_cases(options)):
            if answer.error:
                raise RuntimeError(f"case {case['id']}: {answer.error}")
            seen.add(answer)
            for kind, found in _held_against(checks, case, answer):
                differing[kind] += 1
                _report(kind, found, case, answer, folder=options.save, number=differing.total())
    _print_summary(seen, differing, seconds=time.monotonic() - begun)
    if differing:
        return 1
    return 2 if seen.thin() and not options.replay else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=8000)
    parser.add_argument("--seed", type=int, default=1, help="the first of the cases' seeds")
    parser.add_argument("--theme", action="append", choices=THEMES, help="only such cases; may be given again")
    parser.add_argument("--save", type=Path, default=Path(".idcbench/scheduler-differences"))
    parser.add_argument("--oracle-only", action="store_true", help="leave the engine out")
    parser.add_argument("--live", type=int, metavar="CLUSTERS", help="compare with a running kube-scheduler")
    parser.add_argument("--replay", type=Path, nargs="+", help="ask saved cases again")
    return parser.parse_args()


async def _live(options: argparse.Namespace) -> int:
    begun, seen, differing = time.monotonic(), Coverage(), Counter[str]()
    with Reference(reference_scheduler()) as reference:
        decided = live_cases(name=f"live-{os.getpid()}", seed=options.seed, clusters=options.live, pods=12)
        async for case, decision in decided:
            ((_, answer),) = reference.answers([case])
            seen.add(answer)
            if found := live_differences(decision, answer):
                differing["live"] += 1
                differences = [Difference("live", what) for what in found]
                _report("live", differences, case, answer, folder=options.save, number=differing.total())
    _print_summary(seen, differing, seconds=time.monotonic() - begun)
    return 1 if differing or not seen.cases else 0


def _cases(options: argparse.Namespace) -> Iterator[Case]:
    if options.replay:
        yield from (msgspec.json.decode(path.read_bytes())["case"] for path in options.replay)
        return
    for seed in range(options.seed, options.seed + options.cases):
        yield make_case(Random(seed), f"seed-{seed}", options.theme)


def _oracle(case: Case, answer: Answer) -> list[Difference]:
    return [Difference("oracle", what) for what in oracle_differences(case, answer)]


def _engine(case: Case, answer: Answer) -> list[Difference]:
    return engine_differences(ClusterEngine, case, answer)


def _held_against(checks: dict[str, Check], case: Case, answer: Answer) -> Iterable[tuple[str, Sequence[Difference]]]:
    """By kind of difference; a crash of ours is one."""
    for name, check in checks.items():
        try:
            found = check(case, answer)
        except Exception:  # noqa: BLE001 - whatever it is, it is the finding
            found = [Difference("crash", traceback.format_exc())]
        for kind in dict.fromkeys(each.kind for each in found):
            yield (kind if kind == name else f"{name}: {kind}"), [each for each in found if each.kind == kind]


def _report(kind: str, found: Sequence[Difference], case: Case, answer: Answer, *, folder: Path, number: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{number:04}-{case['id']}.json"
    path.write_text(as_json({"kind": kind, "differences": [each.what for each in found], "case": case, "real": answer}))
    print(f"{kind} ({path})")
    for each in found[:3]:
        print(f"    {each.what[-600:]}")


def _print_summary(seen: Coverage, differing: Counter[str], *, seconds: float) -> None:
    print(tabulate(seen.rows(), headers=["plugin", "removed a node and kept one", "scored nodes differently"]))
    print(
        f"\n{seen.cases} cases in {seconds:.0f} s: {seen.placed} placed, {seen.cases - seen.placed} not (of these "
        f"{seen.barred} barred on every node at once, {seen.gated} gated, {seen.preempted} with preemption candidates)"
    )
    if thin := seen.thin():
        print(f"met in too few cases: {', '.join(thin)}")
    print("differences: " + (", ".join(f"{count} {kind}" for kind, count in differing.most_common()) or "none"))


if __name__ == "__main__":
    sys.exit(main())
