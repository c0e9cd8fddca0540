"""Triggers and workflows."""

import pytest
from conftest import refused

HOURLY = "cron(0 * * * ? *)"


def create(glue, name, kind, job, **more):
    glue.create_trigger(Name=name, Type=kind, Actions=[{"JobName": job}], **more)
    return name


def state(glue, name):
    return glue.get_trigger(Name=name)["Trigger"]["State"]


def runs(glue, job):
    return glue.get_job_runs(JobName=job)["JobRuns"]


def after(job, ended="SUCCEEDED"):
    return {"Logical": "AND", "Conditions": [{"LogicalOperator": "EQUALS", "JobName": job, "State": ended}]}


def test_a_created_trigger_can_be_read(glue, name, job):
    create(glue, name, "SCHEDULED", job, Schedule=HOURLY, Description="each hour")
    trigger = glue.get_trigger(Name=name)["Trigger"]
    assert (trigger["Name"], trigger["Type"], trigger["State"]) == (name, "SCHEDULED", "CREATED")
    assert (trigger["Schedule"], trigger["Description"]) == (HOURLY, "each hour")
    assert trigger["Actions"] == [{"JobName": job}]


def test_start_on_creation_activates_a_trigger(glue, name, job):
    create(glue, name, "SCHEDULED", job, Schedule=HOURLY, StartOnCreation=True)
    assert state(glue, name) == "ACTIVATED"


def test_the_predicate_of_a_trigger_can_be_read(glue, name, job):
    create(glue, name, "CONDITIONAL", job, Predicate=after(job))
    assert glue.get_trigger(Name=name)["Trigger"]["Predicate"]["Conditions"] == after(job)["Conditions"]


def test_an_unknown_trigger_is_not_found(glue, name):
    assert refused(glue.get_trigger, Name=name).code == "EntityNotFoundException"
    assert refused(glue.start_trigger, Name=name).code == "EntityNotFoundException"
    assert refused(glue.stop_trigger, Name=name).code == "EntityNotFoundException"


def test_deleting_a_trigger_that_does_not_exist_succeeds(glue, name):
    assert glue.delete_trigger(Name=name)["Name"] == name


def test_a_trigger_is_activated_deactivated_and_deleted(target, glue, name, job):
    create(glue, name, "SCHEDULED", job, Schedule=HOURLY)
    assert glue.start_trigger(Name=name)["Name"] == name
    target.step(10)
    assert state(glue, name) == "ACTIVATED"
    assert glue.stop_trigger(Name=name)["Name"] == name
    target.step(10)
    assert state(glue, name) == "DEACTIVATED"
    glue.delete_trigger(Name=name)
    target.step(10)
    assert refused(glue.get_trigger, Name=name).code == "EntityNotFoundException"


@pytest.mark.moto_differs("has no transitional states")
@pytest.mark.documentation("Trigger structure, AWS Glue API reference (TriggerState)")
def test_activation_deactivation_and_deletion_have_transitional_states(target, glue, name, job):
    create(glue, name, "SCHEDULED", job, Schedule=HOURLY)
    glue.start_trigger(Name=name)
    assert state(glue, name) == "ACTIVATING"
    assert refused(glue.stop_trigger, Name=name).code == "ConcurrentModificationException"
    target.step(2)
    glue.stop_trigger(Name=name)
    assert state(glue, name) == "DEACTIVATING"
    target.step(2)
    glue.delete_trigger(Name=name)
    assert state(glue, name) == "DELETING"


@pytest.mark.moto_differs("does not fire triggers, and activates an on-demand trigger")
@pytest.mark.documentation("Triggering jobs; StartTrigger, AWS Glue API reference")
def test_an_on_demand_trigger_fires_when_it_is_started(glue, name, job):
    create(glue, name, "ON_DEMAND", job)
    glue.start_trigger(Name=name)
    assert state(glue, name) == "CREATED"
    (run,) = runs(glue, job)
    assert run["TriggerName"] == name


