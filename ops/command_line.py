"""How commands are read and end: --stack and --local anywhere, a failure as one line on stderr."""

import sys
from collections.abc import Sequence
from functools import partial
from typing import Any

import typer
from typer.core import TyperGroup

from ops.failures import explain
from ops.terminal import end_line, fail

_FAILED = 1


class OperatorCommands(TyperGroup):
    """The top group of commands: they may be followed by where to work, and what goes wrong is one line."""

    def parse_args(
        self,
        ctx: Any,  # noqa: ANN401 - of a class that Typer keeps to itself
        args: list[str],
    ) -> list[str]:
        """Read the options of this group, wherever they stand."""
        return super().parse_args(ctx, _target_first(args))

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,  # noqa: ANN401 - as Typer declares it
    ) -> Any:  # noqa: ANN401 - as Typer declares it
        """Run a command and end the process with its exit code; embedded, return or raise as Typer does."""
        # Not standalone, Typer returns exit codes and lets errors rise; no command returns a value.
        run = partial(super().main, args, prog_name, complete_var, False, windows_expand_args, **extra)
        if not standalone_mode:
            return run()
        try:
            sys.exit(run())
        except typer.Abort:
            end_line()
            fail("Nothing was changed. Answer y to go on, or give --yes to go without the question.")
            sys.exit(_FAILED)
        except typer.TyperException as error:
            fail(self._usage_line(error))
            sys.exit(error.exit_code)
        except Exception as error:  # noqa: BLE001 - an operator gets a sentence, never a traceback
            fail(explain(error))
            sys.exit(_FAILED)

    @staticmethod
    def _usage_line(error: typer.TyperException) -> str:
        # pydantic, which reads values for Typer, begins the messages of validators so.
        message = error.format_message().replace("Value error, ", "")
        context = getattr(error, "ctx", None)
        if not message or context is None:
            return message
        end = "" if message.endswith((".", "?")) else "."
        return f"{message}{end} See: {context.command_path} --help"


def _target_first(args: Sequence[str]) -> list[str]:
    """Move --local and --stack NAME, which name the target, before the command."""
    target, rest, remaining = [], [], iter(args)
    for arg in remaining:
        if arg == "--":
            rest += [arg, *remaining]
        elif arg == "--local" or arg.startswith("--stack="):
            target.append(arg)
        elif arg == "--stack":
            name = next(remaining, None)
            if name is None:
                return [arg]
            target += [arg, name]
        else:
            rest.append(arg)
    return [*target, *rest]
