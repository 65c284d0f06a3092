"""Programs that outlive their starter: started, waited for, ended with all they started."""

import subprocess
import time
from contextlib import suppress
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import psutil
from pydantic import BaseModel

from local.template import ROOT

_READY_SECONDS = 60
_END_SECONDS = 10


class LocalSystemError(Exception):
    """Something of the local system does not work; the message is one line that says what to do."""


class BackgroundProcess(BaseModel):
    """A process, known by its number and when it was started: numbers alone are used again.

    When, is told in the kernel's ticks since this start of the machine: a clock can be set.
    """

    pid: int
    start_ticks: int
    boot_id: str

    @classmethod
    def start(
        cls, command: list[str], environment: dict[str, str], log: Path, folder: Path = ROOT
    ) -> "BackgroundProcess":
        """Start `command` in `folder`, its output going to `log`."""
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return cls(pid=process.pid, start_ticks=_start_ticks(process.pid), boot_id=_boot_id())

    def wait_until_ready(self, url: str, name: str, log: Path) -> None:
        """Ask `url` until it answers, whatever it says; a process that does not is ended.

        Raises:
            LocalSystemError: the process ended, or did not answer in time.

        """
        try:
            self._wait_until_ready(url, name, log)
        except BaseException:
            self.end()
            raise

    def is_alive(self) -> bool:
        """Tell whether it still runs."""
        return self._find() is not None

    def end(self) -> None:
        """End it and all that it started; one that is gone is no error."""
        process = self._find()
        if process is None:
            return
        # At once: what it knows it keeps in memory, and one that winds down waits for its connections.
        family = [process, *process.children(recursive=True)]
        for member in family:
            with suppress(psutil.NoSuchProcess):
                member.kill()
        psutil.wait_procs(family, timeout=_END_SECONDS)

    def _wait_until_ready(self, url: str, name: str, log: Path) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while time.monotonic() < deadline:
            if not self.is_alive():
                raise LocalSystemError(f"The {name} ended at once; its log is {log}.")
            try:
                with urlopen(url, timeout=2):  # noqa: S310 - a loopback address of ours
                    return
            except HTTPError:
                return
            except (URLError, ConnectionError, TimeoutError):
                time.sleep(0.05)
        raise LocalSystemError(f"The {name} did not answer within {_READY_SECONDS} s; its log is {log}.")

    def _find(self) -> psutil.Process | None:
        try:
            process = psutil.Process(self.pid)
            is_ours = (_start_ticks(self.pid), _boot_id()) == (self.start_ticks, self.boot_id)
            return process if is_ours and process.status() != psutil.STATUS_ZOMBIE else None
        except (psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError):
            return None


def _start_ticks(pid: int) -> int:
    """Return when a process was started (proc_pid_stat(5), starttime); its name may hold anything."""
    _, _, behind_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")
    return int(behind_name.split()[19])


def _boot_id() -> str:
    """Return what tells this start of the machine from others (random(4))."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
