"""Behaviour common to all operations: access keys, signatures, permissions, validation, limits, faults, records."""

from time import monotonic

import pytest
from botocore import UNSIGNED
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
from conftest import REGION, refused


@pytest.mark.documentation("Common errors, AWS Glue API reference")
def test_requests_without_a_valid_key_are_refused(target, double):
    unknown = target.client("glue", aws_access_key_id="AKIAUNKNOWN")
    assert refused(unknown.get_jobs).code == "UnrecognizedClientException"
    wrong = target.client("glue", aws_secret_access_key="wrong")
    error = refused(wrong.get_jobs)
    assert (error.code, error.status) == ("InvalidSignatureException", 400)
    unsigned = target.client("glue", config={"signature_version": UNSIGNED})
    assert refused(unsigned.get_jobs).code == "MissingAuthenticationTokenException"


def test_each_account_has_its_own_resources(target, double, glue, job):
    other = {"id": "AKIAOTHERACCOUNT", "secret": "s3cret", "account": "222222222222"}
    double.seed(accessKeys=[other])
    other_glue = target.client("glue", aws_access_key_id=other["id"], aws_secret_access_key=other["secret"])
    assert refused(other_glue.get_job, JobName=job).code == "EntityNotFoundException"
    assert glue.get_job(JobName=job)


@pytest.mark.documentation("Common errors, AWS Glue API reference; Policy evaluation logic, IAM user guide")
def test_permissions_are_checked(target, double, job):
    key = {"id": "AKIAREADER", "secret": "s3cret", "account": "123456789012", "user": "reader"}
    double.seed(accessKeys=[key], policies={"arn:aws:iam::123456789012:user/reader": {"allow": ["glue:Get*"]}})
    reader = target.client("glue", aws_access_key_id=key["id"], aws_secret_access_key=key["secret"])
    assert reader.get_job_runs(JobName=job)["JobRuns"] == []
    error = refused(reader.start_job_run, JobName=job)
    assert (error.code, error.status) == ("AccessDeniedException", 400)
    assert "arn:aws:iam::123456789012:user/reader" in error.message
    assert "glue:StartJobRun" in error.message
    assert f"job/{job}" in error.message


@pytest.mark.documentation("Common errors, AWS Glue API reference")
def test_input_is_validated_by_the_service_model(target, double):
    unvalidated = target.client("glue", config={"parameter_validation": False})
    error = refused(unvalidated.get_job)
    assert error.code == "ValidationException"
    assert "at 'jobName' failed to satisfy constraint: Member must not be null" in error.message
    assert refused(unvalidated.get_job, JobName="x" * 256).code == "ValidationException"
    assert refused(unvalidated.start_job_run, JobName="a", Arguments={"a": {"b": 1}}).code == "SerializationException"


def test_a_limit_throttles_one_operation_in_one_region(target, double, glue, job):
    double.request("POST", "limits", {"GetJobRuns": {"perSecond": 0.001, "burst": 2}})
    glue.get_job_runs(JobName=job)
    glue.get_job_runs(JobName=job)
    error = refused(glue.get_job_runs, JobName=job)
    assert (error.code, error.message, error.status) == ("ThrottlingException", "Rate exceeded", 400)
    assert glue.get_job(JobName=job)
    assert target.client("glue", "us-east-1").get_jobs()


@pytest.mark.parametrize(
    ("then", "code", "status"),
    [
        ({"do": "throttle"}, "ThrottlingException", 400),
        ({"do": "http500"}, "InternalServiceException", 500),
        ({"do": "expiredToken"}, "ExpiredTokenException", 400),
        (
            {"do": "error", "code": "ResourceNumberLimitExceededException", "status": 400, "message": "too many"},
            "ResourceNumberLimitExceededException",
            400,
        ),
    ],
)
def test_a_fault_prevents_the_operation(double, glue, job, then, code, status):
    double.fault(operation="StartJobRun", name=job, times=1, then=then)
    error = refused(glue.start_job_run, JobName=job)
    assert (error.code, error.status) == (code, status)
    assert glue.get_job_runs(JobName=job)["JobRuns"] == []
    glue.start_job_run(JobName=job)


