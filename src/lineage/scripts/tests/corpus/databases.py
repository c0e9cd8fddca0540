import json

import boto3
from awsglue.context import GlueContext
from pyspark.context import SparkContext

glueContext = GlueContext(SparkContext())
spark = glueContext.spark_session
secret = json.loads(boto3.client("secretsmanager").get_secret_value(SecretId="db")["SecretString"])

by_connection = glueContext.create_dynamic_frame.from_options(
    connection_type="postgresql",
    connection_options={
        "useConnectionProperties": "true",
        "dbtable": "public.orders",
        "connectionName": "shop-pg",
    },
)
by_url = (
    spark.read.format("jdbc")
    .option("url", "jdbc:mysql://crm.example.com:3306/crm?useSSL=true")
    .option("dbtable", "customers")
    .option("user", secret["username"])
    .option("password", secret["password"])
    .load()
)
by_properties = spark.read.jdbc(
    "jdbc:oracle:thin:@//ora.example.com:1521/fin", "hr.employees", properties={"user": secret["username"]}
)
query = spark.read.format("jdbc").options(
    url="jdbc:postgresql://pg.example.com/shop", query="select 1", user=secret["username"]
).load()
music = glueContext.create_dynamic_frame.from_options(
    connection_type="dynamodb",
    connection_options={"dynamodb.input.tableName": "Music", "dynamodb.throughput.read.percent": "1.0"},
)
profiles = glueContext.create_dynamic_frame.from_options(
    "mongodb",
    {"connection.uri": "mongodb://docdb.example.com:27017", "database": "app", "collection": "profiles"},
)
url_from_secret = spark.read.format("jdbc").option("url", secret["url"]).option("dbtable", "t").load()

glueContext.write_dynamic_frame.from_jdbc_conf(
    frame=by_connection,
    catalog_connection="warehouse",
    connection_options={"dbtable": "staging.orders", "database": "dwh"},
    redshift_tmp_dir="s3://tmp/redshift/",
)
sfOptions = {
    "sfURL": "acme-prod.snowflakecomputing.com",
    "sfUser": secret["username"],
    "sfPassword": secret["password"],
    "sfDatabase": "ANALYTICS",
    "sfSchema": "PUBLIC",
}
by_url.write.format("net.snowflake.spark.snowflake").options(**sfOptions).option("dbtable", "CUSTOMERS").save()
by_properties.write.jdbc(url="jdbc:sqlserver://ms.example.com;databaseName=hr", table="dbo.employees", mode="append")
music.toDF().write.format("bigquery").option("table", "media.music").option("parentProject", "acme").save()
