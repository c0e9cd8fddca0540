"""Job runs: start, read, stop, timeout, queue, retry by Glue."""

import datetime

import pytest
from conftest import refused

FINAL_STATES = ("SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT", "ERROR", "EXPIRED")


def run_of(glue, job, run_id):
    return glue.get_job_run(JobName=job, RunId=run_id)["JobRun"]


def finish(target, glue, job, run_id):
    for _ in range(10):
        target.step(60)
        run = run_of(glue, job, run_id)
        if run["JobRunState"] in FINAL_STATES:
            return run
    raise AssertionError(f"the run has not ended: {run}")


def start(glue, job, **more):
    return glue.start_job_run(JobName=job, **more)["JobRunId"]


def script(double, job, plans, **settings):
    """Defines a job whose runs follow these plans."""
    definition = {"Name": job, "Role": "r", "Command": {"Name": "glueetl"}, "GlueVersion": "4.0"} | settings
    double.seed(jobs=[{"region": "eu-west-1", "job": {"settings": definition, "script": {"plans": plans}}}])


QUICK = {"starting": 0, "running": 10}


def test_a_run_is_started_and_succeeds(target, glue, job):
    run_id = start(glue, job, Arguments={"--day": "1"})
    assert run_id.startswith("jr_")
    assert len(run_id) == 67
    run = run_of(glue, job, run_id)
    assert (run["Id"], run["JobName"], run["Attempt"]) == (run_id, job, 0)
    assert run["JobRunState"] in ("STARTING", "RUNNING")
    assert run["Arguments"] == {"--day": "1"}
    assert run["PredecessorRuns"] == []
    assert isinstance(run["StartedOn"], datetime.datetime)
    run = finish(target, glue, job, run_id)
    assert run["JobRunState"] == "SUCCEEDED"
    assert run["CompletedOn"] >= run["StartedOn"]
    assert "ErrorMessage" not in run


@pytest.mark.moto_differs("shows the job's default arguments in the run")
@pytest.mark.documentation("GetJobRun, AWS CLI examples: a run without arguments of its own shows none")
def test_a_run_shows_its_own_arguments_only(glue, name):
    glue.create_job(
        Name=name, Role="r", Command={"Name": "glueetl"}, DefaultArguments={"--a": "job", "--b": "job"}
    )
    assert run_of(glue, name, start(glue, name, Arguments={"--b": "run"}))["Arguments"] == {"--b": "run"}


@pytest.mark.moto_differs("has fixed values")
@pytest.mark.documentation("JobRun, AWS Glue API reference")
def test_a_run_shows_its_capacity_and_settings(target, glue, job):
    run_id = start(glue, job, WorkerType="G.2X", NumberOfWorkers=3, Timeout=7, SecurityConfiguration="sec")
    run = run_of(glue, job, run_id)
    assert (run["WorkerType"], run["NumberOfWorkers"]) == ("G.2X", 3)
    assert (run["MaxCapacity"], run["AllocatedCapacity"]) == (6.0, 6)
    assert (run["Timeout"], run["GlueVersion"]) == (7, "4.0")
    assert run["LogGroupName"] == "/aws-glue/jobs-glue-sec"
    assert finish(target, glue, job, run_id)["ExecutionTime"] == 60


@pytest.mark.moto_differs("has different states for execution classes")
@pytest.mark.documentation("JobRun, AWS Glue API reference (DPUSeconds)")
def test_a_flex_run_has_dpu_seconds(target, glue, job):
    run_id = start(glue, job, ExecutionClass="FLEX", WorkerType="G.2X", NumberOfWorkers=3)
    run = finish(target, glue, job, run_id)
    assert run["ExecutionClass"] == "FLEX"
    assert run["DPUSeconds"] == 60 * 3 * 2


def test_an_unknown_job_cannot_be_started(glue, name):
    error = refused(glue.start_job_run, JobName=name)
    assert (error.code, error.status) == ("EntityNotFoundException", 400)


def test_an_unknown_run_is_not_found(glue, job):
    assert refused(glue.get_job_run, JobName=job, RunId="jr_" + "0" * 64).code == "EntityNotFoundException"


def test_a_run_is_not_found_by_another_job_name(glue, job):
    run_id = start(glue, job)
    glue.create_job(Name=f"{job}-2", Role="r", Command={"Name": "glueetl"})
    assert refused(glue.get_job_run, JobName=f"{job}-2", RunId=run_id).code == "EntityNotFoundException"


