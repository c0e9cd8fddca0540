import sys

from awsglue.context import GlueContext
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext

args = getResolvedOptions(sys.argv, ["JOB_NAME", "TempDir"])
glueContext = GlueContext(SparkContext())
spark = glueContext.spark_session

clicks = glueContext.create_data_frame.from_options(
    connection_type="kafka",
    connection_options={
        "connectionName": "msk",
        "topicName": "clicks",
        "classification": "json",
        "startingOffsets": "earliest",
    },
)


def processBatch(data_frame, batchId):
    if data_frame.count() > 0:
        glueContext.write_dynamic_frame.from_catalog(frame=data_frame, database="web", table_name="clicks")


glueContext.forEachBatch(
    frame=clicks,
    batch_function=processBatch,
    options={"windowSize": "100 seconds", "checkpointLocation": args["TempDir"] + "/checkpoint/"},
)

orders = (
    spark.readStream.format("kafka")
    .option("kafka.bootstrap.servers", "b-1.example.com:9092,b-2.example.com:9092")
    .option("subscribe", "orders")
    .load()
)
orders.writeStream.format("parquet").option("checkpointLocation", "s3://lake/cp").start("s3://lake/stream/orders")
orders.writeStream.foreachBatch(lambda frame, _: frame.write.insertInto("web.orders")).start()
orders.writeStream.format("console").start()

payments = glueContext.create_data_frame_from_options(
    "kinesis", {"streamARN": "arn:aws:kinesis:eu-central-1:111122223333:stream/payments", "inferSchema": "true"}
)
payments.writeStream.toTable("web.payments")
