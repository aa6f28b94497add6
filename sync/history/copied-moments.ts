import { limits } from '../../src/core/limits.js'
import type { OlapWriter } from '../../src/olap/olap-store.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import { copySchema } from './copied-versions.js'

/** SQL that makes the table of moments. */
export const createMoments = `create table ${copySchema}.moment(position bigint, instant bigint)`

/** Positions of the history and their instants, in the column store; few beside the versions. */
export class CopiedMoments {
  readonly #history: SqliteDatabase
  /** The newest position that is there; null where it is not known. */
  #last: bigint | null = null

  constructor(history: SqliteDatabase) {
    this.#history = history
  }

  /** Adds what came since. */
  async catchUp(writer: OlapWriter): Promise<void> {
    const moments = this.#history
      .prepare(
        'select position, instant from history.history_transaction where position > ? order by position limit ?',
      )
      .raw()
      .safeIntegers()
    let last = this.#last ?? (await findLast(writer))
    for (let isDone = false; !isDone; ) {
      const rows = moments.all(last, limits.batchRowsMax) as [bigint, bigint][]
      if (rows.length > 0) {
        // What fails may have been done.
        this.#last = null
        const values = rows.map(([position, instant]) => `(${position}, ${instant})`).join(', ')
        await writer.execute(`insert into ${copySchema}.moment values ${values}`)
        last = rows.at(-1)?.[0] ?? last
      }
      isDone = rows.length < limits.batchRowsMax
    }
    this.#last = last
  }
}

async function findLast(writer: OlapWriter): Promise<bigint> {
  const [row] = await writer.values(`select coalesce(max(position), 0) from ${copySchema}.moment`)
  return row?.[0] as bigint
}
