import type { ColumnKind } from './column-batch.js'
import type { ColumnProfile } from './column-profile.js'
import type { ColumnShape, TableShape } from './table-shape.js'

/** How one SQLite table stands in the column store. */
export interface MirrorTable {
  readonly shape: TableShape
  /** Quoted name of the copy, ready to be put into SQL: `_htap_mirror."orders#3"`. */
  readonly sqlName: string
  /**
   * Mirror columns that identify a row: the rowid (as `rowidColumn`) for a rowid table,
   * the primary key's columns for a WITHOUT ROWID table.
   */
  readonly keyColumns: readonly string[]
  /**
   * The mirror column that holds the rowid: the INTEGER PRIMARY KEY column where there is one,
   * else an extra column; null for a WITHOUT ROWID table.
   */
  readonly rowidColumn: string | null
  /** Same columns in the same order as `shape.columns`. */
  readonly columns: readonly MirrorColumn[]
  readonly rowCount: number
}

export interface MirrorColumn {
  readonly shape: ColumnShape
  /** The name in the mirror; the SQLite name, so `"name"` quotes it. */
  readonly name: string
  /** int64 is BIGINT, float64 is DOUBLE, utf8 is VARCHAR, binary is BLOB. */
  readonly storage: ColumnKind
  readonly profile: ColumnProfile
  /** Why the stored values are not what SQLite holds, if they are not; the column must not be read. */
  readonly unsafe: string | null
}
