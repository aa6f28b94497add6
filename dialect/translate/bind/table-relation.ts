import { storageClass } from '../../../src/core/column-profile.js'
import type { MirrorColumn, MirrorTable } from '../../../src/core/mirror-table.js'
import { foldIdentifier, quoteIdentifier } from '../../../src/core/sql-identifier.js'
import { keep } from '../keep.js'
import { exactIntegerMax, type StaticType, type Typed, typed } from '../typed.js'
import type { Relation, RelationColumn } from './scope.js'

/** A mirrored table under a name of its own; static types come from what its columns hold. */
export function tableRelation(table: MirrorTable, name: string, emitted: string): Relation {
  // A statement reads few of a table's columns, so each is made when it is asked for.
  const made = new Map<MirrorColumn, RelationColumn>()
  const columnOf = (column: MirrorColumn): RelationColumn => {
    const known = made.get(column) ?? relationColumn(column, emitted)
    made.set(column, known)
    return known
  }
  const rowid =
    table.rowidColumn === null
      ? null
      : typed(`${emitted}.${quoteIdentifier(table.rowidColumn)}`, 'int', {
          bound: 2 ** 63,
          affinity: 'integer',
        })
  let keys: Relation['keys'] | undefined
  return {
    name: foldIdentifier(name),
    emitted,
    get columns() {
      return table.columns.map(columnOf)
    },
    find: (folded) => {
      const column = columnsByName(table).get(folded)
      return column === undefined ? undefined : columnOf(column)
    },
    table,
    rowid,
    order: null,
    get keys() {
      keys ??= keysOf(table).map((names) => names.map((name) => `${emitted}.${name}`))
      return keys
    },
  }
}

const byName = new WeakMap<MirrorTable, ReadonlyMap<string, MirrorColumn>>()

/** A table's columns by folded name, kept for as long as what is known of the table. */
function columnsByName(table: MirrorTable): ReadonlyMap<string, MirrorColumn> {
  let columns = byName.get(table)
  if (columns === undefined) {
    columns = new Map(table.columns.map((column) => [foldIdentifier(column.shape.name), column]))
    byName.set(table, columns)
  }
  return columns
}

function relationColumn(column: MirrorColumn, emitted: string): RelationColumn {
  let value: Typed | undefined
  return {
    name: column.shape.name,
    value: () => {
      value ??= columnValue(column, emitted)
      return value
    },
  }
}

function columnValue(column: MirrorColumn, emitted: string): Typed {
  if (column.unsafe !== null) {
    keep(`column unsafe: ${column.unsafe}`)
  }
  const { profile, shape } = column
  const type = staticType(column)
  const known = {
    affinity: shape.affinity,
    bound: boundOf(column, type),
    least: type === 'real' ? column.profile.realAbsMin : 0,
    collated: type === 'text' && (shape.collation !== 'BINARY' || profile.hasDoubtfulText),
    doubtful: type === 'text' && profile.hasDoubtfulText,
    ascii: type === 'text' && !profile.hasNonAscii && !profile.hasDoubtfulText,
    // SQLite writes -0.0 as the integer 0 unless the column has no affinity.
    signedZero: type === 'real' && shape.affinity === 'blob',
  }
  return typed(`${emitted}.${quoteIdentifier(column.name)}`, type, known)
}

function staticType(column: MirrorColumn): StaticType {
  const classes = column.profile.classes & ~storageClass.null
  const { integer, real, text, blob } = storageClass
  switch (column.storage) {
    case 'int64':
      return (classes & ~integer) === 0 ? 'int' : keep('column of mixed classes')
    case 'float64':
      if ((classes & ~(integer | real)) !== 0) {
        keep('column of mixed classes')
      }
      // SQLite computes a virtual column as it is read, and sometimes leaves an integer in it.
      if ((classes & integer) === 0 && !column.shape.generated) {
        return 'real'
      }
      return column.profile.hasHugeInteger ? keep('huge integers beside reals') : 'num'
    case 'utf8':
      return (classes & ~text) === 0 ? 'text' : keep('column of mixed classes')
    case 'binary':
      return (classes & ~blob) === 0 ? 'blob' : keep('column of mixed classes')
  }
}

function boundOf(column: MirrorColumn, type: StaticType): number {
  const { profile } = column
  const reals = profile.hasInfinity ? Number.POSITIVE_INFINITY : profile.realAbsMax
  const integers = profile.hasHugeInteger ? 2 ** 63 : exactIntegerMax
  if (type === 'num') {
    return Math.max(reals, integers)
  }
  return type === 'int' ? integers : reals
}

const keyNames = new WeakMap<MirrorTable, readonly (readonly string[])[]>()

/** The row's key, and every unique index whose columns hold no NULL; quoted names of columns. */
function keysOf(table: MirrorTable): readonly (readonly string[])[] {
  let keys = keyNames.get(table)
  if (keys === undefined) {
    const notNull = new Set(
      table.columns
        .filter(
          ({ profile, shape }) => (profile.classes & storageClass.null) === 0 && shape.notNull,
        )
        .map((column) => column.name),
    )
    const unique = table.shape.indexes
      .filter((index) => index.unique && !index.partial)
      .map((index) => index.columns.map((column) => column.name))
      .filter((names): names is string[] =>
        names.every((name) => name !== null && notNull.has(name)),
      )
    keys = [[...table.keyColumns], ...unique].map((names) => names.map(quoteIdentifier))
    keyNames.set(table, keys)
  }
  return keys
}
