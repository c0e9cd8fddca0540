"""CloudWatch Logs: groups, streams and events, as the logs of runs need them."""

import time

import pytest
from conftest import refused


@pytest.fixture
def logs(target):
    return target.client("logs")


@pytest.fixture
def group(logs, name):
    logs.create_log_group(logGroupName=f"/{name}")
    return f"/{name}"


@pytest.fixture
def now():
    """AWS refuses events that are older than 14 days."""
    return int(time.time() * 1000) - 60_000


def put(logs, group, stream, *events):
    logs.create_log_stream(logGroupName=group, logStreamName=stream)
    logs.put_log_events(
        logGroupName=group,
        logStreamName=stream,
        logEvents=[{"timestamp": timestamp, "message": message} for timestamp, message in events],
    )


def messages(page):
    return [event["message"] for event in page["events"]]


def names(page):
    return [stream["logStreamName"] for stream in page["logStreams"]]


def numbered(now, count):
    return [(now + number, f"line {number}") for number in range(count)]


def test_a_group_or_stream_that_does_not_exist_is_not_found(logs, group):
    for arguments in ({"logGroupName": "/none", "logStreamName": "a"}, {"logGroupName": group, "logStreamName": "a"}):
        error = refused(logs.get_log_events, **arguments)
        assert (error.code, error.status) == ("ResourceNotFoundException", 400)
        assert "does not exist" in error.message
    assert refused(logs.describe_log_streams, logGroupName="/none").code == "ResourceNotFoundException"
    assert refused(logs.filter_log_events, logGroupName="/none").code == "ResourceNotFoundException"
    error = refused(logs.create_log_group, logGroupName=group)
    assert error.code == "ResourceAlreadyExistsException"


def test_events_are_read_from_the_head_page_by_page(logs, group, now):
    put(logs, group, "a", *numbered(now, 5))
    of = {"logGroupName": group, "logStreamName": "a"}
    page = logs.get_log_events(startFromHead=True, limit=2, **of)
    assert messages(page) == ["line 0", "line 1"]
    event = page["events"][0]
    assert (event["timestamp"], sorted(event)) == (now, ["ingestionTime", "message", "timestamp"])
    assert event["ingestionTime"] > 0
    read = messages(page)
    for _ in range(2):
        page = logs.get_log_events(startFromHead=True, limit=2, nextToken=page["nextForwardToken"], **of)
        read += messages(page)
    assert read == [f"line {number}" for number in range(5)]


def test_the_token_of_the_end_is_the_one_that_was_given(logs, group, now):
    put(logs, group, "a", *numbered(now, 2))
    of = {"logGroupName": group, "logStreamName": "a"}
    page = logs.get_log_events(startFromHead=True, **of)
    end = logs.get_log_events(startFromHead=True, nextToken=page["nextForwardToken"], **of)
    assert (messages(end), end["nextForwardToken"]) == ([], page["nextForwardToken"])
    logs.put_log_events(logEvents=[{"timestamp": now + 9, "message": "more"}], **of)
    more = logs.get_log_events(startFromHead=True, nextToken=page["nextForwardToken"], **of)
    assert messages(more) == ["more"]


def test_without_a_direction_the_last_events_are_read_in_order(logs, group, now):
    put(logs, group, "a", *numbered(now, 5))
    of = {"logGroupName": group, "logStreamName": "a"}
    page = logs.get_log_events(limit=2, **of)
    assert messages(page) == ["line 3", "line 4"]
    page = logs.get_log_events(limit=2, nextToken=page["nextBackwardToken"], **of)
    assert messages(page) == ["line 1", "line 2"]


def test_a_time_range_begins_with_its_start(logs, group, now):
    put(logs, group, "a", *numbered(now, 5))
    page = logs.get_log_events(logGroupName=group, logStreamName="a", startTime=now + 2, startFromHead=True)
    assert messages(page) == ["line 2", "line 3", "line 4"]


@pytest.mark.moto_differs("has events of the end of the range, too")
@pytest.mark.documentation("GetLogEvents, CloudWatch Logs API reference: endTime")
def test_a_time_range_ends_before_its_end(logs, group, now):
    put(logs, group, "a", *numbered(now, 5))
    page = logs.get_log_events(logGroupName=group, logStreamName="a", endTime=now + 2, startFromHead=True)
    assert messages(page) == ["line 0", "line 1"]


def test_an_invalid_token_is_refused(logs, group, now):
    put(logs, group, "a", *numbered(now, 1))
    error = refused(logs.get_log_events, logGroupName=group, logStreamName="a", nextToken="x/none")
    assert (error.code, error.message) == ("InvalidParameterException", "The specified nextToken is invalid.")


@pytest.mark.documentation("GetLogEvents, CloudWatch Logs API reference: nextToken expires after 24 hours")
def test_a_token_expires_after_a_day(logs, group, now, double):
    put(logs, group, "a", *numbered(now, 1))
    of = {"logGroupName": group, "logStreamName": "a"}
    token = logs.get_log_events(startFromHead=True, **of)["nextForwardToken"]
    double.step(23 * 3600)
    logs.get_log_events(startFromHead=True, nextToken=token, **of)
    double.step(3600)
    assert refused(logs.get_log_events, nextToken=token, **of).code == "InvalidParameterException"


