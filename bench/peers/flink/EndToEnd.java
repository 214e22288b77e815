import org.apache.flink.configuration.Configuration;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.StatementSet;
import org.apache.flink.table.api.TableEnvironment;

/** The queries as Flink SQL in one process: one scan of the topic for all three. EndToEnd BOOTSTRAP TOPIC OUTPUT */
public class EndToEnd {
  private static final String WINDOW = "SELECT CAST(window_start AS STRING), CAST(window_end AS STRING), ";
  private static final String GROUP = " GROUP BY window_start, window_end, ";
  private static final String EVENTS = "TABLE events, DESCRIPTOR(event_time)";

  public static void main(String[] args) throws Exception {
    String output = args[2];
    Configuration settings = new Configuration();
    settings.setString("parallelism.default", "2");
    settings.setString("execution.checkpointing.interval", "10 s");
    settings.setString("execution.checkpointing.dir", "file://" + output + "/checkpoints");
    settings.setString("pipeline.object-reuse", "true");
    settings.setString("table.local-time-zone", "UTC");
    TableEnvironment tables =
        TableEnvironment.create(EnvironmentSettings.newInstance().inStreamingMode().withConfiguration(settings).build());
    tables.executeSql(
        "CREATE TABLE events (event_time TIMESTAMP_LTZ(3), user_id STRING, device STRING, browser STRING, page_url STRING,"
            + " WATERMARK FOR event_time AS event_time - INTERVAL '10' MINUTE) WITH ('connector' = 'kafka', 'topic' = '"
            + args[1] + "', 'properties.bootstrap.servers' = '" + args[0] + "', 'properties.group.id' = 'end-to-end',"
            + " 'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset', 'format' = 'json',"
            + " 'json.timestamp-format.standard' = 'ISO-8601')");
    sink(tables, output, "page_views", "page_url STRING, events BIGINT");
    sink(tables, output, "devices", "device STRING, browser STRING, events BIGINT");
    sink(tables, output, "visitors", "user_id STRING, events BIGINT, pages BIGINT");
    String tumbling = " FROM TABLE(TUMBLE(" + EVENTS + ", INTERVAL '5' MINUTE))" + GROUP;
    StatementSet all = tables.createStatementSet();
    all.addInsertSql("INSERT INTO page_views " + WINDOW + "page_url, COUNT(*) FROM TABLE(HOP(" + EVENTS
        + ", INTERVAL '1' MINUTE, INTERVAL '5' MINUTE))" + GROUP + "page_url");
    all.addInsertSql("INSERT INTO devices " + WINDOW + "device, browser, COUNT(*)" + tumbling + "device, browser");
    all.addInsertSql("INSERT INTO visitors " + WINDOW + "user_id, COUNT(*), COUNT(DISTINCT page_url)" + tumbling + "user_id");
    all.execute().await();
    // Threads of the little cluster would keep the process.
    System.exit(0);
  }

  private static void sink(TableEnvironment tables, String output, String name, String columns) {
    tables.executeSql("CREATE TABLE " + name + " (window_start STRING, window_end STRING, " + columns
        + ") WITH ('connector' = 'filesystem', 'path' = 'file://" + output + "/" + name + "', 'format' = 'json')");
  }
}
