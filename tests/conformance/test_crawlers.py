"""Crawlers: definitions, starting, stopping, history, schedules."""

import json

import pytest
from conftest import refused

TARGETS = {"S3Targets": [{"Path": "s3://raw/orders"}]}


def create(glue, name, **more):
    glue.create_crawler(
        Name=name, Role="arn:aws:iam::123456789012:role/glue", Targets=TARGETS, DatabaseName="raw", **more
    )
    return name


@pytest.fixture
def crawler(glue, name):
    return create(glue, name)


def state(glue, crawler):
    return glue.get_crawler(Name=crawler)["Crawler"]["State"]


def crawls(glue, crawler, **more):
    return glue.list_crawls(CrawlerName=crawler, **more)["Crawls"]


def script(double, crawler, plans):
    settings = {"Name": crawler, "Role": "r", "Targets": TARGETS}
    double.seed(crawlers=[{"region": "eu-west-1", "crawler": settings, "script": plans}])


def test_a_created_crawler_can_be_read(glue, crawler):
    seen = glue.get_crawler(Name=crawler)["Crawler"]
    assert seen["Name"] == crawler
    assert seen["Targets"]["S3Targets"][0]["Path"] == "s3://raw/orders"
    assert (seen["State"], seen["DatabaseName"], seen["Version"]) == ("READY", "raw", 1)
    assert "LastCrawl" not in seen
    assert crawls(glue, crawler) == []


def test_a_crawler_with_an_existing_name_is_refused(glue, crawler):
    assert refused(create, glue=glue, name=crawler).code == "AlreadyExistsException"


@pytest.mark.parametrize("operation", ["get_crawler", "start_crawler", "stop_crawler", "delete_crawler"])
def test_an_unknown_crawler_is_not_found(glue, name, operation):
    error = refused(getattr(glue, operation), Name=name)
    assert (error.code, error.status) == ("EntityNotFoundException", 400)


def test_a_crawler_has_one_crawl_at_a_time(glue, crawler):
    assert refused(glue.stop_crawler, Name=crawler).code == "CrawlerNotRunningException"
    glue.start_crawler(Name=crawler)
    assert state(glue, crawler) == "RUNNING"
    assert refused(glue.start_crawler, Name=crawler).code == "CrawlerRunningException"
    (crawl,) = crawls(glue, crawler)
    assert crawl["State"] == "RUNNING"
    assert len(crawl["CrawlId"]) == 36
    assert "EndTime" not in crawl


@pytest.mark.moto_differs("stays STOPPING, and has no CrawlerStoppingException")
@pytest.mark.documentation("StopCrawler, AWS Glue API reference; Crawler API (CrawlerState, LastCrawlInfo)")
def test_a_stopped_crawler_is_stopping_before_it_is_ready(target, glue, crawler):
    glue.start_crawler(Name=crawler)
    glue.stop_crawler(Name=crawler)
    assert state(glue, crawler) == "STOPPING"
    assert refused(glue.stop_crawler, Name=crawler).code == "CrawlerStoppingException"
    assert refused(glue.start_crawler, Name=crawler).code == "CrawlerRunningException"
    target.step(10)
    seen = glue.get_crawler(Name=crawler)["Crawler"]
    assert (seen["State"], seen["LastCrawl"]["Status"]) == ("READY", "CANCELLED")
    assert crawls(glue, crawler)[0]["State"] == "STOPPED"


@pytest.mark.documentation("ListCrawls, AWS Glue API reference; the form of the summary is from reports of users")
def test_the_outcome_of_a_crawl_is_in_the_history(target, double, glue, name):
    changes = {"tablesAdded": ["orders"], "partitionsAdded": ["day=1", "day=2"]}
    fails = {"running": 10, "stopping": 5, "outcome": {"state": "failed", "message": "access denied"}}
    script(double, name, [{"running": 10, "stopping": 5, "changes": changes, "dpuHours": 0.25}, fails])
    glue.start_crawler(Name=name)
    target.step(10)
    assert state(glue, name) == "STOPPING"
    assert crawls(glue, name)[0]["State"] == "RUNNING"
    target.step(5)
    assert state(glue, name) == "READY"
    glue.start_crawler(Name=name)
    target.step(15)
    failed, completed = crawls(glue, name)
    assert (completed["State"], completed["DPUHour"]) == ("COMPLETED", 0.25)
    summary = {kind: json.loads(text) for kind, text in json.loads(completed["Summary"]).items()}
    assert summary["TABLE"]["ADD"]["Details"]["names"] == ["orders"]
    assert summary["PARTITION"]["ADD"]["Count"] == 2
    assert (failed["State"], failed["ErrorMessage"]) == ("FAILED", "access denied")
    last = glue.get_crawler(Name=name)["Crawler"]["LastCrawl"]
    assert (last["Status"], last["MessagePrefix"]) == ("FAILED", failed["CrawlId"])


