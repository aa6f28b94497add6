import { HtapError } from '../../src/core/htap-error.js'
import { limits } from '../../src/core/limits.js'
import { reach } from '../../src/core/outside-world.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import type { SourceAccess } from '../read/source-access.js'
import { writePatiently } from '../read/write-patiently.js'
import { noteCut } from './cuts.js'
import { eraseFromLog } from './erase-from-log.js'
import { readHistoryState, writeHistoryState } from './history-schema.js'
import { allColumns, type HistoryTable, newestTable, versionTable } from './history-table.js'
import { addNote, inHistoryTransaction, nextState } from './history-transaction.js'
import { keyVersions } from './key-versions.js'
import { lastNumber, noteNewest } from './note-newest.js'
import { overwriteTraces } from './overwrite-traces.js'

export interface EraseProps {
  /** A connection that has the source beside it. */
  readonly history: SqliteDatabase
  readonly access: SourceAccess
  /** Moves everything that is committed into the history. */
  readonly move: () => Promise<unknown>
  readonly table: HistoryTable
  /** In the order of `HistoryTable.keys`. */
  readonly keys: readonly (readonly unknown[])[]
}

/** What other copies of the history must know. */
export interface ErasedKeys {
  readonly table: HistoryTable
  readonly keys: readonly (readonly unknown[])[]
  /** How many versions are gone. */
  readonly versions: number
  /** How many of the keys have a row now, with which their history begins anew. */
  readonly begunAnew: number
  /** Where it does; null if there was nothing to erase. */
  readonly position: number | null
  /**
   * The keys of a WITHOUT ROWID table stand in the change log still, because a mirror has not read them.
   * They go when it has, and the log is pruned; to be erased again then.
   */
  readonly isInLog: boolean
}

/**
 * Erases keys from all history, with what their rows held: from the history, from the log, and from the
 * free space of both files, which are then written through to the disk. As of any earlier moment there
 * was no such row. One that exists now has its history from now on, as a version of its own. Whatever
 * ends the process, a second call goes on.
 *
 * Not touched are the application's own tables, whose deleted rows leave traces unless it uses
 * `secure_delete`; what was written about a transaction in its message; backups; and what a file system or
 * a disk keeps of blocks that were overwritten.
 *
 * @throws HtapError `wait-timeout` when somebody writes, or reads an old state of a file, without end;
 * better-sqlite3's SqliteError when a file cannot be written
 */
export async function eraseKeys(props: EraseProps): Promise<ErasedKeys> {
  const { history, access, table, keys } = props
  const isInLog = await clearLog(props)
  reach('history-erase.log')
  const erased = inHistoryTransaction(history, () => eraseVersions(history, table, keys))
  reach('history-erase.versions')
  await overwriteTraces(history, access)
  return { table, keys, isInLog, ...erased }
}

async function clearLog({ history, access, move, table, keys }: EraseProps): Promise<boolean> {
  for (let attempt = 1; attempt <= limits.eraseAttemptsMax; attempt++) {
    await move()
    const isInLog = await writePatiently(access, (source) =>
      eraseFromLog(source, history, table, keys),
    )
    if (isInLog !== null) {
      return isInLog
    }
  }
  throw new HtapError('wait-timeout', `${table.name} is written to without a pause`, {
    hint: 'erase at a quieter moment',
    facts: { table: table.name },
  })
}

function eraseVersions(
  history: SqliteDatabase,
  table: HistoryTable,
  keys: readonly (readonly unknown[])[],
): Pick<ErasedKeys, 'versions' | 'begunAnew' | 'position'> {
  const state = nextState(readHistoryState(history))
  const versions = versionTable(table)
  const isKey = table.keys.map((key) => `${key} = ?`).join(' and ')
  const columns = [...table.keys, ...allColumns(history, table)].join(', ')
  const last = lastNumber(history, table)
  const begin = history.prepare(
    `insert into ${versions}(position, op, ${columns})
     select cast(? as integer), 'I', ${columns} from ${versions} where id = ? and op <> 'D'`,
  )
  const erase = history.prepare(
    `delete from ${versions} where id in (select value from json_each(?))`,
  )
  const forget = history.prepare(`delete from ${newestTable(table)} where ${isKey}`)
  let erased = 0
  let begunAnew = 0
  for (const key of keys) {
    const numbers = keyVersions(history, table, [key])
    if (numbers.length > 0) {
      begunAnew += begin.run(state.position, numbers.at(-1)).changes
      erased += erase.run(JSON.stringify(numbers)).changes
      forget.run(...key)
    }
  }
  noteNewest(history, table, last)
  if (erased === 0) {
    return { versions: 0, begunAnew: 0, position: null }
  }
  noteCut(history, table)
  addNote(history, state, 'erased')
  writeHistoryState(history, state)
  return { versions: erased, begunAnew, position: state.position }
}
