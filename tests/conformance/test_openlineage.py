"""The events of lineage, as OpenLineage's own Python client reads them.

``openlineage_events.json`` has the events that the controller makes: a test of its crate compares them. Each is built again
from the client's classes, which refuse members that they do not know and lack none, and is the same document afterwards.
"""

import inspect
import json
import pkgutil
import types
import typing
import uuid
from importlib import import_module
from pathlib import Path

import attr
import pytest
from openlineage.client import generated
from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.serde import Serde

EVENTS = json.loads(Path(__file__).with_name("openlineage_events.json").read_text())
# Facets of kube-glue itself, which no class of the client describes.
OWN = {"kubeGlue_run", "kubeGlue_knownBy"}


def facet_classes():
    """The classes of facets by the URL of their schema."""
    found = {}
    for module in pkgutil.iter_modules(generated.__path__):
        for _, cls in inspect.getmembers(import_module(f"{generated.__name__}.{module.name}"), inspect.isclass):
            if attr.has(cls) and "_get_schema" in vars(cls):
                found[cls._get_schema()] = cls
    return found


FACETS = facet_classes()


def build(wanted, value):
    """The value as the type of the client that is wanted."""
    if typing.get_origin(wanted) in (typing.Union, types.UnionType):
        wanted = next(kind for kind in typing.get_args(wanted) if kind is not type(None))
    if typing.get_origin(wanted) is list:
        return [build(typing.get_args(wanted)[0], item) for item in value]
    if inspect.isclass(wanted) and attr.has(wanted):
        hints = typing.get_type_hints(wanted)
        return wanted(**{name: build(hints.get(name, str), item) for name, item in value.items()})
    return value


def without_empty(value):
    """The value without the empty maps and lists that the client adds."""
    if isinstance(value, dict):
        return {name: without_empty(item) for name, item in value.items() if item not in ({}, [])}
    return [without_empty(item) for item in value] if isinstance(value, list) else value


def facets(documents):
    """The facets as the client's classes."""
    built = {}
    for name, document in (documents or {}).items():
        if name in OWN:
            assert document["_producer"] and document["_schemaURL"]
            continue
        content = {key: value for key, value in document.items() if key not in ("_producer", "_schemaURL")}
        facet = build(FACETS[document["_schemaURL"]], content)
        again = without_empty(Serde.to_dict(facet))
        assert {key: again[key] for key in content} == content
        built[name] = facet
    return built


@pytest.mark.parametrize("document", EVENTS, ids=lambda event: f"{event['eventType']}-{event['job']['name']}")
def test_the_client_reads_the_event(document):
    run, job = document["run"], document["job"]
    dataset = lambda cls: lambda of: cls(of["namespace"], of["name"], facets(of["facets"]))
    event = RunEvent(
        eventType=RunState[document["eventType"]],
        eventTime=document["eventTime"],
        run=Run(run["runId"], facets(run["facets"])),
        job=Job(job["namespace"], job["name"], facets(job["facets"])),
        inputs=[dataset(InputDataset)(of) for of in document["inputs"]],
        outputs=[dataset(OutputDataset)(of) for of in document["outputs"]],
        producer=document["producer"],
    )
    again = json.loads(Serde.to_json(event))
    for member in ("eventType", "eventTime", "producer", "schemaURL"):
        assert again[member] == document[member]
    assert (again["run"]["runId"], again["job"]["name"]) == (run["runId"], job["name"])


def test_all_types_of_events_and_all_facets_are_among_them():
    assert {event["eventType"] for event in EVENTS} == {"OTHER", "START", "COMPLETE", "FAIL", "ABORT"}
    shown = {name for event in EVENTS for part in ("run", "job") for name in event[part]["facets"]}
    assert shown - OWN == {
        "parent", "nominalTime", "errorMessage", "processing_engine", "extractionError", "jobDependencies",
        "jobType", "documentation", "sourceCodeLocation", "ownership", "tags", "lineage",
    }


def test_the_run_id_is_what_python_computes():
    ids = {event["run"]["facets"]["kubeGlue_run"]["id"]: event["run"]["runId"] for event in EVENTS}
    assert ids
    for glue, run in ids.items():
        assert run == str(uuid.uuid5(uuid.NAMESPACE_URL, glue))
