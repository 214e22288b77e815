/** Name of the result store in Millrace's own folder. */
export const RESULT_STORE = 'results.duckdb'
