//! `GlueConnection`: a connection of the Data Catalog that the controller creates, updates, tests and deletes.
//!
//! | module | content |
//! |---|---|
//! | [`mod@self`] | the kind and its spec |
//! | [`properties`] | connection properties: names, defaults, and where no secret belongs |
//! | [`sources`] | values from Secrets |
//! | `values` | the values that Glue admits of some properties |
//! | [`authentication`] | how Glue authenticates to the data source |
//! | `types` | connection types and the properties that each requires |
//! | [`status`] | the status |
//!
//! Field meanings and bounds are those of `ConnectionInput` in the Glue API reference ("Connection API"). What
//! that page leaves open follows the API model of the AWS SDKs.

pub mod authentication;
pub mod properties;
pub mod sources;
pub mod status;
pub(crate) mod types;
pub(crate) mod values;

use std::collections::BTreeMap;

use kube::CustomResource;
use kube::core::Rule;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

pub use self::authentication::Authentication;
pub use self::sources::{PropertyFrom, SecretKey};
pub use self::status::GlueConnectionStatus;
use super::credentials::Aws;
use super::declared::DriftPolicy;
use super::rules;

/// A connection of the Data Catalog.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "kube-glue.dev",
    version = "v1alpha1",
    kind = "GlueConnection",
    plural = "glueconnections",
    shortname = "gconn",
    category = "glue",
    namespaced,
    status = "GlueConnectionStatus",
    derive = "PartialEq",
    doc = "A connection of the AWS Glue Data Catalog. The controller creates it, keeps it as the spec says, tests and deletes it.",
    selectable = ".spec.connectionType",
    printcolumn(name = "Connection", type_ = "string", json_path = ".status.connectionName"),
    printcolumn(name = "Type", type_ = "string", json_path = ".spec.connectionType"),
    printcolumn(name = "State", type_ = "string", json_path = ".status.state"),
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].status"),
    printcolumn(name = "Reason", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].reason"),
    printcolumn(name = "Test", type_ = "string", json_path = ".status.lastTest.result"),
    printcolumn(name = "Updated", type_ = "date", json_path = ".status.lastUpdatedAt", priority = 1),
    printcolumn(name = "Updated By", type_ = "string", json_path = ".status.lastUpdatedBy", priority = 1),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = ".status.conditions[?(@.type=='Ready')].message",
        priority = 1
    ),
    printcolumn(name = "Identity", type_ = "string", json_path = ".status.identity.principalArn", priority = 1),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = add_rules)]
pub struct GlueConnectionSpec {
    /// The name of the connection in Glue. Default: the name of the object. Cannot be changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[^\x00-\x08\x0A-\x1F]+$"))]
    pub connection_name: Option<String>,

    /// The id of the Data Catalog that contains the connection. Default: the account's. Cannot be changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[^\x00-\x08\x0A-\x1F]+$"))]
    pub catalog_id: Option<String>,

    /// A description, at most 2048 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048), regex(pattern = r"^[^\x00-\x08\x0B\x0C\x0E-\x1F]*$"))]
    pub description: Option<String>,

    /// Glue's connection type: JDBC, KAFKA, MONGODB, NETWORK, MARKETPLACE, CUSTOM, SALESFORCE,
    /// VIEW_VALIDATION_REDSHIFT, VIEW_VALIDATION_ATHENA, a newer one such as POSTGRESQL, SNOWFLAKE or HUBSPOT, or one
    /// that was registered in the account, whose name begins with REST-.
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^([A-Z][A-Z0-9_]*|REST-[^\x00-\x1F]+)$"))]
    pub connection_type: String,

    /// Criteria for selecting connections, at most 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "match_criteria_schema")]
    pub match_criteria: Option<Vec<String>>,

