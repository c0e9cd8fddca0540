"""STS: GetCallerIdentity, AssumeRole and AssumeRoleWithWebIdentity; container credentials."""

import json
import urllib.request

import pytest
from botocore import UNSIGNED
from conftest import refused

ROLE = "arn:aws:iam::222222222222:role/etl"
SECOND = "arn:aws:iam::222222222222:role/second"


@pytest.fixture
def roles(double):
    double.seed(
        roles=[
            {"arn": ROLE, "trusts": ["123456789012"], "externalId": "only-us", "maxSession": 7200},
            {"arn": SECOND, "trusts": [ROLE], "maxSession": 43200},
        ]
    )


def assume(sts, role=ROLE, name="kube-glue", **more):
    given = {"ExternalId": "only-us"} if role == ROLE else {}
    return sts.assume_role(RoleArn=role, RoleSessionName=name, **(given | more))


def test_get_caller_identity_returns_account_and_arn(sts):
    identity = sts.get_caller_identity()
    assert identity["Account"] == "123456789012"
    assert identity["Arn"].startswith("arn:aws:")


def test_a_session_has_its_own_key_and_identity(target, sts, request):
    if target.double is not None:
        request.getfixturevalue("roles")
    answer = assume(sts)
    credentials = answer["Credentials"]
    assert credentials["AccessKeyId"].startswith("ASIA")
    assert answer["AssumedRoleUser"]["Arn"] == "arn:aws:sts::222222222222:assumed-role/etl/kube-glue"
    identity = target.session(credentials, "sts").get_caller_identity()
    assert identity["Account"] == "222222222222"
    assert identity["Arn"] == "arn:aws:sts::222222222222:assumed-role/etl/kube-glue"


@pytest.mark.usefixtures("roles")
class TestAssumeRole:
    """Source: AssumeRole, AWS STS API reference; Session tags and role chaining, IAM user guide."""

    def test_a_session_key_without_its_token_is_refused(self, target, sts):
        credentials = assume(sts)["Credentials"]
        assert target.session(credentials).get_jobs()["Jobs"] == []
        without = target.client(
            "glue",
            aws_access_key_id=credentials["AccessKeyId"],
            aws_secret_access_key=credentials["SecretAccessKey"],
        )
        assert refused(without.get_jobs).code == "UnrecognizedClientException"

    @pytest.mark.parametrize("given", [{"ExternalId": "somebody-else"}, {"ExternalId": None}])
    def test_a_wrong_or_missing_external_id_is_denied(self, sts, given):
        given = {key: value for key, value in given.items() if value}
        error = refused(sts.assume_role, RoleArn=ROLE, RoleSessionName="kube-glue", **given)
        assert (error.code, error.status) == ("AccessDenied", 403)
        assert f"is not authorized to perform: sts:AssumeRole on resource: {ROLE}" in error.message

    def test_a_role_that_does_not_trust_the_caller_or_does_not_exist_is_denied(self, sts):
        assert refused(assume, sts=sts, role=SECOND).code == "AccessDenied"
        assert refused(assume, sts=sts, role="arn:aws:iam::222222222222:role/none").code == "AccessDenied"

    @pytest.mark.parametrize(
        "wrong",
        [
            {"name": "x"},
            {"name": "has spaces"},
            {"DurationSeconds": 899},
            {"DurationSeconds": 43201},
            {"DurationSeconds": 7201},
            {"role": "short"},
            {"SourceIdentity": "not allowed!"},
        ],
    )
    def test_invalid_input_is_refused(self, target, double, wrong):
        unvalidated = target.client("sts", config={"parameter_validation": False})
        error = refused(assume, sts=unvalidated, **wrong)
        assert (error.code, error.status) == ("ValidationError", 400)

    def test_a_chained_session_inherits_transitive_tags_and_source_identity(self, target, sts):
        first = assume(
            sts,
            Tags=[{"Key": "namespace", "Value": "team a"}, {"Key": "name", "Value": "nightly"}],
            TransitiveTagKeys=["namespace"],
            SourceIdentity="kube-glue",
        )
        assert first["SourceIdentity"] == "kube-glue"
        chained = target.session(first["Credentials"], "sts")
        second = assume(chained, SECOND)
        assert second["SourceIdentity"] == "kube-glue"
        error = refused(assume, sts=chained, role=SECOND, Tags=[{"Key": "namespace", "Value": "other"}])
        assert error.code == "InvalidParameterValue"
        error = refused(assume, sts=chained, role=SECOND, DurationSeconds=3601)
        assert error.code == "ValidationError"
        assert "role chaining" in error.message

    def test_session_tags_need_the_permission_to_tag(self, sts, double):
        role = "arn:aws:iam::222222222222:role/untagged"
        double.seed(roles=[{"arn": role, "trusts": ["123456789012"], "tagSession": False}])
        assume(sts, role)
        error = refused(assume, sts=sts, role=role, Tags=[{"Key": "a", "Value": "b"}])
        assert error.code == "AccessDenied"
        assert "sts:TagSession" in error.message

    def test_duplicate_tag_keys_are_refused(self, sts):
        tags = [{"Key": "a", "Value": "1"}, {"Key": "A", "Value": "2"}]
        assert refused(assume, sts=sts, Tags=tags).code == "InvalidParameterValue"

    def test_a_session_has_the_permissions_of_its_role(self, target, sts, double):
        role = "arn:aws:iam::222222222222:role/reader"
        double.seed(roles=[{"arn": role, "trusts": ["123456789012"]}], policies={role: {"allow": ["glue:Get*"]}})
        reader = target.session(assume(sts, role, "me")["Credentials"])
        assert reader.get_jobs()["Jobs"] == []
        error = refused(reader.delete_job, JobName="any")
        assert error.code == "AccessDeniedException"
        assert "arn:aws:sts::222222222222:assumed-role/reader/me" in error.message

    def test_wrong_keys_are_refused_with_the_error_codes_of_sts(self, target):
        assert refused(target.client("sts", aws_secret_access_key="x").get_caller_identity).code == "SignatureDoesNotMatch"
        assert refused(target.client("sts", aws_access_key_id="x").get_caller_identity).code == "InvalidClientTokenId"


