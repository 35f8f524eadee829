"""Where ``tidegate top`` reads how a run stands: its folder, or its endpoint."""

from __future__ import annotations

import http.client
import os
import time
from pathlib import Path
from typing import NamedTuple, Protocol
from urllib.parse import urlsplit

from framework.errors import ConfigError, VenueError
from framework.live.health.log_writer import STATUS_NAME
from framework.live.health.status import Status, decode_status

__all__ = ["Reading", "Source", "choose_source"]

_TIMEOUT_S = 3.0
_STATUS_BYTES_MAX = 16 * 1024 * 1024
# A run says every second how it stands; a machine that is very busy may let it wait.
_SILENT_S = 10.0
_RUNS = Path("runs")


class Reading(NamedTuple):
    """How a run stands. trouble: why it may not stand so now, in words; None where it does."""

    status: Status
    trouble: str | None


class Source(Protocol):
    """Where it is read."""

    def read(self) -> Reading:
        """Read it now. Raises ConfigError where there is no run, and TidegateError where it cannot be read."""
        ...


def choose_source(target: str | None) -> Source:
    """The run that is meant: by its folder, by host:port or the URL of its endpoint; None for the newest in ``runs``.

    Raises ConfigError where there is no such run.
    """
    if target is None:
        newest = max(_RUNS.glob(f"*/{STATUS_NAME}"), key=lambda path: path.stat().st_mtime, default=None)
        if newest is None:
            raise ConfigError(f"there is no run in {_RUNS}; name the --out of a run, or the address of its figures")
        return _Folder(newest.parent)
    if target.startswith(("http://", "https://")):
        return _Url(target)
    host, separator, port = target.rpartition(":")
    if separator and port.isdecimal() and not Path(target).exists():
        return _Url(f"http://{host or '127.0.0.1'}:{port}")
    return _Folder(Path(target))


class _Folder:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self) -> Reading:
        path = self._folder / STATUS_NAME
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            what = "no run has said here how it stands" if self._folder.is_dir() else "there is no such folder"
            raise ConfigError(
                f"{self._folder}: {what}; name the --out of a paper or live run, or the host:port of its figures"
            ) from None
        except OSError as error:
            raise ConfigError(f"{path}: {error.strerror}; look at it as the user who runs it") from None
        status = decode_status(data, str(path))
        silent_s = time.time() - status.written_s
        if status.state == "over":
            return Reading(status, f"THE RUN IS OVER, {silent_s:.0f} s ago")
        if not _is_alive(status.process_id):
            return Reading(status, f"NOT RUNNING: process {status.process_id} is gone; heard last {silent_s:.0f} s ago")
        if silent_s > _SILENT_S:
            return Reading(status, f"SILENT for {silent_s:.0f} s: the process is there, and says nothing")
        return Reading(status, None)


class _Url:
    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError:
            port = -1
        if not parts.hostname or port == -1:
            raise ConfigError(f"{url}: not an address; give http://host:port")
        self._url = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        self._host, self._port = parts.hostname, port
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection_type = kind

    def read(self) -> Reading:
        connection = self._connection_type(self._host, self._port, timeout=_TIMEOUT_S)
        try:
            connection.request("GET", "/status")
            answer = connection.getresponse()
            data = answer.read(_STATUS_BYTES_MAX)
        except (OSError, http.client.HTTPException) as error:
            why = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise VenueError(
                f"{self._url}: no run answers there ({why}); see whether it lives, and its --metrics-port"
            ) from None
        finally:
            connection.close()
        if answer.status != http.client.OK:
            raise VenueError(f"{self._url}: what answers there is no run (HTTP {answer.status}); see --metrics-port")
        return Reading(decode_status(data, self._url), None)


def _is_alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # another user's
    return True
