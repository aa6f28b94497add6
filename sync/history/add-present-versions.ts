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
import {
  identityColumns,
  identityPages,
  stepSql,
  type VersionIdentities,
} from './version-identities.js'

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
 * @returns false, and has added nothing, where a row has several of them
 * @throws HtapError `olap-failed`, and has added nothing, also where the mirror does not show them
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
  await writer.execute(
    `create temp table ${newName(copy)}(${columns.map((column) => `${column} bigint`).join(', ')})`,
  )
  const kinds = columns.map((): ColumnKind => 'int64')
  const target = { catalog: 'temp', schema: 'main', table: newName(copy) }
  const appender = await writer.appender(target, kinds)
  try {
    let pages = 0
    for (const page of identityPages(identities)) {
      appender.append(page)
      if (++pages % limits.sliceBatchesMax === 0) {
        appender.flush()
        await turnOfLoop()
      }
    }
    appender.flush()
  } finally {
    appender.close()
  }
}

function newTable(copy: CopiedVersions): string {
  return `temp.main.${newName(copy)}`
}

function newName({ history }: CopiedVersions): string {
  return `htap_new_${history.id}`
}

async function add(props: PresentVersions): Promise<boolean> {
  const { writer, copy, present } = props
  const { keys } = copy.history
  const { mirror, columns } = present
  const ends = await countEnds(props)
  if (ends === null) {
    return false
  }
  const added = newTable(copy)
  const isSameRow = keys.map((key, index) => `n.${key} = ${mirrorKey(present, index)}`)
  const { position, operation, isEnd } = stepSql
  const own = ['n.id', position, operation, ...keys.map((key) => `n.${key}`)]
  const values = mirror.shape.columns.map(({ name }) => `m.${quoteIdentifier(name)}`)
  // The column is NOT NULL: a row that is there and should not, or the other way round, fails the statement.
  const until = `if((${isEnd}) = (${mirrorKey(present, 0)} is null), if(${isEnd}, ${position}, ${noEnd}), null)`
  await writer.execute(`
    update ${copy.sqlName} v set until = ${position} from ${added} n
      where ${keys.map((key) => `v.${key} = n.${key}`).join(' and ')} and v.until = ${noEnd};
    insert into ${copy.sqlName}(${['id', 'position', 'op', ...keys, ...columns, 'until'].join(', ')})
      select ${[...own, ...values, until].join(', ')}
      from ${added} n left join ${mirror.sqlName} m on ${isSameRow.join(' and ')}`)
  copy.versions.mergeProfiles(profilesOf(copy, present, ends))
  return true
}

/** How many of the versions are ends of rows; null where a row has several of them. */
async function countEnds({ writer, copy, identities }: PresentVersions): Promise<number | null> {
  const { keys } = copy.history
  const key = keys.length === 1 ? keys[0] : `row(${keys.join(', ')})`
  const [counts] = await writer.values(
    `select count_if(${stepSql.isEnd}), count(*),
       ${identities.isRising ? 'count(*)' : `count(distinct ${key})`} from ${newTable(copy)} n`,
  )
  const [ends, versions, rows] = (counts ?? []).map(Number)
  return versions === rows ? (ends ?? 0) : null
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
