#!/usr/bin/env python3
"""Reduces botocore's models of Glue and CloudWatch Logs to the shapes that the double validates requests with.

Usage: reduce_model.py path/to/botocore/data/glue/2017-03-31/service-2.json.gz > src/glue/model/shapes.json
       reduce_model.py path/to/botocore/data/logs/2014-03-28/service-2.json.gz > src/glue/model/logs.json

Keeps the input shapes of the operations below, with their required members, bounds, patterns and
enumerations. Visual job graphs are opaque: the double stores them without validation.
"""
import gzip
import json
import sys

GLUE = """
BatchStopJobRun GetJobRun GetJobRuns StartJobRun
BatchGetJobs CreateJob DeleteJob GetJob GetJobs ListJobs UpdateJob
BatchGetCrawlers CreateCrawler DeleteCrawler GetCrawler GetCrawlerMetrics GetCrawlers ListCrawlers ListCrawls
StartCrawler StartCrawlerSchedule StopCrawler StopCrawlerSchedule UpdateCrawler UpdateCrawlerSchedule
BatchGetTriggers CreateTrigger DeleteTrigger GetTrigger GetTriggers ListTriggers StartTrigger StopTrigger UpdateTrigger
BatchGetWorkflows CreateWorkflow DeleteWorkflow GetWorkflow GetWorkflowRun GetWorkflowRunProperties GetWorkflowRuns ListWorkflows
PutWorkflowRunProperties ResumeWorkflowRun StartWorkflowRun StopWorkflowRun
BatchDeleteConnection CreateConnection DeleteConnection GetConnection GetConnections TestConnection UpdateConnection
DescribeConnectionType ListConnectionTypes
CreateDatabase CreateTable DeleteDatabase DeleteTable GetDatabase GetTable GetTables
GetDataflowGraph
GetTags TagResource UntagResource
""".split()

LOGS = """
CreateLogGroup CreateLogStream DescribeLogGroups DescribeLogStreams FilterLogEvents GetLogEvents PutLogEvents
""".split()

OPAQUE = {"CodeGenConfigurationNodes"}


def pattern(text):
    # The model writes code points above U+FFFF as surrogate pairs; Rust's regex has only code points.
    text = text.replace(r"\uD800\uDC00-\uDBFF\uDFFF", r"\x{10000}-\x{10FFFF}")
    while r"\u" in text:
        at = text.index(r"\u")
        text = text[:at] + r"\x{" + text[at + 2 : at + 6] + "}" + text[at + 6 :]
    return text


def reduce(name, shapes, kept):
    if name in kept:
        return
    shape = shapes[name]
    out = {"type": "opaque" if name in OPAQUE else shape["type"]}
    kept[name] = out
    for key in ("min", "max", "enum", "sensitive"):
        if key in shape:
            out[key] = shape[key]
    if "pattern" in shape and shape["pattern"] != ".*":
        out["pattern"] = pattern(shape["pattern"])
    if out["type"] == "structure":
        out["members"] = {k: v["shape"] for k, v in shape["members"].items()}
        if shape.get("required"):
            out["required"] = shape["required"]
        below = out["members"].values()
    elif out["type"] == "list":
        out["member"] = shape["member"]["shape"]
        below = [out["member"]]
    elif out["type"] == "map":
        out["key"], out["value"] = shape["key"]["shape"], shape["value"]["shape"]
        below = [out["key"], out["value"]]
    else:
        below = []
    for child in below:
        reduce(child, shapes, kept)


def main():
    with gzip.open(sys.argv[1]) as file:
        model = json.load(file)
    kept = {}
    operations = {}
    for name in {"Glue": GLUE, "CloudWatch Logs": LOGS}[model["metadata"]["serviceId"]]:
        operations[name] = model["operations"][name]["input"]["shape"]
        reduce(operations[name], model["shapes"], kept)
    json.dump({"operations": operations, "shapes": dict(sorted(kept.items()))}, sys.stdout, indent=1)
    print()


main()
