import type { ColumnBatch, ColumnKind } from '../../src/core/column-batch.js'
import type { OlapWriter } from '../../src/olap/olap-store.js'
import { duckDbType } from './mirror-catalogue.js'

/** Temporary tables of keys, kept from slice to slice: creating one costs more than emptying it. */
export class KeyTables {
  readonly #writer: OlapWriter
  readonly #names = new Map<string, string>()

  constructor(writer: OlapWriter) {
    this.#writer = writer
  }

  /** The name of an empty table with the columns k0, k1 ... of these kinds. */
  async empty(use: 'changed' | 'existing', kinds: readonly ColumnKind[]): Promise<string> {
    const signature = `${use}_${kinds.join('_')}`
    const known = this.#names.get(signature)
    if (known !== undefined) {
      await this.#writer.execute(`delete from ${known}`)
      return known
    }
    const columns = kinds.map((kind, index) => `k${index} ${duckDbType(kind)}`)
    const name = `${temporary}htap_${signature}`
    await this.#writer.execute(
      `create or replace temp table htap_${signature}(${columns.join(', ')})`,
    )
    this.#names.set(signature, name)
    return name
  }

  async fill(
    keyTable: string,
    kinds: readonly ColumnKind[],
    keys: readonly ColumnBatch[],
  ): Promise<void> {
    const appender = await this.#writer.appender(
      { catalog: 'temp', schema: 'main', table: keyTable.slice(temporary.length) },
      kinds,
    )
    for (const batch of keys) {
      appender.append(batch)
    }
    appender.close()
  }

  /** Tables created inside a transaction are gone with it. */
  forget(): void {
    this.#names.clear()
  }
}

const temporary = 'temp.main.'
