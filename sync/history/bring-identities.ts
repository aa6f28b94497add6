import type { ColumnKind } from '../../src/core/column-batch.js'
import { limits } from '../../src/core/limits.js'
import type { OlapWriter } from '../../src/olap/olap-store.js'
import { turnOfLoop } from '../apply/turn-of-loop.js'
import { type CopiedVersions, noEnd } from './copied-versions.js'
import { operationCode } from './operation-code.js'
import {
  type IdentityColumns,
  type IdentityRun,
  identityColumns,
  stepSql,
  type VersionIdentities,
} from './version-identities.js'

/** New versions whose identities are at hand, and which have ended those that they follow. */
export interface BroughtIdentities {
  /** The number after which they begin, and the last one. */
  readonly after: number
  readonly upTo: number
  /** How many of them are ends of rows. */
  readonly ends: number
  /** What they are, if that is one run; else they are in `newVersions`. */
  readonly run: IdentityRun | null
}

/**
 * Brings new versions of a copy, without their values, into a temporary table, if they are not one run, and ends
 * the versions that they follow. What the copy shows as of its own position stays as it is: those ends come later.
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
  const { after, upTo, parts } = identities
  const run = parts.length === 1 && parts[0]?.kind === 'run' ? parts[0] : null
  if (run !== null) {
    await writer.execute(endRunSql(copy, run))
    return { after, upTo, ends: run.step % 4 === operationCode.end ? run.rows : 0, run }
  }
  await writer.execute('begin')
  try {
    await append(writer, copy, identities)
    const ends = await countEnds(writer, copy, identities)
    if (ends === null) {
      await writer.execute('rollback')
      return null
    }
    await writer.execute(`${endSql(copy)}; commit`)
    return { after, upTo, ends, run }
  } catch (error) {
    await writer.execute('rollback').catch(() => undefined)
    throw error
  }
}

/** Without a join it takes a third of the time. */
function endRunSql({ sqlName, history }: CopiedVersions, { step, key, rows }: IdentityRun): string {
  return `update ${sqlName} set until = ${Math.floor(step / 4)}
    where ${history.keys[0]} between ${key} and ${key + rows - 1} and until = ${noEnd}`
}

function endSql(copy: CopiedVersions): string {
  const isSameKey = copy.history.keys.map((key) => `v.${key} = n.${key}`).join(' and ')
  return `update ${copy.sqlName} v set until = ${stepSql.position} from ${newVersions(copy)} n
    where ${isSameKey} and v.until = ${noEnd}`
}

/** SQL that gives a run as `newVersions` gives others. */
export function runSql(
  { id, step, key, rows }: IdentityRun,
  [name = 'k0']: readonly string[],
): string {
  return `select ${id} + i as id, ${step} as step, ${key} + i as ${name} from range(${rows}) r(i)`
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
      await writer.execute(`insert into ${name} ${runSql(part, history.keys)}`)
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
