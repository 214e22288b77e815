/**
 * The part of the Spark Connect protocol (`spark.connect`, Apache License 2.0) that a streaming job needs, as data: `number name type`,
 * separated by commas. `*` repeats, `map` is map<string, string>. Servers that are newer send fields that are not here; they are skipped.
 */
export const MESSAGES: Readonly<Record<string, string>> = {
  UserContext: '1 user_id string',
  Plan: '1 root Relation, 2 command Command',
  Empty: '',
  ExecutePlanRequest:
    '1 session_id string, 2 user_context UserContext, 3 plan Plan, 4 client_type string, 6 operation_id string, 8 client_observed_server_side_session_id string',
  ExecutePlanResponse:
    '2 arrow_batch ArrowBatch, 8 write_stream_operation_start_result StartResult, 9 streaming_query_command_result QueryResult, 14 result_complete Empty, 15 server_side_session_id string',
  ArrowBatch: '1 row_count int64, 2 data bytes',
  AnalyzePlanRequest:
    '1 session_id string, 2 user_context UserContext, 3 client_type string, 4 schema PlanOnly, 10 spark_version Empty, 17 client_observed_server_side_session_id string',
  PlanOnly: '1 plan Plan',
  AnalyzePlanResponse: '2 schema SchemaResult, 8 spark_version Text, 15 server_side_session_id string',
  SchemaResult: '1 schema DataType',
  Text: '1 text string',
  ConfigRequest:
    '1 session_id string, 2 user_context UserContext, 3 operation ConfigOperation, 4 client_type string, 8 client_observed_server_side_session_id string',
  ConfigOperation: '1 set ConfigSet',
  ConfigSet: '1 pairs KeyValue*',
  KeyValue: '1 key string, 2 value string',
  ConfigResponse: '2 pairs KeyValue*, 3 warnings string*, 4 server_side_session_id string',
  ReleaseSessionRequest: '1 session_id string, 2 user_context UserContext, 3 client_type string',
  ReleaseSessionResponse: '2 server_side_session_id string',

  Relation:
    '2 read Read, 3 project Project, 4 filter Filter, 9 aggregate Aggregate, 10 sql Sql, 14 deduplicate Deduplicate, 33 with_watermark WithWatermark',
  Read: '2 data_source DataSource, 3 is_streaming bool',
  DataSource: '1 format string, 2 schema string, 3 options map, 4 paths string*',
  Project: '1 input Relation, 3 expressions Expression*',
  Filter: '1 input Relation, 2 condition Expression',
  Aggregate:
    '1 input Relation, 2 group_type int32, 3 grouping_expressions Expression*, 4 aggregate_expressions Expression*',
  Sql: '1 query string',
  Deduplicate: '1 input Relation, 2 column_names string*, 4 within_watermark bool',
  WithWatermark: '1 input Relation, 2 event_time string, 3 delay_threshold string',
  Expression: '4 expression_string ExpressionString',
  ExpressionString: '1 expression string',

  Command: '6 write_stream_operation_start WriteStream, 7 streaming_query_command QueryCommand',
  WriteStream:
    '1 input Relation, 2 format string, 3 options map, 4 partitioning_column_names string*, 5 processing_time_interval string, 6 available_now bool, 9 output_mode string, 10 query_name string, 11 path string',
  StartResult: '1 query_id QueryId, 2 name string',
  QueryId: '1 id string, 2 run_id string',
  QueryCommand:
    '1 query_id QueryId, 2 status bool, 3 last_progress bool, 4 recent_progress bool, 5 stop bool, 8 exception bool, 9 await_termination AwaitTermination',
  AwaitTermination: '2 timeout_ms int64',
  QueryResult:
    '2 status QueryStatus, 3 recent_progress Progress, 5 exception QueryException, 6 await_termination Ended',
  QueryStatus: '1 status_message string, 2 is_data_available bool, 3 is_trigger_active bool, 4 is_active bool',
  Progress: '5 recent_progress_json string*',
  QueryException: '1 exception_message string, 2 error_class string, 3 stack_trace string',
  Ended: '1 terminated bool',

  // Types, as AnalyzePlan answers. A kind that is not listed decodes to an empty object.
  DataType:
    '3 boolean Empty, 4 byte Empty, 5 short Empty, 6 integer Empty, 7 long Empty, 8 float Empty, 9 double Empty, 10 decimal Decimal, 11 string Empty, 15 timestamp Empty, 21 struct Struct',
  Decimal: '1 scale int32, 2 precision int32',
  Struct: '1 fields StructField*',
  StructField: '1 name string, 2 data_type DataType, 3 nullable bool',

  // google.rpc.Status in the trailer `grpc-status-details-bin`.
  RpcStatus: '1 code int32, 2 message string, 3 details Any*',
  Any: '1 type_url string, 2 value bytes',
  ErrorInfo: '1 reason string, 2 domain string, 3 metadata map',
}
