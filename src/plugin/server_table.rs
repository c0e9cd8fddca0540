//! Tables as the API server makes them, with the columns of `kubectl get`.
//!
//! Source: Kubernetes API concepts, "Receiving resources as Tables".

use http::header::{ACCEPT, HeaderValue};
use kube::api::ListParams;
use kube::core::DynamicObject;
use kube::core::Request;
use serde::Deserialize;
use serde_json::Value;

use super::columns::text;
use super::connect::Cluster;
use super::error::PluginError;
use super::kind::Kind;
use super::table::table;

/// The form that is asked for.
const AS_TABLE: HeaderValue = HeaderValue::from_static("application/json;as=Table;v=v1;g=meta.k8s.io");
/// The rows of a page.
const PAGE: u32 = 500;

/// `meta.k8s.io/v1` `Table`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ServerTable {
    #[serde(default)]
    metadata: kube::core::ListMeta,
    #[serde(default)]
    column_definitions: Vec<Column>,
    #[serde(default)]
    pub(super) rows: Vec<Row>,
}

#[derive(Debug, Deserialize)]
struct Column {
    name: String,
    /// Columns other than 0 are wide ones.
    #[serde(default)]
    priority: i32,
}

/// A row, and the object that it is about.
#[derive(Debug, Deserialize)]
pub(super) struct Row {
    #[serde(default)]
    cells: Vec<Value>,
    pub(super) object: DynamicObject,
}

/// Reads the objects of a kind, page by page.
pub(super) async fn list(cluster: &Cluster, kind: &Kind, all_namespaces: bool) -> Result<ServerTable, PluginError> {
    let objects = if all_namespaces { cluster.everywhere(kind) } else { cluster.objects(kind) };
    let mut read = ServerTable::default();
    let mut page = ListParams::default().limit(PAGE);
    loop {
        let request = request(objects.resource_url(), &page)?;
        let answer: ServerTable = cluster
            .client
            .request(request)
            .await
            .map_err(PluginError::api(format!("listing {}", kind.resource.plural)))?;
        if !answer.column_definitions.is_empty() {
            read.column_definitions = answer.column_definitions;
        }
        read.rows.extend(answer.rows);
        match answer.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => page = page.continue_token(&token),
            None => return Ok(read),
        }
    }
}

/// A list request for a table whose rows have their objects.
fn request(url: &str, page: &ListParams) -> Result<http::Request<Vec<u8>>, PluginError> {
    let invalid = |error: &dyn std::fmt::Display| PluginError::Usage(format!("the request is invalid: {error}"));
    let mut request = Request::new(url).list(page).map_err(|error| invalid(&error))?;
    let uri = format!("{}&includeObject=Object", request.uri());
    *request.uri_mut() = uri.parse().map_err(|error: http::uri::InvalidUri| invalid(&error))?;
    request.headers_mut().insert(ACCEPT, AS_TABLE);
    Ok(request)
}

impl ServerTable {
    /// The table as kubectl prints it, with a column of namespaces if asked.
    pub(super) fn print(&self, is_wide: bool, with_namespace: bool) -> String {
        let shown: Vec<_> = self.column_definitions.iter().map(|column| is_wide || column.priority == 0).collect();
        let namespace = || with_namespace.then(|| "NAMESPACE".to_owned());
        let titles = self.column_definitions.iter().zip(&shown).filter(|(_, shown)| **shown);
        let head = namespace().into_iter().chain(titles.map(|(column, _)| column.name.to_uppercase()));
        let rows = self.rows.iter().map(|row| {
            let namespace = with_namespace.then(|| row.object.metadata.namespace.clone().unwrap_or_default());
            let cells =
                row.cells.iter().zip(&shown).filter(|(_, shown)| **shown).map(|(cell, _)| first_line(&text(cell)));
            namespace.into_iter().chain(cells).collect::<Vec<_>>()
        });
        table(head, rows)
    }
}

/// kubectl ends a cell at its first line break, too.
fn first_line(text: &str) -> String {
    match text.split_once(['\n', '\r']) {
        Some((line, _)) => format!("{line}..."),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn columns_and_cells_are_the_servers() {
        let table: ServerTable = serde_json::from_value(json!({
            "metadata": { "continue": "" },
            "columnDefinitions": [
                { "name": "Name", "priority": 0 }, { "name": "State", "priority": 0 }, { "name": "Message", "priority": 1 },
            ],
            "rows": [{
                "cells": ["one", null, "a\nb"],
                "object": { "metadata": { "name": "one", "namespace": "team" } },
            }],
        }))
        .unwrap();
        assert_eq!(table.print(false, false), "NAME  STATE\none");
        assert_eq!(table.print(true, true), "NAMESPACE  NAME  STATE  MESSAGE\nteam       one          a...");
    }

    #[test]
    fn the_request_asks_for_a_table_with_objects() {
        let request = request("/apis/kube-glue.dev/v1alpha1/gluejobruns", &ListParams::default().limit(2)).unwrap();
        assert!(request.uri().to_string().ends_with("limit=2&includeObject=Object"), "{}", request.uri());
        assert_eq!(request.headers()[ACCEPT], AS_TABLE);
    }
}
