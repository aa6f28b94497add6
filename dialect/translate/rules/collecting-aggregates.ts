import { keep } from '../keep.js'
import { asUnsignedZero, asValue, constantText, derived, type Typed } from '../typed.js'
import { asText } from './as-text.js'
import { jsonLabel, jsonValue } from './json-value.js'
import { textLiteral } from './literals.js'
import { type Rule, takes, use } from './rule.js'

/** An aggregate whose result shows the order in which it met the rows. */
export interface CollectingRule extends Rule {
  readonly kind: 'aggregate'
  /**
   * @param order ` ORDER BY ...`, to be put inside of the parentheses
   * @param filter ` FILTER (...)`, or nothing
   */
  readonly apply: (operands: readonly Typed[], order: string, filter: string) => Typed | null
}

const source = 'https://sqlite.org/lang_aggfunc.html#group_concat'

export const collectingRules: readonly CollectingRule[] = [
  ...(['group_concat', 'string_agg'] as const).map(
    (name): CollectingRule => ({
      kind: 'aggregate',
      name,
      operands: 'textual, text?',
      form: "string_agg(x, y ORDER BY the terms, then SQLite's scan)",
      guard: 'the separator must be a constant',
      source,
      examples:
        name === 'group_concat'
          ? [
              'group_concat(s)',
              "group_concat(t, ', ')",
              'group_concat(j)',
              'group_concat(i order by n desc)',
              "group_concat(s, '') filter (where n > 2)",
            ]
          : ["string_agg(s, '-' order by s desc, n)", "string_agg(j, ';')"],
      refused: [`${name}(s, t)`, ...(name === 'group_concat' ? ['group_concat(distinct s)'] : [])],
      apply: ([x, separator], order, filter) => {
        const written = separator === undefined ? ',' : constantText(separator)
        if (x === undefined || written === null) {
          return null
        }
        const text = asText(x)
        const sql = `string_agg(${text.sql}, ${textLiteral(written).sql}${order})${filter}`
        return derived(sql, 'text', [text], { constant: false, json: false })
      },
    }),
  ),
  {
    kind: 'aggregate',
    name: 'json_group_array',
    operands: 'value',
    form: "'[' || coalesce(string_agg(the JSON of x, ',' ORDER BY ...), '') || ']'",
    guard: 'BLOBs, and texts that are JSON only in some rows',
    source: 'https://sqlite.org/json1.html#jgrouparray',
    examples: [
      'json_group_array(s)',
      'json_group_array(j order by i, n)',
      'json_group_array(t) filter (where n > 4)',
      'json_group_array(i) filter (where n > 1000)',
      "json_group_array(json_object('n', n, 's', s))",
    ],
    refused: ['json_group_array(b)', 'json_group_array(distinct s)'],
    apply: ([x], order, filter) => {
      if (x === undefined) {
        return null
      }
      const list = `string_agg(${jsonValue(x)}, ','${order})${filter}`
      const sql = `('[' || coalesce(${list}, '') || ']')`
      return derived(sql, 'text', [x], { constant: false, json: true })
    },
  },
  {
    kind: 'aggregate',
    name: 'json_group_object',
    operands: 'text, value',
    form: "'{' || coalesce(string_agg(x as label || ':' || the JSON of y, ',' ORDER BY ...), '') || '}'",
    guard: 'labels of NULL; BLOBs, and texts that are JSON only in some rows',
    source: 'https://sqlite.org/json1.html#jgroupobject',
    examples: [
      'json_group_object(s, i)',
      'json_group_object(s, t order by n)',
      "json_group_object(s || '\"', t)",
      "json_group_object('k' || n, json_array(i, s))",
      'json_group_object(s, j) filter (where n > 4)',
      'json_group_object(s, j) filter (where n > 1000)',
    ],
    refused: ['json_group_object(t, i)', 'json_group_object(s, b)'],
    apply: ([label, value], order, filter) => {
      if (label === undefined || value === undefined) {
        return null
      }
      const member = `concat(${jsonLabel(label)}, ':', ${jsonValue(value)})`
      const sql = `('{' || coalesce(string_agg(${member}, ','${order})${filter}, '') || '}')`
      return derived(sql, 'text', [label, value], { constant: false, json: true })
    },
  },
]

export function isCollecting(name: string): boolean {
  return collectingRules.some((rule) => rule.name === name)
}

export function collectingAggregate(
  name: string,
  operands: readonly Typed[],
  order: string,
  filter: string,
): Typed {
  const values = operands.map((operand) => asUnsignedZero(asValue(operand)))
  const rule = collectingRules.find((entry) => entry.name === name && takes(entry.operands, values))
  const result = rule?.apply(values, order, filter) ?? null
  if (rule === undefined || result === null) {
    return keep(`${name} of ${values.map((value) => value.type).join(', ')}`)
  }
  use(rule)
  return result
}