@pytest.mark.documentation("ListCrawls, AWS Glue API reference (CrawlsFilter)")
def test_the_history_is_filtered_and_paged(target, double, glue, name):
    script(double, name, [{"running": 1, "stopping": 0}])
    for _ in range(23):
        glue.start_crawler(Name=name)
        target.step(60)
    assert len(crawls(glue, name)) == 20
    first = glue.list_crawls(CrawlerName=name, MaxResults=15)
    rest = glue.list_crawls(CrawlerName=name, MaxResults=15, NextToken=first["NextToken"])
    ids = [crawl["CrawlId"] for crawl in first["Crawls"] + rest["Crawls"]]
    assert len(set(ids)) == 23
    assert "NextToken" not in rest
    since = str(int(first["Crawls"][4]["StartTime"].timestamp() * 1000))
    after = crawls(glue, name, Filters=[{"FieldName": "START_TIME", "FilterOperator": "GE", "FieldValue": since}])
    assert [crawl["CrawlId"] for crawl in after] == ids[:5]
    one = crawls(glue, name, Filters=[{"FieldName": "CRAWL_ID", "FilterOperator": "EQ", "FieldValue": ids[7]}])
    assert [crawl["CrawlId"] for crawl in one] == [ids[7]]
    error = refused(
        glue.list_crawls,
        CrawlerName=name,
        Filters=[{"FieldName": "START_TIME", "FilterOperator": "GT", "FieldValue": "yesterday"}],
    )
    assert error.code == "InvalidInputException"
    assert refused(glue.list_crawls, CrawlerName=name, NextToken="17").code == "InvalidInputException"


def test_crawls_are_filtered_by_id_and_state(target, glue, crawler):
    glue.start_crawler(Name=crawler)
    crawl_id = crawls(glue, crawler)[0]["CrawlId"]
    target.step(100)
    same = {"FieldName": "CRAWL_ID", "FilterOperator": "EQ", "FieldValue": crawl_id}
    assert len(crawls(glue, crawler, Filters=[same])) == 1
    assert crawls(glue, crawler, Filters=[same | {"FilterOperator": "NE"}]) == []
    completed = {"FieldName": "STATE", "FilterOperator": "EQ", "FieldValue": "COMPLETED"}
    assert len(crawls(glue, crawler, Filters=[completed])) == 1
    assert crawls(glue, crawler, Filters=[completed | {"FieldValue": "FAILED"}]) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"FieldName": "STATE", "FilterOperator": "GT", "FieldValue": "FAILED"},
        {"FieldName": "CRAWL_ID", "FilterOperator": "LE", "FieldValue": "x"},
        {"FieldName": "STATE", "FilterOperator": "EQ"},
        {"FieldValue": "FAILED"},
    ],
)
def test_an_invalid_filter_is_refused(glue, crawler, wrong):
    assert refused(glue.list_crawls, CrawlerName=crawler, Filters=[wrong]).code == "InvalidInputException"


@pytest.mark.documentation("GetCrawlerMetrics, AWS Glue API reference; that unknown names are left out is assumed")
def test_metrics_show_the_run_times_of_a_crawler_and_what_is_left_of_a_crawl(target, double, glue, crawler):
    def metrics():
        (seen,) = glue.get_crawler_metrics(CrawlerNameList=[crawler, f"{crawler}-not"])["CrawlerMetricsList"]
        assert seen["CrawlerName"] == crawler
        return seen

    seen = metrics()
    assert (seen["StillEstimating"], seen["MedianRuntimeSeconds"], seen["TimeLeftSeconds"]) == (False, 0, 0)
    script(double, crawler, [{"running": 90, "stopping": 10}])
    glue.start_crawler(Name=crawler)
    assert metrics()["StillEstimating"]
    target.step(90)
    target.step(10)
    seen = metrics()
    assert (seen["LastRuntimeSeconds"], seen["MedianRuntimeSeconds"]) == (100, 100)
    glue.start_crawler(Name=crawler)
    target.step(40)
    seen = metrics()
    assert (seen["StillEstimating"], seen["TimeLeftSeconds"]) == (False, 60)


