//! Tags by ARN: `TagResource`, `UntagResource`, `GetTags`.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;
use serde_json::json;

use super::{
    Region,
    operation::{Input, Operation, Reply, operations, reply},
};
use crate::error::AwsError;

/// The most tags a resource can have.
const MAX_TAGS: usize = 50;

/// The operations on tags.
pub const OPERATIONS: &[Operation] = operations! { "*":
    GetTags("/ResourceArn") => get,
    TagResource("/ResourceArn") => tag,
    UntagResource("/ResourceArn") => untag,
};

type TagSet = BTreeMap<String, String>;

/// The tags of a region's resources, by ARN.
#[derive(Debug, Default)]
pub struct Tags(HashMap<String, TagSet>);

impl Region {
    /// Sets the tags of a new resource.
    pub(super) fn start_tags(&mut self, resource: &str, name: &str, tags: Option<TagSet>) {
        self.start_tags_of(self.arn(resource, name), tags);
    }

    /// Sets the tags of a new resource with this ARN.
    pub(super) fn start_tags_of(&mut self, arn: String, tags: Option<TagSet>) {
        self.tags.0.insert(arn, tags.unwrap_or_default());
    }

    /// Removes the tags of a deleted resource.
    pub(super) fn forget_tags(&mut self, resource: &str, name: &str) {
        self.forget_tags_of(&self.arn(resource, name));
    }

    /// Removes the tags of a deleted resource with this ARN.
    pub(super) fn forget_tags_of(&mut self, arn: &str) {
        self.tags.0.remove(arn);
    }

    /// Whether a resource has all of these tags.
    pub(super) fn has_tags(&self, resource: &str, name: &str, wanted: Option<&TagSet>) -> bool {
        let Some(wanted) = wanted else { return true };
        let tags = self.tags.0.get(&self.arn(resource, name));
        wanted.iter().all(|(key, value)| tags.is_some_and(|tags| tags.get(key) == Some(value)))
    }

    fn tags_of(&mut self, arn: &str) -> Result<&mut TagSet, AwsError> {
        self.tags.0.get_mut(arn).ok_or_else(|| AwsError::not_found(format!("Resource {arn} not found")))
    }
}

fn get(region: &mut Region, input: &Input<'_>) -> Reply {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Request {
        resource_arn: String,
    }
    let Request { resource_arn } = input.read()?;
    reply(&json!({ "Tags": region.tags_of(&resource_arn)? }))
}

fn tag(region: &mut Region, input: &Input<'_>) -> Reply {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Request {
        resource_arn: String,
        tags_to_add: TagSet,
    }
    let Request { resource_arn, tags_to_add } = input.read()?;
    let tags = region.tags_of(&resource_arn)?;
    let mut all = tags.clone();
    all.extend(tags_to_add);
    if all.len() > MAX_TAGS {
        return Err(AwsError::invalid(format!("A resource can have at most {MAX_TAGS} tags.")));
    }
    *tags = all;
    reply(&json!({}))
}

fn untag(region: &mut Region, input: &Input<'_>) -> Reply {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Request {
        resource_arn: String,
        tags_to_remove: Vec<String>,
    }
    let Request { resource_arn, tags_to_remove } = input.read()?;
    let tags = region.tags_of(&resource_arn)?;
    for key in tags_to_remove {
        tags.remove(&key);
    }
    reply(&json!({}))
}
