//! Tables by the operations.

use serde_json::{Value, json};

use crate::glue::fixture::Fixture;

fn names(tables: &Value) -> Vec<&str> {
    tables["TableList"].as_array().unwrap().iter().map(|table| table["Name"].as_str().unwrap()).collect()
}

#[test]
fn tables_are_shown_as_they_were_created_and_listed_in_pages() {
    let fixture = Fixture::new();
    let call = |operation: &str, body: Value| fixture.call(operation, &body).unwrap();
    fixture.expect_error("GetTables", &json!({ "DatabaseName": "Sales" }), "EntityNotFoundException");
    call("CreateDatabase", json!({ "DatabaseInput": { "Name": "Sales" } }));
    for name in ["Orders", "items", "items_old"] {
        let columns = json!([{ "Name": "id", "Type": "bigint" }]);
        let storage = json!({ "Location": format!("s3://raw/{name}/"), "Columns": columns });
        let table = json!({ "Name": name, "StorageDescriptor": storage, "Parameters": { "classification": "csv" } });
        call("CreateTable", json!({ "DatabaseName": "sales", "TableInput": table }));
    }
    let table = call("GetTable", json!({ "DatabaseName": "sales", "Name": "ORDERS" }))["Table"].clone();
    assert_eq!((&table["Name"], &table["DatabaseName"]), (&json!("orders"), &json!("sales")));
    assert_eq!(table["StorageDescriptor"]["Location"], "s3://raw/Orders/");
    let first = call("GetTables", json!({ "DatabaseName": "sales", "MaxResults": 2 }));
    assert_eq!(names(&first), ["items", "items_old"]);
    let next = json!({ "DatabaseName": "sales", "MaxResults": 2, "NextToken": first["NextToken"] });
    assert_eq!(names(&call("GetTables", next)), ["orders"]);
    assert_eq!(names(&call("GetTables", json!({ "DatabaseName": "sales", "Expression": "items.*" }))).len(), 2);
    call("DeleteTable", json!({ "DatabaseName": "sales", "Name": "orders" }));
    let gone = json!({ "DatabaseName": "sales", "Name": "orders" });
    fixture.expect_error("GetTable", &gone, "EntityNotFoundException");
}
