import { quoteIdentifier } from '../../src/core/sql-identifier.js'
import type { Affinity, TableShape } from '../../src/core/table-shape.js'
import { internalPrefix } from '../../src/oltp/catalogue.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import { type HistoryTable, sourceKey } from './history-table.js'

const rows = `temp.${internalPrefix}restored`

/** What a restore has changed. */
export interface RestoredCounts {
  readonly inserted: number
  readonly updated: number
  readonly deleted: number
  /** Rows that are not as they were then, because triggers of the application changed them again. */
  readonly altered: number
}

/** Rows as they were, in a temporary table beside the one that gets them back. */
export class RestoredRows {
  readonly #source: SqliteDatabase
  readonly #table: HistoryTable
  readonly #shape: TableShape
  /** Names in the table, and the columns that hold them here. */
  readonly #columns: ReadonlyMap<string, string>
  #add: ((...values: unknown[]) => unknown) | null = null

  constructor(
    source: SqliteDatabase,
    table: HistoryTable,
    shape: TableShape,
    columns: ReadonlyMap<string, string>,
  ) {
    this.#source = source
    this.#table = table
    this.#shape = shape
    this.#columns = columns
  }

  /** The columns of the history whose values are wanted, the key first. */
  get wanted(): readonly string[] {
    return [...this.#table.keys, ...this.#columns.values()]
  }

  begin(): void {
    const { keys } = this.#table
    const columns = [...this.#typedKeys(), ...this.#columns.values()]
    this.#source.exec(
      `create table ${rows}(present, ${columns.join(', ')}, primary key (${keys.join(', ')}))`,
    )
    // A text comes as its bytes, which need not be valid: they become a text again in here.
    const values = this.wanted.map((_, n) => `iif(is_text${n}, cast(value${n} as text), value${n})`)
    const given = this.wanted.map((_, n) => `? as value${n}, ? as is_text${n}`)
    const insert = this.#source.prepare(
      `insert or ignore into ${rows} select present, ${values.join(', ')}
       from (select ? as present, ${given.join(', ')})`,
    )
    this.#add = (...parameters) => insert.run(...parameters)
  }

  /**
   * @param present 1 for a row that was there, 0 for a key under which there was none
   * @param values of the wanted columns, each with 1 where it is the bytes of a text
   */
  add(present: number, values: readonly unknown[]): void {
    this.#add?.(present, ...values)
  }

  end(): void {
    this.#source.exec(`drop table ${rows}`)
  }

  /** @param isWhole what has no row here was not in the table then */
  apply(isWhole: boolean): RestoredCounts {
    this.#source.exec('pragma defer_foreign_keys = on')
    const savepoint = `${internalPrefix}apply`
    this.#source.exec(`savepoint ${savepoint}`)
    try {
      return this.#apply(isWhole)
    } catch (error) {
      if (!isUniqueConflict(error) || !this.#source.inTransaction) {
        throw error
      }
      // Rows hand unique values on to each other: first all of them let go.
      this.#source.exec(`rollback to ${savepoint}`)
      this.#setAside(isWhole)
      return this.#apply(isWhole)
    } finally {
      if (this.#source.inTransaction) {
        this.#source.exec(`release ${savepoint}`)
      }
    }
  }

  /**
   * In this order, so that rows that refer to others have found those that they referred to before any is
   * deleted and takes with it what refers to it.
   */
  #apply(isWhole: boolean): RestoredCounts {
    const updated = this.#update()
    const inserted = this.#run(this.#insertSql())
    const deleted = this.#run(`delete from ${this.#target} as x where ${this.#isSpare(isWhole)}`)
    return { inserted, updated, deleted, altered: this.#countDiffering(isWhole) }
  }

