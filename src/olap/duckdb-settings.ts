import { limits } from '../core/limits.js'
import { quoteText } from '../core/sql-identifier.js'
import type { Connection, DuckDb } from './duckdb-bindings.js'
import type { OlapWriter } from './olap-store.js'

/** Where a column store lives and what it may use. */
export interface DuckDbStoreOptions {
  /** A file, created when missing, or `':memory:'`. */
  readonly path: string
  /** Size with unit, `'512MB'`; covers the engine's buffers, not result sets. */
  readonly memoryLimit: string
  /** Threads that one statement may use. */
  readonly threads: number
  /** Where data beyond the memory limit goes; null to fail instead. */
  readonly tempDirectory: string | null
  /**
   * Permission bits for the files, as of `stat`.
   *
   * @default what the process gives to new files
   */
  readonly fileMode?: number | null
  /**
   * Size of the write-ahead log at which a commit waits for a checkpoint. DuckDB's own 16 MB
   * stalls commits for up to a second.
   *
   * @default '128MB'
   */
  readonly checkpointThreshold?: string
  /**
   * `'rows'` appends value by value, as is done anyway where the self-test of the quicker
   * path fails.
   *
   * @default 'chunks'
   */
  readonly appendPath?: 'chunks' | 'rows'
}

/** Settings that hold for the whole instance from its first moment. */
export function openingSettings(options: DuckDbStoreOptions): Readonly<Record<string, string>> {
  return {
    memory_limit: options.memoryLimit,
    threads: String(options.threads),
    temp_directory: options.tempDirectory ?? '',
    checkpoint_threshold: options.checkpointThreshold ?? '128MB',
    preserve_insertion_order: 'true',
    // From this form on, a write-ahead log names the file and the checkpoint that it follows. In
    // older ones a log that belongs to another file, or to an earlier state, is applied in silence.
    storage_compatibility_version: storageForm,
    // Full row groups of a large transaction are written by its commit, which runs beside the
    // event loop. By default an append writes some at a time, and blocks for most of a second.
    write_buffer_row_group_count: String(limits.unwrittenRowGroupsMax),
    write_buffer_row_group_memory_limit: limits.unwrittenRowGroupMemoryMax,
    // A stray statement must not make the engine look for code on the network.
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  }
}

/** The form that files are written in, by the version of the engine that brought it. */
const storageForm = 'v1.5.0'

/** True for a file that was written in an older form: nothing ties a write-ahead log to it. */
export async function hasOlderForm(writer: OlapWriter): Promise<boolean> {
  const [row] = await writer.values(`select count(*) from duckdb_databases()
    where path is not null and tags['storage_version'] not like '${storageForm}%'`)
  return row?.[0] !== 0n
}

/** Settings that bring DuckDB's answers to SQLite's; without them its own defaults differ. */
const semanticSettings: Readonly<Record<string, string>> = {
  default_null_order: 'nulls_first_on_asc_last_on_desc',
  integer_division: 'true',
  ieee_floating_point_ops: 'false',
  order_by_non_integer_literal: 'true',
  scalar_subquery_error_on_multiple_rows: 'true',
  old_implicit_casting: 'false',
  // Both give wrong answers in 1.5.6: two joins alike are taken for one with other columns, and a window
  // over VALUES with parameters loses its row.
  disabled_optimizers: 'common_subplan,window_self_join',
  TimeZone: 'UTC',
}

/** Catalogue of a store in memory: attached, because only so can it be compressed (to a fifth). */
const memoryCatalog = 'kysely_htap_memory'

/** Sets up the instance through its first connection; nothing can be changed afterwards. */
export async function applySettings(
  duckdb: DuckDb,
  connection: Connection,
  options: DuckDbStoreOptions,
): Promise<void> {
  if (options.path === ':memory:') {
    await duckdb.query(connection, `attach ':memory:' as ${memoryCatalog} (compress)`)
  }
  const settings = Object.entries(semanticSettings)
  const statements = settings.map(([name, value]) => `set global ${name} = ${quoteText(value)}`)
  statements.push('set global enable_external_access = false')
  statements.push('set global lock_configuration = true')
  await duckdb.query(connection, statements.join(';\n'))
}

/** Sets up each connection, the first included. */
export async function applyConnectionSettings(
  duckdb: DuckDb,
  connection: Connection,
  options: DuckDbStoreOptions,
): Promise<void> {
  if (options.path === ':memory:') {
    await duckdb.query(connection, `use ${memoryCatalog}`)
  }
}
