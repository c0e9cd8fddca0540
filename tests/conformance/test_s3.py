"""S3: objects, as scripts of jobs need them."""

import pytest
from conftest import REGION, refused


@pytest.fixture
def s3(target):
    # An address has no subdomains. Without it, boto3 sends a body in chunks with their checksum behind it.
    return target.client("s3", config={"s3": {"addressing_style": "path"}, "request_checksum_calculation": "when_required"})


@pytest.fixture
def bucket(s3, name):
    bucket = name.lower().replace("_", "-")[:60]
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    return bucket


def test_an_object_is_read_as_it_was_put(s3, bucket):
    s3.put_object(Bucket=bucket, Key="jobs/a b/etl.py", Body=b"import sys\n")
    assert s3.get_object(Bucket=bucket, Key="jobs/a b/etl.py")["Body"].read() == b"import sys\n"


def test_what_is_not_there_has_its_code(s3, bucket):
    error = refused(s3.get_object, Bucket=bucket, Key="none.py")
    assert (error.code, error.status) == ("NoSuchKey", 404)
    error = refused(s3.get_object, Bucket=f"{bucket}-none", Key="none.py")
    assert (error.code, error.status) == ("NoSuchBucket", 404)