@pytest.mark.moto_differs("does not fire triggers")
@pytest.mark.documentation("StartTrigger, AWS Glue API reference (ConcurrentRunsExceededException)")
def test_starting_an_on_demand_trigger_without_a_free_slot_is_refused(glue, name):
    glue.create_job(Name=name, Role="r", Command={"Name": "glueetl"})
    create(glue, name, "ON_DEMAND", name)
    glue.start_trigger(Name=name)
    assert refused(glue.start_trigger, Name=name).code == "ConcurrentRunsExceededException"
    assert len(runs(glue, name)) == 1


@pytest.mark.documentation("Time-based schedules for jobs and crawlers, AWS Glue developer guide")
def test_a_scheduled_trigger_fires_while_it_is_activated(target, double, glue, name, job):
    create(glue, name, "SCHEDULED", job, Schedule=HOURLY)
    target.step(3600)
    assert runs(glue, job) == []
    glue.start_trigger(Name=name)
    target.step(2 * 3600)
    assert len(runs(glue, job)) == 2
    glue.stop_trigger(Name=name)
    target.step(2 * 3600)
    assert len(runs(glue, job)) == 2


@pytest.mark.documentation("AWS Glue triggers, AWS Glue developer guide (dependency chains)")
def test_conditions_are_met_within_a_chain_only(target, double, glue, name):
    first, second = f"{name}-1", f"{name}-2"
    for each in (first, second):
        glue.create_job(Name=each, Role="r", Command={"Name": "glueetl"}, ExecutionProperty={"MaxConcurrentRuns": 5})
    create(glue, f"{name}-go", "ON_DEMAND", first)
    create(glue, f"{name}-then", "CONDITIONAL", second, Predicate=after(first), StartOnCreation=True)
    glue.start_job_run(JobName=first)
    target.step(600)
    assert runs(glue, second) == []
    glue.start_trigger(Name=f"{name}-go")
    target.step(600)
    (run,) = runs(glue, second)
    assert run["PredecessorRuns"] == [{"JobName": first, "RunId": runs(glue, first)[0]["Id"]}]


@pytest.mark.moto_differs("activates it")
@pytest.mark.documentation("https://github.com/hashicorp/terraform-provider-aws/pull/49408 (a report, reproduced on AWS)")
def test_an_event_trigger_is_neither_started_nor_stopped(target, glue, name, job):
    create(glue, name, "EVENT", job)
    target.step(60)
    assert refused(glue.start_trigger, Name=name).code == "InvalidInputException"
    assert refused(glue.stop_trigger, Name=name).code == "InvalidInputException"
    assert glue.get_trigger(Name=name)["Trigger"]["State"] == "CREATED"


@pytest.mark.documentation("Starting an AWS Glue workflow with an EventBridge event (batching)")
def test_events_are_counted_to_a_batch(target, double, glue, name, job):
    batch = {"BatchSize": 2, "BatchWindow": 60}
    create(glue, name, "EVENT", job, EventBatchingCondition=batch)
    double.request("POST", f"events?region=eu-west-1&trigger={name}")
    assert runs(glue, job) == []
    double.request("POST", f"events?region=eu-west-1&trigger={name}")
    assert len(runs(glue, job)) == 1
    double.request("POST", f"events?region=eu-west-1&trigger={name}")
    target.step(60)
    assert len(runs(glue, job)) == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"Predicate": {"Logical": "AND", "Conditions": [{"LogicalOperator": "EQUALS", "State": "SUCCEEDED"}]}},
        {"Predicate": {"Logical": "AND", "Conditions": [{"LogicalOperator": "EQUALS", "JobName": "any"}]}},
        {"Predicate": {"Logical": "AND", "Conditions": [{"JobName": "any", "State": "SUCCEEDED"}]}},
        {"Predicate": after("any"), "Actions": [{"JobName": "any", "CrawlerName": "other"}]},
    ],
)
def test_an_invalid_condition_is_refused(glue, name, wrong):
    given = {"Name": name, "Type": "CONDITIONAL", "Actions": [{"JobName": "any"}]} | wrong
    assert refused(glue.create_trigger, **given).code == "InvalidInputException"


