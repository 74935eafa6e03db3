"""Objects of a remote into a stage: block by block, hashed as they come, named when right."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pytest_potmodels.artifacts import RemoteFile
from pytest_potmodels.errors import DigestMismatchError, PotModelsError, Reason, UnavailableError
from pytest_potmodels.transfer import disk, places
from pytest_potmodels.transfer.batch import settle
from pytest_potmodels.transfer.failures import WrongBytesError
from pytest_potmodels.transfer.part_file import PartFile
from pytest_potmodels.transfer.progress import Phase, Progress, ProgressMeter
from pytest_potmodels.transfer.scope import CancelScope
from pytest_potmodels.transfer.size_limit import SizeLimit

#: Large enough for few requests; small enough to come within a remote's patience.
BLOCK = 8 << 20

#: Reads bytes of an object; fewer where it ends earlier, None where there is none.
Read = Callable[[str, int, int], bytes | None]


@dataclass(frozen=True)
class Haul:
    """How objects of one model are brought: how many at once, how large, who is told."""

    scope: CancelScope
    meter: ProgressMeter
    jobs: int
    most: int | None
    #: What the model is called in progress events.
    model: str = ""


class Objects:
    """Brings what it can; what it cannot, it says, and leaves no byte of it behind."""

    def __init__(self, remote: str, read: Read, haul: Haul) -> None:
        self._remote = remote
        self._read = read
        self._haul = haul

    def bring(
        self, names: Mapping[RemoteFile, str], stage: Path
    ) -> dict[RemoteFile, PotModelsError]:
        """Put files into the stage, each from the object of its name; say which it could not.

        Each file has a size and a digest. What a killed run left is used.

        Returns:
            UnavailableError for each object that cannot be had, DigestMismatchError for each that
            is not what its name says.

        Raises:
            ModelTooLargeError: the files together are beyond the limit.
            StoreError: a file name leads out of the stage, or the disk does not take the files.
            StoppedError: nobody waits any more.
        """
        SizeLimit(names, self._haul.most)
        places.check_distinct(file.path for file in names)
        with disk.guarded(stage):
            stage.mkdir(parents=True, exist_ok=True)
        parts = {file: PartFile(file, places.target(stage, file.path)) for file in names}
        missing = [file for file, part in parts.items() if part.finished_before() is None]
        disk.check_room(stage, sum(parts[file].missing() for file in missing))
        return self._all({file: parts[file] for file in missing}, names)

    def _all(
        self, parts: Mapping[RemoteFile, PartFile], names: Mapping[RemoteFile, str]
    ) -> dict[RemoteFile, PotModelsError]:
        order = sorted(parts, key=lambda file: file.size or 0, reverse=True)
        jobs = max(1, min(self._haul.jobs, len(order)))
        with ThreadPoolExecutor(jobs, thread_name_prefix="potmodels-remote") as pool:
            running = {
                file: pool.submit(partial(self._one, file, parts[file], names[file]))
                for file in order
            }
            try:
                settle(set(running.values()), self._haul.scope)
            except BaseException:
                self._haul.scope.stop()
                pool.shutdown(wait=True, cancel_futures=True)
                raise
        ended = {file: job.result() for file, job in running.items()}
        return {file: trouble for file, trouble in ended.items() if trouble is not None}

    def _one(self, file: RemoteFile, part: PartFile, name: str) -> PotModelsError | None:
        part.take_up()
        resumed = part.size > 0
        self._report(file, part, "started")
        try:
            try:
                self._receive(file, part, name)
            except WrongBytesError:
                if not resumed:
                    raise
                part.discard()  # What a killed run left may have been the wrong bytes.
                self._receive(file, part, name)
        except WrongBytesError as wrong:
            part.discard()
            return self._wrong(name, wrong)
        except UnavailableError as error:
            return error
        return None  # Who hashes the stage says "done" of all that lies there.

    def _receive(self, file: RemoteFile, part: PartFile, name: str) -> None:
        size = file.size or 0
        with part.appending("") as stream:
            while part.size < size:
                self._haul.scope.check(f"{file.path} from the remote {self._remote}")
                wanted = min(BLOCK, size - part.size)
                block = self._read(name, part.size, part.size + wanted)
                if block is None:
                    raise self._absent(name)
                if not 0 < len(block) <= wanted:
                    raise WrongBytesError(f"{size} bytes", f"{part.size + len(block)} bytes")
                part.append(stream, block)
                self._report(file, part, "moving")
        part.finish()

    def _report(self, file: RemoteFile, part: PartFile, phase: Phase) -> None:
        event = Progress(str(file.path), part.size, file.size, phase, self._haul.model)
        self._haul.meter.report(event)

    def _absent(self, name: str) -> UnavailableError:
        return UnavailableError(
            f"The remote {self._remote} has no {name}.",
            reason=Reason.SERVER,
            remedy="potmodels push, from a machine that has the model",
        )

    def _wrong(self, name: str, wrong: WrongBytesError) -> DigestMismatchError:
        return DigestMismatchError(
            f"{name} in the remote {self._remote} is not what its name says: "
            f"expected {wrong.expected}, found {wrong.found}.",
            expected=wrong.expected,
            found=wrong.found,
            remedy="potmodels push --verify, from a machine that has the model",
        )