def test_a_batch_names_the_crawlers_that_do_not_exist(glue, crawler):
    answer = glue.batch_get_crawlers(CrawlerNames=[crawler, f"{crawler}-not"])
    assert [each["Name"] for each in answer["Crawlers"]] == [crawler]
    assert answer["CrawlersNotFound"] == [f"{crawler}-not"]


@pytest.mark.documentation("BatchGetCrawlers, AWS Glue API reference (at most 100 names)")
def test_a_batch_has_at_most_100_names(double, glue):
    error = refused(glue.batch_get_crawlers, CrawlerNames=[f"c{n}" for n in range(101)])
    assert error.code == "ValidationException"


def test_crawlers_are_listed_in_pages_and_by_tag(glue, name):
    for n in range(5):
        create(glue, f"{name}-{n}", Tags={"number": f"{name}-{n}", "case": name})
    names = glue.list_crawlers(Tags={"case": name})["CrawlerNames"]
    assert names == [f"{name}-{n}" for n in range(5)]
    assert glue.list_crawlers(Tags={"number": f"{name}-3"})["CrawlerNames"] == [f"{name}-3"]
    pages = list(glue.get_paginator("get_crawlers").paginate(PaginationConfig={"PageSize": 2}))
    seen = [each["Name"] for page in pages for each in page["Crawlers"]]
    assert set(names) <= set(seen)
    assert len(seen) == len(set(seen))


def test_a_crawler_with_a_schedule_shows_it(glue, name):
    create(glue, name, Schedule="cron(0 * * * ? *)")
    schedule = glue.get_crawler(Name=name)["Crawler"]["Schedule"]
    assert schedule == {"ScheduleExpression": "cron(0 * * * ? *)", "State": "SCHEDULED"}


@pytest.mark.documentation("Crawler scheduler API, AWS Glue developer guide")
def test_a_schedule_starts_crawls_until_it_is_stopped(target, double, glue, name):
    create(glue, name, Schedule="cron(0 * * * ? *)")
    target.step(2 * 3600)
    assert len(crawls(glue, name)) == 2
    assert refused(glue.start_crawler_schedule, CrawlerName=name).code == "SchedulerRunningException"
    glue.stop_crawler_schedule(CrawlerName=name)
    assert glue.get_crawler(Name=name)["Crawler"]["Schedule"]["State"] == "NOT_SCHEDULED"
    target.step(2 * 3600)
    assert len(crawls(glue, name)) == 2
    create(glue, f"{name}-2")
    assert refused(glue.start_crawler_schedule, CrawlerName=f"{name}-2").code == "NoScheduleException"


@pytest.mark.moto_differs("accepts any schedule")
@pytest.mark.documentation("Time-based schedules for jobs and crawlers, AWS Glue developer guide")
def test_an_invalid_schedule_is_refused(glue, name):
    assert refused(create, glue=glue, name=name, Schedule="every hour").code == "InvalidInputException"


@pytest.mark.moto_differs("changes and deletes a running crawler")
@pytest.mark.documentation("UpdateCrawler and DeleteCrawler, AWS Glue API reference")
def test_a_running_crawler_cannot_be_changed_or_deleted(target, glue, crawler):
    glue.start_crawler(Name=crawler)
    assert refused(glue.update_crawler, Name=crawler, Role="other").code == "CrawlerRunningException"
    assert refused(glue.delete_crawler, Name=crawler).code == "CrawlerRunningException"
    target.step(100)
    glue.update_crawler(Name=crawler, Role="other")
    seen = glue.get_crawler(Name=crawler)["Crawler"]
    assert (seen["Role"], seen["Version"]) == ("other", 2)


def test_a_deleted_crawler_is_not_found(glue, crawler):
    glue.delete_crawler(Name=crawler)
    assert refused(glue.get_crawler, Name=crawler).code == "EntityNotFoundException"
