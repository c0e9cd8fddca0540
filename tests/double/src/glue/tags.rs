//! Tags by ARN: `TagResource`, `UntagResource`, `GetTags`.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;
use serde_json::json;

use super::{
    Region,
    operation::{Input, Operation, reply},
};
use crate::error::AwsError;

/// A thing has at most so many tags.
const MOST_TAGS: usize = 50;

/// The operations of this room.
pub const OPERATIONS: &[Operation] = &[
    Operation { name: "GetTags", resource: "*", subject: "/ResourceArn", run: get },
    Operation { name: "TagResource", resource: "*", subject: "/ResourceArn", run: tag },
    Operation { name: "UntagResource", resource: "*", subject: "/ResourceArn", run: untag },
];

type Set = BTreeMap<String, String>;

/// The tags of a region's things.
#[derive(Debug, Default)]
pub struct Tags(HashMap<String, Set>);

impl Tags {
    /// The tags a thing starts with; none are none.
    pub fn start(&mut self, arn: String, tags: Option<Set>) {
        self.0.insert(arn, tags.unwrap_or_default());
    }

    /// Forgets a thing that is gone.
    pub fn forget(&mut self, arn: &str) {
        self.0.remove(arn);
    }

    /// Whether a thing carries all of these tags.
    #[must_use]
    pub fn carries(&self, arn: &str, wanted: Option<&Set>) -> bool {
        let Some(wanted) = wanted else { return true };
        let tags = self.0.get(arn);
        wanted.iter().all(|(key, value)| tags.is_some_and(|tags| tags.get(key) == Some(value)))
    }
}

fn of<'a>(region: &'a mut Region, arn: &str) -> Result<&'a mut Set, AwsError> {
    region.tags.0.get_mut(arn).ok_or_else(|| AwsError::not_found(format!("Resource {arn} not found")))
}

fn get(region: &mut Region, input: &Input<'_>) -> Result<Vec<u8>, AwsError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Request {
        resource_arn: String,
    }
    let Request { resource_arn } = input.read()?;
    reply(&json!({ "Tags": of(region, &resource_arn)? }))
}

fn tag(region: &mut Region, input: &Input<'_>) -> Result<Vec<u8>, AwsError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Request {
        resource_arn: String,
        tags_to_add: Set,
    }
    let Request { resource_arn, tags_to_add } = input.read()?;
    let tags = of(region, &resource_arn)?;
    let mut all = tags.clone();
    all.extend(tags_to_add);
    if all.len() > MOST_TAGS {
        return Err(AwsError::invalid(format!("A resource can have at most {MOST_TAGS} tags.")));
    }
    *tags = all;
    reply(&json!({}))
}

fn untag(region: &mut Region, input: &Input<'_>) -> Result<Vec<u8>, AwsError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Request {
        resource_arn: String,
        tags_to_remove: Vec<String>,
    }
    let Request { resource_arn, tags_to_remove } = input.read()?;
    let tags = of(region, &resource_arn)?;
    for key in tags_to_remove {
        tags.remove(&key);
    }
    reply(&json!({}))
}
