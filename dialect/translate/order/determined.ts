import type { Relation } from '../bind/scope.js'
import type { JoinStep } from '../select/from.js'
import type { Equality } from './equalities.js'

/** What is known of the rows that FROM and WHERE yield. */
export interface RowFacts {
  readonly steps: readonly JoinStep[]
  /** Of WHERE. */
  readonly equalities: readonly Equality[]
}

/**
 * Which values are fixed once some are: two rows that agree in `given` agree in every value that
 * `has` confirms.
 */
export class Determined {
  readonly #known: Set<string>
  readonly #pinned = new Set<Relation>()
  readonly #facts: RowFacts
  /** What holds in every row that is there. */
  readonly #equalities: readonly Equality[]

  constructor(given: Iterable<string>, facts: RowFacts) {
    this.#known = new Set(given)
    this.#facts = facts
    this.#equalities = [
      ...facts.equalities,
      ...facts.steps.flatMap((step) => (step.type === 'inner' ? step.equalities : [])),
    ]
    while (this.#step()) {
      // Every round adds a value or a relation; there are finitely many.
    }
  }

  /** @param sql A column, or an expression that was given. */
  has(sql: string): boolean {
    return this.#in(sql, this.#known)
  }

  /** All columns of all relations are fixed: there is one such row. */
  get wholeRow(): boolean {
    return this.#facts.steps.every((step) => this.#pinned.has(step.relation))
  }

  #step(): boolean {
    const grown = this.#equalities.some((equality) => this.#apply(equality, this.#known))
    return this.#pin() || grown
  }

  #apply(equality: Equality, known: Set<string>): boolean {
    const { a, b } = equality
    const hasA = this.#in(a, known)
    const hasB = b === null || this.#in(b, known)
    if (hasA === hasB) {
      return false
    }
    known.add(hasA && b !== null ? b : a)
    return true
  }

  #in(sql: string, known: ReadonlySet<string>): boolean {
    return known.has(sql) || this.#isPinned(sql)
  }

  #isPinned(sql: string): boolean {
    const relation = this.#pinned.size === 0 ? undefined : this.#relationOf(sql)
    return relation !== undefined && this.#pinned.has(relation)
  }

  #pin(): boolean {
    let pinnedSoFar = true
    for (const step of this.#facts.steps) {
      if (this.#pinned.has(step.relation)) {
        continue
      }
      const local = step.type === 'left' && pinnedSoFar ? this.#withPartner(step) : this.#known
      const isKnown = (sql: string) =>
        local.has(sql) && !(this.#known.has(sql) && this.#mayHideNull(step))
      if (step.relation.keys.some((key) => key.every(isKnown))) {
        this.#pinned.add(step.relation)
        return true
      }
      pinnedSoFar = false
    }
    return false
  }

  /** The left row is fixed, so its partner is the one that the condition names, or none. */
  #withPartner({ equalities }: JoinStep): ReadonlySet<string> {
    const local = new Set(this.#known)
    while (equalities.some((equality) => this.#apply(equality, local))) {
      // Each round adds a value.
    }
    return local
  }

  /** NULL in the key may be a group of its own, or no row at all. */
  #mayHideNull(step: JoinStep): boolean {
    const { steps } = this.#facts
    const outer = (other: JoinStep) => other.type === 'right' || other.type === 'full'
    return (
      step.relation.table === null &&
      (step.type === 'left' ||
        step.type === 'full' ||
        steps.slice(steps.indexOf(step) + 1).some(outer))
    )
  }

  /** The whole row of that relation is fixed. */
  hasRow(relation: Relation): boolean {
    return this.#pinned.has(relation)
  }

  #relationOf(sql: string): Relation | undefined {
    const emitted = /^(t\d+)\.(?:"(?:[^"]|"")*"|c\d+)$/.exec(sql)?.[1]
    return this.#facts.steps.find((step) => step.relation.emitted === emitted)?.relation
  }
}
