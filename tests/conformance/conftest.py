"""Options, fixtures and helpers of all cases.

The same cases run against two targets (``--target``):

* ``double``: a running double with the URL in ``DOUBLE_URL``.
* ``moto``: moto, in this process. A case marked ``moto_differs`` must fail there.

A case whose only source is AWS's documentation is marked ``documentation`` with the page's name.
"""

import itertools
import json
import os
import urllib.request

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

REGION = "eu-west-1"
ACCOUNT = "123456789012"
NO_RETRIES = {"retries": {"total_max_attempts": 1}, "read_timeout": 20}


def pytest_addoption(parser):
    parser.addoption("--target", choices=["double", "moto"], default="double")


def pytest_collection_modifyitems(config, items):
    if config.getoption("--target") != "moto":
        return
    for item in items:
        differs = item.get_closest_marker("moto_differs")
        if "double" in item.fixturenames:
            item.add_marker(pytest.mark.skip("uses the double's admin endpoints"))
        elif differs:
            # Strict: a case that moto passes must not be marked.
            item.add_marker(pytest.mark.xfail(reason=f"moto {differs.args[0]}", strict=True))


class Double:
    """The double's admin endpoints."""

    def __init__(self, url):
        self.url = url

    def request(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        http_request = urllib.request.Request(f"{self.url}/_double/{path}", data=data, method=method)
        with urllib.request.urlopen(http_request, timeout=20) as answer:
            return json.load(answer)

    def step(self, seconds):
        self.request("POST", "clock", {"stepSeconds": seconds})

    def fault(self, **rule):
        return self.request("POST", "faults", rule)["id"]

    def seed(self, **seed):
        self.request("POST", "seed", seed)

    def requests(self, operation, **query):
        filters = "".join(f"&{key}={value}" for key, value in query.items())
        return self.request("GET", f"requests?operation={operation}{filters}")


class Target:
    """Clients of the double or of moto, and the control of time."""

    def __init__(self, double, key):
        self.double = double
        self.key = key

    def client(self, service, region=REGION, config=None, **credentials):
        """A client with the default key and no retries; ``config`` has additional botocore settings."""
        if self.double is None:
            return boto3.client(service, region_name=region, **credentials)
        default_credentials = {"aws_access_key_id": self.key["id"], "aws_secret_access_key": self.key["secret"]}
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=self.double.url,
            config=Config(**(NO_RETRIES | (config or {}))),
            **(default_credentials | credentials),
        )

    def session(self, credentials, service="glue", region=REGION):
        """A client with temporary credentials from STS."""
        return self.client(
            service,
            region,
            aws_access_key_id=credentials["AccessKeyId"],
            aws_secret_access_key=credentials["SecretAccessKey"],
            aws_session_token=credentials["SessionToken"],
        )

    def step(self, seconds):
        """Steps the double's clock. In moto, each read advances the state instead."""
        if self.double is not None:
            self.double.step(seconds)


@pytest.fixture
def target(request):
    if request.config.getoption("--target") == "moto":
        from moto import mock_aws
        from moto.moto_api import state_manager

        with mock_aws():
            # The number of reads after which moto changes the state of a run and a crawl.
            for model, reads in {"glue::job_run": 1, "glue::crawl": 2}.items():
                state_manager.set_transition(model, {"progression": "manual", "times": reads})
            yield Target(None, None)
        return
    double = Double(os.environ["DOUBLE_URL"])
    double.request("DELETE", "faults")
    double.request("DELETE", "limits")
    double.request("POST", "clock", {"hold": True})
    yield Target(double, double.request("GET", "key"))
    double.request("DELETE", "faults")
    double.request("DELETE", "limits")


@pytest.fixture
def double(target, request):
    """The double's admin endpoints. A case that uses them does not run against moto."""
    return target.double


@pytest.fixture
def glue(target):
    return target.client("glue")


@pytest.fixture
def sts(target):
    return target.client("sts")


numbers = itertools.count(1)


@pytest.fixture
def name(request):
    """A unique name, because all cases share one double."""
    return f"{request.node.name}-{os.getpid()}-{next(numbers)}"[-200:].replace("[", "-").replace("]", "")


def create_job(glue, name):
    """Creates a job with five slots (MaxConcurrentRuns)."""
    glue.create_job(
        Name=name,
        Role="arn:aws:iam::123456789012:role/glue",
        Command={"Name": "glueetl", "ScriptLocation": "s3://scripts/etl.py"},
        ExecutionProperty={"MaxConcurrentRuns": 5},
        GlueVersion="4.0",
    )


@pytest.fixture
def job(glue, name):
    """A job with five slots."""
    create_job(glue, name)
    return name


class Refusal:
    """The error of a refused call."""

    def __init__(self, error):
        self.code = error.response["Error"]["Code"]
        self.message = error.response["Error"]["Message"]
        self.status = error.response["ResponseMetadata"]["HTTPStatusCode"]


def refused(call, **arguments):
    """Makes a call that must fail; returns the error."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return Refusal(caught.value)
