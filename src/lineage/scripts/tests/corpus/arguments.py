import argparse
import os
import sys
from datetime import date

from awsglue.context import GlueContext
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext

glue = GlueContext(SparkContext.getOrCreate())
args = getResolvedOptions(sys.argv, ["JOB_NAME", "source_bucket", "database", "tables", "run_date", "password"])

source = "s3://{}/in/{}".format(args["source_bucket"], "orders")
day = args["run_date"].replace("-", "/")

frame = glue.create_dynamic_frame.from_options("s3", {"paths": [f"{source}/{day}/"]}, "json")

for table in args["tables"].split(","):
    copy = glue.create_dynamic_frame_from_catalog(database=args["database"], table_name=table.strip())
    glue.write_dynamic_frame.from_options(
        frame=copy,
        connection_type="s3",
        connection_options={"path": os.path.join("s3://%s" % args["source_bucket"], "copy", table)},
        format="parquet",
    )

# The day of the run is not in the script.
today = date.today().isoformat()
glue.write_dynamic_frame.from_options(frame, "s3", {"path": f"s3://lake/out/{today}"}, format="parquet")

# An argument that the run does not have.
missing = getResolvedOptions(sys.argv, ["elsewhere"])["elsewhere"]
glue.create_dynamic_frame.from_options("s3", {"paths": [missing]}, "json")

parser = argparse.ArgumentParser()
parser.add_argument("--out_path")
parsed, _ = parser.parse_known_args()
glue.write_dynamic_frame.from_options(frame, "s3", {"path": parsed.out_path}, format="json")
