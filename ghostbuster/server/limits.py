"""How much the server takes in: sizes, counts and times. Whatever comes in, memory stays below their sum."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 2**20


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on everything a client can make grow.

    Attributes
    ----------
    body_bytes : int
        Of one request that is no stream.
    bodies_bytes : int
        Of all requests being received or answered, together.
    text_characters : int
        Of one text; a longer one would hold up everybody.
    texts : int
        Of one request that is no stream, and files of one upload.
    headers : int
        Lines of a request's head.
    requests : int
        Being answered at once.
    connections : int
        Open at once.
    queue_texts, queue_characters : int
        Waiting to be scored.
    window : int
        Texts of one request that wait or are scored at once: nobody fills the queue alone.
    jobs, job_bytes : int
        Of the page: those kept, and the bytes of their texts and results together.
    running_jobs : int
        Of the page, not yet finished.
    job_seconds : float
        How long results are kept after they were last looked at.
    head_seconds, idle_seconds, body_seconds : float
        For a request's head, between two pieces of its body, for the whole body of one that is no stream.
    document_seconds : float
        For reading one document.
    document_bytes : int
        Of memory that reading one document may take.
    stop_seconds : float
        How long the server goes on with accepted work after it was told to end.
    """

    body_bytes: int = 64 * MIB
    bodies_bytes: int = 256 * MIB
    text_characters: int = 1_000_000
    texts: int = 1_000
    headers: int = 100
    requests: int = 1_000
    connections: int = 2_000
    queue_texts: int = 256
    queue_characters: int = 2**23
    window: int = 32
    jobs: int = 64
    job_bytes: int = 256 * MIB
    running_jobs: int = 16
    job_seconds: float = 3_600.0
    head_seconds: float = 10.0
    idle_seconds: float = 20.0
    body_seconds: float = 120.0
    document_seconds: float = 30.0
    document_bytes: int = 2_048 * MIB
    stop_seconds: float = 60.0
