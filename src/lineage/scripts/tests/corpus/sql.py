from pyspark.conf import SparkConf
from pyspark.sql import SparkSession

conf = SparkConf()
conf.set("spark.sql.catalog.lakehouse", "org.apache.iceberg.spark.SparkCatalog")
conf.set("spark.sql.catalog.lakehouse.catalog-impl", "org.apache.iceberg.aws.glue.GlueCatalog")
spark = (
    SparkSession.builder.config(conf=conf)
    .config("spark.sql.catalog.other.catalog-impl", "org.apache.iceberg.rest.RESTCatalog")
    .getOrCreate()
)

spark.read.parquet("s3://lake/raw/events").createOrReplaceTempView("events")

daily = spark.sql(
    """
    WITH ranked AS (
        SELECT *, row_number() OVER (PARTITION BY id ORDER BY ts DESC) AS n FROM events
    )
    SELECT r.*, c.segment
    FROM ranked r
    LEFT JOIN crm.customers c ON c.id = r.customer_id
    WHERE n = 1
    """
)
daily.createOrReplaceTempView("daily")

spark.sql("INSERT OVERWRITE TABLE marts.daily PARTITION (ds = '2026-11-27') SELECT * FROM daily")
spark.sql("CREATE TABLE IF NOT EXISTS lakehouse.marts.audit USING iceberg AS SELECT count(*) AS n FROM marts.daily")
spark.sql(
    "MERGE INTO lakehouse.marts.current t USING daily s ON t.id = s.id "
    "WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"
)
spark.sql("USE staging")
spark.sql("INSERT INTO snapshots SELECT * FROM parquet.`s3://lake/raw/snapshots/`")
spark.sql("DROP TABLE IF EXISTS staging.old")
spark.sql("SELECT * FROM other.ns.table").count()

table = spark.conf.get("table")
spark.sql(f"SELECT * FROM {table}").show()
daily.writeTo("lakehouse.marts.v2").append()
