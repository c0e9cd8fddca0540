import org.apache.spark.sql.{DataFrame, SaveMode, SparkSession}

object Tables {
  val Orders = "sales.orders"
}

object SparkApp {
  def read(spark: SparkSession, name: String, zone: String = "raw"): DataFrame =
    spark.read.format("parquet").load(s"s3://lake/$zone/$name")

  def main(args: Array[String]): Unit = {
    val spark = SparkSession.builder().appName("app").enableHiveSupport().getOrCreate()
    import spark.implicits._

    val orders = spark.table(Tables.Orders)
    val items = read(spark, "items")
    orders.createOrReplaceTempView("o")
    items createOrReplaceTempView "i"

    val joined = spark.sql("""
        |SELECT o.id, count(*) AS n
        |FROM o JOIN i ON i.order_id = o.id
        |GROUP BY o.id
        |""".stripMargin)
    joined.as[(Long, Long)].write.mode(SaveMode.Overwrite).saveAsTable("marts.joined")

    Seq("a", "b").foreach { name =>
      read(spark, name, zone = "curated").write.option("compression", "snappy").parquet("s3://lake/copies/" + name)
    }
    for (name <- List("x", "y")) {
      spark.table(s"raw.$name").write.insertInto(s"history.$name")
    }

    var target = "s3://lake/default"
    if (args.length > 0) { target = args(0) }
    joined.write.csv(target)
  }
}