def test_a_fault_drops_the_answer_after_the_operation(double, glue, job):
    double.fault(operation="StartJobRun", name=job, nth=1, then={"do": "dropAnswerAfterWork"})
    with pytest.raises(ConnectionClosedError):
        glue.start_job_run(JobName=job)
    assert len(glue.get_job_runs(JobName=job)["JobRuns"]) == 1
    record = double.requests("StartJobRun", name=job)
    assert [request["answer"]["dropped"] for request in record] == [True]
    double.fault(operation="StartJobRun", name=job, times=1, then={"do": "http500AfterWork"})
    assert refused(glue.start_job_run, JobName=job).status == 500
    assert len(glue.get_job_runs(JobName=job)["JobRuns"]) == 2


def test_a_fault_closes_the_connection_before_the_operation(double, glue, job):
    double.fault(operation="StartJobRun", name=job, times=1, then={"do": "dropConnectionBefore"})
    with pytest.raises(ConnectionClosedError):
        glue.start_job_run(JobName=job)
    assert glue.get_job_runs(JobName=job)["JobRuns"] == []


def wait_for_run(glue, job, between_reads=lambda: None):
    """Waits until Glue has a run of the job. A client can disconnect before its request is carried out."""
    deadline = monotonic() + 60
    while not glue.get_job_runs(JobName=job)["JobRuns"]:
        assert monotonic() < deadline, "the run was not started"
        between_reads()


def test_a_fault_holds_the_answer_until_it_is_released(target, double, glue, job):
    double.fault(operation="StartJobRun", name=job, times=1, then={"do": "holdAnswer"})
    short_timeout = target.client("glue", config={"read_timeout": 0.3})
    with pytest.raises(ReadTimeoutError):
        short_timeout.start_job_run(JobName=job)
    wait_for_run(glue, job)
    double.request("POST", "faults/release")
    assert len(glue.get_job_runs(JobName=job)["JobRuns"]) == 1


def test_a_call_is_carried_out_after_its_client_has_disconnected(target, double, glue, job):
    double.fault(operation="StartJobRun", name=job, times=1, then={"do": "hold"})
    short_timeout = target.client("glue", config={"read_timeout": 0.3})
    with pytest.raises(ReadTimeoutError):
        short_timeout.start_job_run(JobName=job)
    assert glue.get_job_runs(JobName=job)["JobRuns"] == []
    wait_for_run(glue, job, between_reads=lambda: double.request("POST", "faults/release"))
    assert len(glue.get_job_runs(JobName=job)["JobRuns"]) == 1


def test_a_stale_read_does_not_show_a_new_run(target, double, glue, job):
    glue.start_job_run(JobName=job)
    double.fault(operation="GetJobRuns", name=job, times=1, then={"do": "staleRead", "age": 5})
    assert glue.get_job_runs(JobName=job)["JobRuns"] == []
    assert len(glue.get_job_runs(JobName=job)["JobRuns"]) == 1


def test_every_request_is_recorded(double, glue, job):
    glue.start_job_run(JobName=job, Arguments={"--key": "value"})
    refused(glue.start_job_run, JobName=job, Timeout=10081)
    first, second = double.requests("StartJobRun", name=job)
    assert first["body"] == {"JobName": job, "Arguments": {"--key": "value"}}
    assert first["call"]["account"] == "123456789012"
    assert first["call"]["principal"] == "arn:aws:iam::123456789012:user/kube-glue"
    assert first["call"]["region"] == REGION
    assert first["answer"]["status"] == 200
    assert (second["answer"]["status"], second["answer"]["code"]) == (400, "InvalidInputException")
    assert second["sequence"] > first["sequence"]
