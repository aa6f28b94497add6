import type { ColumnKind } from '../../src/core/column-batch.js'
import {
  type ColumnProfile,
  emptyColumnProfile,
  mergeColumnProfiles,
  storageClass,
} from '../../src/core/column-profile.js'
import { limits } from '../../src/core/limits.js'
import { quoteIdentifier } from '../../src/core/sql-identifier.js'
import type { OlapWriter } from '../../src/olap/olap-store.js'
import { turnOfLoop } from '../apply/turn-of-loop.js'
import { type CopiedVersions, noEnd } from './copied-versions.js'
import type { PresentRows } from './present-rows.js'
import { identityColumns, stepSql, type VersionIdentities } from './version-identities.js'

interface PresentVersions {
  readonly writer: OlapWriter
  readonly copy: CopiedVersions
  readonly present: PresentRows
  /** Of all versions after those of the copy, up to the newest that the mirror shows. */
  readonly identities: VersionIdentities
  /** SQL that notes in the same transaction how far the copy is. */
  readonly register: () => string
}

/**
 * Adds new versions to a copy, with the values of the rows that the mirror has: inside the column store,
 * into which they were brought once.
 *
 * @returns false, and has added nothing, where the mirror cannot have the values of all of them
 */
export async function addPresentVersions(props: PresentVersions): Promise<boolean> {
  const { writer, copy, identities, register } = props
  const { lastId } = copy
  await writer.execute('begin')
  try {
    await appendIdentities(props)
    if (!(await add(props))) {
      await writer.execute('rollback')
      return false
    }
    copy.lastId = identities.upTo
    await writer.execute(`${register()} drop table ${newTable(copy)}; commit`)
    return true
  } catch (error) {
    copy.lastId = lastId
    await writer.execute('rollback').catch(() => undefined)
    throw error
  }
}

/** Brings the new versions, without their values, into a temporary table. */
async function appendIdentities({ writer, copy, identities }: PresentVersions): Promise<void> {
  const columns = [...identityColumns, ...copy.history.keys]
  const [catalog, schema, table] = newTable(copy).split('.') as [string, string, string]
  await writer.execute(
    `create temp table ${table}(${columns.map((column) => `${column} bigint`).join(', ')})`,
  )
  const kinds = columns.map((): ColumnKind => 'int64')
  const appender = await writer.appender({ catalog, schema, table }, kinds)
  try {
    for (const [index, page] of identities.pages.entries()) {
      appender.append(page)
      if (index % limits.sliceBatchesMax === limits.sliceBatchesMax - 1) {
        appender.flush()
        await turnOfLoop()
      }
    }
    appender.flush()
  } finally {
    appender.close()
  }
}

function newTable({ history }: CopiedVersions): string {
  return `temp.main.htap_new_${history.id}`
}

async function add({ writer, copy, present }: PresentVersions): Promise<boolean> {
  const { keys } = copy.history
  const { mirror, columns } = present
  const added = newTable(copy)
  const isSameRow = keys.map((key, index) => `n.${key} = ${mirrorKey(present, index)}`)
  const found = `${added} n left join ${mirror.sqlName} m on ${isSameRow.join(' and ')}`
  const ends = await countEnds(writer, copy, present, found)
  if (ends === null) {
    return false
  }
  const { position, operation, isEnd } = stepSql
  const own = ['n.id', position, operation, ...keys.map((key) => `n.${key}`)]
  const values = mirror.shape.columns.map(({ name }) => `m.${quoteIdentifier(name)}`)
  await writer.execute(`
    update ${copy.sqlName} v set until = ${position} from ${added} n
      where ${keys.map((key) => `v.${key} = n.${key}`).join(' and ')} and v.until = ${noEnd};
    insert into ${copy.sqlName}(${['id', 'position', 'op', ...keys, ...columns, 'until'].join(', ')})
      select ${[...own, ...values].join(', ')}, if(${isEnd}, ${position}, ${noEnd}) from ${found}`)
  copy.versions.mergeProfiles(profilesOf(copy, present, ends))
  return true
}

/**
 * How many of the versions are ends of rows; null where the mirror does not show them all: each must be
 * the only one of its row, and an end where the mirror has none.
 */
async function countEnds(
  writer: OlapWriter,
  { history }: CopiedVersions,
  present: PresentRows,
  found: string,
): Promise<number | null> {
  const keys = history.keys.map((key) => `n.${key}`).join(', ')
  const [counts] = await writer.values(
    `select count(*), count(distinct ${history.keys.length === 1 ? keys : `row(${keys})`}),
       count_if((${stepSql.isEnd}) = (${mirrorKey(present, 0)} is not null)),
       count_if(${stepSql.isEnd})
     from ${found}`,
  )
  const [versions, rows, wrong, ends] = (counts ?? []).map(Number)
  return versions === rows && wrong === 0 ? (ends ?? 0) : null
}

function mirrorKey({ mirror }: PresentRows, index: number): string {
  return `m.${quoteIdentifier(mirror.keyColumns[index] ?? '')}`
}

/** Values are among those that were ever seen in the mirror; an end and a column that is gone hold none. */
function profilesOf(
  { history, versions }: CopiedVersions,
  { mirror, columns }: PresentRows,
  ends: number,
): readonly ColumnProfile[] {
  const only = (classes: number): ColumnProfile => ({ ...emptyColumnProfile, classes })
  const nothing = only(storageClass.null)
  const own = [
    only(storageClass.integer),
    only(storageClass.integer),
    only(storageClass.text),
    ...history.keys.map(() => only(storageClass.integer)),
  ]
  return versions.shape.columns.map(({ name }, index) => {
    const profile = own[index] ?? mirror.profiles[columns.indexOf(name)] ?? nothing
    return ends > 0 && index >= own.length ? mergeColumnProfiles(profile, nothing) : profile
  })
}
