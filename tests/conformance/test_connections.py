"""Connections of the Data Catalog, and tags."""

import pytest
from conftest import refused

JDBC = {"JDBC_CONNECTION_URL": "jdbc:postgresql://db:5432/x", "USERNAME": "me", "PASSWORD": "hush"}


def jdbc(name, **more):
    return {"Name": name, "ConnectionType": "JDBC", "ConnectionProperties": dict(JDBC)} | more


@pytest.fixture
def connection(glue, name):
    glue.create_connection(ConnectionInput=jdbc(name, Description="a database"))
    return name


def get(glue, name, **more):
    return glue.get_connection(Name=name, **more)["Connection"]


def test_a_created_connection_can_be_read(glue, connection):
    seen = get(glue, connection)
    assert (seen["Name"], seen["Description"], seen["Status"]) == (connection, "a database", "READY")
    assert seen["ConnectionProperties"] == JDBC
    assert seen["CreationTime"] == seen["LastUpdatedTime"]


@pytest.mark.moto_differs("nests the input and shows no type, version or author")
@pytest.mark.documentation("Connection structure, AWS Glue API reference")
def test_a_connection_shows_its_type_version_and_author(glue, connection):
    seen = get(glue, connection)
    assert (seen["ConnectionType"], seen["ConnectionSchemaVersion"]) == ("JDBC", 1)
    assert seen["LastUpdatedBy"] == "arn:aws:iam::123456789012:user/kube-glue"


def test_a_connection_with_an_existing_name_is_refused(glue, connection):
    assert refused(glue.create_connection, ConnectionInput=jdbc(connection)).code == "AlreadyExistsException"


def test_an_unknown_connection_is_not_found(glue, name):
    assert refused(glue.get_connection, Name=name).code == "EntityNotFoundException"


def test_hide_password_omits_the_password(glue, connection):
    hidden = get(glue, connection, HidePassword=True)["ConnectionProperties"]
    assert hidden == {key: value for key, value in JDBC.items() if key != "PASSWORD"}
    listed = [each for each in glue.get_connections(HidePassword=True)["ConnectionList"] if each["Name"] == connection]
    assert "PASSWORD" not in listed[0]["ConnectionProperties"]


@pytest.mark.moto_differs("has no UpdateConnection")
@pytest.mark.documentation("UpdateConnection, AWS Glue API reference (redefines the connection)")
def test_an_update_replaces_the_whole_input_with_its_secrets(target, glue, connection):
    target.step(1)
    properties = {"JDBC_CONNECTION_URL": "jdbc:mysql://db:3306/x", "SECRET_ID": "there"}
    glue.update_connection(
        Name=connection,
        ConnectionInput={"Name": connection, "ConnectionType": "JDBC", "ConnectionProperties": properties},
    )
    seen = get(glue, connection)
    assert seen["ConnectionProperties"] == properties
    assert "Description" not in seen
    assert seen["LastUpdatedTime"] > seen["CreationTime"]
    assert refused(glue.update_connection, Name="none-such", ConnectionInput=jdbc("none-such")).code == (
        "EntityNotFoundException"
    )


@pytest.mark.moto_differs("has no DeleteConnection")
@pytest.mark.documentation("DeleteConnection, AWS Glue API reference")
def test_a_deleted_connection_is_not_found(glue, connection):
    glue.delete_connection(ConnectionName=connection)
    assert refused(glue.get_connection, Name=connection).code == "EntityNotFoundException"
    assert refused(glue.delete_connection, ConnectionName=connection).code == "EntityNotFoundException"


@pytest.mark.moto_differs("has no BatchDeleteConnection")
@pytest.mark.documentation("BatchDeleteConnection, AWS Glue API reference")
def test_a_batch_delete_reports_errors_by_name(glue, connection):
    answer = glue.batch_delete_connection(ConnectionNameList=[connection, "none-such"])
    assert answer["Succeeded"] == [connection]
    assert answer["Errors"]["none-such"]["ErrorCode"] == "EntityNotFoundException"
    error = refused(glue.batch_delete_connection, ConnectionNameList=[f"c{n}" for n in range(26)])
    assert error.code == "ValidationException"


@pytest.mark.moto_differs("has no TestConnection")
@pytest.mark.documentation("TestConnection, AWS Glue API reference")
def test_a_connection_is_tested_by_name_or_by_input(glue, connection):
    glue.test_connection(ConnectionName=connection)
    assert get(glue, connection)["LastConnectionValidationTime"]
    given = {"ConnectionType": "JDBC", "ConnectionProperties": JDBC}
    glue.test_connection(TestConnectionInput=given)
    both = refused(glue.test_connection, ConnectionName=connection, TestConnectionInput=given)
    assert both.code == "InvalidInputException"
    assert refused(glue.test_connection, ConnectionName="none-such").code == "EntityNotFoundException"


