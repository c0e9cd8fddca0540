//! What schemars cannot say of a schema, or says in a way that the API server does not accept.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSON, JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use serde_json::json;

/// The definition with all corrections of this module.
pub(super) fn for_api_server(mut crd: CustomResourceDefinition) -> CustomResourceDefinition {
    let versions = crd.spec.versions.iter_mut();
    for schema in versions.filter_map(|version| version.schema.as_mut()?.open_api_v3_schema.as_mut()) {
        set_initial_status(schema);
        visit(schema, &mut |schema| {
            make_enums_prunable(schema);
            replace_unknown_format(schema);
        });
    }
    crd
}

/// Gives every new object the status `observedGeneration: -1`, so that no tool takes an object that the controller
/// has not observed for a finished one. For kstatus, `observedGeneration` below `generation` is `InProgress`; Flux
/// sets the same default.
fn set_initial_status(schema: &mut JSONSchemaProps) {
    if let Some(status) = schema.properties.as_mut().and_then(|properties| properties.get_mut("status")) {
        status.default = Some(JSON(json!({"observedGeneration": -1})));
    }
}

/// Lets an optional enum be written as null, as templates do. The API server refuses null for a nullable enum, and
/// prunes it where the field is not nullable.
fn make_enums_prunable(schema: &mut JSONSchemaProps) {
    if schema.enum_.is_some() {
        schema.nullable = None;
    }
}

/// schemars puts Rust's integer types into `format`. The API server enforces the range of int32 and int64, and warns
/// of any other: types of up to 32 bits become int32, others int64.
fn replace_unknown_format(schema: &mut JSONSchemaProps) {
    let known = match schema.format.as_deref() {
        Some("int8" | "uint8" | "int16" | "uint16" | "uint32") => "int32",
        Some("int" | "uint" | "uint64") => "int64",
        _ => return,
    };
    schema.format = Some(known.to_owned());
}

/// Applies `change` to the schema and to every schema in it.
fn visit(schema: &mut JSONSchemaProps, change: &mut impl FnMut(&mut JSONSchemaProps)) {
    change(schema);
    for property in schema.properties.iter_mut().flat_map(|properties| properties.values_mut()) {
        visit(property, change);
    }
    if let Some(JSONSchemaPropsOrArray::Schema(items)) = &mut schema.items {
        visit(items, change);
    }
    if let Some(JSONSchemaPropsOrBool::Schema(values)) = &mut schema.additional_properties {
        visit(values, change);
    }
}
