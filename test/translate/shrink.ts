import { tokenize } from '../../dist/dialect/translate/parse/tokenize.js'
import type { BothEngines, Outcome } from './both-engines.js'
import {
  type CaseScript,
  type DatabaseScript,
  loadScript,
  type TableScript,
} from './case-script.js'
import { Random } from './random/random.js'

export type Difference = Extract<Outcome, { kind: 'different' }>

/** How often a smaller case is tried; each costs up to some milliseconds. */
const attemptsMax = 3000

/**
 * Makes a case smaller for as long as the engines still differ: rows, indexes, views, tables,
 * columns, and tokens of the statement. Leaves the smallest case loaded.
 */
export async function shrink(engines: BothEngines, from: CaseScript): Promise<CaseScript> {
  const shrinker = new Shrinker(engines, from)
  for (let size = Number.POSITIVE_INFINITY; sizeOf(shrinker.best) < size; ) {
    size = sizeOf(shrinker.best)
    await shrinker.dropDatabaseParts()
    await shrinker.dropRows()
    await shrinker.dropTokens()
    await shrinker.dropColumns()
    await shrinker.dropTokensOfViews()
  }
  await loadScript(engines, shrinker.best.database, new Random(1))
  return shrinker.best
}

function sizeOf({ database, sql }: CaseScript): number {
  const tables = database.tables.map(({ parts, rows }) => parts.length * 10 + rows.length)
  const others = database.indexes.length + database.views.join().length
  return sql.length + others + tables.reduce((sum, size) => sum + 10 + size, 0)
}

class Shrinker {
  readonly #engines: BothEngines
  best: CaseScript
  #attempts = 0

  constructor(engines: BothEngines, best: CaseScript) {
    this.#engines = engines
    this.best = best
  }

  async dropDatabaseParts(): Promise<void> {
    const database = () => this.best.database
    await this.#eachOf(
      () => database().views,
      (views) => ({ ...database(), views }),
    )
    await this.#eachOf(
      () => database().indexes,
      (indexes) => ({ ...database(), indexes }),
    )
    await this.#eachOf(
      () => database().tables,
      (tables) => ({ ...database(), tables }),
    )
    for (const trait of ['isAnalyzed', 'hasSafeIntegers'] as const) {
      if (database()[trait]) {
        await this.#tryDatabase({ ...database(), [trait]: false })
      }
    }
  }

  async dropRows(): Promise<void> {
    for (let at = 0; at < this.best.database.tables.length; at += 1) {
      const rows = () => this.best.database.tables[at]?.rows ?? []
      for (let size = rows().length; size >= 1; size = Math.floor(size / 2)) {
        for (let start = 0; start < rows().length; ) {
          const left = rows().filter((_, i) => i < start || i >= start + size)
          start += (await this.#tryTable(at, { rows: left })) ? 0 : size
        }
      }
    }
  }

  /** Constraints go as well as columns: they stand in the same list. */
  async dropColumns(): Promise<void> {
    for (let at = 0; at < this.best.database.tables.length; at += 1) {
      const table = () => this.best.database.tables[at] as TableScript
      for (let part = table().parts.length - 1; part >= 0; part -= 1) {
        const { parts, columns, rows } = table()
        const column = columns.findIndex((name) => parts[part]?.startsWith(`"${name}"`))
        await this.#tryTable(at, {
          parts: parts.filter((_, i) => i !== part),
          columns: columns.filter((_, i) => i !== column),
          rows: rows.map((row) => row.filter((_, i) => i !== column)),
        })
      }
    }
  }

  /** Takes out, or replaces by 1, every run of tokens that SQLite can do without. */
  async dropTokens(): Promise<void> {
    await loadScript(this.#engines, this.best.database, new Random(1))
    const tokens = tokensOf(this.best.sql, this.best.parameters)
    await eachShorter(
      tokens,
      (length) => length - 1,
      (left) => this.#tryStatement(left),
    )
  }

  async dropTokensOfViews(): Promise<void> {
    for (let at = 0; at < this.best.database.views.length; at += 1) {
      const tokens = tokensOf(this.best.database.views[at] ?? '', [])
      // Each attempt makes the database anew, so there are fewer of them.
      await eachShorter(
        tokens,
        (length) => Math.floor(length / 2),
        (left) => this.#tryView(at, statementOf(left).sql),
      )
    }
  }

  #tryView(at: number, sql: string): Promise<boolean> {
    const { database } = this.best
    const views = database.views.map((view, i) => (i === at ? sql : view))
    return this.#tryDatabase({ ...database, views })
  }

  async #tryStatement(tokens: readonly PlacedToken[]): Promise<boolean> {
    const statement = statementOf(tokens)
    const differs = await this.#differs(statement)
    if (differs) {
      this.best = { ...this.best, ...statement }
    }
    return differs
  }

  async #differs({ sql, parameters }: Statement): Promise<boolean> {
    try {
      this.#engines.db.prepare(sql)
    } catch {
      return false
    }
    return (await this.#engines.check(sql, parameters)).kind === 'different'
  }

  async #eachOf<T>(
    items: () => readonly T[],
    put: (items: readonly T[]) => DatabaseScript,
  ): Promise<void> {
    for (let at = items().length - 1; at >= 0; at -= 1) {
      await this.#tryDatabase(put(items().filter((_, i) => i !== at)))
    }
  }

  #tryTable(at: number, change: Partial<TableScript>): Promise<boolean> {
    const { database } = this.best
    const tables = database.tables.map((table, i) => (i === at ? { ...table, ...change } : table))
    return this.#tryDatabase({ ...database, tables })
  }

  async #tryDatabase(database: DatabaseScript): Promise<boolean> {
    this.#attempts += 1
    if (this.#attempts > attemptsMax) {
      return false
    }
    try {
      await loadScript(this.#engines, database, new Random(1))
    } catch {
      return false
    }
    const { sql, parameters } = this.best
    const differs = (await this.#engines.check(sql, parameters)).kind === 'different'
    if (differs) {
      this.best = { ...this.best, database }
    }
    return differs
  }
}

