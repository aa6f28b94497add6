import type { MirrorTable } from '../src/core/mirror-table.js'
import { foldIdentifier } from '../src/core/sql-identifier.js'
import type { MirroredTable } from './apply/mirrored-table.js'
import { type TrackedTable, trackTable } from './tracked-table.js'

/** The tables of the source that somebody asked about, by name as SQLite compares names. */
export class TrackedTables {
  readonly #byName = new Map<string, TrackedTable>()
  readonly #listed: 'auto' | ReadonlySet<string>

  /** @param listed the tables that are to be copied, or `auto` for those that queries need */
  constructor(listed: 'auto' | readonly string[]) {
    this.#listed = listed === 'auto' ? listed : new Set(listed.map(foldIdentifier))
  }

  get byName(): ReadonlyMap<string, TrackedTable> {
    return this.#byName
  }

  find(name: string): TrackedTable | undefined {
    return this.#byName.get(foldIdentifier(name))
  }

  /** The copy of a table that DuckDB may read; undefined unless it is live. */
  findLive(name: string): MirrorTable | undefined {
    const table = this.find(name)
    return table?.state === 'live' ? table.live?.mirror : undefined
  }

  /** Finds a table, and takes it into account from now on. */
  track(name: string): TrackedTable {
    const known = this.find(name)
    if (known !== undefined) {
      return known
    }
    const table = trackTable(name)
    this.#byName.set(foldIdentifier(name), table)
    return table
  }

  /** Tables that may be copied: all, or those that were listed. */
  mayCopy(name: string): boolean {
    return this.#listed === 'auto' || this.#listed.has(foldIdentifier(name))
  }

  /** A copy that an earlier run of the process has left serves again. */
  adopt(copy: MirroredTable): void {
    Object.assign(this.track(copy.shape.name), {
      state: 'live',
      tableId: copy.tableId,
      shape: copy.shape,
      live: copy,
    })
  }

  /** The store is gone: nothing is copied until it is asked for again. */
  forgetCopies(): void {
    for (const table of this.#byName.values()) {
      if (table.state === 'copying' && !table.isCopying) {
        // Waits for a store to be opened.
        continue
      }
      Object.assign(table, { state: 'absent', live: null, copyPosition: null, retryAtMs: 0 })
    }
  }

  /** The names of all tables whose copies serve, or of those among `names`. */
  served(names?: readonly string[]): string[] {
    const wanted = names?.map(foldIdentifier)
    return [...this.#byName].flatMap(([name, table]) =>
      table.live === null || wanted?.includes(name) === false ? [] : [table.name],
    )
  }

  /** Tables that are not copied and ought to be: had a copy once, or are listed. */
  due(nowMs: number): TrackedTable[] {
    return [...this.#byName.values()].filter((table) => {
      const isWanted =
        table.tableId !== null || (this.#listed !== 'auto' && this.mayCopy(table.name))
      return table.state === 'absent' && isWanted && nowMs >= table.retryAtMs
    })
  }

  /** Copies that stand, and would fit more queries if they were made anew. */
  dueToWiden(nowMs: number): TrackedTable[] {
    return [...this.#byName.values()].filter(
      (table) => table.live?.canWiden && !table.isCopying && nowMs >= table.retryAtMs,
    )
  }

  /** The oldest position that a copy under way still reads from, `position` if there is none. */
  oldestPosition(position: number): number {
    const copies = [...this.#byName.values()].flatMap((table) => table.copyPosition ?? [])
    return Math.min(position, ...copies)
  }
}