def test_more_runs_than_slots_are_refused(glue, name):
    glue.create_job(Name=name, Role="r", Command={"Name": "glueetl"}, ExecutionProperty={"MaxConcurrentRuns": 2})
    start(glue, name)
    start(glue, name)
    error = refused(glue.start_job_run, JobName=name)
    assert (error.code, error.status) == ("ConcurrentRunsExceededException", 400)


@pytest.mark.moto_differs("frees a slot at once, and has no clock to step")
@pytest.mark.documentation("none: reports of users (a start right after the end is refused)")
def test_a_slot_is_free_some_seconds_after_the_end(target, double, glue, name):
    script(double, name, [QUICK | {"slotLag": 5}])
    run_id = start(glue, name)
    target.step(10)
    assert run_of(glue, name, run_id)["JobRunState"] == "SUCCEEDED"
    assert refused(glue.start_job_run, JobName=name).code == "ConcurrentRunsExceededException"
    target.step(5)
    start(glue, name)


@pytest.mark.moto_differs("does not queue")
@pytest.mark.documentation("AWS Glue job run statuses; StartJobRun, AWS Glue API reference")
def test_queued_runs_start_in_order_or_expire(target, double, glue, name):
    script(double, name, [QUICK | {"slotLag": 0, "longestWait": 15}])
    first = start(glue, name)
    second, third, fourth = (start(glue, name, JobRunQueuingEnabled=True) for _ in range(3))
    run = run_of(glue, name, second)
    assert run["JobRunState"] == "WAITING"
    assert run["JobRunQueuingEnabled"] is True
    assert run["StateDetail"]
    target.step(10)
    states = [run_of(glue, name, each)["JobRunState"] for each in (first, second, third, fourth)]
    assert states == ["SUCCEEDED", "RUNNING", "WAITING", "WAITING"]
    target.step(5)
    states = [run_of(glue, name, each)["JobRunState"] for each in (second, third, fourth)]
    assert states == ["RUNNING", "EXPIRED", "EXPIRED"]


@pytest.mark.moto_differs("lists oldest first, and has other pages")
@pytest.mark.documentation("GetJobRuns, AWS Glue API reference (pages of at most 200); newest first as boto3 users see it")
def test_runs_are_listed_newest_first_in_pages(target, double, glue, name):
    script(double, name, [QUICK], ExecutionProperty={"MaxConcurrentRuns": 1000})
    ids = []
    for _ in range(7):
        ids.insert(0, start(glue, name))
        target.step(1)
    assert [run["Id"] for run in glue.get_job_runs(JobName=name)["JobRuns"]] == ids
    pages = list(glue.get_paginator("get_job_runs").paginate(JobName=name, PaginationConfig={"PageSize": 3}))
    assert [len(page["JobRuns"]) for page in pages] == [3, 3, 1]
    assert [run["Id"] for page in pages for run in page["JobRuns"]] == ids


@pytest.mark.moto_differs("does not validate")
@pytest.mark.documentation("GetJobRuns, AWS Glue API reference")
def test_an_invalid_page_token_is_refused(glue, job):
    for _ in range(3):
        start(glue, job)
    token = glue.get_job_runs(JobName=job, MaxResults=1)["NextToken"]
    assert glue.get_job_runs(JobName=job, MaxResults=1, NextToken=token)["JobRuns"]
    assert refused(glue.get_job_runs, JobName=job, NextToken=token[:-2]).code == "InvalidInputException"
    assert refused(glue.get_job_runs, JobName=job, NextToken="1").code == "InvalidInputException"


def test_runs_of_an_unknown_job_are_not_found(glue, name):
    assert refused(glue.get_job_runs, JobName=name).code == "EntityNotFoundException"


