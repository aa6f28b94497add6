import type { MirrorTable } from '../../src/core/mirror-table.js'
import { foldIdentifier } from '../../src/core/sql-identifier.js'
import type { OutputColumn, OutputKeys } from './bind/output.js'
import { Constants } from './constants.js'
import { keep } from './keep.js'
import { PartitionLists } from './partition-lists.js'
import type { QueryPlanRow, TranslationContext, ViewDefinition } from './translation.js'

/** A common table that later parts of the statement may name. */
export interface CommonTableEntry {
  /** Folded. */
  readonly name: string
  readonly emitted: string
  readonly columns: readonly OutputColumn[]
  readonly keys: OutputKeys
  /** It has a column `r` that numbers its rows in SQLite's order. */
  readonly isNumbered: boolean
}

/** What one translation gathers on its way through the statement. */
export class Statement {
  readonly context: TranslationContext
  #sql: string
  readonly constants: Constants
  readonly partitions = new PartitionLists()
  hasOuterJoin = false
  readonly #tables = new Map<string, MirrorTable>()
  #names = 0
  /** Rows of the largest table, or a few. */
  #largest = 16
  #readsPlan = false

  constructor(sql: string, context: TranslationContext) {
    this.#sql = sql
    this.context = context
    this.constants = new Constants(context)
  }

  get tables(): readonly string[] {
    return [...this.#tables.values()].map((table) => table.shape.name)
  }

  /** The text that the spans of the syntax tree point into. */
  get sql(): string {
    return this.#sql
  }

  /** Compiles the text of a view, which is not part of the statement's own. */
  within<T>(sql: string, compile: () => T): T {
    const outer = this.#sql
    this.#sql = sql
    try {
      return compile()
    } finally {
      this.#sql = outer
    }
  }

  /** The row order was read off SQLite's plan, and holds as long as that. */
  get readsPlan(): boolean {
    return this.#readsPlan
  }

  queryPlan(): readonly QueryPlanRow[] {
    this.#readsPlan = true
    return this.context.queryPlan()
  }

  /** A rough number of rows that an aggregate may see. */
  get rowsMax(): number {
    return 4 * this.#largest
  }

  /** A name for a relation that occurs nowhere else in the statement. */
  newName(prefix: string): string {
    this.#names += 1
    return `${prefix}${this.#names}`
  }

  /** A table that the statement has been found to read. */
  findTable(name: string): MirrorTable | undefined {
    return this.#tables.get(foldIdentifier(name))
  }

  /** @throws Keep for a table that has no copy */
  table(name: string): MirrorTable | ViewDefinition {
    const folded = foldIdentifier(name)
    const known = this.#tables.get(folded)
    if (known !== undefined) {
      return known
    }
    const found = this.context.findTable(name)
    if ('refused' in found) {
      keep(`table: ${found.refused}`)
    }
    if ('shape' in found) {
      this.#tables.set(folded, found)
      this.#largest = Math.max(this.#largest, found.rowCount)
    }
    return found
  }
}
