"""A model that many ask at once: what they ask waits in a bounded queue, some at a time go in."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias, cast

from maeum.ahead import batches
from maeum.corpus.audio import read_header
from maeum.corpus.text import clean
from maeum.errors import AudioError, MaeumError, RunError, TextError
from maeum.features.normalize import Voice
from maeum.inference import Classifier, Failure, Prediction, Query
from maeum.inference.timeline import Timeline, timeline
from maeum.serving.limits import Limits
from maeum.serving.problems import ProblemError, busy
from maeum.serving.warming import warming_query

Answer: TypeAlias = Prediction | Failure

_EVERY = 0.2
"""How much the last answer weighs in what is remembered of how long answers take."""


@dataclass(frozen=True)
class _Asked:
    """What one request asks the model."""

    queries: Sequence[Query]
    answers: Future[list[Answer]]


class Service:
    """A classifier behind a bounded queue.

    Attributes:
        model: that answers; what is asked of it directly is not counted here.
        limits: of what is taken.
        voice: that recordings are compared with, for runs that compare voices.
        folder: where uploads lie while they are answered.
        ready: whether it has been warmed by one answer and is not about to stop.
        broken: why it never will be ready; None: it may be.
    """

    def __init__(
        self, model: Classifier, limits: Limits | None = None, *, voice: Voice | None = None
    ) -> None:
        """Nothing runs before `start`.

        Raises:
            RunError: the run compares voices and none is given.
        """
        if model.needs_voice and voice is None:
            raise RunError(
                "this run compares a recording with others of the same voice; give a folder of "
                "them (--speaker FOLDER), or train with --normalize none"
            )
        self.model, self.limits, self.voice = model, limits or Limits(), voice
        self.broken: str | None = None
        self._warm, self._draining = False, False
        self._on_failure: Callable[[], object] = lambda: None
        self._queue: queue.Queue[_Asked | None] = queue.Queue(self.limits.queue_length)
        self._seconds_each = 0.05
        self._timelines = 0
        self._counting = threading.Lock()
        self._tried, self._stopped = threading.Event(), threading.Event()

    @property
    def ready(self) -> bool:
        """Whether it answers now."""
        return self._warm and not self._draining

    @property
    def draining(self) -> bool:
        """Whether it is about to stop."""
        return self._draining

    @property
    def waiting(self) -> int:
        """Requests in the queue."""
        return self._queue.qsize()

    def start(self, *, on_failure: Callable[[], object] | None = None) -> None:
        """Begin to answer; the first answer is one that nobody asked for.

        Args:
            on_failure: called where the model cannot answer at all; `broken` then says why.
        """
        self._on_failure = on_failure or self._on_failure
        self._spool = TemporaryDirectory(prefix="maeum-serve-")
        self.folder = Path(self._spool.name)
        self._long = ThreadPoolExecutor(1, thread_name_prefix="maeum-timeline")
        self._worker = threading.Thread(target=self._work, name="maeum-model", daemon=True)
        self._worker.start()

    def wait_until_warm(self) -> None:
        """Wait until the first answer was had, or `broken` says why there is none."""
        self._tried.wait()

    def drain(self) -> None:
        """Say that no more should come; what came is answered."""
        self._draining = True

    def stop(self) -> None:
        """Answer what waits, then end; uploads are removed."""
        self.drain()
        self._queue.put(None)
        self._worker.join()
        self._stopped.set()
        self._long.shutdown(wait=False, cancel_futures=True)
        self._spool.cleanup()

    def predict(self, query: Query) -> Answer:
        """The answer for one query, waited for in the thread that calls.

        Args:
            query: whose recording, if there is one, is a file of the service's own.

        Raises:
            ProblemError: the queue is full, or the answer takes too long.
        """
        asked, wait_s = self.submit([query]), self.limits.request_timeout_s
        try:
            return asked.result(timeout=wait_s)[0]
        except FutureTimeoutError:
            raise self._too_slow(asked, wait_s) from None

    async def predicted(self, query: Query) -> Answer:
        """The same as `predict`, awaited."""
        return (await self.all_predicted([query], self.limits.request_timeout_s))[0]

    async def all_predicted(self, queries: Sequence[Query], wait_s: float) -> list[Answer]:
        """Answers for several queries that take one place in the queue.

        Args:
            queries: see `predict`.
            wait_s: seconds until that is given up.

        Raises:
            ProblemError: the queue is full, or the answers take too long.
        """
        asked = await asyncio.to_thread(self.submit, queries)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(asked), wait_s)
        except TimeoutError:
            raise self._too_slow(asked, wait_s) from None

    def submit(self, queries: Sequence[Query]) -> Future[list[Answer]]:
        """Put queries into the queue; those that no model is asked are answered here.

        Raises:
            ProblemError: the queue is full.
        """
        refused = {at: why for at, one in enumerate(queries) if (why := self._refusal(one))}
        open_ = [one for at, one in enumerate(queries) if at not in refused]
        inner: Future[list[Answer]] = Future()
        if open_:
            try:
                self._queue.put_nowait(_Asked(open_, inner))
            except queue.Full:
                raise self._full() from None
        else:
            inner.set_result([])
        return inner if not refused else _merged(inner, refused)

    async def timeline(self, path: Path, **how: Any) -> Timeline:  # noqa: ANN401
        """What was felt when in a long recording.

        Args:
            path: of the recording.
            how: as in `inference.timeline.timeline`.

        Raises:
            AudioError: it cannot be used.
            ProblemError: too many are being computed, or it takes too long.
        """
        wait_s = self.limits.timeline_timeout_s
        with self._counting:
            if self._timelines >= self.limits.timelines_at_once:
                raise busy(
                    f"{self._timelines} timelines are being computed, which is as many as are "
                    "taken at once; come again later",
                    retry_after_s=60,
                )
            self._timelines += 1
        given_up = threading.Event()
        task = self._long.submit(self._timeline, path, how, given_up)
        task.add_done_callback(self._timeline_ended)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(task), wait_s)
        except TimeoutError:
            raise ProblemError(
                504,
                f"no timeline was found within {wait_s:g} s; send a shorter recording",
            ) from None
        finally:
            given_up.set()  # also where the client left

    def _timeline(self, path: Path, how: dict[str, Any], given_up: threading.Event) -> Timeline:
        self._ensure_bearable(path)
        in_turn = cast(Classifier, _InTurn(self, given_up))
        return timeline(in_turn, path, voice=self.voice, **how)

    def in_turn(self, queries: Sequence[Query], given_up: threading.Event) -> list[Answer]:
        """Answers for a part of long work, which waits for its turn as requests do.

        Args:
            queries: a part.
            given_up: set once nobody waits for the work any more.

        Raises:
            RunError: the service stopped meanwhile, or it was given up.
        """
        asked = _Asked(queries, Future())
        self._queue.put(asked)
        while not (self._stopped.is_set() or given_up.is_set()):
            with suppress(FutureTimeoutError):
                return asked.answers.result(timeout=1)
        asked.answers.cancel()
        raise RunError("the service stopped before it was through; send the recording again")

    def _timeline_ended(self, _: Future[Any]) -> None:
        with self._counting:
            self._timelines -= 1

    def _refusal(self, query: Query) -> Failure | None:
        """Why a query is not even asked; None: it is."""
        try:
            if query.audio is not None and "speech" in self.model.sides:
                self._ensure_bearable(Path(query.audio))
            if query.text is not None:
                self._ensure_short(query.text)
        except MaeumError as error:
            return Failure(str(error), query.audio, query.text)
        return None

    def _ensure_bearable(self, path: Path) -> None:
        """No recording of a few bytes may unfold into gigabytes of samples."""
        header = read_header(path)
        each_s = header.rate_hz * header.channels
        if each_s > self.limits.max_samples_per_s:
            raise AudioError(
                f"{path} has {header.channels} channels at {header.rate_hz:,} Hz, which is "
                f"{each_s:,} samples a second where {self.limits.max_samples_per_s:,} are taken; "
                "send speech as mono or stereo at 16 to 48 kHz"
            )

    def _ensure_short(self, text: str) -> None:
        most = self.limits.max_text_chars
        if len(text) > most and len(clean(text) or "") > most:
            raise TextError(
                f"the text has {len(text):,} characters, one utterance may have {most:,}; "
                "send what was said in the recording alone"
            )

    def _full(self) -> ProblemError:
        wait_s = ceil(self.waiting * self._seconds_each)
        return busy(
            f"{self.limits.queue_length} requests are waiting for the model, which is as many as "
            "are taken; send this one again later",
            retry_after_s=max(1, wait_s),
        )

    def _too_slow(self, asked: Future[list[Answer]], wait_s: float) -> ProblemError:
        """504 where the model had begun, 503 where it never got to it."""
        if asked.cancel() or asked.cancelled():
            return busy(
                f"the model did not get to this request within {wait_s:g} s; send it again later",
                retry_after_s=max(1, ceil(self.waiting * self._seconds_each)),
            )
        return ProblemError(
            504, f"the model gave no answer within {wait_s:g} s; send a shorter recording"
        )

    def _work(self) -> None:
        self._warm = self._warmed()
        self._tried.set()
        if not self._warm:
            self._on_failure()
        for batch in self._batches():
            self._answer([asked for asked in batch if asked.answers.set_running_or_notify_cancel()])

    def _warmed(self) -> bool:
        """Load all that is needed and answer once; whether that went well."""
        try:
            (found,) = self.model.predict(
                [warming_query(self.model, self.folder)], voice=self.voice
            )
        except MaeumError as error:
            self.broken = str(error)
        except Exception as error:
            self.broken = f"the model cannot be loaded ({type(error).__name__}: {error})"
        else:
            self.broken = found.error if isinstance(found, Failure) else None
        return self.broken is None

    def _batches(self) -> Iterator[list[_Asked]]:
        """What waits, as much at once as the model is to be given, until there is no more."""
        while True:
            first = self._queue.get()
            if first is None:
                return
            taken, ended = [first], False
            while sum(len(one.queries) for one in taken) < self.limits.together and not ended:
                try:
                    following = self._queue.get_nowait()
                except queue.Empty:
                    break
                if following is None:
                    ended = True
                else:
                    taken.append(following)
            yield taken
            if ended:
                return

    def _answer(self, batch: Sequence[_Asked]) -> None:
        queries = [query for asked in batch for query in asked.queries]
        if not queries:
            return
        begin = time.perf_counter()
        try:
            # asking the network again without a side costs little beside the encoders
            found = iter(list(self.model.predict(queries, voice=self.voice, explain=True)))
        except Exception as error:
            self._answer_each(batch, error)
        else:
            for asked in batch:
                asked.answers.set_result([next(found) for _ in asked.queries])
        each_s = (time.perf_counter() - begin) / len(queries)
        self._seconds_each += _EVERY * (each_s - self._seconds_each)

    def _answer_each(self, batch: Sequence[_Asked], error: Exception) -> None:
        """One after another, so that what fails does so for who asked it alone."""
        if len(batch) == 1:
            batch[0].answers.set_exception(error)
            return
        for asked in batch:
            self._answer([asked])


class _InTurn:
    """The service's classifier, for long work that must not keep requests waiting."""

    def __init__(self, service: Service, given_up: threading.Event) -> None:
        self._service, self._given_up = service, given_up

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the classifier has
        return getattr(self._service.model, name)

    def predict(self, queries: Iterable[Query], *, voice: Voice | None = None) -> Iterator[Answer]:
        """See `Classifier.predict`; the voice is the service's."""
        for part in batches(queries, self._service.limits.together):
            for found in self._service.in_turn(part, self._given_up):
                # nobody asked of a timeline what contributed to it
                yield (
                    replace(found, contributions=None) if isinstance(found, Prediction) else found
                )


def _merged(inner: Future[list[Answer]], refused: dict[int, Failure]) -> Future[list[Answer]]:
    """The answers with those that were given beforehand, in order."""
    outer: Future[list[Answer]] = Future()

    def merge(done: Future[list[Answer]]) -> None:
        if not outer.set_running_or_notify_cancel():
            return
        if error := done.exception():
            outer.set_exception(error)
            return
        answers = iter(done.result())
        count = len(refused) + len(done.result())
        outer.set_result([refused[at] if at in refused else next(answers) for at in range(count)])

    inner.add_done_callback(merge)
    return outer


@contextmanager
def running(service: Service) -> Iterator[Service]:
    """A service that runs while the block does."""
    service.start()
    try:
        yield service
    finally:
        service.stop()
