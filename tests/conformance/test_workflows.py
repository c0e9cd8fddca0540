"""Workflows and their runs: properties, statistics, graph, stop, resume, limits."""

import pytest
from conftest import create_job, refused


def workflow(glue, name, jobs, **settings):
    """A workflow that starts the first job, and each other one after the one before it has succeeded."""
    glue.create_workflow(Name=name, **settings)
    glue.create_trigger(Name=f"{name}-0", WorkflowName=name, Type="ON_DEMAND", Actions=[{"JobName": jobs[0]}])
    for n, (before, after) in enumerate(zip(jobs, jobs[1:]), start=1):
        condition = {"LogicalOperator": "EQUALS", "JobName": before, "State": "SUCCEEDED"}
        glue.create_trigger(
            Name=f"{name}-{n}",
            WorkflowName=name,
            Type="CONDITIONAL",
            StartOnCreation=True,
            Predicate={"Conditions": [condition]},
            Actions=[{"JobName": after}],
        )


@pytest.fixture
def jobs(glue, name):
    """Two jobs with five slots."""
    names = [f"{name}-first", f"{name}-second"]
    for each in names:
        create_job(glue, each)
    return names


def run_of(glue, name, run_id, graph=False):
    return glue.get_workflow_run(Name=name, RunId=run_id, IncludeGraph=graph)["Run"]


def node(run, name):
    return next(node for node in run["Graph"]["Nodes"] if node["Name"] == name)


def test_a_workflow_and_its_runs_are_shown_and_listed(glue, name):
    glue.create_workflow(Name=name, Description="daily", MaxConcurrentRuns=3, DefaultRunProperties={"a": "b"})
    shown = glue.get_workflow(Name=name)["Workflow"]
    assert (shown["Name"], shown["Description"], shown["MaxConcurrentRuns"]) == (name, "daily", 3)
    assert shown["DefaultRunProperties"] == {"a": "b"}
    assert name in glue.list_workflows(MaxResults=25)["Workflows"] or "NextToken" in glue.list_workflows(MaxResults=25)
    run_id = glue.start_workflow_run(Name=name)["RunId"]
    assert run_of(glue, name, run_id)["WorkflowRunId"] == run_id
    assert [each["WorkflowRunId"] for each in glue.get_workflow_runs(Name=name)["Runs"]] == [run_id]
    glue.delete_workflow(Name=name)
    assert refused(glue.get_workflow, Name=name).code == "EntityNotFoundException"


def test_workflows_are_listed_in_pages(glue, name):
    names = [f"{name}-{n}" for n in range(5)]
    for each in names:
        glue.create_workflow(Name=each)
    pages = list(glue.get_paginator("list_workflows").paginate(PaginationConfig={"PageSize": 2}))
    assert all(len(page["Workflows"]) <= 2 for page in pages)
    seen = [each for page in pages for each in page["Workflows"]]
    assert sorted(each for each in seen if each in names) == names
    assert len(seen) == len(set(seen))


def test_a_batch_names_the_workflows_that_do_not_exist(glue, name):
    glue.create_workflow(Name=name, Description="daily")
    answer = glue.batch_get_workflows(Names=[name, f"{name}-not"], IncludeGraph=True)
    assert [(each["Name"], each["Description"]) for each in answer["Workflows"]] == [(name, "daily")]
    assert answer["MissingWorkflows"] == [f"{name}-not"]


def test_a_workflow_shows_its_last_run(target, glue, name):
    glue.create_workflow(Name=name)
    assert "LastRun" not in glue.get_workflow(Name=name)["Workflow"]
    glue.start_workflow_run(Name=name)
    target.step(1)
    run_id = glue.start_workflow_run(Name=name)["RunId"]
    assert glue.get_workflow(Name=name)["Workflow"]["LastRun"]["WorkflowRunId"] == run_id
    [of_batch] = glue.batch_get_workflows(Names=[name])["Workflows"]
    assert of_batch["LastRun"]["WorkflowRunId"] == run_id


def test_run_properties_are_set_at_the_start_and_can_be_put(glue, name):
    glue.create_workflow(Name=name)
    run_id = glue.start_workflow_run(Name=name, RunProperties={"day": "monday", "mode": "full"})["RunId"]
    of_run = {"Name": name, "RunId": run_id}
    assert glue.get_workflow_run_properties(**of_run)["RunProperties"] == {"day": "monday", "mode": "full"}
    assert run_of(glue, name, run_id)["WorkflowRunProperties"]["day"] == "monday"
    glue.put_workflow_run_properties(**of_run, RunProperties={"mode": "part", "rows": "7"})
    properties = glue.get_workflow_run_properties(**of_run)["RunProperties"]
    assert properties == {"day": "monday", "mode": "part", "rows": "7"}


def test_what_does_not_exist_is_not_found(glue, name):
    for call, more in [
        (glue.start_workflow_run, {}),
        (glue.get_workflow_runs, {}),
        (glue.get_workflow_run, {"RunId": "wr_none"}),
        (glue.stop_workflow_run, {"RunId": "wr_none"}),
        (glue.get_workflow_run_properties, {"RunId": "wr_none"}),
    ]:
        assert refused(call, Name=name, **more).code == "EntityNotFoundException"