  #update(): number {
    if (this.#columns.size === 0) {
      return 0
    }
    const set = [...this.#columns].map(([name, column]) => `${quoteIdentifier(name)} = r.${column}`)
    return this.#run(`update ${this.#target} as x set ${set.join(', ')} from ${rows} r
      where r.present and ${this.#isSame} and (${this.#differs()})`)
  }

  #insertSql(): string {
    const keys = this.#shape.withoutRowid
      ? this.#shape.primaryKey.map(quoteIdentifier)
      : [this.#shape.rowidKeyword as string]
    const target = [...keys, ...[...this.#columns.keys()].map(quoteIdentifier)]
    return `insert into ${this.#target}(${target.join(', ')})
      select ${this.wanted.map((it) => `r.${it}`).join(', ')} from ${rows} r
      where r.present and not exists (select 1 from ${this.#target} as x where ${this.#isSame})`
  }

  #countDiffering(isWhole: boolean): number {
    return this.#source
      .prepare(
        `select (select count(*) from ${rows} r left join ${this.#target} as x on ${this.#isSame}
             where r.present and (${this.#keyOf('x')[0]} is null or ${this.#differs()}))
           + (select count(*) from ${this.#target} as x where ${this.#isSpare(isWhole)})`,
      )
      .pluck()
      .safeIntegers(false)
      .get() as number
  }

  /** Unique values of rows that change or go become ones that nobody has. */
  #setAside(isWhole: boolean): void {
    const unique = new Set(
      this.#shape.indexes
        .filter((index) => index.unique)
        .flatMap((index) => index.columns.map(({ name }) => name)),
    )
    const set = this.#shape.columns
      .filter(({ name }) => unique.has(name) && this.#columns.has(name))
      .map(
        ({ name, notNull, affinity }) =>
          `${quoteIdentifier(name)} = ${notNull ? placeholders[affinity] : 'null'}`,
      )
    if (set.length === 0) {
      return
    }
    this.#run(`update ${this.#target} as x set ${set.join(', ')}
      where ${this.#isSpare(isWhole)} or exists (
        select 1 from ${rows} r where r.present and ${this.#isSame} and (${this.#differs()}))`)
  }

  /** With the affinity that they have in the table: SQLite looks nothing up by another one. */
  #typedKeys(): readonly string[] {
    const { withoutRowid, primaryKey, columns } = this.#shape
    return this.#table.keys.map((key, index) => {
      const column = columns.find(({ name }) => name === primaryKey[index])
      return `${key} ${withoutRowid ? (column?.affinity ?? '') : 'integer'}`
    })
  }

  /** The row `x` of the table was not there then. */
  #isSpare(isWhole: boolean): string {
    return isWhole
      ? `not exists (select 1 from ${rows} r where r.present and ${this.#isSame})`
      : `exists (select 1 from ${rows} r where not r.present and ${this.#isSame})`
  }

  /** The rows `x` and `r` differ: bit by bit, and by no collation and no affinity of the table. */
  #differs(): string {
    const terms = [...this.#columns].map(([name, column]) => {
      const value = `+x.${quoteIdentifier(name)}`
      return `typeof(r.${column}) <> typeof(${value}) or r.${column} is not ${value}`
    })
    return ['false', ...terms].join(' or ')
  }

  get #target(): string {
    return `main.${quoteIdentifier(this.#shape.name)}`
  }

  get #isSame(): string {
    const keys = this.#keyOf('x')
    return this.#table.keys.map((key, index) => `${keys[index]} = r.${key}`).join(' and ')
  }

  #keyOf(alias: string): readonly string[] {
    return sourceKey(this.#shape, alias)
  }

  #run(sql: string): number {
    return this.#source.prepare(sql).run().changes
  }
}

/** By the class of values that a column takes, STRICT tables included. */
const placeholders: Readonly<Record<Affinity, string>> = {
  integer: '-9007199254740993 - abs(random() % 4503599627370496)',
  real: '-9007199254740993 - abs(random() % 4503599627370496)',
  numeric: '-9007199254740993 - abs(random() % 4503599627370496)',
  text: 'hex(randomblob(16))',
  blob: 'randomblob(16)',
}

function isUniqueConflict(error: unknown): boolean {
  return (error as { readonly code?: unknown } | null)?.code === 'SQLITE_CONSTRAINT_UNIQUE'
}
