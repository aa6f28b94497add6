import type { Expression, FunctionCall, Select } from './syntax.js'

export interface ExpressionVisitor {
  readonly expression: (expression: Expression) => void
  /** A subquery inside the expression; its inside is not visited. */
  readonly select: (select: Select) => void
}

/** Visits an expression and all expressions in it, outermost first. */
export function visitExpression(expression: Expression, visitor: ExpressionVisitor): void {
  visitor.expression(expression)
  for (const child of childrenOf(expression)) {
    visitExpression(child, visitor)
  }
  const select = subqueryOf(expression)
  if (select !== null) {
    visitor.select(select)
  }
}

export function subqueryOf(expression: Expression): Select | null {
  switch (expression.kind) {
    case 'in':
    case 'exists':
    case 'subquery':
      return expression.select
    default:
      return null
  }
}

/** The direct operands, in the order of the text as far as it matters. */
export function childrenOf(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case 'unary':
    case 'null-test':
    case 'cast':
    case 'collate':
      return [expression.operand]
    case 'binary':
      return [expression.left, expression.right]
    case 'between':
      return [expression.operand, expression.low, expression.high]
    case 'pattern':
      return [expression.operand, expression.pattern, ...present(expression.escape)]
    case 'in':
      return [expression.operand, ...(expression.items ?? [])]
    case 'row':
      return expression.items
    case 'case':
      return [
        ...present(expression.operand),
        ...expression.branches.flatMap((branch) => [branch.when, branch.result]),
        ...present(expression.otherwise),
      ]
    case 'function':
      return isPlainCall(expression)
        ? expression.items
        : [
            ...expression.items,
            ...expression.orderBy.map((term) => term.expression),
            ...present(expression.filter),
            ...(expression.over?.partitionBy ?? []),
            ...(expression.over?.orderBy.map((term) => term.expression) ?? []),
            ...present(expression.over?.frame?.start.offset ?? null),
            ...present(expression.over?.frame?.end?.offset ?? null),
          ]
    default:
      return none
  }
}

const none: readonly Expression[] = []

function isPlainCall({ orderBy, filter, over }: FunctionCall): boolean {
  return orderBy.length === 0 && filter === null && over === null
}

function present(expression: Expression | null): readonly Expression[] {
  return expression === null ? none : [expression]
}
