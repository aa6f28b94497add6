import { derived, type Typed } from '../typed.js'
import type { FunctionRule } from './function-rule.js'
import { jsonLabel, jsonValue } from './json-value.js'

const json1 = 'https://sqlite.org/json1.html'
const valueGuard =
  'a real that asText refuses, control characters whose code has a letter, a text that is JSON in some rows only'

/** SQLite's scalar functions that make JSON. */
export const jsonFunctions: readonly FunctionRule[] = [
  {
    kind: 'function',
    name: 'json_array',
    operands: 'value, value...',
    form: "concat('[', x, ',', y ..., ']'), each as JSON",
    guard: valueGuard,
    source: `${json1}#jarray`,
    examples: [
      'json_array(i, j, null, i > 1)',
      'json_array(r, q)',
      'json_array(s, t, o)',
      `json_array('"\\' || s || char(10) || t)`,
      "json_array(json_array(j), json_object('a', t))",
      'json_array(coalesce(json_array(j), json_array()))',
    ],
    refused: [
      'json_array(b)',
      'json_array(r / 3)',
      'json_array(s || char(27))',
      'json_array(iif(j > 1, json_array(j), s))',
      'json_array((select json_array(i)))',
      'json_array(max(json_array(j), s))',
    ],
    ownNulls: true,
    apply: (all) => made(`concat('[', ${all.map(jsonValue).join(", ',', ")}, ']')`, all),
  },
  {
    kind: 'function',
    name: 'json_object',
    operands: 'text, value...',
    form: "concat('{', x, ':', y ..., '}'), each as JSON",
    guard: `a label that is NULL, where SQLite raises; ${valueGuard}`,
    source: `${json1}#jobj`,
    examples: [
      "json_object('a', i, 'b', j, 'c', q)",
      `json_object('it''s "a"', s, 'a', t, 'a', null)`,
      'json_object(s, json_array(t))',
      "json_object('a', o, 'b', json_object('c', o))",
    ],
    refused: ['json_object(t, i)', "json_object('a', b)", "json_object('a', q / 3)"],
    ownNulls: true,
    apply: object,
  },
  {
    kind: 'function',
    name: 'json_quote',
    operands: 'textual',
    form: 'x as JSON',
    guard: valueGuard,
    source: `${json1}#jquote`,
    examples: ['json_quote(s)', 'json_quote(t)', 'json_quote(j)', 'json_quote(json_array(t))'],
    refused: ['json_quote(s || char(31))', 'json_quote(r / 3)'],
    ownNulls: true,
    apply: ([x]) => x && made(jsonValue(x), [x]),
  },
]

function made(sql: string, operands: readonly Typed[]): Typed {
  const ascii = operands.every((operand) => operand.type !== 'text' || operand.ascii)
  return derived(sql, 'text', operands, { ascii, json: true })
}

function object(operands: readonly Typed[]): Typed | null {
  const parts: string[] = []
  for (let i = 0; i < operands.length; i += 2) {
    const [label, value] = [operands[i], operands[i + 1]]
    if (label?.type !== 'text' || value === undefined) {
      return null
    }
    parts.push(`${jsonLabel(label)}, ':', ${jsonValue(value)}`)
  }
  return made(`concat('{', ${parts.join(", ',', ")}, '}')`, operands)
}
