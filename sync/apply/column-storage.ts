import type { ColumnKind } from '../../src/core/column-batch.js'
import { type ColumnProfile, storageClass } from '../../src/core/column-profile.js'
import type { ColumnShape } from '../../src/core/table-shape.js'

/**
 * The storage of a mirror column for what was seen in the SQLite column. SQLite lets a column hold
 * anything, so the values decide; the declared type speaks only where nothing was seen.
 */
export function chooseStorage(column: ColumnShape, profile: ColumnProfile): ColumnKind {
  const classes = profile.classes & ~storageClass.null
  if (classes === storageClass.integer) {
    return 'int64'
  }
  if ((classes & ~(storageClass.integer | storageClass.real)) === 0 && classes !== 0) {
    return 'float64'
  }
  if (classes === storageClass.blob) {
    return 'binary'
  }
  if (classes !== 0) {
    return 'utf8'
  }
  return storageOfDeclaration(column)
}

function storageOfDeclaration(column: ColumnShape): ColumnKind {
  switch (column.affinity) {
    case 'integer':
      return 'int64'
    case 'real':
      return 'float64'
    case 'text':
      return 'utf8'
    case 'blob':
      return /blob/i.test(column.declaredType) ? 'binary' : 'utf8'
    case 'numeric':
      return /date|time|json|string|uuid/i.test(column.declaredType) ? 'utf8' : 'int64'
  }
}
