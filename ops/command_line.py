"""How a command ends when it fails: one line on stderr, and an exit code other than zero."""

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
    """The top group of commands; whatever goes wrong below it becomes one line."""

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

    def _usage_line(self, error: typer.TyperException) -> str:
        # pydantic, which reads values for Typer, begins the messages of validators so.
        message = error.format_message().replace("Value error, ", "")
        context = getattr(error, "ctx", None)
        option = getattr(error, "option_name", None)
        if not message or context is None:
            return message
        if option in {name for parameter in self.params for name in parameter.opts}:
            program = context.find_root().command_path
            return f"{option} goes before the command: {program} {option} ..."
        end = "" if message.endswith((".", "?")) else "."
        return f"{message}{end} See: {context.command_path} --help"
