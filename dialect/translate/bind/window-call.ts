import { keep } from '../keep.js'
import { isAggregate } from '../parse/summarise.js'
import type {
  Expression,
  FrameBound,
  FunctionCall,
  WindowFrame,
  WindowSpecification,
} from '../parse/syntax.js'
import { aggregate } from '../rules/aggregates.js'
import { asValue, oneOf, type Typed, typed, unify } from '../typed.js'
import { filterSql } from './call.js'
import { type CoreContext, type SortTerm, sortSql, type WindowTerms } from './core-context.js'
import { compileExpression } from './expression.js'
import { compileWindowTerms, resolveWindow } from './window.js'

/** How a window function depends on the order of rows that its ORDER BY leaves equal. */
type TieRule =
  /** Not at all: it sees groups of equal rows as one. */
  | 'peers'
  /** It counts rows, so the order must be complete. */
  | 'rows'
  /** Only if its frame counts rows or cuts through equal ones. */
  | 'frame'

interface WindowRule {
  readonly name: string
  readonly ties: TieRule
  readonly arity: readonly [least: number, most: number]
  /** It has no frame in SQLite whatever is written. */
  readonly ignoresFrame: boolean
  /** The value where all rows of the query are equal; null if there is no such constant. */
  readonly alone: Typed | null
  readonly apply: (operands: readonly Typed[], over: string) => Typed | null
}

const emptyWindow = ' OVER ()'
const one = typed('CAST(1 AS BIGINT)', 'int', { bound: 1 })

const rules: readonly WindowRule[] = [
  ranking('row_number', 'rows', 'int', null),
  ranking('rank', 'peers', 'int', one),
  ranking('dense_rank', 'peers', 'int', one),
  ranking('percent_rank', 'peers', 'real', typed('0e0', 'real', { bound: 0 })),
  ranking('cume_dist', 'peers', 'real', typed('1e0', 'real', { bound: 1 })),
  { name: 'ntile', ties: 'rows', arity: [1, 1], ignoresFrame: true, alone: null, apply: tile },
  {
    name: 'lag',
    ties: 'rows',
    arity: [1, 3],
    ignoresFrame: true,
    alone: null,
    apply: neighbour('lag'),
  },
  {
    name: 'lead',
    ties: 'rows',
    arity: [1, 3],
    ignoresFrame: true,
    alone: null,
    apply: neighbour('lead'),
  },
  {
    name: 'first_value',
    ties: 'frame',
    arity: [1, 1],
    ignoresFrame: false,
    alone: null,
    apply: taken('first_value'),
  },
  {
    name: 'last_value',
    ties: 'frame',
    arity: [1, 1],
    ignoresFrame: false,
    alone: null,
    apply: taken('last_value'),
  },
]

export function compileWindowCall(
  node: FunctionCall,
  over: WindowSpecification,
  core: CoreContext,
): Typed {
  core.found.windows = true
  const window = resolveWindow(over, core.windows)
  const terms = compileWindowTerms(window, core)
  if (node.star || isAggregate(node.name, node.items.length)) {
    return windowAggregate(node, window, terms, core)
  }
  const rule = rules.find((entry) => entry.name === node.name)
  const count = node.items.length
  if (
    rule === undefined ||
    count < rule.arity[0] ||
    count > rule.arity[1] ||
    node.filter !== null
  ) {
    return keep(`window function ${node.name}`)
  }
  const operands = node.items.map((item) => asValue(compileExpression(item, core)))
  const frame = rule.ignoresFrame ? null : window.frame
  const ties = rule.ties === 'frame' ? frameTies(node.name, frame) : rule.ties
  const tail = ties === 'rows' ? core.windowTail(node, terms) : []
  const sql = overSql(terms, tail, frame, core)
  // DuckDB 1.5.6 ends the process at dense_rank() OVER () behind a join: such windows stay away.
  if (sql === emptyWindow) {
    return rule.alone ?? keep('window without order')
  }
  return rule.apply(operands, sql) ?? keep(`window function ${node.name}`)
}

function windowAggregate(
  node: FunctionCall,
  window: WindowSpecification,
  terms: WindowTerms,
  core: CoreContext,
): Typed {
  const [item] = node.items
  if (node.distinct || node.items.length > 1) {
    keep('distinct or several arguments over a window')
  }
  const operand = item === undefined ? null : compileExpression(item, core)
  const countsRows = window.frame?.unit === 'rows' || window.frame?.exclude != null
  const tail = countsRows ? core.windowTail(node, terms) : []
  const filter = filterSql(node, core)
  const partition = { partitionBy: terms.partitionBy, orderBy: [] }
  return aggregate({
    name: node.name,
    distinct: false,
    operand,
    frame: {
      suffix: `${filter}${overSql(terms, tail, window.frame, core)}`,
      wholeSuffix: `${filter}${overSql(partition, [], null, core)}`,
    },
    rowsMax: core.statement.rowsMax,
  })
}

