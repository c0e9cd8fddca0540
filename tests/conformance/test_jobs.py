"""Job definitions."""

import pytest
from conftest import refused

COMMAND = {"Name": "glueetl", "ScriptLocation": "s3://scripts/etl.py", "PythonVersion": "3"}


def create(glue, name, **more):
    return glue.create_job(Name=name, Role="arn:aws:iam::123456789012:role/glue", Command=COMMAND, **more)


def test_a_created_job_can_be_read(glue, name):
    assert create(glue, name, DefaultArguments={"--a": "1"}, MaxRetries=2)["Name"] == name
    job = glue.get_job(JobName=name)["Job"]
    assert job["Name"] == name
    assert job["Command"] == COMMAND
    assert job["DefaultArguments"] == {"--a": "1"}
    assert job["MaxRetries"] == 2
    assert job["CreatedOn"] == job["LastModifiedOn"]


@pytest.mark.moto_differs("adds no defaults")
@pytest.mark.documentation("CreateJob, AWS Glue API reference")
@pytest.mark.parametrize(
    ("version", "command", "timeout", "capacity"),
    [
        ("4.0", "glueetl", 2880, 10.0),
        ("5.0", "glueetl", 480, 10.0),
        ("3.0", "pythonshell", 2880, 0.0625),
    ],
)
def test_missing_members_get_defaults(glue, name, version, command, timeout, capacity):
    glue.create_job(Name=name, Role="r", Command={"Name": command}, GlueVersion=version)
    job = glue.get_job(JobName=name)["Job"]
    assert job["Timeout"] == timeout
    assert job["MaxCapacity"] == capacity
    assert job["MaxRetries"] == 0
    assert job["ExecutionProperty"] == {"MaxConcurrentRuns": 1}


def test_the_nodes_of_a_visual_job_are_shown_as_they_were_created(glue, name):
    nodes = {
        "node-1": {"CatalogSource": {"Name": "orders", "Database": "sales", "Table": "orders"}},
        "node-2": {"S3DirectTarget": {"Name": "out", "Inputs": ["node-1"], "Path": "s3://out/", "Format": "json"}},
    }
    create(glue, name, CodeGenConfigurationNodes=nodes)
    assert glue.get_job(JobName=name)["Job"]["CodeGenConfigurationNodes"] == nodes
    [job] = glue.batch_get_jobs(JobNames=[name])["Jobs"]
    assert job["CodeGenConfigurationNodes"] == nodes


def test_an_unknown_job_is_not_found(glue, name):
    error = refused(glue.get_job, JobName=name)
    assert (error.code, error.status) == ("EntityNotFoundException", 400)


@pytest.mark.moto_differs("replaces the existing job")
@pytest.mark.documentation("CreateJob, AWS Glue API reference")
def test_a_job_with_an_existing_name_is_refused(glue, name):
    create(glue, name)
    assert refused(create, glue=glue, name=name).code == "AlreadyExistsException"


def test_deleting_a_job_that_does_not_exist_succeeds(glue, name):
    assert glue.delete_job(JobName=name)["JobName"] == name


def test_a_deleted_job_is_not_found(glue, name):
    create(glue, name)
    glue.delete_job(JobName=name)
    assert refused(glue.get_job, JobName=name).code == "EntityNotFoundException"


@pytest.mark.moto_differs("has no UpdateJob")
@pytest.mark.documentation("UpdateJob, AWS Glue API reference")
def test_an_update_replaces_the_whole_definition(glue, target, name):
    create(glue, name, DefaultArguments={"--a": "1"}, Description="old")
    target.step(1)
    glue.update_job(JobName=name, JobUpdate={"Role": "other", "Command": COMMAND, "MaxRetries": 1})
    job = glue.get_job(JobName=name)["Job"]
    assert (job["Role"], job["MaxRetries"]) == ("other", 1)
    assert "Description" not in job
    assert "DefaultArguments" not in job
    assert job["LastModifiedOn"] > job["CreatedOn"]


def test_jobs_are_listed_in_pages(glue, name):
    names = [f"{name}-{n}" for n in range(5)]
    for each in names:
        create(glue, each)
    pages = list(glue.get_paginator("get_jobs").paginate(PaginationConfig={"PageSize": 2}))
    assert all(len(page["Jobs"]) <= 2 for page in pages)
    seen = [job["Name"] for page in pages for job in page["Jobs"]]
    assert [each for each in seen if each in names] == names
    assert len(seen) == len(set(seen))
    listed = []
    page = glue.list_jobs(MaxResults=2)
    while True:
        listed += page["JobNames"]
        if not page.get("NextToken"):
            break
        page = glue.list_jobs(MaxResults=2, NextToken=page["NextToken"])
    assert sorted(listed) == sorted(seen)


def test_a_batch_names_the_jobs_that_do_not_exist(glue, name):
    create(glue, name)
    answer = glue.batch_get_jobs(JobNames=[name, f"{name}-not"])
    assert [job["Name"] for job in answer["Jobs"]] == [name]
    assert answer["JobsNotFound"] == [f"{name}-not"]


@pytest.mark.moto_differs("does not validate")
@pytest.mark.documentation("CreateJob, AWS Glue API reference")
def test_dpus_and_workers_cannot_be_combined(glue, name):
    error = refused(
        glue.create_job, Name=name, Role="r", Command=COMMAND, MaxCapacity=2, WorkerType="G.1X", NumberOfWorkers=2
    )
    assert error.code == "InvalidInputException"
    assert "Max Capacity" in error.message


def test_each_region_has_its_own_jobs(target, glue, name):
    create(glue, name)
    other_region = target.client("glue", "us-east-1")
    assert refused(other_region.get_job, JobName=name).code == "EntityNotFoundException"
