"""``idcbench``: the commands, each imported when it is used, and the one place that prints errors."""

from __future__ import annotations

import signal
import sys
import traceback
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import click

from .. import __version__
from ..errors import IdcError

BUG, USAGE, INTERRUPTED = 3, 4, 2


@dataclass(frozen=True, slots=True)
class Lazy:
    """A command in a module that is imported when the command is used."""

    module: str
    object: str
    help: str

    def load(self) -> click.Command:
        command = getattr(import_module(f"idcbench.cli.{self.module}"), self.object)
        if not isinstance(command, click.Command):
            raise TypeError(f"idcbench.cli.{self.module}.{self.object} is not a command")
        return command


COMMANDS = {
    "run": Lazy("run", "run", "Bring a cluster up, run the suites on it, write the report."),
    "up": Lazy("cluster", "up", "Bring a cluster up and keep it."),
    "status": Lazy("cluster", "status", "Say what a cluster is and how it does."),
    "exec": Lazy("cluster", "exec_", "Run a command on a host of a cluster."),
    "stop": Lazy("cluster", "stop", "Stop a cluster, keep its data."),
    "start": Lazy("cluster", "start", "Start a stopped cluster again."),
    "down": Lazy("cluster", "down", "Remove a cluster."),
    "kubeconfig": Lazy("rooms", "kubeconfig", "Print the administrator's kubeconfig of a cluster on hosts."),
    "node": Lazy("node", "node", "Hosts that come to a cluster, leave it, or are replaced."),
    "repair": Lazy("rooms", "repair", "Mend whatever differs from an inventory."),
    "certs": Lazy("certs", "certs", "The certificates of a cluster on hosts: show, renew."),
    "inventory": Lazy("inventory", "inventory", "The machines of a server room: write, check and show their file."),
    "lab": Lazy("lab", "lab", "Machines to practise on, in containers."),
    "check": Lazy("check", "check", "Say whether machines are fit to become a cluster."),
    "scheduler": Lazy("scheduler", "scheduler", "The scheduler: run it, ask it why, check its configuration."),
    "report": Lazy("report", "report", "Write and open the report of a run."),
    "compare": Lazy("compare", "compare", "Set runs side by side, with a verdict on every metric."),
    "history": Lazy("history", "history", "Show each metric over the last runs, and where it changed."),
    "list": Lazy("shelf", "list_runs", "List the runs there are."),
    "prune": Lazy("shelf", "prune", "Delete all but the newest runs."),
    "export": Lazy("shelf", "export", "Write the figures of a run for another tool."),
    "bench": Lazy("bench", "bench", "Measure schedulers side by side."),
    "calibrate": Lazy("calibrate", "calibrate", "Say how far off the instrument is, on this machine."),
    "bundle": Lazy("bundle", "bundle", "All that hosts need, in one file: create, list, verify, serve."),
    "artifacts": Lazy("artifacts", "artifacts", "The binaries a cluster is made of: list, get, verify, prune."),
}


class LazyGroup(click.Group):
    """A group whose help needs no command's module."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        lazy = COMMANDS.get(cmd_name)
        return lazy.load() if lazy else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - as above
        with formatter.section("Commands"):
            formatter.write_dl([(name, lazy.help) for name, lazy in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="idcbench")
def cli() -> None:
    """Build a highly available Kubernetes out of what is at hand, break it, measure it, report it."""


def main(args: list[str] | None = None) -> int:
    """Run a command; gives the exit code. Errors are told in a line; a traceback is a bug of idcbench.

    SIGTERM and SIGHUP end a command as Ctrl-C does, so that what it began is taken back.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        return _code(cli.main(args, prog_name="idcbench", standalone_mode=False))
    except click.ClickException as error:
        _tell(error)
        return USAGE
    except IdcError as error:
        click.echo(f"error: {error}", err=True)
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except Exception:  # noqa: BLE001 - the last resort, told with its traceback
        traceback.print_exc()
        click.echo("error: this is a bug of idcbench; please report it with the lines above", err=True)
        return BUG


def _tell(error: click.ClickException) -> None:
    context = getattr(error, "ctx", None)
    if isinstance(error, click.UsageError) and context is not None:
        click.echo(f"error: {error.format_message()} (see `{context.command_path} --help`)", err=True)
    else:
        click.echo(f"error: {error.format_message()}", err=True)


def _code(result: Any) -> int:
    return result if isinstance(result, int) else 0


if __name__ == "__main__":
    sys.exit(main())
