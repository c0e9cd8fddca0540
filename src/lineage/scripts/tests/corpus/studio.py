import sys
from awsglue.transforms import *
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext
from awsglue.context import GlueContext
from awsglue.job import Job
from awsglue import DynamicFrame


def sparkSqlQuery(glueContext, query, mapping, transformation_ctx) -> DynamicFrame:
    for alias, frame in mapping.items():
        frame.toDF().createOrReplaceTempView(alias)
    result = spark.sql(query)
    return DynamicFrame.fromDF(result, glueContext, transformation_ctx)


args = getResolvedOptions(sys.argv, ["JOB_NAME"])
sc = SparkContext()
glueContext = GlueContext(sc)
spark = glueContext.spark_session
job = Job(glueContext)
job.init(args["JOB_NAME"], args)

# Script generated for node Orders
Orders_node1 = glueContext.create_dynamic_frame.from_catalog(
    database="sales", table_name="orders", transformation_ctx="Orders_node1"
)

# Script generated for node Customers
Customers_node2 = glueContext.create_dynamic_frame.from_options(
    format_options={"quoteChar": '"', "withHeader": True, "separator": ","},
    connection_type="s3",
    format="csv",
    connection_options={"paths": ["s3://lake/raw/customers/"], "recurse": True},
    transformation_ctx="Customers_node2",
)

# Script generated for node Change Schema
ChangeSchema_node3 = ApplyMapping.apply(
    frame=Orders_node1,
    mappings=[("id", "long", "order_id", "long"), ("customer", "long", "customer", "long")],
    transformation_ctx="ChangeSchema_node3",
)

# Script generated for node SQL Query
SqlQuery0 = """
select o.order_id, c.name
from orders_in o
join customers_in c on c.id = o.customer
"""
SQLQuery_node4 = sparkSqlQuery(
    glueContext,
    query=SqlQuery0,
    mapping={"orders_in": ChangeSchema_node3, "customers_in": Customers_node2},
    transformation_ctx="SQLQuery_node4",
)

# Script generated for node Amazon S3
AmazonS3_node5 = glueContext.getSink(
    path="s3://lake/curated/orders/",
    connection_type="s3",
    updateBehavior="UPDATE_IN_DATABASE",
    partitionKeys=[],
    enableUpdateCatalog=True,
    transformation_ctx="AmazonS3_node5",
)
AmazonS3_node5.setCatalogInfo(catalogDatabase="curated", catalogTableName="orders")
AmazonS3_node5.setFormat("glueparquet", compression="snappy")
AmazonS3_node5.writeFrame(SQLQuery_node4)
job.commit()
