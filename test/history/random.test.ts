import { describe, expect, it } from 'vitest'
import { type HistoryTable, readHistoryTables } from '../../dist/sync/history/history-table.js'
import { readChanges } from '../../dist/sync/history/read-changes.js'
import { readDiff } from '../../dist/sync/history/read-diff.js'
import { applyRetention } from '../../dist/sync/history/retention.js'
import { beginOf } from '../../dist/sync/history/whole-history.js'
import { expectFollowing } from '../support/check-versions.js'
import { repetitions } from '../support/deep.js'
import { HistoryHarness } from '../support/history-harness.js'

// Random transactions of two connections, and after each of them a copy of all tables. In the end the
// history must give every copy back. HTAP_HISTORY sets how many, HTAP_SEED repeats a run.
const rounds = repetitions('HTAP_HISTORY', 3)
const transactions = 120
/** Pairs of copies of which the changes in between are read. */
const pairs = 12
const seed = Number(process.env['HTAP_SEED'] ?? Date.now() % 1_000_000)

interface TableSpec {
  readonly name: string
  readonly create: string
  /** The key as the history has it, and the columns of the copy. */
  readonly key: string
  readonly columns: readonly string[]
}

const tables: readonly TableSpec[] = [
  {
    name: 'alias',
    create: 'create table alias(a integer primary key, b text collate nocase unique, c, d)',
    key: 'a',
    columns: ['a', 'b', 'c', 'd'],
  },
  {
    name: 'textual',
    create: 'create table textual(a text primary key, b, c int, unique (b, c))',
    key: 'rowid',
    columns: ['a', 'b', 'c'],
  },
  {
    name: 'composite',
    create: `create table composite(a int, b text, c real, d unique, primary key (b, a)) without rowid`,
    key: 'b, a',
    columns: ['a', 'b', 'c', 'd'],
  },
  {
    name: 'bare',
    create: 'create table bare(a, b, c as (a || b))',
    key: 'rowid',
    columns: ['a', 'b', 'c'],
  },
]

class RandomHistory {
  readonly script: string[] = []

  constructor(
    readonly h: HistoryHarness,
    readonly random: (below: number) => number,
  ) {}

  transaction(): string {
    const count = 1 + this.random(4)
    const statements = Array.from({ length: count }, () => this.#statement())
    if (this.random(8) === 0) {
      statements.splice(1, 0, `savepoint s; ${this.#statement()}; rollback to s`)
    }
    return statements.join('; ')
  }

  #statement(): string {
    const table = this.#pick(tables)
    const settable = table.name === 'bare' ? ['a', 'b'] : table.columns
    const [first] = table.key.split(', ')
    const key = first === 'rowid' ? 'rowid' : (first as string)
    const values = () => settable.map((column) => this.#value(table, column)).join(', ')
    switch (this.random(9)) {
      case 0:
      case 1:
        return `insert or ignore into ${table.name}(${settable.join(', ')}) values (${values()}), (${values()})`
      case 2:
      case 3:
        return `insert or replace into ${table.name}(${settable.join(', ')}) values (${values()}), (${values()})`
      case 4:
        return `delete from ${table.name} where ${key} = ${this.#value(table, key)}`
      case 5:
        return `delete from ${table.name} where ${this.#pick(settable)} = ${this.#value(table, this.#pick(settable))}`
      case 6: {
        const column = this.#pick(settable)
        return `update or replace ${table.name} set ${column} = ${this.#value(table, column)} where ${key} >= ${this.#value(table, key)}`
      }
      case 7: {
        const column = this.#pick(settable)
        return `update or ignore ${table.name} set ${column} = ${this.#value(table, column)}`
      }
      default:
        return table.name === 'alias'
          ? `insert into alias(a, b) values (${this.random(6)}, ${this.#value(table, 'b')})
             on conflict(a) do update set c = ${this.#value(table, 'c')} on conflict(b) do nothing`
          : `update or replace ${table.name} set ${settable[0]} = ${this.#value(table, settable[0] as string)} where ${key} = ${this.#value(table, key)}`
    }
  }

  #value(table: TableSpec, column: string): string {
    if (column === 'rowid' || (table.name === 'alias' && column === 'a')) {
      return String(this.random(7))
    }
    if (column === table.key.split(', ')[0] || (table.name === 'composite' && column === 'a')) {
      return column === 'b' ? `'${this.#pick(['p', 'q', 'P'])}'` : String(this.random(3))
    }
    return this.#pick(['null', '1', '1.0', '2.5', "'a'", "'A'", "'b '", "x'61'", '3', "'3'", '-7'])
  }

