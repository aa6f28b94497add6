import type { Random } from './random.js'
import type { RandomTable } from './random-schema.js'
import {
  classOf,
  oddParameter,
  randomValue,
  type ValueClass,
  type ValueKind,
  words,
} from './random-value.js'

export interface RandomQuery {
  readonly sql: string
  readonly parameters: readonly unknown[]
}

/** A column as an expression names it. */
export interface Column {
  readonly sql: string
  readonly name: string
  readonly kind: ValueKind
}

/** Something that stands in FROM. */
export interface Source {
  readonly alias: string
  readonly columns: readonly Column[]
  readonly rowid: boolean
}

/** Ways to continue, each as often as its weight says. */
export type Choices = readonly (readonly [weight: number, make: () => string])[]

/** What one statement gathers while it is written: parameters and names that are taken. */
export class QueryWriter {
  readonly random: Random
  readonly tables: readonly RandomTable[]
  readonly #constants: 'parameters' | 'literals'
  readonly #parameters: unknown[] = []
  #aliases = 0

  /** @param constants `'literals'` where no parameter may stand, as in a view */
  constructor(
    random: Random,
    tables: readonly RandomTable[],
    constants: 'parameters' | 'literals' = 'parameters',
  ) {
    this.random = random
    this.tables = tables
    this.#constants = constants
  }

  /** The text with `?` for the parameters, and their values in the order of the text. */
  finish(sql: string): RandomQuery {
    const parameters: unknown[] = []
    const text = sql.replace(/\0(\d+)\0/g, (_, index: string) => {
      parameters.push(this.#parameters[Number(index)])
      return '?'
    })
    return { sql: text, parameters }
  }

  choose(choices: Choices): string {
    let left = this.random.next() * choices.reduce((sum, [weight]) => sum + weight, 0)
    for (const [weight, make] of choices) {
      left -= weight
      if (left < 0) {
        return make()
      }
    }
    return choices.at(-1)![1]()
  }

  list(least: number, most: number, make: () => string): string[] {
    return Array.from({ length: this.random.integer(least, most) }, make)
  }

  alias(): string {
    this.#aliases += 1
    return `x${this.#aliases}`
  }

  /** A mark for a parameter; only the finished text tells its place. */
  parameter(value: unknown): string {
    if (this.#constants === 'literals') {
      return literal(value)
    }
    this.#parameters.push(value)
    return `\0${this.#parameters.length - 1}\0`
  }

  /** A parameter or a literal. */
  constant(value: unknown): string {
    return this.random.chance(0.6) ? this.parameter(value) : literal(value)
  }

  /** A constant that a column of this kind may be compared with. */
  constantOf(kind: ValueKind): string {
    const { random } = this
    if (random.chance(0.03)) {
      return this.parameter(oddParameter(random))
    }
    if (random.chance(0.02)) {
      return this.constant(null)
    }
    const value = randomValue(kind, random)
    if (typeof value === 'bigint') {
      // Applications write whole numbers as JavaScript numbers.
      return this.constant(random.chance(0.85) ? Number(value) : value)
    }
    return this.constant(
      typeof value === 'number' && random.chance(0.2) ? Math.round(value) : value,
    )
  }

  word(): string {
    return this.constant(this.random.pick(words))
  }

  column(sources: readonly Source[], wanted?: ValueClass): Column {
    const all = sources.flatMap((source) => source.columns)
    return this.#pick(all, (column) => wanted === undefined || classOf(column.kind) === wanted)
  }

  columnOf(sources: readonly Source[], kinds: readonly ValueKind[]): Column {
    const all = sources.flatMap((source) => source.columns)
    return this.#pick(all, (column) => kinds.includes(column.kind))
  }

  /** True if one of the sources has a column of this kind. */
  has(sources: readonly Source[], ...kinds: readonly ValueKind[]): boolean {
    return sources.some((source) => source.columns.some((column) => kinds.includes(column.kind)))
  }

  #pick(columns: readonly Column[], fits: (column: Column) => boolean): Column {
    const fitting = columns.filter(fits)
    return this.random.pick(fitting.length > 0 ? fitting : columns)
  }
}

/** A value in SQLite's language. */
export function literal(value: unknown): string {
  switch (typeof value) {
    case 'bigint':
      return value === -(2n ** 63n) ? '(-9223372036854775807 - 1)' : String(value)
    case 'number':
      return numberLiteral(value)
    case 'string':
      return `'${value.replaceAll("'", "''")}'`
    default:
      return value === null ? 'null' : `x'${(value as Buffer).toString('hex')}'`
  }
}

function numberLiteral(value: number): string {
  if (Number.isNaN(value)) {
    return 'null'
  }
  if (!Number.isFinite(value)) {
    return value < 0 ? '-9e999' : '9e999'
  }
  return Object.is(value, -0) ? '-0.0' : String(value)
}
