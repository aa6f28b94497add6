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
import { takes, use } from '../rules/rule.js'
import { type TieRule, windowRules } from '../rules/windows.js'
import { asValue, type Typed } from '../typed.js'
import { filterSql } from './call.js'
import { type CoreContext, type SortTerm, sortSql, type WindowTerms } from './core-context.js'
import { compileExpression } from './expression.js'
import { compileWindowTerms, resolveWindow } from './window.js'

const emptyWindow = ' OVER ()'

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
  const operands = node.items.map((item) => asValue(compileExpression(item, core)))
  const rule = windowRules.find(
    (entry) => entry.name === node.name && takes(entry.operands, operands),
  )
  if (rule === undefined || node.filter !== null) {
    return keep(`window function ${node.name}`)
  }
  const frame = rule.ignoresFrame ? null : window.frame
  const ties = rule.ties === 'frame' ? frameTies(node.name, frame) : rule.ties
  const tail = tailFor(ties, node, terms, core)
  const sql = overSql(terms, tail, frame, core)
  // DuckDB 1.5.6 ends the process at dense_rank() OVER () behind a join: such windows stay away.
  if (sql === emptyWindow) {
    return rule.alone ?? keep('window without order')
  }
  return use(rule).apply(operands, sql) ?? keep(`window function ${node.name}`)
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
  const tail = tailFor(aggregateTies(window.frame), node, terms, core)
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

/** The terms that a window needs behind its own, as far as its function sees the difference. */
function tailFor(
  ties: TieRule,
  node: FunctionCall,
  terms: WindowTerms,
  core: CoreContext,
): readonly SortTerm[] {
  if (ties === 'peers') {
    return []
  }
  const tail = core.windowTail(node, terms)
  return ties === 'complete' && tail.length > 0 ? keep(`${node.name} among equal rows`) : tail
}

/**
 * first_value with the usual frame, and last_value up to the partition's end, see the outermost
 * row: a tail behind the window's own terms settles it. Other frames that end between equal rows
 * would end elsewhere with a tail, so the terms must be complete by themselves.
 */
function frameTies(name: string, frame: WindowFrame | null): TieRule {
  const exclude = frame?.exclude ?? 'no others'
  if (exclude !== 'no others') {
    return 'complete'
  }
  if (frame?.unit === 'rows') {
    return 'rows'
  }
  const startsFirst = frame === null || frame.start.kind === 'unbounded preceding'
  const endsLast = frame?.end?.kind === 'unbounded following'
  const seesEdge = { first_value: startsFirst, last_value: endsLast }[name]
  return (seesEdge ?? (startsFirst && endsLast)) ? 'rows' : 'complete'
}

/** A frame of RANGE or GROUPS is a set of rows, whatever their order; one of ROWS is counted. */
function aggregateTies(frame: WindowFrame | null): TieRule {
  if (frame?.unit !== 'rows') {
    return 'peers'
  }
  return frame.exclude === 'group' || frame.exclude === 'ties' ? 'complete' : 'rows'
}

export function overSql(
  terms: WindowTerms,
  tail: readonly SortTerm[],
  frame: WindowFrame | null,
  core: CoreContext,
): string {
  const partition = core.statement.partitions.sql(terms.partitionBy)
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
    ? core.statement.constants.asInteger(offset.index).sql
    : keep('frame offset is no literal')
}
