import {
  type ColumnProfile,
  emptyColumnProfile,
  mergeColumnProfiles,
  storageClass,
} from '../../src/core/column-profile.js'
import { quoteIdentifier } from '../../src/core/sql-identifier.js'
import type { ColumnShape } from '../../src/core/table-shape.js'
import type { OlapWriter } from '../../src/olap/olap-store.js'
import { type BroughtIdentities, newVersions, runSql } from './bring-identities.js'
import { type CopiedVersions, noEnd } from './copied-versions.js'
import type { PresentRows } from './present-rows.js'
import { type IdentityRun, stepSql } from './version-identities.js'

interface PresentVersions {
  /** The one that has brought the identities. */
  readonly writer: OlapWriter
  readonly copy: CopiedVersions
  readonly present: PresentRows
  /** All versions after those of the copy, up to the newest that the mirror shows. */
  readonly brought: BroughtIdentities
  /** SQL that notes in the same transaction how far the copy is. */
  readonly register: () => string
}

/**
 * Adds new versions to a copy, with the values of the rows that the mirror has: inside the column store,
 * into which they were brought once.
 *
 * @returns false, and has added nothing, where the mirror has no rows for some of one run
 * @throws HtapError `olap-failed`, and has added nothing, also where the mirror does not show others
 */
export async function addPresentVersions(props: PresentVersions): Promise<boolean> {
  const { writer, copy, brought, register } = props
  const { lastId } = copy
  try {
    await writer.execute('begin')
    const [added] = await writer.values(insertSql(props))
    if (Number(added?.[0]) !== brought.upTo - brought.after) {
      await writer.execute('rollback')
      return false
    }
    copy.versions.mergeProfiles(profilesOf(props))
    copy.lastId = brought.upTo
    const drop = brought.run === null ? `drop table ${newVersions(copy)};` : ''
    await writer.execute(`${register()} ${drop} commit`)
    return true
  } catch (error) {
    copy.lastId = lastId
    await writer.execute('rollback').catch(() => undefined)
    throw error
  }
}

function insertSql({ copy, present, brought }: PresentVersions): string {
  const { keys } = copy.history
  const { mirror, columns } = present
  const held = columns.filter((column) => copy.column(column).name === column)
  const values = held.map((column) => {
    const { name } = mirror.shape.columns[columns.indexOf(column)] as ColumnShape
    return `m.${quoteIdentifier(name)}`
  })
  const rows =
    brought.run !== null && brought.ends === 0
      ? runRows(present, brought.run, values)
      : joinedRows(copy, present, brought, values)
  return `insert into ${copy.sqlName}(${['id', 'position', 'op', ...keys, ...held, 'until'].join(', ')}) ${rows}`
}

/** A row of the mirror tells by its key which version it is. Without a join it takes two thirds of the time. */
function runRows(
  present: PresentRows,
  { id, step, key, rows }: IdentityRun,
  values: readonly string[],
): string {
  const own = mirrorKey(present, 0)
  const selected = [`${own} + ${id - key}`, Math.floor(step / 4), step % 4, own, ...values, noEnd]
  return `select ${selected.join(', ')} from ${present.mirror.sqlName} m
    where ${own} between ${key} and ${key + rows - 1}`
}

function joinedRows(
  copy: CopiedVersions,
  present: PresentRows,
  { run }: BroughtIdentities,
  values: readonly string[],
): string {
  const { keys } = copy.history
  const { position, operation, isEnd } = stepSql
  const isSameRow = keys.map((key, index) => `n.${key} = ${mirrorKey(present, index)}`)
  // The column is NOT NULL: a row that is there and should not, or the other way round, fails the statement.
  const until = `if((${isEnd}) = (${mirrorKey(present, 0)} is null), if(${isEnd}, ${position}, ${noEnd}), null)`
  const own = ['n.id', position, operation, ...keys.map((key) => `n.${key}`)]
  const added = run === null ? newVersions(copy) : `(${runSql(run, keys)})`
  return `select ${[...own, ...values, until].join(', ')}
    from ${added} n left join ${present.mirror.sqlName} m on ${isSameRow.join(' and ')}`
}

function mirrorKey({ mirror }: PresentRows, index: number): string {
  return `m.${quoteIdentifier(mirror.keyColumns[index] ?? '')}`
}

/** Values are among those that were ever seen in the mirror; an end and a column that is gone hold none. */
function profilesOf({ copy, present, brought }: PresentVersions): readonly ColumnProfile[] {
  const { history, versions } = copy
  const { mirror, columns } = present
  const only = (classes: number): ColumnProfile => ({ ...emptyColumnProfile, classes })
  const nothing = only(storageClass.null)
  const own = [
    only(storageClass.integer),
    only(storageClass.integer),
    only(storageClass.integer),
    ...history.keys.map(() => only(storageClass.integer)),
  ]
  return versions.shape.columns.map(({ name }, index) => {
    const profile = own[index] ?? mirror.profiles[columns.indexOf(name)] ?? nothing
    return brought.ends > 0 && index >= own.length ? mergeColumnProfiles(profile, nothing) : profile
  })
}
