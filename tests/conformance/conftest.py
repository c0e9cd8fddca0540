"""What the cases share.

The same cases run against two targets (``--target``):

* ``double``: the double, already running; ``DOUBLE_URL`` says where.
* ``moto``: moto, within this process. A case marked ``moto_differs`` must fail there.

A case that no client but the documentation vouches for carries ``documentation`` with the page's name.
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
            item.add_marker(pytest.mark.skip("about the double's own handles"))
        elif differs:
            # Strict: a case that moto passes after all may not claim that it differs.
            item.add_marker(pytest.mark.xfail(reason=f"moto {differs.args[0]}", strict=True))


class Double:
    """The double's admin endpoints."""

    def __init__(self, url):
        self.url = url

    def ask(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_double/{path}", data=data, method=method)
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)

    def step(self, seconds):
        self.ask("POST", "clock", {"stepSeconds": seconds})

    def fault(self, **rule):
        return self.ask("POST", "faults", rule)["id"]

    def seed(self, **seed):
        self.ask("POST", "seed", seed)

    def requests(self, operation, **query):
        more = "".join(f"&{key}={value}" for key, value in query.items())
        return self.ask("GET", f"requests?operation={operation}{more}")


class Target:
    """Clients for one of the two targets, and time passing in it."""

    def __init__(self, double, key):
        self.double = double
        self.key = key

    def client(self, service, region=REGION, config=None, **credentials):
        """A client with the default key and no retries; ``config`` is more of botocore's settings."""
        if self.double is None:
            return boto3.client(service, region_name=region, **credentials)
        given = {"aws_access_key_id": self.key["id"], "aws_secret_access_key": self.key["secret"]}
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=self.double.url,
            config=Config(**(NO_RETRIES | (config or {}))),
            **(given | credentials),
        )

    def session(self, credentials, service="glue", region=REGION):
        """A client with credentials as STS returns them."""
        return self.client(
            service,
            region,
            aws_access_key_id=credentials["AccessKeyId"],
            aws_secret_access_key=credentials["SecretAccessKey"],
            aws_session_token=credentials["SessionToken"],
        )

    def step(self, seconds):
        """Lets time pass; moto advances by being looked at."""
        if self.double is not None:
            self.double.step(seconds)


@pytest.fixture
def target(request):
    if request.config.getoption("--target") == "moto":
        from moto import mock_aws
        from moto.moto_api import state_manager

        with mock_aws():
            # By how many looks moto moves a run and a crawl on.
            for model, looks in {"glue::job_run": 1, "glue::crawl": 2}.items():
                state_manager.set_transition(model, {"progression": "manual", "times": looks})
            yield Target(None, None)
        return
    double = Double(os.environ["DOUBLE_URL"])
    double.ask("DELETE", "faults")
    double.ask("DELETE", "limits")
    double.ask("POST", "clock", {"hold": True})
    yield Target(double, double.ask("GET", "key"))
    double.ask("DELETE", "faults")
    double.ask("DELETE", "limits")


@pytest.fixture
def double(target, request):
    """The double itself; a case that asks for it does not run against moto."""
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
    """A name no other case uses: cases share one double."""
    return f"{request.node.name}-{os.getpid()}-{next(numbers)}"[-200:].replace("[", "-").replace("]", "")


@pytest.fixture
def job(glue, name):
    """A job with room for several runs."""
    glue.create_job(
        Name=name,
        Role="arn:aws:iam::123456789012:role/glue",
        Command={"Name": "glueetl", "ScriptLocation": "s3://scripts/etl.py"},
        ExecutionProperty={"MaxConcurrentRuns": 5},
        GlueVersion="4.0",
    )
    return name


class Refused:
    """The error a call ended with."""

    def __init__(self, error):
        self.code = error.response["Error"]["Code"]
        self.message = error.response["Error"]["Message"]
        self.status = error.response["ResponseMetadata"]["HTTPStatusCode"]


def refused(call, **arguments):
    """Calls, expects an error, and returns it."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return Refused(caught.value)
