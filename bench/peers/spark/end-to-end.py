"""The queries on Spark Structured Streaming: one stream each, since Spark reads its source once per query, all three side by side.

end-to-end.py BOOTSTRAP TOPIC OUTPUT JARS
"""

import sys

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

bootstrap, topic, output, jars = sys.argv[1:5]

spark = (
    SparkSession.builder.master("local[2]")
    .config("spark.jars", jars)
    .config("spark.driver.memory", "4g")
    .config("spark.sql.shuffle.partitions", 2)
    .config("spark.sql.session.timeZone", "UTC")
    .config("spark.ui.enabled", "false")
    .config("spark.log.level", "ERROR")
    .getOrCreate()
)


def events() -> DataFrame:
    source = (
        spark.readStream.format("kafka")
        .option("kafka.bootstrap.servers", bootstrap)
        .option("subscribe", topic)
        .option("startingOffsets", "earliest")
        .load()
    )
    schema = "event_time timestamp, user_id string, device string, browser string, page_url string"
    return (
        source.select(F.from_json(F.col("value").cast("string"), schema).alias("event"))
        .select("event.*")
        .withWatermark("event_time", "10 minutes")
    )


def start(name: str, rows: DataFrame):
    window = [F.col("window.start").alias("window_start"), F.col("window.end").alias("window_end")]
    others = [column for column in rows.columns if column != "window"]
    return (
        rows.select(*window, *others)
        .writeStream.queryName(name)
        .format("json")
        .option("path", f"{output}/{name}")
        .option("checkpointLocation", f"{output}/checkpoints/{name}")
        .outputMode("append")
        .trigger(availableNow=True)
        .start()
    )


tumbling = F.window("event_time", "5 minutes")
counted = F.count("*").alias("events")
streams = [
    start("page_views", events().groupBy(F.window("event_time", "5 minutes", "1 minute"), "page_url").agg(counted)),
    start("devices", events().groupBy(tumbling, "device", "browser").agg(counted)),
    # A stream cannot count different values exactly.
    start(
        "visitors",
        events().groupBy(tumbling, "user_id").agg(counted, F.approx_count_distinct("page_url").alias("pages")),
    ),
]
for stream in streams:
    stream.awaitTermination()
gateway = spark.sparkContext._gateway
spark.stop()
# Waited for, so that what it has used is counted.
gateway.shutdown()
gateway.proc.stdin.close()
gateway.proc.wait()
