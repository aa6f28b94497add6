import { describe, expect, test } from 'vitest'
import { parseSelect } from '../../dist/dialect/translate/parse/parse-select.js'
import type { Expression, Select } from '../../dist/dialect/translate/parse/syntax.js'

describe('precedence is that of SQLite', () => {
  test.each([
    ['a + b * c', '(a + (b * c))'],
    ['a || b * c', '((a || b) * c)'],
    ['1 + 2 || 3', '(1 + (2 || 3))'],
    ['-a || b', '((- a) || b)'],
    ['~1 + 1', '((~ 1) + 1)'],
    ['a & b + c', '(a & (b + c))'],
    ['a < b = c', '((a < b) = c)'],
    ['a = b < c', '(a = (b < c))'],
    ['a | b < c', '((a | b) < c)'],
    ['not a = b', '(not (a = b))'],
    ['not a and b', '((not a) and b)'],
    ['a = not b = c', '(a = (not (b = c)))'],
    ['a or b and c', '(a or (b and c))'],
    ['a between b and c and d', '((a between b c) and d)'],
    ['a between b = 1 and c = d', '((a between (b = 1) c) = d)'],
    ['a in (1, 2) = b', '((a in 1 2) = b)'],
    ['a is not b is null', '((a is not b) isnull)'],
    ['a is not distinct from b', '(a is b)'],
    ['a not null', '(a notnull)'],
    ['a like b || c', '(a like (b || c))'],
    ['a not like b and c', '((a not like b) and c)'],
    ['a collate nocase = b', '((a collate nocase) = b)'],
    ['-a collate nocase', '((- a) collate nocase)'],
    ['a - b - c', '((a - b) - c)'],
    ['a -> b ->> c', '((a -> b) ->> c)'],
    ['0x1F + 1_000', '(0x1F + 1000)'],
    ['case a when 1 then 2 else 3 end + 1', '((case a 1 2 3) + 1)'],
  ])('%s', (text, shown) => {
    expect(show(firstColumn(text))).toBe(shown)
  })
})

describe('names and clauses', () => {
  test('quotes of every kind name the same column', () => {
    for (const name of ['"a b"', '`a b`', '[a b]']) {
      expect(firstColumn(name)).toMatchObject({ kind: 'column', name: 'a b', bare: false })
    }
  })

  test('parameters are counted in the order of the text', () => {
    const parsed = parsedOf('select ? from t where a = ? and b in (?, ?) limit ?')
    expect(parsed.parameterCount).toBe(5)
    expect(parsed.select.limit).toMatchObject({ kind: 'parameter', index: 4 })
  })

  test('LIMIT with a comma has the offset first', () => {
    const { select } = parsedOf('select a from t limit 3, 7')
    expect(select.limit).toMatchObject({ text: '7' })
    expect(select.offset).toMatchObject({ text: '3' })
  })

  test('spans point into the text', () => {
    const sql = 'select  a + b * 2 , c from t'
    const { select } = parsedOf(sql)
    const { body } = select
    const [first] = body.kind === 'core' ? body.columns : []
    const expression = first?.kind === 'expression' ? first.expression : undefined
    expect(sql.slice(expression?.start, expression?.end)).toBe('a + b * 2')
  })

  test('comments and odd spacing are skipped', () => {
    expect(parseSelect('select/* x */a -- y\nfrom t;').kind).toBe('select')
  })

  test.each([
    'insert into t values (1)',
    'select a from t where a = ?1',
    'select a from t where a = :name',
    'select a from v join (t join u)',
    'select * from json_each(?)',
    'select a from t; select b from t',
    'select 1abc',
    'select "a',
    '',
    'select',
    `select ${'('.repeat(5000)}1${')'.repeat(5000)}`,
    `select 1${' + 1'.repeat(5000)}`,
  ])('is not understood: %.40s', (sql) => {
    expect(parseSelect(sql).kind).toBe('not-understood')
  })
})

describe('summary', () => {
  test.each([
    ['select a from t where b = 1 order by c limit 3', false],
    ['select count(*) from t', true],
    ['select max(a, b) from t', false],
    ['select max(a) from t', true],
    ['select a from t join u on t.a = u.a', true],
    ['select a from t, u', true],
    ['select distinct a from t', true],
    ['select a from t union select b from u', true],
    ['select a from t where exists (select 1 from u)', true],
    ['select row_number() over (order by a) from t', true],
    ['with x as (select 1) select * from x', true],
  ])('%s', (sql, analytic) => {
    expect(parsedOf(sql).summary.analytic).toBe(analytic)
  })

  test('tables leave out common tables, and names are folded', () => {
    const { summary } = parsedOf(
      'with X as (select ID from "Person") select Lower(p) from x join main.Pet on 1 where a LIKE ?',
    )
    expect([...summary.tables].sort()).toEqual(['person', 'pet'])
    expect([...summary.functions]).toEqual(['lower'])
    expect(summary.names.has('id')).toBe(true)
    expect(summary.usesLike).toBe(true)
    expect(summary.foreignSchema).toBe(false)
  })
})

function parsedOf(sql: string) {
  const parsed = parseSelect(sql)
  if (parsed.kind !== 'select') {
    throw new Error(`${sql}: ${parsed.reason}`)
  }
  return parsed
}

function firstColumn(expression: string): Expression {
  const { body }: Select = parsedOf(`select ${expression} from t`).select
  const [column] = body.kind === 'core' ? body.columns : []
  if (column?.kind !== 'expression') {
    throw new Error('no column')
  }
  return column.expression
}

function show(node: Expression): string {
  const all = (nodes: readonly Expression[]) => nodes.map(show).join(' ')
  switch (node.kind) {
    case 'integer':
    case 'real':
      return node.text
    case 'column':
      return node.name
    case 'unary':
      return `(${node.operator} ${show(node.operand)})`
    case 'binary':
      return `(${show(node.left)} ${node.operator} ${show(node.right)})`
    case 'null-test':
      return `(${show(node.operand)} ${node.negated ? 'notnull' : 'isnull'})`
    case 'between':
      return `(${all([node.operand])} between ${show(node.low)} ${show(node.high)})`
    case 'in':
      return `(${show(node.operand)} in ${all(node.items ?? [])})`
    case 'pattern':
      return `(${show(node.operand)} ${node.negated ? 'not ' : ''}like ${show(node.pattern)})`
    case 'collate':
      return `(${show(node.operand)} collate ${node.collation})`
    case 'case': {
      const branches = node.branches.flatMap((branch) => [branch.when, branch.result])
      return `(case ${all([node.operand!, ...branches, node.otherwise!])})`
    }
    default:
      throw new Error(node.kind)
  }
}