def test_a_web_identity_can_assume_a_role(target, double):
    """Source: AssumeRoleWithWebIdentity, AWS STS API reference."""
    role = "arn:aws:iam::222222222222:role/web"
    double.seed(
        roles=[{"arn": role, "trusts": ["system:serviceaccount:ns:sa"]}],
        webIdentities={"good": "system:serviceaccount:ns:sa", "stranger": "system:serviceaccount:ns:other"},
    )
    sts = target.client("sts", config={"signature_version": UNSIGNED})
    call = {"RoleArn": role, "RoleSessionName": "web-session"}
    answer = sts.assume_role_with_web_identity(WebIdentityToken="good", **call)
    assert answer["SubjectFromWebIdentityToken"] == "system:serviceaccount:ns:sa"
    assert target.session(answer["Credentials"]).get_jobs()["Jobs"] == []
    error = refused(sts.assume_role_with_web_identity, WebIdentityToken="forged", **call)
    assert (error.code, error.status) == ("InvalidIdentityToken", 400)
    assert refused(sts.assume_role_with_web_identity, WebIdentityToken="stranger", **call).code == "AccessDenied"


def test_a_pod_identity_token_gets_container_credentials(target, double):
    """Source: Container credential provider, AWS SDKs and tools reference."""
    role = "arn:aws:iam::222222222222:role/pod"
    double.seed(roles=[{"arn": role}], podIdentities={"pod-token": role})
    request = urllib.request.Request(f"{double.url}/_double/container-credentials", headers={"Authorization": "pod-token"})
    given = json.load(urllib.request.urlopen(request))
    credentials = given | {"SessionToken": given["Token"]}
    assert target.session(credentials, "sts").get_caller_identity()["Account"] == "222222222222"