@pytest.mark.moto_differs("starts no trigger of the workflow and has no graph")
@pytest.mark.documentation("WorkflowRun, WorkflowGraph and WorkflowRunStatistics, AWS Glue API reference")
def test_a_run_has_statistics_and_a_graph(target, glue, name, jobs):
    workflow(glue, name, jobs, DefaultRunProperties={"mode": "full"})
    run_id = glue.start_workflow_run(Name=name, RunProperties={"day": "monday"})["RunId"]
    run = run_of(glue, name, run_id, graph=True)
    assert run["WorkflowRunProperties"] == {"mode": "full", "day": "monday"}
    assert (run["Status"], run["Statistics"]["TotalActions"], run["Statistics"]["RunningActions"]) == ("RUNNING", 2, 1)
    assert {each["Type"] for each in run["Graph"]["Nodes"]} == {"TRIGGER", "JOB"}
    assert node(run, jobs[1])["JobDetails"]["JobRuns"] == []
    edges = [(each["SourceId"], each["DestinationId"]) for each in run["Graph"]["Edges"]]
    assert (node(run, f"{name}-0")["UniqueId"], node(run, jobs[0])["UniqueId"]) in edges
    assert (node(run, jobs[0])["UniqueId"], node(run, f"{name}-1")["UniqueId"]) in edges
    assert "Graph" not in run_of(glue, name, run_id)
    target.step(3600)
    target.step(3600)
    run = run_of(glue, name, run_id, graph=True)
    assert (run["Status"], run["Statistics"]["SucceededActions"]) == ("COMPLETED", 2)
    assert node(run, jobs[1])["JobDetails"]["JobRuns"][0]["JobRunState"] == "SUCCEEDED"
    assert len(glue.get_workflow(Name=name, IncludeGraph=True)["Workflow"]["Graph"]["Nodes"]) == 4


@pytest.mark.moto_differs("has no limit of concurrent runs")
@pytest.mark.documentation("StartWorkflowRun, AWS Glue API reference (ConcurrentRunsExceededException)")
def test_a_workflow_at_its_limit_refuses_a_start(target, glue, name, jobs):
    workflow(glue, name, jobs, MaxConcurrentRuns=1)
    glue.start_workflow_run(Name=name)
    assert refused(glue.start_workflow_run, Name=name).code == "ConcurrentRunsExceededException"
    target.step(3600)
    target.step(3600)
    glue.start_workflow_run(Name=name)


@pytest.mark.moto_differs("stops a run of any state, and starts no trigger of the workflow")
@pytest.mark.documentation("StopWorkflowRun, AWS Glue API reference (IllegalWorkflowStateException)")
def test_a_stopped_run_starts_nothing_more_and_cannot_be_stopped_again(target, glue, name, jobs):
    workflow(glue, name, jobs)
    run_id = glue.start_workflow_run(Name=name)["RunId"]
    glue.stop_workflow_run(Name=name, RunId=run_id)
    assert run_of(glue, name, run_id)["Status"] == "STOPPING"
    target.step(3600)
    run = run_of(glue, name, run_id)
    assert (run["Status"], run["Statistics"]["StoppedActions"]) == ("STOPPED", 1)
    assert glue.get_job_runs(JobName=jobs[1])["JobRuns"] == []
    error = refused(glue.stop_workflow_run, Name=name, RunId=run_id)
    assert (error.code, error.status) == ("IllegalWorkflowStateException", 400)


@pytest.mark.moto_differs("has no ResumeWorkflowRun")
@pytest.mark.documentation("Repairing and resuming a workflow run, AWS Glue developer guide; ResumeWorkflowRun, API reference")
def test_a_resumed_run_runs_its_nodes_and_what_follows_them(target, double, glue, name, jobs):
    plans = [{"outcome": {"state": "failed", "message": "no such path"}}, {}]
    slots = {"ExecutionProperty": {"MaxConcurrentRuns": 5}}
    settings = {"Name": jobs[1], "Role": "r", "Command": {"Name": "glueetl"}, "GlueVersion": "4.0"} | slots
    double.seed(jobs=[{"region": "eu-west-1", "job": {"settings": settings, "script": {"plans": plans}}}])
    workflow(glue, name, jobs)
    run_id = glue.start_workflow_run(Name=name)["RunId"]
    target.step(3600)
    target.step(3600)
    failed = run_of(glue, name, run_id, graph=True)
    assert (failed["Status"], failed["Statistics"]["FailedActions"]) == ("COMPLETED", 1)
    trigger = node(failed, f"{name}-0")["UniqueId"]
    error = refused(glue.resume_workflow_run, Name=name, RunId=run_id, NodeIds=[trigger])
    assert error.code == "InvalidInputException"
    again = node(failed, jobs[1])["UniqueId"]
    answer = glue.resume_workflow_run(Name=name, RunId=run_id, NodeIds=[again])
    assert answer["RunId"] != run_id and answer["NodeIds"] == [again]
    target.step(3600)
    resumed = run_of(glue, name, answer["RunId"])
    assert (resumed["Status"], resumed["PreviousRunId"]) == ("COMPLETED", run_id)
    assert [len(glue.get_job_runs(JobName=job)["JobRuns"]) for job in jobs] == [1, 2]
