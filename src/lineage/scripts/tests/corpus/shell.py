import io

import awswrangler as wr
import boto3
import pandas as pd

s3 = boto3.client("s3")
bucket = "lake"

orders = pd.read_csv(f"s3://{bucket}/in/orders.csv", dtype={"id": str})
body = s3.get_object(Bucket=bucket, Key="in/rates.json")["Body"].read()
rates = pd.read_json(io.BytesIO(body))
local = pd.read_csv("/tmp/local.csv")

merged = orders.merge(rates, on="currency")
merged.to_parquet("s3://lake/out/merged.parquet")
merged.to_csv("/tmp/merged.csv")
s3.upload_file("/tmp/merged.csv", bucket, "out/merged.csv")

items = wr.s3.read_parquet(path="s3://lake/in/items/", dataset=True)
wr.s3.to_parquet(df=items, path="s3://lake/out/items/", dataset=True, database="shop", table="items", mode="append")

for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
    for found in page["Contents"]:
        s3.download_file(bucket, found["Key"], "/tmp/x")