    /// Glue's ConnectionProperties by their Glue names (HOST, PORT, JDBC_CONNECTION_URL, ...), at most 100 together
    /// with propertiesFrom. Secret values are refused here: use propertiesFrom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "properties::literals_schema")]
    pub properties: Option<BTreeMap<String, String>>,

    /// Glue's ConnectionProperties with values from Secrets of the object's namespace, at most 50. The controller
    /// updates the connection when such a Secret changes, and never shows the values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 50), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub properties_from: Option<Vec<PropertyFrom>>,

    /// Properties that apply to Spark only, at most 100 together with sparkPropertiesFrom. Secret values are refused
    /// here: use sparkPropertiesFrom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "properties::environment_schema")]
    pub spark_properties: Option<BTreeMap<String, String>>,

    /// Properties that apply to Spark only, with values from Secrets, at most 50.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 50), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub spark_properties_from: Option<Vec<PropertyFrom>>,

    /// Properties that apply to Athena only, at most 100 together with athenaPropertiesFrom. Secret values are refused
    /// here: use athenaPropertiesFrom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "properties::environment_schema")]
    pub athena_properties: Option<BTreeMap<String, String>>,

    /// Properties that apply to Athena only, with values from Secrets, at most 50.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 50), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub athena_properties_from: Option<Vec<PropertyFrom>>,

    /// Properties that apply to Python only, at most 100 together with pythonPropertiesFrom. Secret values are refused
    /// here: use pythonPropertiesFrom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "properties::environment_schema")]
    pub python_properties: Option<BTreeMap<String, String>>,

    /// Properties that apply to Python only, with values from Secrets, at most 50.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 50), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub python_properties_from: Option<Vec<PropertyFrom>>,

    /// The subnet, security groups and availability zone that Glue connects from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub physical_requirements: Option<PhysicalRequirements>,

    /// How Glue authenticates to the data source (Glue's AuthenticationConfiguration).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authentication: Option<Authentication>,

    /// Whether Glue validates the credentials when it creates the connection. Default: true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validate_credentials: Option<bool>,

    /// The compute environments for which Glue validates the properties.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 3), extend("x-kubernetes-list-type" = "set"))]
    pub validate_for_compute_environments: Option<Vec<ComputeEnvironment>>,

    /// Tags of the connection, at most 50. The controller leaves other tags of the connection alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "tags_schema")]
    pub tags: Option<BTreeMap<String, String>>,

    /// What the controller does when someone else changes the connection in Glue: Correct restores the spec and
    /// emits an Event, Report only emits an Event. Default: Correct.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift_policy: Option<DriftPolicy>,

    /// What the controller does when a connection of this name exists before the object: Fail leaves it alone and
    /// reports it in the Ready condition, Adopt takes it over. Default: Fail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adoption_policy: Option<AdoptionPolicy>,

    /// What the controller does with the connection in Glue when the object is deleted: Delete deletes it, Retain
    /// keeps it. A connection that this object did not create or adopt is always kept. Default: Delete; Retain for a
    /// connection that the object adopted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,

    /// When to test the connection with Glue's TestConnection. Default: no tests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<Test>,

    /// Region and credentials.
    #[serde(flatten)]
    pub aws: Aws,
}

/// The network location that Glue connects from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = add_physical_rules)]
pub struct PhysicalRequirements {
    /// The id of the subnet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[^\x00-\x08\x0A-\x1F]+$"))]
    pub subnet_id: Option<String>,
    /// The ids of the security groups, at most 50.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "security_groups_schema")]
    pub security_group_ids: Option<Vec<String>>,
    /// The name of the availability zone: that of the subnet. Required with subnetId.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[^\x00-\x08\x0A-\x1F]+$"))]
    pub availability_zone: Option<String>,
}

/// Glue's `ComputeEnvironment`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "the names are Glue's")]
pub enum ComputeEnvironment {
    Spark,
    Athena,
    Python,
}

impl ComputeEnvironment {
    /// The value as Glue's API spells it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Spark => "SPARK",
            Self::Athena => "ATHENA",
            Self::Python => "PYTHON",
        }
    }
}