@pytest.mark.moto_differs("does not validate")
@pytest.mark.documentation("CreateTrigger, AWS Glue API reference")
@pytest.mark.parametrize(
    "wrong",
    [
        {"Type": "SCHEDULED"},
        {"Type": "SCHEDULED", "Schedule": "hourly"},
        {"Type": "ON_DEMAND", "StartOnCreation": True},
        {"Type": "ON_DEMAND", "Actions": []},
    ],
)
def test_an_invalid_definition_for_the_type_is_refused(glue, name, wrong):
    error = refused(glue.create_trigger, **({"Name": name, "Actions": [{"JobName": "any"}]} | wrong))
    assert error.code == "InvalidInputException"


@pytest.mark.moto_differs("has no UpdateTrigger")
@pytest.mark.documentation("UpdateTrigger, AWS Glue API reference (TriggerUpdate overwrites the definition)")
def test_an_update_replaces_the_whole_definition(glue, name, job):
    create(glue, name, "SCHEDULED", job, Schedule=HOURLY, Description="old")
    update = {"Schedule": "cron(30 * * * ? *)", "Actions": [{"JobName": job, "Arguments": {"--a": "b"}}]}
    updated = glue.update_trigger(Name=name, TriggerUpdate=update)["Trigger"]
    assert (updated["Schedule"], updated["Actions"]) == (update["Schedule"], update["Actions"])
    assert "Description" not in updated


def test_triggers_are_listed_by_job_tag_and_page(glue, name, job):
    for n in range(3):
        create(glue, f"{name}-{n}", "ON_DEMAND", job, Tags={"case": name})
    names = [f"{name}-{n}" for n in range(3)]
    assert glue.list_triggers(DependentJobName=job)["TriggerNames"] == names
    assert [each["Name"] for each in glue.get_triggers(DependentJobName=job)["Triggers"]] == names
    assert glue.list_triggers(Tags={"case": name})["TriggerNames"] == names
    found = glue.batch_get_triggers(TriggerNames=[*names, "none-such"])
    assert [each["Name"] for each in found["Triggers"]] == names
    assert found["TriggersNotFound"] == ["none-such"]
    pages = list(glue.get_paginator("get_triggers").paginate(DependentJobName=job, PaginationConfig={"PageSize": 2}))
    assert [each["Name"] for page in pages for each in page["Triggers"]] == names


@pytest.mark.documentation("CreateTrigger and StopTrigger, AWS Glue API reference (ConcurrentModificationException)")
def test_triggers_of_one_workflow_change_one_at_a_time(target, double, glue, name, job):
    glue.create_workflow(Name=name)
    for n in range(2):
        create(glue, f"{name}-{n}", "SCHEDULED", job, Schedule=HOURLY, WorkflowName=name)
    glue.start_trigger(Name=f"{name}-0")
    error = refused(glue.start_trigger, Name=f"{name}-1")
    assert (error.code, error.status) == ("ConcurrentModificationException", 400)
    target.step(2)
    glue.start_trigger(Name=f"{name}-1")


@pytest.mark.documentation("Workflows, AWS Glue API reference")
def test_a_workflow_run_completes_with_its_last_action(target, double, glue, name, job):
    glue.create_workflow(Name=name)
    create(glue, name, "ON_DEMAND", job, WorkflowName=name)
    run_id = glue.start_workflow_run(Name=name)["RunId"]
    assert glue.get_workflow_run(Name=name, RunId=run_id)["Run"]["Status"] == "RUNNING"
    target.step(600)
    run = glue.get_workflow_run(Name=name, RunId=run_id)["Run"]
    assert (run["Status"], run["Statistics"]["SucceededActions"]) == ("COMPLETED", 1)
    assert glue.get_workflow_runs(Name=name)["Runs"][0]["WorkflowRunId"] == run_id
