import { derived, type Typed, typed } from '../typed.js'
import { asText } from './as-text.js'
import { bindOnce } from './bind-once.js'
import { type FunctionRule, plainCall } from './function-rule.js'
import { substring } from './substring.js'

const upperLetters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'
const lowerLetters = upperLetters.toLowerCase()
const corefunc = 'https://sqlite.org/lang_corefunc.html'
const foldsAscii = `${corefunc}#lower: only ASCII letters are folded`

export const textFunctions: readonly FunctionRule[] = [
  {
    kind: 'function',
    name: 'lower',
    operands: 'textual',
    form: "CASE WHEN strlen(x) = length(x) THEN lower(x) ELSE translate(x, 'AB...', 'ab...') END",
    source: foldsAscii,
    examples: ['lower(s)', 'lower(t)', 'lower(i)'],
    apply: ([x]) => folded(x, 'lower', upperLetters, lowerLetters),
  },
  {
    kind: 'function',
    name: 'upper',
    operands: 'textual',
    form: "CASE WHEN strlen(x) = length(x) THEN upper(x) ELSE translate(x, 'ab...', 'AB...') END",
    source: foldsAscii,
    examples: ['upper(s)', 'upper(t)', 'upper(i)'],
    apply: ([x]) => folded(x, 'upper', lowerLetters, upperLetters),
  },
  {
    kind: 'function',
    name: 'length',
    operands: 'textual',
    form: 'CAST(length(x) AS BIGINT)',
    source: `${corefunc}#length: characters, of a number those of its text`,
    examples: ['length(s)', 'length(t)', 'length(i)', 'length(q)'],
    apply: (all) => integerOfTexts('length', all),
  },
  {
    kind: 'function',
    name: 'length',
    operands: 'blob',
    form: 'octet_length(x)',
    source: `${corefunc}#length: bytes of a BLOB`,
    examples: ['length(b)'],
    apply: ([x]) => x && derived(`octet_length(${x.sql})`, 'int', [x], { bound: 2 ** 31 }),
  },
  {
    kind: 'function',
    name: 'octet_length',
    operands: 'textual',
    form: 'CAST(strlen(x) AS BIGINT)',
    source: `${corefunc}#octet_length`,
    examples: ['octet_length(s)', 'octet_length(t)', 'octet_length(i)'],
    apply: (all) => integerOfTexts('strlen', all),
  },
  {
    kind: 'function',
    name: 'instr',
    operands: 'textual, textual',
    form: 'CAST(instr(x, y) AS BIGINT)',
    source: `${corefunc}#instr`,
    examples: ["instr(s, 'n')", "instr(t, 'ß')", 'instr(s, s)', "instr(s, '')", 'instr(i, 2)'],
    apply: (all) => integerOfTexts('instr', all),
  },
  {
    kind: 'function',
    name: 'unicode',
    operands: 'textual',
    form: 'CAST(nullif(unicode(x), -1) AS BIGINT)',
    source: `${corefunc}#unicode: NULL for the empty text, where DuckDB has -1`,
    examples: ['unicode(s)', 'unicode(t)', 'unicode(i)'],
    apply: ([x]) =>
      x &&
      derived(`CAST(nullif(unicode(${asText(x).sql}), -1) AS BIGINT)`, 'int', [x], {
        bound: 2 ** 21,
      }),
  },
  ...(['trim', 'ltrim', 'rtrim'] as const).map(
    (name): FunctionRule => ({
      kind: 'function',
      name,
      operands: 'textual, textual?',
      form: `${name}(x, coalesce(y, ' '))`,
      source: `${corefunc}#${name}: without a second argument U+0020 only`,
      examples: [`${name}(s)`, `${name}(t)`, `${name}(s, 'Ab ')`, `${name}(i, 0)`],
      apply: ([x, characters]) =>
        x && text(name, [x, characters ?? typed("' '", 'text', { constant: true, ascii: true })]),
    }),
  ),
  {
    kind: 'function',
    name: 'replace',
    operands: 'textual, textual, textual',
    form: "CASE WHEN y = '' THEN x ELSE replace(x, y, z) END",
    source: `${corefunc}#replace: an empty pattern replaces nothing`,
    examples: [
      "replace(s, 'n', '-')",
      "replace(t, 'ß', 'ss')",
      "replace(s, '', 'x')",
      "replace(s, s, 'all')",
      "replace(i, 1, '')",
    ],
    apply: (all) => {
      const [x, y, z] = all.map(asText)
      if (x === undefined || y === undefined || z === undefined) {
        return null
      }
      const sql = `(CASE WHEN (${y.sql} = '') AND (${z.sql} IS NOT NULL) THEN ${x.sql} ELSE ${plainCall('replace', [x, y, z])} END)`
      return derived(sql, 'text', [x, y, z], { ascii: x.ascii && z.ascii })
    },
  },
  ...(['substr', 'substring'] as const).map(
    (name): FunctionRule => ({
      kind: 'function',
      name,
      operands: 'textual, int|real, int|real?',
      form: 'substring(x, first, count), where first and count are counted as SQLite does',
      source: `${corefunc}#substr: zero, negative starts and negative lengths`,
      examples: [
        `${name}(s, 2)`,
        `${name}(s, 2, 2)`,
        `${name}(t, 0)`,
        `${name}(s, 0, 3)`,
        `${name}(t, -2)`,
        `${name}(s, -3, 2)`,
        `${name}(s, -9, 8)`,
        `${name}(s, 3, -2)`,
        `${name}(s, n - 4, j)`,
        `${name}(s, j)`,
        `${name}(i, 1, 1)`,
      ],
      apply: substring,
    }),
  ),
  {
    kind: 'function',
    name: 'hex',
    operands: 'textual|blob',
    form: "coalesce(hex(x), '')",
    source: `${corefunc}#hex: NULL gives the empty text`,
    examples: ['hex(s)', 'hex(t)', 'hex(b)', 'hex(i)'],
    ownNulls: true,
    apply: ([x]) => {
      const value = x === undefined || x.type === 'blob' ? x : asText(x)
      return value && derived(`coalesce(hex(${value.sql}), '')`, 'text', [value], { ascii: true })
    },
  },
  {
    kind: 'function',
    name: 'concat',
    operands: 'textual|null, textual|null...',
    form: 'concat(x, y ...)',
    source: `${corefunc}#concat: NULL counts as the empty text`,
    examples: ['concat(s, t)', "concat(s, '-', j, '-', i)", 'concat(j)'],
    ownNulls: true,
    apply: (all) => {
      const texts = all.filter((operand) => operand.type !== 'null').map(asText)
      const ascii = texts.every((operand) => operand.ascii)
      return derived(
        `concat('', ${texts.map((operand) => operand.sql).join(', ')})`,
        'text',
        texts,
        { ascii },
      )
    },
  },
  {
    kind: 'function',
    name: 'concat_ws',
    operands: 'textual, textual|null, textual|null...',
    form: 'concat_ws(x, y, z ...)',
    source: `${corefunc}#concat_ws: NULL is left out`,
    examples: ["concat_ws('-', s, t, j)", "concat_ws(', ', t, t)"],
    ownNulls: true,
    apply: (all) => {
      const texts = all.filter((operand) => operand.type !== 'null').map(asText)
      return texts.length < 2 ? null : derived(plainCall('concat_ws', texts), 'text', texts)
    },
  },
]

function integerOfTexts(name: string, operands: readonly Typed[]): Typed {
  const texts = operands.map(asText)
  const sql = `CAST(${plainCall(name, texts)} AS BIGINT)`
  return derived(sql, 'int', texts, { bound: 2 ** 31, collated: false })
}

function text(name: string, operands: readonly Typed[]): Typed {
  const texts = operands.map(asText)
  const ascii = texts.every((operand) => operand.ascii)
  return derived(plainCall(name, texts), 'text', texts, { ascii })
}

function folded(
  x: Typed | undefined,
  name: 'lower' | 'upper',
  from: string,
  to: string,
): Typed | null {
  if (x === undefined) {
    return null
  }
  const operand = asText(x)
  const sql = operand.ascii
    ? `${name}(${operand.sql})`
    : bindOnce(
        operand.sql,
        'htap__f',
        (it) =>
          `(CASE WHEN strlen(${it}) = length(${it}) THEN ${name}(${it}) ELSE translate(${it}, '${from}', '${to}') END)`,
      )
  return derived(sql, 'text', [operand], { ascii: operand.ascii })
}
