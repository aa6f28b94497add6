import { foldIdentifier, quoteIdentifier } from '../../../src/core/sql-identifier.js'
import type { IndexShape, TableShape } from '../../../src/core/table-shape.js'
import { ascending, type SortTerm } from '../bind/core-context.js'
import type { Relation } from '../bind/scope.js'
import { keep, orderOfSubquery } from '../keep.js'
import { type Typed, typed } from '../typed.js'
import { Determined, type RowFacts } from './determined.js'

/** What the plan does not say of its loops. */
export interface Scan {
  /** A loop runs from the end of its table or index to the start. */
  readonly isBackward: () => boolean
  /** The columns of an index that SQLite makes for this loop; null is the rowid. */
  readonly automaticIndex: (loop: string, table: TableShape) => readonly (string | null)[]
}

/**
 * The order in which SQLite's nested loops meet the rows, as sort terms: the keys of each loop,
 * outermost first.
 *
 * @param loops Lines of the plan.
 */
export function scanOrder(
  loops: readonly string[],
  facts: RowFacts,
  scan: Scan,
): readonly SortTerm[] {
  const { steps } = facts
  const left = [...steps]
  const terms: SortTerm[] = []
  let sorting = 0
  for (const loop of loops) {
    const rest = loop.replace(/^(SCAN|SEARCH) /, '')
    const at = left.findIndex((step) => usageOf(rest, step.relation) !== null)
    const step = left.splice(at, 1)[0]
    if (at < 0 || step === undefined) {
      return keep('order: plan names an unknown table')
    }
    const { relation } = step
    if (steps.filter((other) => other.relation.name === relation.name).length > 1) {
      keep('order: two tables of one name')
    }
    const known = new Determined(
      terms.map((term) => term.value.sql),
      facts,
    )
    // At most one row for those of the loops around it: it sorts nothing.
    if (!known.hasRow(relation)) {
      terms.push(
        ...loopOrder(relation, usageOf(rest, relation) ?? '', (table) =>
          scan.automaticIndex(loop, table),
        ),
      )
      sorting += 1
    }
  }
  // SQLite leaves out a LEFT JOIN that can add neither rows nor values.
  if (left.some((step) => step.type !== 'left')) {
    keep('order: plan lacks a table')
  }
  if (!scan.isBackward()) {
    return terms
  }
  if (sorting !== 1 || loops.length !== 1 || terms.some((term) => term.descending)) {
    keep('order: backward scan in a join')
  }
  return terms.map((term) => ({ value: term.value, descending: true, nulls: 'last' }))
}

/** What the plan says behind the table's name; null if the line names another table. */
function usageOf(rest: string, relation: Relation): string | null {
  const text = foldIdentifier(rest).startsWith('main.') ? rest.slice('main.'.length) : rest
  const { name } = relation
  if (foldIdentifier(text.slice(0, name.length)) !== name) {
    return null
  }
  const usage = text.slice(name.length)
  return usage === '' || usage.startsWith(' ') ? usage.replace(/ LEFT-JOIN$/, '').trim() : null
}

function loopOrder(
  relation: Relation,
  usage: string,
  automatic: (table: TableShape) => readonly (string | null)[],
): readonly SortTerm[] {
  const { table, order } = relation
  if (table === null) {
    return order !== null && usage === '' ? [ascending(order)] : keep(orderOfSubquery)
  }
  if (usage.startsWith('USING AUTOMATIC ')) {
    return automatic(table.shape).map((name) => {
      const value = name === null ? relation.rowid : columnValue(relation, name)
      return value === null ? keep('order: automatic index') : ascending(value)
    })
  }
  if (usage === '' || usage.startsWith('USING INTEGER PRIMARY KEY')) {
    return keyOrder(relation)
  }
  if (usage.startsWith('USING PRIMARY KEY')) {
    return keyOrder(relation)
  }
  const [, named = ''] = /^USING (?:COVERING )?INDEX (.*)$/.exec(usage) ?? []
  if (named === '' || named.includes('ANY(')) {
    return keep('order: plan not understood')
  }
  const index = table.shape.indexes.find(
    (candidate) => named === candidate.name || named.startsWith(`${candidate.name} (`),
  )
  return index === undefined ? keep('order: index unknown') : indexOrder(relation, index)
}

/** Rowid order, or that of the primary key of a WITHOUT ROWID table. */
function keyOrder(relation: Relation): readonly SortTerm[] {
  if (relation.rowid !== null) {
    return [ascending(relation.rowid)]
  }
  const shape = relation.table?.shape
  const primary = shape?.indexes.find((index) => index.origin === 'pk')
  return primary === undefined ? keep('order: primary key unknown') : columnOrder(relation, primary)
}

function indexOrder(relation: Relation, index: IndexShape): readonly SortTerm[] {
  const terms = columnOrder(relation, index)
  const have = new Set(terms.map((term) => term.value.sql))
  const rest = relation.rowid === null ? keyOrder(relation) : [ascending(relation.rowid)]
  return [...terms, ...rest.filter((term) => !have.has(term.value.sql))]
}

function columnOrder(relation: Relation, index: IndexShape): readonly SortTerm[] {
  return index.columns.map((column) => {
    const { name, descending } = column
    const value = name === null ? null : columnValue(relation, name)
    if (value === null || (column.collation !== 'BINARY' && value.type === 'text')) {
      return keep('order: index over an expression or collation')
    }
    return { value, descending, nulls: descending ? 'last' : 'first' }
  })
}

function columnValue(relation: Relation, name: string): Typed | null {
  const sql = `${relation.emitted}.${quoteIdentifier(name)}`
  const column = relation.columns.find((candidate) => candidate.name === name)
  if (column === undefined) {
    return null
  }
  const value = column.value()
  return value.signedZero ? keep('order: index over a signed zero') : typed(sql, value.type)
}
