import { constantInteger, constantText, derived, raiseWhen, type Typed } from '../typed.js'
import { bindOnce } from './bind-once.js'
import type { FunctionRule } from './function-rule.js'
import { textLiteral } from './literals.js'

const json1 = 'https://sqlite.org/json1.html'

/** A path without wildcards, quotes and counting from the end, on which both engines agree. */
const simplePath = /^\$(?:\.[A-Za-z_]\w*|\[(?:0|[1-9]\d{0,8})\])*$/
const simpleLabel = /^[A-Za-z_]\w*$/

/** SQLite takes nothing that is nested deeper. */
const depthMax = 1000

const invalid = 'no JSON, or JSON that only one of the engines reads'
const notAsWritten = `${invalid}, or not written as DuckDB would: with spaces, 1.50, \\u0041`

/** SQLite's scalar functions that read JSON and whose result has one class whatever the rows hold. */
export const jsonReading: readonly FunctionRule[] = [
  {
    kind: 'function',
    name: 'json_array_length',
    operands: 'text, text?',
    form: 'CAST(json_array_length(x, y) AS BIGINT)',
    guard: `${invalid}; a path that is no constant, or not as simple as $.a[0]`,
    source: `${json1}#jarraylen; texts made at random`,
    examples: [
      'json_array_length(o)',
      "json_array_length(o, '$.b')",
      "json_array_length(o, '$[1]')",
      "json_array_length(' ' || o, '$')",
    ],
    refused: ['json_array_length(s)', "json_array_length(o, '$.a' || s)"],
    apply: ([x, path]) => {
      const at = path === undefined ? '$' : jsonPathOf(path)
      if (x === undefined || x.collated || at === null) {
        return null
      }
      const sql = bindOnce(x.sql, 'htap__d', (it) =>
        readableJson(it, `CAST(json_array_length(${it}, ${quoted(at)}) AS BIGINT)`),
      )
      return derived(sql, 'int', [x], { bound: 2 ** 31 })
    },
  },
  {
    kind: 'function',
    name: '->',
    operands: 'text, text|int',
    form: 'CAST(json_extract(x, y) AS VARCHAR)',
    guard: `${notAsWritten}; a path, label or place that is no constant, or not simple`,
    source: `${json1}#jptr; texts made at random`,
    examples: [
      "o -> 'a'",
      "o -> '$.b'",
      'o -> 1',
      "o -> 'd' -> 'e'",
      "o -> '$.b[1]'",
      "json_array(o -> 'c')",
    ],
    refused: ["s -> 'a'", "(' ' || o) -> 'a'", 'o -> i', "replace(o, '2.5', 'NaN') -> 'a'"],
    apply: ([x, place]) => {
      const at = place === undefined ? null : jsonPlaceOf(place)
      return x === undefined || x.collated || at === null
        ? null
        : asWritten(x, (it) => `CAST(json_extract(${it}, ${quoted(at)}) AS VARCHAR)`)
    },
  },
  {
    kind: 'function',
    name: 'json',
    operands: 'text',
    form: 'x',
    guard: notAsWritten,
    source: `${json1}#jmini; texts made at random`,
    examples: ['json(o)', 'json_array(json(o))'],
    refused: ['json(s)', "json(o || ' ')", "json(replace(o, '2.5', 'NaN'))"],
    apply: ([x]) => (x === undefined || x.collated ? null : asWritten(x, (it) => it)),
  },
]

/** SQLite keeps numbers and strings as they are written, DuckDB writes them anew. */
function asWritten(x: Typed, body: (text: string) => string): Typed {
  const sql = bindOnce(x.sql, 'htap__d', (it) => {
    const rewritten = `(CAST(json(${it}) AS VARCHAR) <> ${it})`
    // SQLite writes null for them.
    const noNumber = `regexp_matches(${it}, '(^|[\\[:,])-?([nN]a[nN]|[iI]nf)')`
    return readableJson(it, raiseWhen(`(${rewritten} OR ${noNumber})`, body(it)))
  })
  return derived(sql, 'text', [x], { ascii: x.ascii, json: true })
}

/** What DuckDB takes for JSON, SQLite does, too, up to a depth. */
export function readableJson(text: string, otherwise: string): string {
  const brackets = `(strlen(${text}) - strlen(translate(${text}, '[{', '')))`
  const deep = `((strlen(${text}) > ${depthMax}) AND (${brackets} >= ${depthMax}))`
  return raiseWhen(`((NOT json_valid(${text})) OR ${deep})`, otherwise)
}

export function jsonPathOf(path: Typed): string | null {
  const text = constantText(path)
  return text !== null && simplePath.test(text) ? text : null
}

export function jsonPlaceOf(place: Typed): string | null {
  if (place.type === 'int') {
    const index = constantInteger(place)
    return index !== null && index >= 0 && index < 1e9 ? `$[${index}]` : null
  }
  const label = constantText(place)
  return label !== null && simpleLabel.test(label) ? `$.${label}` : jsonPathOf(place)
}

function quoted(path: string): string {
  return textLiteral(path).sql
}
