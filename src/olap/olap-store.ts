import type { Table as ArrowTable } from 'apache-arrow'
import type { ColumnBatch, ColumnKind } from '../core/column-batch.js'

/**
 * What the rest of the house knows of a column store. Small on purpose: a second backend
 * will stand behind it.
 */
export interface OlapStore {
  /** Writes all that queries read. One transaction at a time. */
  readonly writer: OlapWriter
  /** Writes beside a transaction of `writer`, to tables that this one leaves alone meanwhile. */
  readonly sideWriter: OlapWriter
  /**
   * Runs one SELECT off the event loop and returns rows exactly as better-sqlite3 makes them.
   *
   * @throws HtapError `olap-failed` when the engine refuses or fails, `olap-result-unexpected`
   * when a result type occurs that no proven translation yields.
   */
  rows(statement: OlapStatement, options: OlapReadOptions): Promise<Record<string, unknown>[]>
  /** As `rows`, in arrays of at most `chunkSize` rows. Stopping early frees the connection. */
  stream(
    statement: OlapStatement,
    options: OlapReadOptions & { readonly chunkSize: number },
  ): AsyncIterableIterator<Record<string, unknown>[]>
  /** As `rows`, without row objects. */
  arrow(statement: OlapStatement, options: OlapReadOptions): Promise<ArrowTable>
  /** Bytes in memory and on disk. */
  sizes(): Promise<{ readonly memoryBytes: number; readonly fileBytes: number }>
  /** Interrupts what runs, waits for it, then closes. Idempotent. */
  close(): Promise<void>
}

/** bigint is bound as BIGINT, number as DOUBLE (NaN as NULL), string as VARCHAR, bytes as BLOB. */
export type OlapValue = null | bigint | number | string | Uint8Array

export interface OlapStatement {
  readonly sql: string
  readonly parameters: readonly OlapValue[]
}

export interface OlapReadOptions {
  /** SQLite's names of the result columns, by position. The last duplicate wins in a row object. */
  readonly columnNames: readonly string[]
  /** How integers come back: better-sqlite3's default, or what `safeIntegers` gives. */
  readonly integers: 'number' | 'bigint'
  readonly signal?: AbortSignal | undefined
}

export interface OlapWriter {
  /** Runs one or more statements without parameters, or a single one with parameters. */
  execute(sql: string, parameters?: readonly OlapValue[]): Promise<void>
  /** Reads a small internal result: integers and booleans come as bigint, all else as stored. */
  values(sql: string, parameters?: readonly OlapValue[]): Promise<OlapValue[][]>
  /**
   * Appends batches to a table as part of the open transaction. The kinds must be those of
   * the table's columns, in order.
   */
  appender(target: OlapAppendTarget, kinds: readonly ColumnKind[]): Promise<OlapAppender>
}

export interface OlapAppendTarget {
  /** 'temp' for a temporary table. */
  readonly catalog: string | null
  readonly schema: string
  readonly table: string
}

export interface OlapAppender {
  /** Copies the batch into the engine's buffers; the batch may be reused at once. */
  append(batch: ColumnBatch): void
  /** Hands buffered rows to storage; about 2 ms per 10,000 rows, synchronous. */
  flush(): void
  close(): void
}