/** A token with its parameter, so that parameters go and stay with their marks. */
interface PlacedToken {
  readonly text: string
  readonly parameter?: unknown
}

const one: PlacedToken = { text: '1' }

interface Statement {
  readonly sql: string
  readonly parameters: readonly unknown[]
}

function tokensOf(sql: string, parameters: readonly unknown[]): PlacedToken[] {
  const values = [...parameters]
  const tokens = (tokenize(sql) ?? []).filter((token) => token.kind !== 'end')
  return tokens.map((token) => {
    const text = sql.slice(token.start, token.end)
    return token.kind === 'parameter' ? { text, parameter: values.shift() } : { text }
  })
}

function statementOf(tokens: readonly PlacedToken[]): Statement {
  return {
    sql: tokens
      .map((token) => token.text)
      .join(' ')
      .replace(/ ?\. ?/g, '.'),
    parameters: tokens.filter((token) => token.text === '?').map((token) => token.parameter),
  }
}

/**
 * Offers what is left without some run of tokens, and goes on with what is taken.
 *
 * @param shorter the length of the next runs
 */
async function eachShorter(
  from: readonly PlacedToken[],
  shorter: (length: number) => number,
  isTaken: (tokens: readonly PlacedToken[]) => Promise<boolean>,
): Promise<void> {
  let tokens = from
  for (let length = tokens.length - 1; length >= 1; length = shorter(length)) {
    for (let start = 0; start + length <= tokens.length; start += 1) {
      const run = tokens.slice(start, start + length)
      if (!isBalanced(run)) {
        continue
      }
      for (const instead of run.length > 1 ? [[], [one]] : [[]]) {
        const left = [...tokens.slice(0, start), ...instead, ...tokens.slice(start + length)]
        if (await isTaken(left)) {
          tokens = left
          break
        }
      }
    }
  }
}

function isBalanced(tokens: readonly PlacedToken[]): boolean {
  let depth = 0
  for (const { text } of tokens) {
    depth += text === '(' ? 1 : text === ')' ? -1 : 0
    if (depth < 0) {
      return false
    }
  }
  return depth === 0
}
