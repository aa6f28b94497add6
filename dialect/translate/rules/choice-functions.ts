import { derived, oneOf, type Typed, unify } from '../typed.js'
import type { FunctionRule } from './function-rule.js'

const corefunc = 'https://sqlite.org/lang_corefunc.html'

/** Functions that choose among their operands, or look only at their class. */
export const choiceFunctions: readonly FunctionRule[] = [
  ...(['coalesce', 'ifnull'] as const).map(
    (name): FunctionRule => ({
      kind: 'function',
      name,
      operands: name === 'ifnull' ? 'value, value' : 'value, value, value...',
      form: 'coalesce(x, y ...)',
      guard: 'operands of one class only',
      source: `${corefunc}#${name}`,
      examples: [
        `${name}(j, i)`,
        `${name}(q, 0)`,
        `${name}(t, s)`,
        `${name}(t, 'none')`,
        `${name}(j, r)`,
      ],
      refused: [`${name}(j, s)`],
      ownNulls: true,
      apply: coalesce,
    }),
  ),
  ...(['likely', 'unlikely'] as const).map(
    (name): FunctionRule => ({
      kind: 'function',
      name,
      operands: 'value',
      form: 'x',
      source: `${corefunc}#${name}: a hint to the planner`,
      examples: [`${name}(j > 1)`, `${name}(s)`],
      ownNulls: true,
      apply: ([x]) => x ?? null,
    }),
  ),
  {
    kind: 'function',
    name: 'likelihood',
    operands: 'value, real',
    form: 'x',
    source: `${corefunc}#likelihood: a hint to the planner`,
    examples: ['likelihood(j > 1, 0.25)'],
    ownNulls: true,
    apply: ([x]) => x ?? null,
  },
  {
    kind: 'function',
    name: 'typeof',
    operands: 'int|real|text|blob',
    form: "CASE WHEN x IS NULL THEN 'null' ELSE 'integer' END, by the class of the operand",
    source: `${corefunc}#typeof; DuckDB's names its own types`,
    examples: ['typeof(i)', 'typeof(j)', 'typeof(q)', 'typeof(t)', 'typeof(b)', 'typeof(i > 1)'],
    apply: ([x]) => x && className(x),
  },
]

function coalesce(operands: readonly Typed[]): Typed | null {
  const unified = unify(operands)
  if (unified === null) {
    return null
  }
  const sql = `coalesce(${unified.values.map((value) => value.sql).join(', ')})`
  return oneOf(sql, unified.type, unified.values)
}

function className(x: Typed): Typed {
  const name = { int: 'integer', real: 'real', text: 'text', blob: 'blob' }[x.type as string]
  const sql = `(CASE WHEN ${x.sql} IS NULL THEN 'null' ELSE '${name}' END)`
  return derived(sql, 'text', [x], { ascii: true, collated: false })
}
