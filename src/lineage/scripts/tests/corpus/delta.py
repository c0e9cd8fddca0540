from delta.tables import DeltaTable
from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()

updates = spark.read.format("iceberg").load("glue_catalog.staging.updates")
target = DeltaTable.forPath(spark, "s3://lake/delta/customers")
(
    target.alias("t")
    .merge(updates.alias("u"), "t.id = u.id")
    .whenMatchedUpdateAll()
    .whenNotMatchedInsertAll()
    .execute()
)

hudi_options = {
    "hoodie.table.name": "trips",
    "hoodie.datasource.write.recordkey.field": "id",
    "hoodie.datasource.hive_sync.database": "mobility",
}
trips = spark.read.format("org.apache.hudi").load("s3://lake/hudi/trips_raw/")
trips.write.format("hudi").options(**hudi_options).mode("append").save("s3://lake/hudi/trips/")

counts = spark.sparkContext.textFile("s3://lake/text/*.log").map(lambda line: (line, 1))
counts.saveAsTextFile("s3://lake/text-counts")

def enrich(frame, name):
    return frame.write.format(name).save("/relative/" + name)
