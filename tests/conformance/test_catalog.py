"""Databases and tables of the Data Catalog, and the graph of a script."""

import pytest
from conftest import refused


@pytest.fixture
def database(glue, name):
    """A database of the Data Catalog."""
    database = name.lower()
    glue.create_database(DatabaseInput={"Name": database})
    return database


def create_table(glue, database, name, **more):
    storage = {"Location": f"s3://raw/{name}/", "Columns": [{"Name": "id", "Type": "bigint"}]}
    glue.create_table(DatabaseName=database, TableInput={"Name": name, "StorageDescriptor": storage} | more)


def test_a_table_is_shown_as_it_was_created(glue, database):
    create_table(glue, database, "orders", Parameters={"classification": "parquet"})
    table = glue.get_table(DatabaseName=database, Name="orders")["Table"]
    assert (table["Name"], table["DatabaseName"]) == ("orders", database)
    assert table["StorageDescriptor"]["Location"] == "s3://raw/orders/"
    assert table["Parameters"] == {"classification": "parquet"}
    assert glue.get_database(Name=database)["Database"]["Name"] == database


def test_what_does_not_exist_is_not_found(glue, database):
    for call, arguments in [
        (glue.get_table, {"DatabaseName": database, "Name": "none"}),
        (glue.get_table, {"DatabaseName": f"{database}-none", "Name": "none"}),
        (glue.delete_table, {"DatabaseName": database, "Name": "none"}),
        (glue.get_tables, {"DatabaseName": f"{database}-none"}),
        (glue.get_database, {"Name": f"{database}-none"}),
    ]:
        assert refused(call, **arguments).code == "EntityNotFoundException"


def test_a_table_with_an_existing_name_is_refused(glue, database):
    create_table(glue, database, "orders")
    assert refused(create_table, glue=glue, database=database, name="orders").code == "AlreadyExistsException"
    error = refused(glue.create_database, DatabaseInput={"Name": database})
    assert error.code == "AlreadyExistsException"


def test_tables_are_filtered_by_an_expression(glue, database):
    for each in ["items", "items_old", "orders"]:
        create_table(glue, database, each)
    listed = glue.get_tables(DatabaseName=database, Expression="items.*")["TableList"]
    assert sorted(table["Name"] for table in listed) == ["items", "items_old"]


@pytest.mark.moto_differs("has no pages of tables")
@pytest.mark.documentation("GetTables, AWS Glue API reference")
def test_tables_are_listed_in_pages(glue, database):
    names = [f"table{n}" for n in range(5)]
    for each in names:
        create_table(glue, database, each)
    paginator = glue.get_paginator("get_tables")
    pages = list(paginator.paginate(DatabaseName=database, PaginationConfig={"PageSize": 2}))
    assert [len(page["TableList"]) for page in pages] == [2, 2, 1]
    assert [table["Name"] for page in pages for table in page["TableList"]] == names


SCRIPT = """
## @type: DataSource
## @args: [database = "sales", table_name = "orders", transformation_ctx = "source"]
## @return: source
## @inputs: []
source = glueContext.create_dynamic_frame.from_catalog(database = "sales", table_name = "orders")
## @type: DataSink
## @args: [connection_type = "s3", connection_options = {"path": "s3://clean/orders"}]
## @return: sink
## @inputs: [frame = source]
sink = glueContext.write_dynamic_frame.from_options(frame = source, connection_type = "s3")
"""


@pytest.mark.moto_differs("has no GetDataflowGraph")
@pytest.mark.documentation("GetDataflowGraph, AWS Glue API reference; the annotations of AWS's example scripts")
def test_the_graph_of_a_script_follows_its_annotations(glue):
    graph = glue.get_dataflow_graph(PythonScript=SCRIPT)
    assert [(node["Id"], node["NodeType"]) for node in graph["DagNodes"]] == [
        ("source", "DataSource"),
        ("sink", "DataSink"),
    ]
    assert graph["DagEdges"] == [{"Source": "source", "Target": "sink", "TargetParameter": "frame"}]
    assert glue.get_dataflow_graph(PythonScript="print(1)")["DagNodes"] == []
