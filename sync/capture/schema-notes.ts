import { wallClockMs } from '../../src/core/outside-world.js'
import { hasTable, internalPrefix } from '../../src/oltp/catalogue.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import { addMark } from './change-log.js'
import { historyLog } from './history-log.js'

/** What a schema is made of, apart from triggers. */
export interface SchemaObject {
  readonly type: 'table' | 'index' | 'view' | 'statistics'
  readonly name: string
  /** The table that it belongs to, or itself. */
  readonly table: string
  /** The text that made it, as SQLite keeps it; for statistics the rows, as INSERT. */
  readonly sql: string
}

/**
 * Notes the schema in the source itself where it is another one than was noted last: so the note
 * commits with the change, or is undone with it. It stands under a row of the change log of its own.
 * Must run inside a write transaction, after `installHistoryLog`.
 */
export function noteSchema(database: SqliteDatabase): void {
  const objects = JSON.stringify(readSchemaObjects(database))
  const last = database
    .prepare(`select objects from main.${historyLog.schemaTable} order by seq desc limit 1`)
    .pluck()
    .get()
  if (last !== objects) {
    addMark(database)
    database
      .prepare(
        `insert into main.${historyLog.schemaTable}(seq, at, objects)
         values (last_insert_rowid(), cast(? as integer), ?)`,
      )
      .run(wallClockMs(), objects)
  }
}

/** Tables, indexes and views of the application, each after what it needs. */
export function readSchemaObjects(database: SqliteDatabase): readonly SchemaObject[] {
  const objects = database
    .prepare(
      `select type, name, tbl_name as "table", sql from main.sqlite_schema
       where type in ('table', 'index', 'view') and sql is not null
         and substr(name, 1, ${internalPrefix.length}) <> '${internalPrefix}'
         and name not like 'sqlite\\_%' escape '\\'
       order by type = 'view', type = 'index', rowid`,
    )
    .all() as SchemaObject[]
  return [...objects, ...statisticsTables.flatMap((name) => readStatistics(database, name))]
}

/**
 * What ANALYZE has found, by which SQLite plans, and so in what order it gives rows that nobody ordered. SQLite takes
 * the samples of an index to be in the order in which ANALYZE has written them.
 */
export const statisticsTables = ['sqlite_stat1', 'sqlite_stat4']

function readStatistics(database: SqliteDatabase, name: string): readonly SchemaObject[] {
  if (!hasTable(database, name)) {
    return []
  }
  const columns = database
    .prepare(`select name from pragma_table_info('${name}', 'main')`)
    .pluck()
    .all() as string[]
  const rows = database
    .prepare(
      `select ${columns.map((column) => `quote(${column})`).join(` || ', ' || `)} from main.${name}
       where tbl not like '\\_htap\\_%' escape '\\' order by rowid`,
    )
    .pluck()
    .all()
  const sql = `insert into ${name}(${columns.join(', ')}) values ${rows.map((row) => `(${row})`).join(', ')}`
  return rows.length === 0 ? [] : [{ type: 'statistics', name, table: '', sql }]
}

/** Forgets schemas that the history has, but the newest, with which the next one is compared. */
export function pruneSchemas(database: SqliteDatabase, seq: number): void {
  database
    .prepare(
      `delete from main.${historyLog.schemaTable}
       where seq <= ? and seq < (select max(seq) from main.${historyLog.schemaTable})`,
    )
    .run(seq)
}
