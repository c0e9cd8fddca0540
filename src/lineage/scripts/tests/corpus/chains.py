from pyspark.sql import SparkSession, functions as F

spark = SparkSession.builder.appName("chains").enableHiveSupport().getOrCreate()

BUCKET = "s3://lake"
raw = BUCKET + "/raw"

orders = (
    spark.read.format("csv")
    .option("header", "true")
    .option("inferSchema", "true")
    .load(raw + "/orders/*.csv")
)
returns = spark.read.parquet(f"{raw}/returns/2024", f"{raw}/returns/2025")
rates = spark.read.json(path="s3a://partner/rates.json")
lookup = spark.table("reference.countries")

joined = orders.join(returns, "order_id", "left").join(F.broadcast(lookup), "country")

(
    joined.withColumn("loaded_at", F.current_timestamp())
    .write.mode("overwrite")
    .partitionBy("country")
    .format("parquet")
    .option("path", "s3://lake/curated/joined")
    .saveAsTable("curated.joined")
)
rates.write.insertInto("reference.rates", overwrite=True)
joined.select("order_id").write.csv("s3://lake/exports/ids", header=True)
joined.write.format("delta").mode("append").save("s3://lake/delta/joined")

# Two branches that differ: the place of the copy is not known.
if spark.conf.get("env") == "prod":
    target = "s3://lake/prod"
else:
    target = "s3://lake/test"
rates.write.parquet(target)

# Nothing of this reads data.
with open("/tmp/x.json") as f:
    text = f.read()
