import type { ColumnKind } from '../../src/core/column-batch.js'
import {
  type ColumnProfile,
  equalColumnProfiles,
  mergeColumnProfiles,
} from '../../src/core/column-profile.js'
import type { MirrorColumn, MirrorTable } from '../../src/core/mirror-table.js'
import { quoteIdentifier } from '../../src/core/sql-identifier.js'
import type { TableShape } from '../../src/core/table-shape.js'
import { fitsStorage } from '../read/batch-encoder.js'
import { createReadPlan, type TableReadPlan } from '../read/read-plan.js'
import { chooseStorage } from './column-storage.js'
import { type UniqueConstraints, uniqueConstraints } from './unique-index.js'

/** The schema of DuckDB that holds the copies. */
export const mirrorSchema = '_htap_mirror'
/** The mirror's own rowid column, where no INTEGER PRIMARY KEY holds the rowid. */
export const extraRowidColumn = '_htap_rowid'

/** One copy of a table in the mirror: what was decided when it was made, and what was seen since. */
export class MirroredTable {
  readonly tableId: number
  readonly shape: TableShape
  readonly generation: number
  readonly storage: readonly ColumnKind[]
  readonly plan: TableReadPlan
  /** The life of the rowids that are its keys; null where the key cannot be numbered anew. */
  readonly rowidLife: number | null
  readonly #keyColumns: readonly string[]
  #profiles: readonly ColumnProfile[]
  #rowCount: number
  #mirror: MirrorTable | null = null
  #columns: readonly MirrorColumn[] | null = null
  #unique: UniqueConstraints | null = null
  /** Keys of a rowid table above this are surely not in the copy. */
  keyMax: bigint | null = null

  constructor(props: {
    readonly tableId: number
    readonly shape: TableShape
    readonly generation: number
    readonly storage: readonly ColumnKind[]
    readonly profiles: readonly ColumnProfile[]
    readonly rowidLife?: number | null
    readonly rowCount: number
    /** @default 'main' */
    readonly schema?: string
  }) {
    this.tableId = props.tableId
    this.shape = props.shape
    this.generation = props.generation
    this.storage = props.storage
    this.rowidLife = props.rowidLife ?? null
    this.plan = createReadPlan(props.tableId, props.shape, props.storage, props.schema)
    this.#profiles = props.profiles
    this.#rowCount = props.rowCount
    this.#keyColumns = props.shape.withoutRowid
      ? props.shape.primaryKey
      : [props.shape.rowidAlias ?? extraRowidColumn]
  }

  /** Unquoted name of the copy inside `mirrorSchema`. */
  get copyName(): string {
    return `${this.shape.name}#${this.generation}`
  }

  get sqlName(): string {
    return `${mirrorSchema}.${quoteIdentifier(this.copyName)}`
  }

  get keyColumns(): readonly string[] {
    return this.#keyColumns
  }

  get profiles(): readonly ColumnProfile[] {
    return this.#profiles
  }

  get rowCount(): number {
    return this.#rowCount
  }

  set rowCount(count: number) {
    this.#rowCount = Math.max(0, count)
    this.#mirror = null
  }

  get unique(): UniqueConstraints {
    this.#unique ??= uniqueConstraints(this.shape, this.storage, this.#profiles)
    return this.#unique
  }

  /** The table as translator and router see it: a frozen value, new whenever a fact changes. */
  get mirror(): MirrorTable {
    this.#mirror ??= this.#describe()
    return this.#mirror
  }

  /** Columns that hold values their storage cannot keep. */
  get misfits(): readonly string[] {
    return this.shape.columns.filter((_, index) => !this.#fits(index)).map((column) => column.name)
  }

  /** A new copy with other storage would make columns readable that are not now. */
  get canWiden(): boolean {
    return this.shape.columns.some((column, index) => {
      const profile = this.#profiles[index]
      return (
        profile !== undefined &&
        !this.#fits(index) &&
        chooseStorage(column, profile) !== this.storage[index]
      )
    })
  }

  /**
   * Adds what was seen in changed rows (one profile a column of the read plan); returns whether
   * any fact is new.
   */
  mergeProfiles(seen: readonly ColumnProfile[]): boolean {
    const offset = this.plan.hasExtraRowid ? 1 : 0
    const merged = this.#profiles.map((profile, index) => {
      const addition = seen[index + offset]
      return addition === undefined ? profile : mergeColumnProfiles(profile, addition)
    })
    const isNew = merged.some((profile, index) => {
      const before = this.#profiles[index]
      return before === undefined || !equalColumnProfiles(profile, before)
    })
    if (isNew) {
      this.#profiles = Object.freeze(merged)
      this.#mirror = null
      this.#columns = null
      this.#unique = null
    }
    return isNew
  }

  #fits(index: number): boolean {
    const kind = this.storage[index]
    const profile = this.#profiles[index]
    return kind !== undefined && profile !== undefined && fitsStorage(kind, profile)
  }

  #describe(): MirrorTable {
    // The same array as long as the profiles are the same: readers compare it to notice a change.
    this.#columns ??= Object.freeze(
      this.shape.columns.map((shape, index) =>
        Object.freeze({
          shape,
          name: shape.name,
          storage: this.storage[index] as ColumnKind,
          profile: this.#profiles[index] as ColumnProfile,
          unsafe: this.#fits(index) ? null : 'holds values of several storage classes',
        }),
      ),
    )
    return Object.freeze({
      shape: this.shape,
      sqlName: this.sqlName,
      keyColumns: this.#keyColumns,
      rowidColumn: this.shape.withoutRowid ? null : (this.shape.rowidAlias ?? extraRowidColumn),
      rowCount: this.#rowCount,
      columns: this.#columns,
    })
  }
}
