/** How many queries went where, by reason. */
export interface RouteCounts {
  readonly sqlite: Readonly<Record<string, number>>
  readonly duckdb: Readonly<Record<string, number>>
}

/** Counts decisions; reasons are few, because they are fixed phrases and names of tables. */
export class RouteCounter {
  readonly #counts = { sqlite: new Map<string, number>(), duckdb: new Map<string, number>() }

  add(engine: 'sqlite' | 'duckdb', reason: string): void {
    const counts = this.#counts[engine]
    counts.set(reason, (counts.get(reason) ?? 0) + 1)
  }

  read(): RouteCounts {
    return Object.freeze({
      sqlite: Object.freeze(Object.fromEntries(this.#counts.sqlite)),
      duckdb: Object.freeze(Object.fromEntries(this.#counts.duckdb)),
    })
  }
}
