"""What a stranger may send and how long anyone waits."""

from __future__ import annotations

from dataclasses import dataclass, fields

from maeum.errors import SettingsError

MB = 1_000_000


@dataclass(frozen=True)
class Limits:
    """Limits of a service; each is at least 1.

    Attributes:
        max_upload_bytes: of one request to `/v1/predict`, all of its parts together.
        max_batch_bytes: of one request to `/v1/batch`.
        max_timeline_bytes: of one request to `/v1/timeline`.
        max_transcript_bytes: of what is said in a long recording.
        max_json_bytes: of one JSON body, which is read into memory.
        max_bytes_at_once: of all requests being answered together; they lie on the disk.
        max_text_chars: of one text, cleaned.
        max_items: of one batch.
        max_parts: of one multipart body.
        max_samples_per_s: of a recording, its channels together: 192 kHz in stereo is 384,000.
        queue_length: requests that wait for the model.
        timelines_at_once: timelines being computed or waiting.
        together: queries the model is given at once.
        upload_timeout_s: for a body to arrive.
        request_timeout_s: for an answer, once the body is there.
        batch_timeout_s: the same of `/v1/batch`.
        timeline_timeout_s: the same of `/v1/timeline`.
        drain_timeout_s: for what began to end, once the service is told to stop.

    Raises:
        SettingsError: one is under 1.
    """

    max_upload_bytes: int = 25 * MB
    max_batch_bytes: int = 100 * MB
    max_timeline_bytes: int = 500 * MB
    max_transcript_bytes: int = 4 * MB
    max_json_bytes: int = 16 * MB
    max_bytes_at_once: int = 2_000 * MB
    max_text_chars: int = 2_000
    max_items: int = 64
    max_parts: int = 130
    max_samples_per_s: int = 400_000
    queue_length: int = 64
    timelines_at_once: int = 4
    together: int = 16
    upload_timeout_s: float = 120
    request_timeout_s: float = 30
    batch_timeout_s: float = 120
    timeline_timeout_s: float = 900
    drain_timeout_s: float = 60

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not value >= 1:
                raise SettingsError(f"{field.name} is {value}; expected at least 1")

    def bytes_of(self, path: str) -> int:
        """How many a request to this path may send.

        >>> Limits().bytes_of("/v1/predict")
        25000000
        """
        routes = {"/v1/batch": self.max_batch_bytes, "/v1/predict": self.max_upload_bytes}
        return routes.get(path, self.max_timeline_bytes)  # the page takes long recordings, too
