import type { ColumnKind } from '../../src/core/column-batch.js'
import { limits } from '../../src/core/limits.js'
import type { OlapWriter } from '../../src/olap/olap-store.js'
import { turnOfLoop } from '../apply/turn-of-loop.js'
import { type CopiedVersions, noEnd } from './copied-versions.js'
import {
  type IdentityColumns,
  identityColumns,
  stepSql,
  type VersionIdentities,
} from './version-identities.js'

/** New versions whose identities lie in `newVersions`, and which have ended those that they follow. */
export interface BroughtIdentities {
  /** The number after which they begin, and the last one. */
  readonly after: number
  readonly upTo: number
  /** How many of them are ends of rows. */
  readonly ends: number
}

/**
 * Brings new versions of a copy, without their values, into a temporary table, and ends the versions that they
 * follow. What the copy shows as of its own position stays as it is: those ends come later.
 *
 * @param writer in whose temporary table they are from then on
 * @returns null, and has ended nothing, where a row has several of them
 * @throws HtapError `olap-failed`, and has ended nothing
 */
export async function bringIdentities(
  writer: OlapWriter,
  copy: CopiedVersions,
  identities: VersionIdentities,
): Promise<BroughtIdentities | null> {
  await writer.execute('begin')
  try {
    await append(writer, copy, identities)
    const ends = await countEnds(writer, copy, identities)
    if (ends === null) {
      await writer.execute('rollback')
      return null
    }
    const isSameKey = copy.history.keys.map((key) => `v.${key} = n.${key}`).join(' and ')
    await writer.execute(`
      update ${copy.sqlName} v set until = ${stepSql.position} from ${newVersions(copy)} n
        where ${isSameKey} and v.until = ${noEnd};
      commit`)
    return { after: identities.after, upTo: identities.upTo, ends }
  } catch (error) {
    await writer.execute('rollback').catch(() => undefined)
    throw error
  }
}

/** The temporary table of identities: `identityColumns` and the key of each. */
export function newVersions({ history }: CopiedVersions): string {
  return `temp.main.${newName(history.id)}`
}

function newName(tableId: number): string {
  return `htap_new_${tableId}`
}

async function append(
  writer: OlapWriter,
  { history }: CopiedVersions,
  { parts }: VersionIdentities,
): Promise<void> {
  const columns = [...identityColumns, ...history.keys]
  const name = newName(history.id)
  await writer.execute(
    `create or replace temp table ${name}(${columns.map((column) => `${column} bigint`).join(', ')})`,
  )
  for (const part of parts) {
    if (part.kind === 'run') {
      const { id, step, key, rows } = part
      await writer.execute(
        `insert into ${name} select ${id} + i, ${step}, ${key} + i from range(${rows}) r(i)`,
      )
    } else {
      await appendColumns(writer, name, part)
      await turnOfLoop()
    }
  }
}

async function appendColumns(
  writer: OlapWriter,
  table: string,
  { rows, columns }: IdentityColumns,
): Promise<void> {
  const kinds = columns.map((): ColumnKind => 'int64')
  const appender = await writer.appender({ catalog: 'temp', schema: 'main', table }, kinds)
  try {
    for (let from = 0; from < rows; from += limits.batchRowsMax) {
      const rowCount = Math.min(limits.batchRowsMax, rows - from)
      appender.append({
        rowCount,
        columns: columns.map((values) => {
          const part = values.subarray(from, from + rowCount)
          return { kind: 'int64', nullCount: 0, validity: null, values: part }
        }),
      })
    }
    appender.flush()
  } finally {
    appender.close()
  }
}

/** How many of the versions are ends of rows; null where a row has several of them. */
async function countEnds(
  writer: OlapWriter,
  copy: CopiedVersions,
  { isRising }: VersionIdentities,
): Promise<number | null> {
  const { keys } = copy.history
  const key = keys.length === 1 ? keys[0] : `row(${keys.join(', ')})`
  const [counts] = await writer.values(
    `select count_if(${stepSql.isEnd}), count(*), ${isRising ? 'count(*)' : `count(distinct ${key})`}
     from ${newVersions(copy)} n`,
  )
  const [ends, versions, rows] = (counts ?? []).map(Number)
  return versions === rows ? (ends ?? 0) : null
}
