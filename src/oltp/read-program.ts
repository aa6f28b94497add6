import { limits } from '../core/limits.js'
import { foldIdentifier, quoteIdentifier } from '../core/sql-identifier.js'
import type { ConnectionTraits } from './connection-traits.js'
import type { SqliteDatabase } from './sqlite-database.js'

/** What SQLite's own compiler says about a read, without running it. */
export interface ReadProgram {
  /** Every loop finds its row by rowid or by a unique index. */
  readonly isKeyLookup: boolean
  /** Loops that do not, nested as far as anybody knows; infinite for a recursion. */
  readonly scanDepth: number
  /** Folded names of the functions that are called. */
  readonly functionNames: ReadonlySet<string>
  readonly usesVirtualTable: boolean
  /** Reads temporary or attached tables. */
  readonly leavesMain: boolean
  /** Root pages of the main database that are read. */
  readonly rootPages: readonly number[]
}

/**
 * Describes a read; about 60 us. See https://www.sqlite.org/opcode.html and
 * https://www.sqlite.org/eqp.html.
 *
 * @param sql a statement that returns rows and writes nothing
 * @throws SqliteError, RangeError or TypeError when the parameters do not fit the statement
 */
export function describeRead(
  database: SqliteDatabase,
  sql: string,
  parameters: readonly unknown[],
): ReadProgram {
  const opcodes = explain<Opcode>(database, `explain ${sql}`, parameters)
  const plan = explain<PlanLine>(database, `explain query plan ${sql}`, parameters)
  const loops = plan.map((it) => it.detail).filter((it) => /^(?:SCAN|SEARCH|RECURSIVE) /.test(it))
  const scans = loops.filter((loop) => !isKeyLoop(database, loop))
  const opens = opcodes.filter((it) => it.opcode === 'OpenRead' || it.opcode === 'ReopenIdx')
  return Object.freeze({
    isKeyLookup: scans.length === 0,
    scanDepth: scans.some((it) => it.startsWith('RECURSIVE'))
      ? Number.POSITIVE_INFINITY
      : scans.length,
    functionNames: new Set(opcodes.flatMap(calledFunction)),
    usesVirtualTable: opcodes.some((it) => it.opcode === 'VOpen'),
    leavesMain: opens.some((it) => Number(it.p3) !== 0),
    rootPages: opens.map((it) => Number(it.p2)),
  })
}

/**
 * Whether only the connection with these traits can answer a read: because of what it has and
 * others do not, or because the read asks about the connection itself.
 */
export function isBoundToConnection(
  program: ReadProgram,
  sql: string,
  traits: ConnectionTraits,
): boolean {
  if (program.leavesMain || traits.likeIsCaseSensitive || traits.unusual !== null) {
    return true
  }
  if (traits.collationNames.size > 0) {
    return true
  }
  for (const name of program.functionNames) {
    if (traits.functionNames.has(name) || connectionFunctions.has(name)) {
      return true
    }
  }
  const text = foldIdentifier(sql)
  if (program.usesVirtualTable && (traits.functionNames.size > 0 || text.includes('pragma_'))) {
    return true
  }
  for (const name of traits.tempNames) {
    if (text.includes(name)) {
      return true
    }
  }
  return false
}

/** An upper bound of the rows that a read visits; small tables are counted, large ones are not. */
export function boundVisits(database: SqliteDatabase, program: ReadProgram): number {
  const tables = database
    .prepare(
      'select distinct tbl_name from sqlite_schema where rootpage in (select value from json_each(?))',
    )
    .pluck()
    .all(JSON.stringify(program.rootPages)) as string[]
  const rowsMax = limits.smallReadVisitsMax + 1
  let largest = 1
  for (const table of tables) {
    const count = database
      .prepare(
        `select count(*) from (select 1 from main.${quoteIdentifier(table)} limit ${rowsMax})`,
      )
      .pluck()
      .get()
    largest = Math.max(largest, Number(count))
  }
  return program.usesVirtualTable ? Number.POSITIVE_INFINITY : largest ** program.scanDepth
}

/** Their answer is about the connection on which they run. */
const connectionFunctions: ReadonlySet<string> = new Set([
  'changes',
  'last_insert_rowid',
  'load_extension',
  'total_changes',
])

interface Opcode {
  readonly opcode: string
  readonly p2: number | bigint
  readonly p3: number | bigint
  readonly p4: string | null
}

interface PlanLine {
  readonly detail: string
}

function explain<T>(database: SqliteDatabase, sql: string, parameters: readonly unknown[]): T[] {
  return database.prepare(sql).all(parameters) as T[]
}

function calledFunction({ opcode, p4 }: Opcode): string[] {
  const call = /^(?:Function|PureFunc|Agg)/.test(opcode) ? /^(.+)\(-?\d+\)$/.exec(p4 ?? '') : null
  return call?.[1] === undefined ? [] : [foldIdentifier(call[1])]
}

function isKeyLoop(database: SqliteDatabase, detail: string): boolean {
  if (/^SCAN (?:CONSTANT ROW|\d+-ROW VALUES CLAUSE)/.test(detail)) {
    return true
  }
  if (/^SEARCH .+ USING INTEGER PRIMARY KEY \(rowid=\?\)/.test(detail)) {
    return true
  }
  const index = /^SEARCH .+ USING (?:COVERING )?INDEX (.+) \(([^()]*)\)(?: LEFT-JOIN)?$/.exec(
    detail,
  )
  if (index?.[1] === undefined || index[2] === undefined) {
    return false
  }
  const columns = index[2].split(' AND ')
  return (
    columns.every((it) => it.endsWith('=?')) && isUniqueOver(database, index[1], columns.length)
  )
}

function isUniqueOver(database: SqliteDatabase, index: string, columnCount: number): boolean {
  const isUnique = database
    .prepare(
      `select 1 from sqlite_schema as s, pragma_index_list(s.tbl_name) as i
      where s.type = 'index' and s.name = @index and i.name = @index and i."unique" = 1
        and (select count(*) from pragma_index_info(@index)) = @columnCount`,
    )
    .get({ index, columnCount })
  return isUnique !== undefined
}