def test_streams_are_listed_by_name_and_prefix_in_pages(logs, group, now):
    for stream in ("jr_2", "jr_1-driver", "jr_1"):
        put(logs, group, stream, (now, stream))
    page = logs.describe_log_streams(logGroupName=group, limit=2)
    assert names(page) == ["jr_1", "jr_1-driver"]
    assert names(logs.describe_log_streams(logGroupName=group, limit=2, nextToken=page["nextToken"])) == ["jr_2"]
    page = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix="jr_1")
    assert names(page) == ["jr_1", "jr_1-driver"]
    assert "nextToken" not in page
    assert page["logStreams"][0]["lastEventTimestamp"] == now


def test_streams_are_listed_by_their_last_event(logs, group, now):
    for stream, timestamp in (("a", now + 2), ("b", now + 3), ("c", now + 1)):
        put(logs, group, stream, (timestamp, stream))
    page = logs.describe_log_streams(logGroupName=group, orderBy="LastEventTime", descending=True)
    assert names(page) == ["b", "a", "c"]
    error = refused(
        logs.describe_log_streams, logGroupName=group, orderBy="LastEventTime", logStreamNamePrefix="a"
    )
    assert error.code == "InvalidParameterException"


def test_filtered_events_are_those_of_all_streams_with_ids(logs, group, now):
    put(logs, group, "jr_1", (now, "a"), (now + 2, "c"))
    put(logs, group, "jr_1-1", (now + 1, "b"))
    put(logs, group, "jr_2", (now + 1, "other"))
    page = logs.filter_log_events(logGroupName=group, logStreamNames=["jr_1", "jr_1-1"], interleaved=True)
    assert messages(page) == ["a", "b", "c"]
    assert len({event["eventId"] for event in page["events"]}) == 3
    assert page["events"][1]["logStreamName"] == "jr_1-1"


@pytest.mark.moto_differs("does not filter by the prefix")
@pytest.mark.documentation("FilterLogEvents, CloudWatch Logs API reference: logStreamNamePrefix")
def test_filtered_events_are_those_of_the_prefix(logs, group, now):
    put(logs, group, "jr_1-driver", (now, "a"))
    put(logs, group, "jr_2", (now, "b"))
    assert messages(logs.filter_log_events(logGroupName=group, logStreamNamePrefix="jr_1")) == ["a"]


def test_filtered_events_come_in_pages(logs, group, now):
    put(logs, group, "a", *numbered(now, 5))
    page = logs.filter_log_events(logGroupName=group, logStreamNames=["a"], limit=3)
    rest = logs.filter_log_events(logGroupName=group, logStreamNames=["a"], limit=3, nextToken=page["nextToken"])
    assert messages(page) + messages(rest) == [f"line {number}" for number in range(5)]
    assert "nextToken" not in rest


@pytest.mark.documentation("CloudWatch Logs quotas: FilterLogEvents, 5 requests a second in an account and region")
def test_filtering_is_throttled_beyond_five_calls_a_second(logs, group, now, double):
    put(logs, group, "a", *numbered(now, 1))
    codes = set()
    for _ in range(20):
        try:
            logs.filter_log_events(logGroupName=group)
        except logs.exceptions.ClientError as error:
            codes.add(error.response["Error"]["Code"])
    assert codes == {"ThrottlingException"}


def test_pages_of_the_double_may_be_empty(logs, group, now, double):
    put(logs, group, "a", *numbered(now, 5))
    double.seed(behavior=[{"region": "eu-west-1", "logPages": {"events": 2, "withEmptyPages": True}}])
    of = {"logGroupName": group, "logStreamName": "a", "startFromHead": True}
    page = logs.get_log_events(**of)
    read, empty = messages(page), 0
    while True:
        following = logs.get_log_events(nextToken=page["nextForwardToken"], **of)
        if following["nextForwardToken"] == page["nextForwardToken"]:
            break
        read += messages(following)
        empty += not following["events"]
        page = following
    double.seed(behavior=[{"region": "eu-west-1", "logPages": {}}])
    assert read == [f"line {number}" for number in range(5)]
    assert empty == 2


def test_a_run_of_a_job_writes_its_log(target, glue, logs, name, double):
    lines = [{"message": "hello"}, {"message": "oops", "log": "error", "stream": "-1", "at": 2}]
    script = {"plans": [{"starting": 0, "running": 10, "logs": lines}]}
    definition = {"Name": name, "Role": "r", "Command": {"Name": "glueetl"}, "GlueVersion": "5.0"}
    double.seed(jobs=[{"region": "eu-west-1", "job": {"settings": definition, "script": script}}])
    run = glue.start_job_run(JobName=name)["JobRunId"]
    target.step(5)
    page = logs.get_log_events(logGroupName="/aws-glue/jobs/output", logStreamName=f"{run}-driver")
    assert messages(page) == ["hello"]
    page = logs.get_log_events(logGroupName="/aws-glue/jobs/error", logStreamName=f"{run}-1")
    assert messages(page) == ["oops"]
