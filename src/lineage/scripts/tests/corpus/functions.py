"""A job in the way of an application: a configuration, functions, a class."""

import logging
import sys

from awsglue.utils import getResolvedOptions
from pyspark.sql import DataFrame, SparkSession

logger = logging.getLogger(__name__)

CONFIG = {
    "bucket": "lake",
    "zones": {"raw": "raw", "curated": "curated"},
    "sources": ["orders", "items"],
}


def path(zone: str, name: str, bucket: str = CONFIG["bucket"]) -> str:
    return f"s3://{bucket}/{CONFIG['zones'][zone]}/{name}/"


def read(spark, name):
    logger.info("reading %s", name)
    return spark.read.parquet(path("raw", name))


class Pipeline:
    database = "curated"

    def __init__(self, spark: SparkSession, table: str):
        self.spark = spark
        self.table = table

    def extract(self):
        frames = [read(self.spark, source) for source in CONFIG["sources"]]
        return frames[0].join(frames[1], "order_id")

    def clean(self, frame: DataFrame) -> DataFrame:
        return frame.dropDuplicates().filter("amount > 0")

    def load(self, frame: DataFrame) -> None:
        frame.write.mode("overwrite").saveAsTable(f"{self.database}.{self.table}")
        frame.write.parquet(path(zone="curated", name=self.table))

    def run(self):
        self.load(self.extract().transform(self.clean))


def archive(spark, when=None):
    # Called with another name each time.
    for name in ("orders", "items"):
        read(spark, name).write.json(f"s3://archive/{name}")
    if when is not None:
        read(spark, "orders").write.json("s3://archive/" + when)


def main():
    args = getResolvedOptions(sys.argv, ["table"])
    spark = SparkSession.builder.getOrCreate()
    Pipeline(spark, args["table"]).run()
    archive(spark)


if __name__ == "__main__":
    main()