/// What the controller does with a connection that exists before the object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum AdoptionPolicy {
    /// The connection is updated to the spec. Unless deletionPolicy is Delete, it stays when the object is deleted.
    Adopt,
    /// The connection is left alone, and the object is not Ready.
    #[default]
    Fail,
}

/// What the controller does with the connection when its object is deleted. Default: Delete; Retain for a connection that
/// the object adopted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DeletionPolicy {
    /// The connection is deleted.
    Delete,
    /// The connection stays in Glue.
    Retain,
}

/// When Glue's TestConnection tests the connection. A failed test is reported and changes nothing in Glue.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Test {
    /// Whether to test the connection after its creation and after each change. Default: true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Minutes between two tests, plus or minus 10 %. Default: tests after changes only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10080))]
    pub every_minutes: Option<u32>,
    /// Whether to test each change first and send it to Glue only when the test succeeds, so that a working
    /// connection is never replaced by one that fails. Default: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before_create: Option<bool>,
}

impl GlueConnectionSpec {
    /// Whether the connection is tested after each change.
    pub(crate) fn is_tested(&self) -> bool {
        self.test.as_ref().is_some_and(|test| test.enabled != Some(false))
    }

    /// Whether each change is tested before it is sent to Glue.
    pub(crate) fn is_tested_before(&self) -> bool {
        self.test.as_ref().is_some_and(|test| test.before_create == Some(true))
    }

    /// Every Secret key that is used, with the field that takes its value, such as `properties PASSWORD`.
    pub(crate) fn secret_keys(&self) -> Vec<(String, &SecretKey)> {
        let maps = self.property_maps().into_iter();
        let properties = maps.flat_map(|map| {
            let from = map.from.into_iter().flatten();
            from.flat_map(move |from| {
                let field = format!("{} {}", map.field, from.name);
                from.secret_keys().map(move |(part, key)| {
                    (part.map_or_else(|| field.clone(), |part| format!("{field} key {part}")), key)
                })
            })
        });
        let authentication = self.authentication.iter().flat_map(Authentication::secret_keys);
        properties.chain(authentication).collect()
    }
}

fn match_criteria_schema(_: &mut SchemaGenerator) -> Schema {
    names_schema(10)
}

fn security_groups_schema(_: &mut SchemaGenerator) -> Schema {
    names_schema(50)
}

/// At most `max_items` of Glue's single-line strings.
fn names_schema(max_items: u32) -> Schema {
    json_schema!({
        "type": "array",
        "maxItems": max_items,
        "items": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[^\x00-\x08\x0A-\x1F]+$"},
    })
}

fn tags_schema(_: &mut SchemaGenerator) -> Schema {
    let mut schema = json_schema!({
        "type": "object",
        "maxProperties": 50,
        "additionalProperties": {"type": "string", "maxLength": 256},
    });
    let keys = Rule::new("self.all(key, size(key) >= 1 && size(key) <= 128 && !key.lowerAscii().startsWith('aws:'))");
    rules::add(
        &mut schema,
        [keys.message("tag keys must have 1 to 128 characters and not begin with aws:, which AWS reserves")],
    );
    schema
}

fn add_physical_rules(schema: &mut Schema) {
    let message = "subnetId needs availabilityZone, the zone of that subnet: without it Glue creates the connection, and then every test and job that uses it fails";
    rules::add(
        schema,
        [Rule::new("!has(self.subnetId) || has(self.availabilityZone)").message(message).field_path(".subnetId")],
    );
}

fn add_rules(schema: &mut Schema) {
    let remedy = "Glue cannot move a connection, create another object";
    rules::add(schema, ["connectionName", "catalogId", "region"].map(|field| rules::immutable(field, remedy)));
    rules::add(schema, sources::rules());
    rules::add(schema, types::rules());
}
