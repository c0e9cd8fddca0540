"""Reads an account with the source of OpenMetadata's connector for Glue pipelines, and prints what it made as JSON.

The source is OpenMetadata's own. There is no server: its client is a mock for which every dataset that the source looks
up is known, so that no edge is missing because the catalog does not have its ends. The check of the connection, which
wants the server, is left out.
"""

import json
import os
import sys
import uuid
from importlib.metadata import version
from types import SimpleNamespace
from unittest.mock import MagicMock, patch

from metadata.generated.schema.type.basic import Uuid
from metadata.generated.schema.type.entityReference import EntityReference
from metadata.ingestion.source.pipeline.gluepipeline.metadata import GluepipelineSource

SERVICE = "glue"


def root(value):
    """What the generated models have where a name is."""
    return SimpleNamespace(root=value)


def named(name):
    """An entity of the catalog."""
    return SimpleNamespace(id=Uuid(uuid.uuid5(uuid.NAMESPACE_URL, name)), name=root(name), fullyQualifiedName=root(name))


def catalog():
    """OpenMetadata's client, for a server that knows every dataset."""
    client = MagicMock()
    client.get_by_name.side_effect = lambda entity, fqn, **_: named(fqn)
    client.es_search_from_fqn.side_effect = lambda fqn_search_string, **_: [named(fqn_search_string)]
    client.es_search_container_by_path.side_effect = lambda full_path, **_: [named(full_path)]
    client.get_entity_reference.side_effect = lambda entity, fqn: EntityReference(
        id=uuid.uuid5(uuid.NAMESPACE_URL, fqn), type="table", name=fqn, fullyQualifiedName=fqn
    )
    return client


def source(endpoint, region):
    aws = {
        "awsAccessKeyId": os.environ["AWS_ACCESS_KEY_ID"],
        "awsSecretAccessKey": os.environ["AWS_SECRET_ACCESS_KEY"],
        "awsRegion": region,
        "endPointURL": endpoint,
    }
    lineage = {"dbServiceNames": [SERVICE], "storageServiceNames": [SERVICE]}
    config = {
        "type": "gluepipeline",
        "serviceName": SERVICE,
        "serviceConnection": {"config": {"type": "GluePipeline", "awsConfig": aws}},
        "sourceConfig": {
            "config": {
                "type": "PipelineMetadata",
                "includeLineage": True,
                "includeTags": True,
                "lineageInformation": lineage,
            }
        },
    }
    with patch.object(GluepipelineSource, "test_connection"):
        return GluepipelineSource.create(config, catalog())


def read(made):
    """The results, and the failures beside them."""
    results, errors = [], []
    for either in made or []:
        if either.left is None:
            results.append(either.right)
        else:
            errors.append(either.left.error.splitlines()[0])
    return results, errors


def pipeline(glue, details):
    """The stages of one pipeline, in the order of the connector's topology."""
    context = glue.context.get()
    context.pipeline_service = SERVICE
    context.pipeline = glue.get_pipeline_name(details)
    tags, tag_errors = read(glue.yield_tag(details))
    requests, request_errors = read(glue.yield_pipeline(details))
    statuses, status_errors = read(glue.yield_pipeline_status(details))
    lineage, lineage_errors = read(glue.yield_pipeline_lineage(details))
    tasks = [task for request in requests for task in request.tasks]
    edges = [edge.lineage_request.edge for edge in lineage]
    return {
        "name": context.pipeline,
        "tasks": [{"name": task.name, "type": task.taskType} for task in tasks],
        "runs": [
            {"job": task.name, "started": task.startTime.root, "status": task.executionStatus.value}
            for status in statuses
            for task in status.pipeline_status.taskStatus
        ],
        "edges": [[edge.fromEntity.fullyQualifiedName, edge.toEntity.fullyQualifiedName] for edge in edges],
        "tags": len(tags),
        "errors": tag_errors + request_errors + status_errors + lineage_errors,
    }


def main():
    endpoint, region = sys.argv[1:]
    glue = source(endpoint, region)
    pipelines = [pipeline(glue, details) for details in glue.get_pipeline()]
    print(json.dumps({"version": version("openmetadata-ingestion"), "pipelines": pipelines}))


main()
