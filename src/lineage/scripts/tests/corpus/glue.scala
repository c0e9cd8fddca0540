import com.amazonaws.services.glue.GlueContext
import com.amazonaws.services.glue.util.{GlueArgParser, Job, JsonOptions}
import org.apache.spark.SparkContext
import scala.collection.JavaConverters._

object GlueApp {
  val Bucket = "lake"

  def main(sysArgs: Array[String]) {
    val glueContext: GlueContext = new GlueContext(new SparkContext())
    val args = GlueArgParser.getResolvedOptions(sysArgs, Seq("JOB_NAME", "day").toArray)
    Job.init(args("JOB_NAME"), glueContext, args.asJava)

    val orders = glueContext
      .getCatalogSource(database = "sales", tableName = "orders", transformationContext = "orders")
      .getDynamicFrame()
    val logs = glueContext
      .getSourceWithFormat(
        connectionType = "s3",
        options = JsonOptions(s"""{"paths": ["s3://$Bucket/logs/${args("day")}/"], "recurse": true}"""),
        format = "json"
      )
      .getDynamicFrame()
    val joined = orders.join(keys1 = Seq("id"), keys2 = Seq("order_id"), frame2 = logs)

    glueContext
      .getSinkWithFormat(
        connectionType = "s3",
        options = JsonOptions(Map("path" -> s"s3://$Bucket/joined", "partitionKeys" -> Seq("day"))),
        format = "parquet"
      )
      .writeDynamicFrame(joined)
    glueContext
      .getJDBCSink(catalogConnection = "shop-pg", options = JsonOptions("""{"dbtable": "public.joined", "database": "shop"}"""))
      .writeDynamicFrame(joined)
    glueContext.getCatalogSink("sales", "joined").writeDynamicFrame(joined)

    val host = sys.env("HOST")
    glueContext
      .getSink("mysql", JsonOptions(Map("url" -> s"jdbc:mysql://$host/x", "dbtable" -> "y")))
      .writeDynamicFrame(logs)
    Job.commit()
  }
}
