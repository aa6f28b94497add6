import { keep } from '../keep.js'
import { derived, exactIntegerMax, raiseWhen, type Typed } from '../typed.js'
import { bindOnce } from './bind-once.js'
import { jsonPathOf, jsonPlaceOf, readableJson } from './json-reading.js'
import { textLiteral } from './literals.js'
import { type Rule, takes, use } from './rule.js'

/** What the members at a path are, as far as was looked; nothing is left open for the rows behind. */
export type MemberClass = 'text' | 'int' | 'real' | 'num'

/**
 * A member of a JSON text as SQL's value. Its class depends on the row, so a query is translated
 * for one class and raises in rows of another.
 */
export interface JsonMemberRule extends Rule {
  readonly kind: 'function'
  /** Null for a document or a path that is not understood. */
  readonly apply: (x: Typed, place: Typed, classOf: ClassOf) => Typed | null
}

/**
 * Of what class the members at a path are, from a look at some rows; null for members of which
 * only SQLite makes one column.
 */
type ClassOf = (path: string) => MemberClass | null

const guard =
  'members of another class than the first hundred rows have, arrays and objects; numbers of more than 15 digits or beyond 1e-7 ... 1e15; no JSON, or JSON that only one of the engines reads; a path that is no constant, or not as simple as $.a[0]'
const form = 'CASE json_type(x, y) WHEN ... THEN json_extract_string(x, y), as number if it is one'

export const jsonMemberRules: readonly JsonMemberRule[] = [
  {
    kind: 'function',
    name: '->>',
    operands: 'text, text|int',
    form,
    guard,
    source: 'https://sqlite.org/json1.html#jptr; texts made at random',
    examples: ["o ->> 'c'", "o ->> '$.c'", 'o ->> 1', "o -> 'd' ->> 'c'", "(o ->> 'c') || s"],
    refused: ["o ->> 'a'", "o ->> 'b'", "s ->> 'a'", 'o ->> i', "o ->> ('$.c' || s)"],
    apply: (x, place, classOf) => member(x, jsonPlaceOf(place), classOf),
  },
  {
    kind: 'function',
    name: 'json_extract',
    operands: 'text, text',
    form,
    guard,
    source: 'https://sqlite.org/json1.html#jex; texts made at random',
    examples: ["json_extract(o, '$.c')", "json_extract(o, '$[1]')", "json_extract(o, '$.d.x')"],
    refused: ["json_extract(o, '$.a')", "json_extract(o, '$.d')", "json_extract(s, '$.a')"],
    apply: (x, place, classOf) => member(x, jsonPathOf(place), classOf),
  },
]

export function isJsonMember(name: string): boolean {
  return jsonMemberRules.some((rule) => rule.name === name)
}

export function jsonMember(name: string, x: Typed, place: Typed, classOf: ClassOf): Typed {
  const rule = jsonMemberRules.find((entry) => entry.name === name)
  const result =
    rule !== undefined && takes(rule.operands, [x, place]) ? rule.apply(x, place, classOf) : null
  if (rule === undefined || result === null) {
    return keep(`function ${name} of ${x.type}, ${place.type}`)
  }
  use(rule)
  return result
}

function member(x: Typed, path: string | null, classOf: ClassOf): Typed | null {
  if (path === null || x.collated) {
    return null
  }
  const type = classOf(path) ?? keep('json members of several classes')
  const at = textLiteral(path).sql
  const branches = type === 'text' ? textBranches : numberBranches(type)
  const sql = bindOnce(x.sql, 'htap__d', (it) => {
    const known = `WHEN 'NULL' THEN NULL ${branches(it, at)}`
    const type = `coalesce(json_type(${it}, ${at}), 'NULL')`
    return readableJson(it, `(CASE ${type} ${known} ELSE error('keep-on-sqlite') END)`)
  })
  return derived(sql, type, [x], { json: false, ...(type === 'text' ? {} : numberFacts(type)) })
}

type Branches = (text: string, path: string) => string

const textBranches: Branches = (it, at) => {
  const member = `json_extract_string(${it}, ${at})`
  // SQLite's text ends at a NUL.
  return `WHEN 'VARCHAR' THEN ${raiseWhen(`contains(${it}, '\\u0000')`, member)}`
}

const [leastReal, greatestReal] = [1e-7, 1e15]

function numberFacts(type: Exclude<MemberClass, 'text'>): Partial<Typed> {
  return type === 'int' ? { bound: exactIntegerMax } : { bound: greatestReal, least: leastReal }
}

/** True and false are 1 and 0 for SQLite. */
function numberBranches(type: Exclude<MemberClass, 'text'>): Branches {
  return (it, at) => {
    const member = `json_extract(${it}, ${at})`
    const integer = type === 'int' ? safe(member) : reliable(it, member)
    const integers = `WHEN 'BIGINT' THEN ${integer} WHEN 'UBIGINT' THEN ${integer}`
    const truth = `WHEN 'BOOLEAN' THEN CAST(CAST(${member} AS BOOLEAN) AS ${type === 'int' ? 'BIGINT' : 'DOUBLE'})`
    switch (type) {
      case 'int':
        return `${integers} ${truth}`
      case 'real':
        return `WHEN 'DOUBLE' THEN ${reliable(it, member)}`
      case 'num':
        return `WHEN 'DOUBLE' THEN ${reliable(it, member)} ${integers} ${truth}`
    }
  }
}

function safe(member: string): string {
  return bindOnce(`CAST(${member} AS BIGINT)`, 'htap__m', (x) =>
    raiseWhen(`(${x} NOT BETWEEN -${exactIntegerMax} AND ${exactIntegerMax})`, x),
  )
}

/** Reals of few digits and no great exponent, of which every way to read them makes the same. */
function reliable(text: string, member: string): string {
  return bindOnce(`CAST(${member} AS DOUBLE)`, 'htap__m', (x) => {
    const inRange = `((${x} = 0 AND NOT signbit(${x})) OR abs(${x}) BETWEEN ${leastReal}::DOUBLE AND ${greatestReal}::DOUBLE)`
    return raiseWhen(`((NOT ${inRange}) OR regexp_matches(${text}, '[0-9.]{17}'))`, x)
  })
}
