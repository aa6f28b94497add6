import { isColumn, type Typed } from './typed.js'

/**
 * The PARTITION BY lists of a statement. DuckDB 1.5.6 takes two of them for one when they are equally
 * long and all terms of the first are in the second: (a, a) for (a, b), and after it has simplified
 * them (a >= 0, b >= 0) for (a >= 0, c) where nothing is below 0. So no term stands twice in a list
 * of columns, and a list with an expression is as long as no other.
 */
export class PartitionLists {
  readonly #byLength = new Map<number, string>()

  /** @param terms of a window, none of them constant */
  sql(terms: readonly Typed[]): string {
    const texts = [...new Set(terms.map((term) => term.sql))]
    const [first] = texts
    if (first === undefined || texts.length === 1) {
      return texts.join('')
    }
    const name = terms.every(isColumn) ? 'columns' : texts.toSorted().join()
    let length = texts.length
    while ((this.#byLength.get(length) ?? name) !== name) {
      length += 1
    }
    this.#byLength.set(length, name)
    return [...texts, ...Array<string>(length - texts.length).fill(first)].join(', ')
  }
}