/**
 * first_value with the usual frame, and last_value up to the partition's end, see the outermost
 * row: a tail behind the window's own terms settles it. Other frames that end between equal rows
 * would end elsewhere with a tail, so the terms must be complete by themselves.
 */
function frameTies(name: string, frame: WindowFrame | null): TieRule {
  if (frame?.exclude != null) {
    return keep('window frame with exclude')
  }
  if (frame?.unit === 'rows') {
    return 'rows'
  }
  const outermost =
    name === 'first_value'
      ? frame === null || frame.start.kind === 'unbounded preceding'
      : frame?.end?.kind === 'unbounded following'
  return outermost ? 'rows' : keep(`${name} over a frame of equal rows`)
}

export function overSql(
  terms: WindowTerms,
  tail: readonly SortTerm[],
  frame: WindowFrame | null,
  core: CoreContext,
): string {
  const partition = terms.partitionBy.map((value) => value.sql).join(', ')
  const order = [...terms.orderBy, ...tail].map(sortSql).join(', ')
  const parts = [
    partition === '' ? '' : `PARTITION BY ${partition}`,
    order === '' ? '' : `ORDER BY ${order}`,
    frame === null ? '' : frameSql(frame, terms, core),
  ]
  return ` OVER (${parts.filter((part) => part !== '').join(' ')})`
}

function frameSql(frame: WindowFrame, terms: WindowTerms, core: CoreContext): string {
  const bound = (part: FrameBound) => boundSql(part, frame, terms, core)
  const end = frame.end === null ? 'CURRENT ROW' : bound(frame.end)
  const exclude = frame.exclude === null ? '' : ` EXCLUDE ${frame.exclude.toUpperCase()}`
  return `${frame.unit.toUpperCase()} BETWEEN ${bound(frame.start)} AND ${end}${exclude}`
}

function boundSql(
  bound: FrameBound,
  frame: WindowFrame,
  terms: WindowTerms,
  core: CoreContext,
): string {
  if (bound.offset === null) {
    return bound.kind.toUpperCase()
  }
  const [term] = terms.orderBy
  if (frame.unit === 'range' && (term?.value.type !== 'int' || terms.orderBy.length !== 1)) {
    keep('range frame over other than one integer')
  }
  return `${offsetSql(bound.offset, core)} ${bound.kind.toUpperCase()}`
}

function offsetSql(offset: Expression, core: CoreContext): string {
  if (offset.kind === 'integer') {
    return BigInt(offset.text).toString()
  }
  return offset.kind === 'parameter'
    ? core.statement.parameters.asInteger(offset.index).sql
    : keep('frame offset is no literal')
}

function ranking(
  name: string,
  ties: TieRule,
  type: 'int' | 'real',
  alone: Typed | null,
): WindowRule {
  const bound = type === 'int' ? 2 ** 40 : 1
  return {
    name,
    ties,
    arity: [0, 0],
    alone,
    ignoresFrame: true,
    apply: (_operands, over) => typed(`${name}()${over}`, type, { bound }),
  }
}

function tile(operands: readonly Typed[], over: string): Typed | null {
  const count = literalInteger(operands[0])
  return count === null || count === '0'
    ? null
    : typed(`ntile(${count})${over}`, 'int', { bound: 2 ** 40 })
}

function neighbour(name: string) {
  return ([value, distance, otherwise]: readonly Typed[], over: string): Typed | null => {
    const steps = distance === undefined ? '1' : literalInteger(distance)
    if (value === undefined || steps === null) {
      return null
    }
    if (otherwise === undefined) {
      return oneOf(`${name}(${value.sql}, ${steps})${over}`, value.type, [value])
    }
    const unified = unify([value, otherwise])
    const [a, b] = unified?.values ?? []
    return unified === null || a === undefined || b === undefined
      ? null
      : oneOf(`${name}(${a.sql}, ${steps}, ${b.sql})${over}`, unified.type, [a, b])
  }
}

function taken(name: string) {
  return ([value]: readonly Typed[], over: string): Typed | null =>
    value === undefined ? null : oneOf(`${name}(${value.sql})${over}`, value.type, [value])
}

function literalInteger(value: Typed | undefined): string | null {
  return /^CAST\((\d+) AS BIGINT\)$/.exec(value?.sql ?? '')?.[1] ?? null
}
