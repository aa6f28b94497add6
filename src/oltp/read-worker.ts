import { move, transferableSymbol, valueSymbol, workerData } from 'piscina'
import { isOfConnection } from './connection-error.js'
import { assertFile } from './file-identity.js'
import { importBetterSqlite3, loadBetterSqlite3 } from './open-database.js'
import {
  type ReadFailure,
  type ReadRequest,
  type ReadResponse,
  type ReadRows,
  type ReadThreadData,
  toColumns,
} from './read-message.js'
import { type SnapshotRequest, takeSnapshot } from './snapshot-read.js'
import type { SqliteDatabase } from './sqlite-database.js'
import { StatementCache } from './statement-cache.js'

await loadBetterSqlite3()

/** Runs on a read thread: answers one read from a connection of its own that cannot write. */
export async function read(request: ReadRequest): Promise<unknown> {
  let source: StatementSource
  try {
    source = await open()
  } catch (error) {
    return failure('unfit', error)
  }
  const response = run(source, request)
  return response.kind === 'failure' ? response : moved(response, response.columns)
}

/** Runs on a read thread: as `read`, and tells where the source stood in that snapshot. */
export async function readSnapshot(request: SnapshotRequest): Promise<unknown> {
  try {
    const response = takeSnapshot((await open()).database, request)
    return response.answer.kind === 'rows' ? moved(response, response.answer.columns) : response
  } catch (error) {
    return failure('unfit', error)
  }
}

/** Numbers are handed over instead of copied. */
function moved(response: object, columns: ReadRows['columns']): unknown {
  const buffers = columns.flatMap((it) => (it instanceof Float64Array ? [it.buffer] : []))
  return move({ [transferableSymbol]: buffers, [valueSymbol]: response })
}

interface StatementSource {
  readonly database: SqliteDatabase
  readonly statements: StatementCache
}

let opened: Promise<StatementSource> | null = null

function open(): Promise<StatementSource> {
  opened ??= connect(workerData as ReadThreadData)
  return opened
}

async function connect(data: ReadThreadData): Promise<StatementSource> {
  const Database = await importBetterSqlite3()
  const database: SqliteDatabase = new Database(data.path, {
    readonly: true,
    fileMustExist: true,
    timeout: data.busyTimeoutMs,
  })
  try {
    assertFile(data.path, data.identity)
    const version = database.prepare('select sqlite_version()').pluck().get()
    if (version !== data.sqliteVersion) {
      throw new Error(`SQLite ${String(version)} instead of ${data.sqliteVersion}`)
    }
  } catch (error) {
    database.close()
    throw error
  }
  return { database, statements: new StatementCache(database) }
}

function run(source: StatementSource, request: ReadRequest): ReadResponse {
  const start = performance.now()
  let statement: ReturnType<StatementCache['get']>['statement']
  try {
    statement = source.statements.get(request.sql).statement
    statement.raw(true).safeIntegers(request.integers === 'bigint')
  } catch (error) {
    return failure('unfit', error)
  }
  try {
    const rows = statement.all(request.parameters) as unknown[][]
    const names = statement.columns().map((it) => it.name)
    // Assigning this name would not make a property.
    if (names.includes('__proto__')) {
      return failure('unfit', new Error('__proto__'))
    }
    const durationMs = performance.now() - start
    const columns = toColumns(rows, names.length)
    return { kind: 'rows', names, rowCount: rows.length, columns, durationMs }
  } catch (error) {
    return failure('run', error)
  }
}

function failure(stage: ReadFailure['stage'], error: unknown): ReadFailure {
  const { message, code } = error as { readonly message?: string; readonly code?: string }
  const isAnswer = code?.startsWith('SQLITE_') === true && !isOfConnection(code)
  return {
    kind: 'failure',
    // Anything else is worth a second try on the connection of the application.
    stage: isAnswer ? stage : 'unfit',
    message: String(message),
    code: String(code),
  }
}