  #pick<T>(list: readonly T[]): T {
    return list[this.random(list.length)] as T
  }
}

function copyOf(h: HistoryHarness): unknown[][][] {
  return tables.map(
    ({ name, key, columns }) =>
      h.database
        .prepare(`select ${key}, ${columns.join(', ')} from ${name} order by 1, 2`)
        .raw()
        .safeIntegers()
        .all() as unknown[][],
  )
}

async function run(roundSeed: number): Promise<void> {
  let state = roundSeed
  const random = (below: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return (state >> 8) % below
  }
  const h = await HistoryHarness.open(tables.map(({ create }) => create).join('; '))
  const history = new RandomHistory(h, random)
  const head = () =>
    h.database.prepare('select max(seq) from _htap_log').pluck().safeIntegers(false).get() as number
  const copies: Copy[] = []
  let waiting: { readonly seq: number; readonly rows: unknown[][][] }[] = []
  const move = async () => {
    const { shift } = h.state
    await h.keeper.move()
    copies.push(...waiting.map(({ seq, rows }) => ({ position: seq + shift, rows })))
    waiting = []
  }
  for (let i = 0; i < transactions; i++) {
    const connection = random(3) === 0 ? h.foreign : h.database
    const sql = history.transaction()
    history.script.push(sql)
    try {
      connection.exec(`begin; ${sql}; commit`)
    } catch {
      // A constraint: nothing of it happened.
      connection.exec('rollback')
    }
    h.keeper.noteCommit()
    waiting.push({ seq: head(), rows: copyOf(h) })
    if (random(6) === 0) {
      await move()
    }
    if (random(40) === 0) {
      await move()
      await h.restart()
    }
  }
  await move()
  for (const { position, rows } of copies) {
    expect(tables.map(({ name }) => h.asOf(name, position))).toEqual(rows)
  }
  for (const { name, key, columns } of tables) {
    h.expectPresent(name, key, columns.join(', '))
  }
  for (let pair = 0; pair < pairs; pair++) {
    const from = random(copies.length)
    const to = from + random(copies.length - from)
    expectWay(h, copies[from] as Copy, copies[to] as Copy)
  }
  await applyRetention(h.keeper.history, { versionsPerKey: 1 + random(4) })
  for (const [index, { name }] of tables.entries()) {
    const table = tableOf(h, name)
    expectFollowing(h, table)
    const begins = beginOf(h.keeper.history, table) as number
    for (const { position, rows } of copies.filter((copy) => copy.position >= begins)) {
      expect(h.asOf(name, position)).toEqual(rows[index])
    }
  }
}

interface Copy {
  readonly position: number
  readonly rows: unknown[][][]
}

function tableOf(h: HistoryHarness, name: string): HistoryTable {
  return readHistoryTables(h.keeper.history).find((it) => it.name === name) as HistoryTable
}

/** The changes between two copies, and their difference, lead from one to the other. */
function expectWay(h: HistoryHarness, from: Copy, to: Copy): void {
  const { history } = h.keeper
  const range = { from: from.position, to: to.position, safeIntegers: true }
  for (const [index, { name, key, columns }] of tables.entries()) {
    const width = key.split(', ').length
    const named = (copy: Copy) =>
      new Map(
        (copy.rows[index] ?? []).map((row) => [
          textOf(row.slice(0, width)),
          Object.fromEntries(columns.map((column, at) => [column, row[width + at]])),
        ]),
      )
    const table = tableOf(h, name)
    for (const { before, after } of readDiff(history, table, range)) {
      expect(after).not.toEqual(before)
    }
    for (const steps of [readChanges(history, table, range), readDiff(history, table, range)]) {
      const rows = named(from)
      for (const { key: found, before, after } of steps) {
        expect(rows.get(textOf(found)) ?? null).toEqual(before)
        if (after === null) {
          rows.delete(textOf(found))
        } else {
          rows.set(textOf(found), after)
        }
      }
      expect(rows).toEqual(named(to))
    }
  }
}

function textOf(key: readonly unknown[]): string {
  return key.map(String).join()
}

describe(`a random history (seed ${seed})`, () => {
  it.each(Array.from({ length: rounds }, (_, round) => seed + round * 7919))(
    'should give back every copy of the tables: %i',
    async (roundSeed) => {
      await run(roundSeed)
    },
  )
})