@pytest.mark.moto_differs("has no BatchStopJobRun")
@pytest.mark.documentation("BatchStopJobRun, AWS Glue API reference; Exceptions (JobRunInTerminalStateException)")
def test_a_stopped_run_is_stopping_first_and_errors_are_by_run(target, glue, job):
    run_id, stopped = start(glue, job), start(glue, job)
    assert glue.batch_stop_job_run(JobName=job, JobRunIds=[stopped])["Errors"] == []
    target.step(10)
    answer = glue.batch_stop_job_run(JobName=job, JobRunIds=[run_id, stopped, "jr_unknown"])
    assert answer["SuccessfulSubmissions"] == [{"JobName": job, "JobRunId": run_id}]
    errors = {error["JobRunId"]: error["ErrorDetail"]["ErrorCode"] for error in answer["Errors"]}
    assert errors == {stopped: "JobRunInTerminalStateException", "jr_unknown": "EntityNotFoundException"}
    assert run_of(glue, job, run_id)["JobRunState"] == "STOPPING"
    assert run_of(glue, job, stopped)["JobRunState"] == "STOPPED"
    target.step(10)
    assert run_of(glue, job, run_id)["JobRunState"] == "STOPPED"


@pytest.mark.moto_differs("has no BatchStopJobRun")
@pytest.mark.documentation("BatchStopJobRun, AWS Glue API reference (at most 25 items)")
def test_at_most_25_runs_are_stopped_at_once(glue, job):
    error = refused(glue.batch_stop_job_run, JobName=job, JobRunIds=[f"jr_{n}" for n in range(26)])
    assert error.code == "ValidationException"
    assert "less than or equal to 25" in error.message
    answer = glue.batch_stop_job_run(JobName=job, JobRunIds=[f"jr_{n}" for n in range(25)])
    assert len(answer["Errors"]) == 25


@pytest.mark.moto_differs("does not retry")
@pytest.mark.documentation("Adding jobs in AWS Glue (Number of retries); JobRun, AWS Glue API reference")
def test_glue_retries_a_failed_run(target, double, glue, name):
    failing = QUICK | {"outcome": {"state": "failed", "message": "no such table"}, "retryAfter": 5}
    script(double, name, [failing, QUICK], MaxRetries=1)
    run_id = start(glue, name)
    target.step(10)
    failed = run_of(glue, name, run_id)
    assert (failed["JobRunState"], failed["ErrorMessage"]) == ("FAILED", "no such table")
    target.step(15)
    again = run_of(glue, name, f"{run_id}_attempt_1")
    assert (again["Attempt"], again["PreviousRunId"], again["JobRunState"]) == (1, run_id, "SUCCEEDED")


@pytest.mark.moto_differs("has no timeouts")
@pytest.mark.documentation("StartJobRun, AWS Glue API reference (Timeout)")
def test_a_run_times_out_and_is_not_retried(target, double, glue, name):
    script(double, name, [{"starting": 0, "outcome": {"state": "never"}}], MaxRetries=3)
    run_id = start(glue, name, Timeout=1)
    target.step(600)
    run = run_of(glue, name, run_id)
    assert (run["JobRunState"], run["ExecutionTime"]) == ("TIMEOUT", 60)
    assert len(glue.get_job_runs(JobName=name)["JobRuns"]) == 1


@pytest.mark.moto_differs("starts an independent run")
@pytest.mark.documentation("StartJobRun, AWS Glue API reference (JobRunId)")
def test_an_ended_run_can_be_started_again_by_its_id(target, glue, job):
    run_id = start(glue, job)
    assert refused(glue.start_job_run, JobName=job, JobRunId=run_id).code == "JobRunNotInTerminalStateException"
    finish(target, glue, job, run_id)
    again = run_of(glue, job, start(glue, job, JobRunId=run_id))
    assert (again["PreviousRunId"], again["Attempt"]) == (run_id, 1)


def test_max_capacity_and_allocated_capacity_cannot_be_combined(glue, job):
    assert refused(glue.start_job_run, JobName=job, MaxCapacity=4.0, AllocatedCapacity=4).code == "InvalidInputException"


@pytest.mark.moto_differs("does not validate")
@pytest.mark.documentation("StartJobRun, AWS Glue API reference")
@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"MaxCapacity": 4.0, "WorkerType": "G.1X", "NumberOfWorkers": 2}, "InvalidInputException"),
        ({"WorkerType": "G.1X"}, "InvalidInputException"),
        ({"WorkerType": "H.1X", "NumberOfWorkers": 2}, "ValidationException"),
        ({"MaxCapacity": 1.0}, "InvalidInputException"),
        ({"Timeout": 10081}, "InvalidInputException"),
        ({"JobRunId": "jr_unknown"}, "EntityNotFoundException"),
    ],
)
def test_an_invalid_start_is_refused(glue, job, asked, code):
    assert refused(glue.start_job_run, JobName=job, **asked).code == code