@pytest.mark.documentation("Connection structure, AWS Glue API reference (Status, StatusReason)")
def test_status_and_tests_follow_the_script(target, double, glue, name):
    script = {
        "inProgress": 5,
        "changes": ["no route to host"],
        "tests": [{"code": "InvalidInputException", "message": "authentication failed"}, None],
    }
    double.seed(behavior=[{"region": "eu-west-1", "connections": {name: script}}])
    assert glue.create_connection(ConnectionInput=jdbc(name))["CreateConnectionStatus"] == "IN_PROGRESS"
    target.step(5)
    seen = get(glue, name)
    assert (seen["Status"], seen["StatusReason"]) == ("FAILED", "no route to host")
    error = refused(glue.test_connection, ConnectionName=name)
    assert (error.code, error.message) == ("InvalidInputException", "authentication failed")
    glue.test_connection(ConnectionName=name)


@pytest.mark.moto_differs("returns credentials")
@pytest.mark.documentation("AuthenticationConfiguration, AWS Glue API reference")
def test_authentication_credentials_are_never_returned(target, glue, name):
    oauth = {
        "OAuth2GrantType": "JWT_BEARER",
        "TokenUrl": "https://login.salesforce.com/token",
        "OAuth2Credentials": {"JwtToken": "aaa.bbb.ccc"},
    }
    authentication = {"AuthenticationType": "OAUTH2", "OAuth2Properties": oauth}
    status = glue.create_connection(
        ConnectionInput={
            "Name": name,
            "ConnectionType": "SALESFORCE",
            "ConnectionProperties": {},
            "AuthenticationConfiguration": authentication,
        }
    )["CreateConnectionStatus"]
    assert status == "IN_PROGRESS"
    target.step(10)
    seen = get(glue, name)
    assert (seen["Status"], seen["ConnectionSchemaVersion"]) == ("READY", 2)
    assert seen["AuthenticationConfiguration"]["OAuth2Properties"] == {
        key: value for key, value in oauth.items() if key != "OAuth2Credentials"
    }


@pytest.mark.moto_differs("does not validate")
@pytest.mark.documentation("Connection API, AWS Glue developer guide; CUSTOM and SNOWFLAKE: measured by cdk-preflight")
@pytest.mark.parametrize(
    ("kind", "properties"),
    [
        ("SFTP", {}),
        ("JDBC", {"JDBC_CONNECTION_URL": "jdbc:x"}),
        ("JDBC", {"HOST": "h", "PORT": "5432", "SECRET_ID": "s"}),
        ("KAFKA", {}),
        ("MONGODB", {"CONNECTION_URL": "mongodb://x"}),
        ("NETWORK", {}),
        ("MARKETPLACE", {"CONNECTOR_TYPE": "SPARK"}),
        ("CUSTOM", {"CONNECTOR_TYPE": "SPARK"}),
        ("SNOWFLAKE", {"HOST": "a.snowflakecomputing.com"}),
        ("SALESFORCE", {}),
    ],
)
def test_missing_requirements_of_a_type_are_refused(glue, name, kind, properties):
    given = {"Name": name, "ConnectionType": kind, "ConnectionProperties": properties}
    assert refused(glue.create_connection, ConnectionInput=given).code == "InvalidInputException"


def test_connections_are_filtered(glue, name):
    for n in range(3):
        glue.create_connection(ConnectionInput=jdbc(f"{name}-{n}", MatchCriteria=[name, f"n{n}"]))
    by = {"MatchCriteria": [name, "n1"], "ConnectionType": "JDBC"}
    assert [each["Name"] for each in glue.get_connections(Filter=by)["ConnectionList"]] == [f"{name}-1"]


def test_connections_are_listed_in_pages(glue, name):
    for n in range(5):
        glue.create_connection(ConnectionInput=jdbc(f"{name}-{n}"))
    pages = list(glue.get_paginator("get_connections").paginate(PaginationConfig={"PageSize": 2}))
    seen = [each["Name"] for page in pages for each in page["ConnectionList"]]
    assert {f"{name}-{n}" for n in range(5)} <= set(seen)
    assert len(seen) == len(set(seen))


def test_tags_are_added_and_removed(glue, name):
    glue.create_connection(ConnectionInput=jdbc(name), Tags={"team": "a"})
    arn = f"arn:aws:glue:eu-west-1:123456789012:connection/{name}"
    assert glue.get_tags(ResourceArn=arn)["Tags"] == {"team": "a"}
    glue.tag_resource(ResourceArn=arn, TagsToAdd={"more": "b"})
    glue.untag_resource(ResourceArn=arn, TagsToRemove=["team"])
    assert glue.get_tags(ResourceArn=arn)["Tags"] == {"more": "b"}


@pytest.mark.documentation("DescribeConnectionType and ListConnectionTypes, AWS Glue API reference; the answers are assumed")
def test_types_are_listed_and_described(double, glue):
    pages = glue.get_paginator("list_connection_types").paginate(PaginationConfig={"PageSize": 2})
    listed = {each["ConnectionType"]: each for page in pages for each in page["ConnectionTypes"]}
    seen = glue.describe_connection_type(ConnectionType="POSTGRESQL")
    assert seen["Capabilities"] == listed["POSTGRESQL"]["Capabilities"]
    required = {name for name, each in seen["ConnectionProperties"].items() if each["Required"]}
    assert required == {"HOST", "PORT", "DATABASE"}
    assert refused(glue.describe_connection_type, ConnectionType="NOT-A-TYPE").code == "InvalidInputException"
