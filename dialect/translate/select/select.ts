import { foldIdentifier } from '../../../src/core/sql-identifier.js'
import type { OutputColumn, OutputKeys } from '../bind/output.js'
import type { Scope } from '../bind/scope.js'
import { Keep, keep, orderOfSubquery } from '../keep.js'
import type { PlanNode } from '../order/query-plan.js'
import { summarise } from '../parse/summarise.js'
import type { CommonTable, Select } from '../parse/syntax.js'
import type { CommonTableEntry, Statement } from '../statement.js'
import { compileCompound } from './compound.js'
import { compileCore } from './core.js'
import { compileRecursive } from './recursive.js'
import { compileInOrder } from './subquery-order.js'
import { compileValues } from './values.js'

export interface SelectContext {
  readonly statement: Statement
  /** Names that the SELECT sees around it; null at the top. */
  readonly outer: Scope | null
  readonly ctes: readonly CommonTableEntry[]
  /**
   * 'none': only whether rows exist; 'content': a set of rows, so that only LIMIT needs an order;
   * 'rows': rows in SQLite's order.
   */
  readonly order: 'none' | 'content' | 'rows'
  /** The statement's own steps in SQLite's plan; only where rows must be in order. */
  readonly plan?: () => readonly PlanNode[]
  /** Number the rows of derived tables, too, because the order of these rows depends on it. */
  readonly ordersSubqueries?: boolean
  /** Instead of sorting, add a column `r` that numbers the rows in SQLite's order. */
  readonly numbered?: boolean
}

export interface CompiledSelect {
  readonly sql: string
  readonly columns: readonly OutputColumn[]
  readonly keys: OutputKeys
}

/** A SELECT with its WITH clause, set operations, order and limit. */
export function compileSelect(select: Select, context: SelectContext): CompiledSelect {
  try {
    return compileOnce(select, context)
  } catch (error) {
    const mayOrder = context.plan !== undefined && context.ordersSubqueries !== true
    if (mayOrder && error instanceof Keep && error.message === orderOfSubquery) {
      return compileOnce(select, { ...context, ordersSubqueries: true })
    }
    throw error
  }
}

function compileOnce(select: Select, context: SelectContext): CompiledSelect {
  const { ctes, sql: withSql } = compileCommonTables(select, context)
  const inner = { ...context, ctes }
  const compiled = compileBody(select, inner)
  return { ...compiled, sql: `${withSql}${compiled.sql}` }
}

function compileBody(select: Select, context: SelectContext): CompiledSelect {
  const { body } = select
  switch (body.kind) {
    case 'core':
      return compileCore(body, select, context)
    case 'compound':
      return compileCompound(body, select, context)
    case 'values':
      return compileValues(body, select, context)
  }
}

function compileCommonTables(
  select: Select,
  context: SelectContext,
): { readonly ctes: readonly CommonTableEntry[]; readonly sql: string } {
  if (select.ctes.length === 0) {
    return { ctes: context.ctes, sql: '' }
  }
  const reads = select.ctes.map((cte) => new Set(summarise(cte.select).tables))
  const later = new Set(select.ctes.map((cte) => foldIdentifier(cte.name)))
  const ctes = [...context.ctes]
  const parts: string[] = []
  for (const [i, cte] of select.ctes.entries()) {
    const name = foldIdentifier(cte.name)
    const tables = reads[i] ?? new Set()
    const own = tables.has(name)
    if ([...later].some((other) => other !== name && tables.has(other))) {
      keep('common table used before it is defined')
    }
    later.delete(name)
    const emitted = context.statement.newName('q')
    const inner = {
      statement: context.statement,
      outer: context.outer,
      ctes: [...ctes],
      order: 'content',
    } as const
    const numbered =
      context.ordersSubqueries === true && !own
        ? compileInOrder(cte.select, cte.name, { ...context, ctes: inner.ctes })
        : null
    const compiled =
      numbered ?? (own ? compileRecursive(cte, emitted, inner) : compileSelect(cte.select, inner))
    const columns = renamed(cte, compiled.columns)
    const names = [...columns.map((_, i) => `c${i}`), ...(numbered === null ? [] : ['r'])]
    parts.push(`${emitted}(${names.join(', ')}) AS (${compiled.sql})`)
    ctes.push({ name, emitted, columns, keys: compiled.keys, isNumbered: numbered !== null })
  }
  return { ctes, sql: `WITH RECURSIVE ${parts.join(', ')} ` }
}

function renamed(cte: CommonTable, columns: readonly OutputColumn[]): readonly OutputColumn[] {
  if (cte.columns === null) {
    return columns
  }
  if (cte.columns.length !== columns.length) {
    keep('common table with other columns')
  }
  return columns.map((column, i) => ({ ...column, name: cte.columns?.[i] ?? column.name }))
}
