"""Snakemake looks for jobs to start when one has ended, and Python for garbage once they are chosen."""

import gc

import pytest
from snakemake.cli import get_argument_parser
from snakemake.settings.types import MaxJobsPerTimespan, SchedulingSettings

from dmf.cli.call import Call, look_when_jobs_end


@pytest.mark.parametrize("asked", ["50/1s", "100/1m", "100/2s"])
def test_a_limit_that_somebody_asks_for_stays(asked: str) -> None:
    settings = SchedulingSettings(max_jobs_per_timespan=MaxJobsPerTimespan.parse_choice(asked))
    look_when_jobs_end(settings)
    assert settings.max_jobs_per_timespan is not None


def test_the_limit_that_nobody_asks_for_goes() -> None:
    unasked = get_argument_parser().get_default("max_jobs_per_timespan")
    settings = SchedulingSettings(max_jobs_per_timespan=MaxJobsPerTimespan.parse_choice(unasked))
    look_when_jobs_end(settings)
    assert settings.max_jobs_per_timespan is None
    look_when_jobs_end(settings)
    assert settings.max_jobs_per_timespan is None


def test_garbage_is_looked_for_again_even_where_no_job_can_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(call: Call) -> None:
        raise SystemExit

    monkeypatch.setattr(Call, "_choose", fail)
    gc.disable()
    try:
        with pytest.raises(SystemExit):
            Call.__new__(Call)._choose_jobs()
        assert gc.isenabled()
    finally:
        gc.enable()
        gc.unfreeze()
