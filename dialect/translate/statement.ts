import type { MirrorTable } from '../../src/core/mirror-table.js'
import { foldIdentifier } from '../../src/core/sql-identifier.js'
import type { OutputColumn } from './bind/output.js'
import { keep } from './keep.js'
import { ParameterList } from './parameters.js'
import type { TranslationContext } from './translation.js'

/** A common table that later parts of the statement may name. */
export interface CommonTableEntry {
  /** Folded. */
  readonly name: string
  readonly emitted: string
  readonly columns: readonly OutputColumn[]
  /** Sets of output positions of which no two rows have the same values. */
  readonly keys: readonly (readonly number[])[]
}

/** What one translation gathers on its way through the statement. */
export class Statement {
  readonly context: TranslationContext
  readonly parameters: ParameterList
  readonly #tables = new Map<string, MirrorTable>()
  #names = 0

  constructor(context: TranslationContext) {
    this.context = context
    this.parameters = new ParameterList(context.parameterTypes)
  }

  get tables(): readonly string[] {
    return [...this.#tables.values()].map((table) => table.shape.name)
  }

  /** A rough number of rows that an aggregate may see. */
  get rowsMax(): number {
    return 4 * Math.max(16, ...[...this.#tables.values()].map((table) => table.rowCount))
  }

  /** A name for a relation that occurs nowhere else in the statement. */
  newName(prefix: string): string {
    this.#names += 1
    return `${prefix}${this.#names}`
  }

  table(name: string): MirrorTable {
    const folded = foldIdentifier(name)
    const known = this.#tables.get(folded)
    if (known !== undefined) {
      return known
    }
    const found = this.context.findTable(name)
    if ('refused' in found) {
      keep(`table: ${found.refused}`)
    }
    this.#tables.set(folded, found)
    return found
  }
}
