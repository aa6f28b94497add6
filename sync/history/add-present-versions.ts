import {
  type ColumnProfile,
  emptyColumnProfile,
  mergeColumnProfiles,
  storageClass,
} from '../../src/core/column-profile.js'
import { quoteIdentifier } from '../../src/core/sql-identifier.js'
import type { ColumnShape } from '../../src/core/table-shape.js'
import type { OlapWriter } from '../../src/olap/olap-store.js'
import type { BroughtIdentities } from './bring-identities.js'
import { type CopiedVersions, noEnd } from './copied-versions.js'
import type { PresentRows } from './present-rows.js'
import { stepSql } from './version-identities.js'

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
 * @throws HtapError `olap-failed`, and has added nothing, also where the mirror does not show them
 */
export async function addPresentVersions(props: PresentVersions): Promise<void> {
  const { writer, copy, brought, register } = props
  const { lastId } = copy
  try {
    await writer.execute(`begin; ${insertSql(props)}`)
    copy.versions.mergeProfiles(profilesOf(props))
    copy.lastId = brought.upTo
    await writer.execute(`${register()} ${brought.dropSql} commit`)
  } catch (error) {
    copy.lastId = lastId
    await writer.execute('rollback').catch(() => undefined)
    throw error
  }
}

function insertSql({ copy, present, brought }: PresentVersions): string {
  const { keys } = copy.history
  const { mirror, columns } = present
  const isSameRow = keys.map((key, index) => `n.${key} = ${mirrorKey(present, index)}`)
  const { position, operation, isEnd } = stepSql
  const own = ['n.id', position, operation, ...keys.map((key) => `n.${key}`)]
  const held = columns.filter((column) => copy.column(column).name === column)
  const values = held.map((column) => {
    const { name } = mirror.shape.columns[columns.indexOf(column)] as ColumnShape
    return `m.${quoteIdentifier(name)}`
  })
  // The column is NOT NULL: a row that is there and should not, or the other way round, fails the statement.
  const until = `if((${isEnd}) = (${mirrorKey(present, 0)} is null), if(${isEnd}, ${position}, ${noEnd}), null)`
  return `insert into ${copy.sqlName}(${['id', 'position', 'op', ...keys, ...held, 'until'].join(', ')})
    select ${[...own, ...values, until].join(', ')}
    from ${brought.relation} n left join ${mirror.sqlName} m on ${isSameRow.join(' and ')}`
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
