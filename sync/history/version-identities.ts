import { limits } from '../../src/core/limits.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import { turnOfLoop } from '../apply/turn-of-loop.js'
import { type HistoryTable, versionTable } from './history-table.js'
import { operationCode } from './operation-code.js'

/** Versions without their values. */
export interface VersionIdentities {
  /** The number after which they begin, and the last one. */
  readonly after: number
  readonly upTo: number
  /** All of them, in the order of their numbers. */
  readonly parts: readonly IdentityPart[]
  /** The key is one column and rises from version to version, so that none is there twice. */
  readonly isRising: boolean
}

export type IdentityPart = IdentityRun | IdentityColumns

/** Versions of one transaction that has done one thing to rows whose keys follow each other, as their numbers do. */
export interface IdentityRun {
  readonly kind: 'run'
  readonly rows: number
  /** Of all of them. */
  readonly step: number
  /** The number of the first one, and its key; each next one has both one larger. */
  readonly id: number
  readonly key: number
}

/** Any versions. */
export interface IdentityColumns {
  readonly kind: 'columns'
  readonly rows: number
  /** Their `identityColumns` and their keys. */
  readonly columns: readonly BigInt64Array[]
}

/** The columns of identities, before those of the key: all integers. */
export const identityColumns = ['id', 'step'] as const

/** What a version called `n` has by its `step`, in DuckDB; its operation as a code. */
export const stepSql = Object.freeze({
  position: 'n.step // 4',
  operation: 'n.step % 4',
  isEnd: `n.step % 4 = ${operationCode.end}`,
})

const step = `position * 4 + ${operationCode.of}`

/** Of which versions; the table's key is integers. */
export interface IdentitiesCall {
  readonly table: HistoryTable
  readonly after: number
  readonly upTo: number
}

/**
 * Reads of versions which row they are of, at what position, and what became of the row: all that the mirror
 * does not tell.
 *
 * @returns null where some of these numbers are of no version, or a key is no integer that JavaScript has
 */
export async function readIdentities(
  history: SqliteDatabase,
  { table, after, upTo }: IdentitiesCall,
): Promise<VersionIdentities | null> {
  const readRun = runReader(history, table)
  const readColumns = columnsReader(history, table)
  const parts: IdentityPart[] = []
  let isRising = table.keys.length === 1
  let lastKey = Number.NEGATIVE_INFINITY
  for (let from = after; from < upTo; from += pageRows) {
    const to = Math.min(from + pageRows, upTo)
    const part = readRun(from, to) ?? readColumns(from, to)
    if (part === null) {
      return null
    }
    isRising &&= part.isRising && part.firstKey > lastKey
    lastKey = part.lastKey
    addPart(parts, part.part)
    await turnOfLoop()
  }
  return { after, upTo, parts, isRising }
}

const pageRows = limits.batchRowsMax * limits.sliceBatchesMax

interface ReadPart {
  readonly part: IdentityPart
  /** Of the first column of the key. */
  readonly isRising: boolean
  readonly firstKey: number
  readonly lastKey: number
}

/** Most pages are of one transaction that has done one thing; keys of many new rows follow each other. */
function runReader(
  history: SqliteDatabase,
  table: HistoryTable,
): (after: number, upTo: number) => ReadPart | null {
  const [key = 'k0', ...others] = table.keys
  const first = history
    .prepare(`select ${step}, ${key} from ${versionTable(table)} where id = cast(? as integer)`)
    .raw()
    .safeIntegers(false)
  const countLike = history
    .prepare(
      `select count(*) from ${versionTable(table)} v join ${versionTable(table)} first
         on first.id = cast(? as integer)
       where v.id >= first.id and v.id <= cast(? as integer) and v.position = first.position
         and v.op = first.op and v.${key} = v.id + first.${key} - first.id and typeof(v.${key}) = 'integer'`,
    )
    .pluck()
    .safeIntegers(false)
  return (after, upTo) => {
    const rows = upTo - after
    const [step, key] = (first.get(after + 1) ?? []) as [number?, number?]
    const isWhole =
      others.length === 0 &&
      typeof key === 'number' &&
      Number.isSafeInteger(key) &&
      Number.isSafeInteger(key + rows) &&
      countLike.get(after + 1, upTo) === rows
    return isWhole && step !== undefined
      ? {
          part: { kind: 'run', rows, step, id: after + 1, key },
          isRising: true,
          firstKey: key,
          lastKey: key + rows - 1,
        }
      : null
  }
}

function columnsReader(
  history: SqliteDatabase,
  table: HistoryTable,
): (after: number, upTo: number) => ReadPart | null {
  // 5.0 would be read as 5.
  const keys = table.keys.map((key) => `iif(typeof(${key}) = 'integer', ${key}, null)`)
  // A column of a page comes as one text, which takes a third of the time of rows.
  const texts = ['id', step, ...keys].map((sql) =>
    history
      .prepare(
        `select json_group_array(value) from (
           select ${sql} as value from ${versionTable(table)} where id > ? and id <= ? order by id)`,
      )
      .pluck(),
  )
  return (after, upTo) => {
    const rows = upTo - after
    const columns = texts.map((text) => JSON.parse(text.get(after, upTo) as string) as unknown[])
    if (!columns.every((values) => values.length === rows && values.every(Number.isSafeInteger))) {
      return null
    }
    const numbers = columns as number[][]
    const key = numbers[identityColumns.length] as number[]
    return {
      part: { kind: 'columns', rows, columns: numbers.map(toColumn) },
      isRising: key.every((value, row) => row === 0 || value > (key[row - 1] as number)),
      firstKey: key[0] as number,
      lastKey: key[rows - 1] as number,
    }
  }
}

function toColumn(numbers: readonly number[]): BigInt64Array {
  const values = new BigInt64Array(numbers.length)
  const halves = new Int32Array(values.buffer)
  // By halves: a `BigInt` of each takes ten times as long.
  numbers.forEach((value, row) => {
    halves[row * 2] = value
    halves[row * 2 + 1] = Math.floor(value / 2 ** 32)
  })
  return values
}

/** A run that goes on where the one before it ends is one with it. */
function addPart(parts: IdentityPart[], part: IdentityPart): void {
  const last = parts.at(-1)
  const goesOn =
    last?.kind === 'run' &&
    part.kind === 'run' &&
    last.step === part.step &&
    last.key + last.rows === part.key
  if (goesOn) {
    parts[parts.length - 1] = { ...last, rows: last.rows + part.rows }
  } else {
    parts.push(part)
  }
}
