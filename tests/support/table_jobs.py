"""Score tables without a detector: the score of a text is its length."""

from ghostbuster.tables.journal import Journal, Score
from ghostbuster.tables.registry import open_reader
from ghostbuster.tables.scoring import score, write
from ghostbuster.tables.survey import Job, survey


def lengths(texts):
    """A judge whose scores anybody can check."""
    return [Score(len(text) / 1000, "machine" if len(text) % 2 else "human") for text in texts]


def job_of(source, output, **options):
    options = {"text_column": "text", **options}
    return Job(open_reader(source, "id", options["text_column"]), output, **options)


def scored(job, judge=lengths):
    """Run a whole job and give the output's path."""
    seen = survey(job)
    with Journal(job.output, {"input": seen.digest}) as journal:
        score(job, journal, judge, lambda *_: None)
        write(job, seen, journal, faulty=any(one.error for one in journal.scores()))
        journal.discard()
    return job.output
