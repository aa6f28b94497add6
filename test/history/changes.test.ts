import { describe, expect, it } from 'vitest'
import { readHistoryTables } from '../../dist/sync/history/history-table.js'
import {
  type ChangesProps,
  type RowChange,
  readChanges,
} from '../../dist/sync/history/read-changes.js'
import { readDiff } from '../../dist/sync/history/read-diff.js'
import { beginOf } from '../../dist/sync/history/whole-history.js'
import { HistoryHarness } from '../support/history-harness.js'

const schema = 'create table t(id integer primary key, a, b)'

function tableOf(h: HistoryHarness, name = 't') {
  return readHistoryTables(h.keeper.history).find((it) => it.name === name)!
}

function changes(h: HistoryHarness, props: ChangesProps = {}) {
  return [...readChanges(h.keeper.history, tableOf(h), props)]
}

/** Runs transactions one by one; the position of each. */
async function positions(h: HistoryHarness, ...all: string[]): Promise<number[]> {
  const found: number[] = []
  for (const sql of all) {
    h.commit(sql)
    await h.keeper.move()
    found.push(h.state.position)
  }
  return found
}

describe('changes between two positions', () => {
  it('should have the row before and after, in their order', async () => {
    const h = await HistoryHarness.open(`${schema}; insert into t values (1, 'x', 0)`)
    const [first, second] = (await positions(
      h,
      "insert into t values (2, 'y', 0); update t set a = 'z' where id = 1",
      'update t set b = 1 where id = 2; delete from t where id = 1; insert into t values (1, 9, 9)',
    )) as [number, number]
    const begins = beginOf(h.keeper.history, tableOf(h))!
    const of = (list: ReturnType<typeof changes>) =>
      list.map(({ operation, position, kind, key, before, after }) => [
        operation,
        position,
        kind,
        key,
        before,
        after,
      ])
    const later = [
      ['U', second, 'commit', [2], { id: 2, a: 'y', b: 0 }, { id: 2, a: 'y', b: 1 }],
      ['D', second, 'commit', [1], { id: 1, a: 'z', b: 0 }, null],
      ['I', second, 'commit', [1], null, { id: 1, a: 9, b: 9 }],
    ]
    expect(of(changes(h))).toEqual([
      ['I', begins, 'initial', [1], null, { id: 1, a: 'x', b: 0 }],
      ['I', first, 'commit', [2], null, { id: 2, a: 'y', b: 0 }],
      ['U', first, 'commit', [1], { id: 1, a: 'x', b: 0 }, { id: 1, a: 'z', b: 0 }],
      ...later,
    ])
    expect(of(changes(h, { from: first }))).toEqual(later)
    expect(of(changes(h, { from: first, to: second }))).toEqual(later)
    expect(changes(h, { from: begins, to: first })).toHaveLength(2)
    expect(changes(h, { from: first, to: first })).toEqual([])
    expect(changes(h, { from: second })).toEqual([])
    expect(of(changes(h, { from: first, keys: [[2]] }))).toEqual(later.slice(0, 1))
    expect(of(changes(h, { from: first, keys: [[1], [2], [7]] }))).toEqual(later)
    expect(changes(h, { keys: [] })).toEqual([])
    expect(() => changes(h, { keys: Array.from({ length: 1001 }, (_, id) => [id]) })).toThrowError(
      expect.objectContaining({ code: 'config-invalid' }),
    )
    const instant = h.keeper.history
      .prepare('select instant from history_transaction where position = ?')
      .pluck()
      .get(second)
    expect(changes(h, { from: first }).map((it) => it.instant)).toEqual([instant, instant, instant])
  })

  it('should call the columns as they were called then', async () => {
    const h = await HistoryHarness.open(schema)
    await positions(h, 'insert into t values (1, 1, 2)')
    h.foreign.exec('alter table t rename column a to x; alter table t add column c default 7')
    await h.keeper.move()
    await positions(h, 'update t set x = 3')
    h.foreign.exec('alter table t drop column b')
    await h.keeper.move()
    await positions(h, 'delete from t')
    expect(changes(h).map(({ before, after }) => [before, after])).toEqual([
      [null, { id: 1, a: 1, b: 2 }],
      [
        { id: 1, x: 1, b: 2, c: 7 },
        { id: 1, x: 3, b: 2, c: 7 },
      ],
      [{ id: 1, x: 3, c: 7 }, null],
    ])
  })

  it('should be read in pages, and see what is added meanwhile', async () => {
    const h = await HistoryHarness.open(schema)
    const fill = (from: number, count: number) =>
      `insert into t with recursive s(i) as (select ${from} union all select i + 1 from s where i < ${from + count - 1})
       select i, 'a' || i, null from s`
    await positions(h, fill(1, 2500), 'update t set b = id where id % 2 = 0')
    const reader = readChanges(h.keeper.history, tableOf(h))
    const seen = [reader.next().value as RowChange]
    await positions(h, fill(5000, 10))
    for (const change of reader) {
      seen.push(change)
    }
    expect(seen).toHaveLength(2500 + 1250 + 10)
    expect(new Set(seen.slice(0, 2500).map(({ key }) => key[0])).size).toBe(2500)
  })

  it('should give integers as they are asked for', async () => {
    const h = await HistoryHarness.open(schema)
    await positions(h, 'insert into t values (1, 9007199254740993, 1.5)')
    const [change] = changes(h, { safeIntegers: true })
    expect(change?.after).toEqual({ id: 1n, a: 9007199254740993n, b: 1.5 })
    expect(typeof change?.position).toBe('number')
    expect(typeof change?.instant).toBe('number')
  })

  it('should be refused from before the history of the table, and begin with its rows', async () => {
    const h = await HistoryHarness.open(`${schema}; create table empty(id integer primary key)`)
    await positions(h, 'insert into t values (1, 0, 0)')
    const { history } = h.keeper
    const empty = tableOf(h, 'empty')
    const begins = beginOf(history, empty)!
    expect(() => [...readChanges(history, empty, { from: begins - 1 })]).toThrowError(
      expect.objectContaining({ code: 'history-incomplete' }),
    )
    expect([...readChanges(history, empty, { from: begins })]).toEqual([])
  })

  it('should not lose what happened to an empty table under another form of it', async () => {
    const h = await HistoryHarness.open(schema)
    h.foreign.exec('alter table t add column c')
    await h.keeper.move()
    h.foreign.exec('insert into t values (1, 1, 1, 1); delete from t')
    await h.keeper.move()
    h.foreign.exec(
      'alter table t add column d; insert into t values (2, 1, 1, 1, 1); delete from t',
    )
    await h.keeper.move()
    h.foreign.exec('insert into t values (3, 1, 1, 1, 1); delete from t')
    await h.keeper.move()
    expect(h.story('t').map((line) => line.slice(0, 3))).toEqual([
      'I 1',
      'D 1',
      'I 2',
      'D 2',
      'I 3',
      'D 3',
    ])
  })
})

describe('the difference of two positions', () => {
  const diff = (h: HistoryHarness, from: number, to: number) => [
    ...readDiff(h.keeper.history, tableOf(h), { from, to }),
  ]

  it('should have what was added, removed and changed, and nothing that is as before', async () => {
    const h = await HistoryHarness.open(schema)
    const [first, , third] = (await positions(
      h,
      `insert into t values (1, 1, 0), (2, 'same', 0), (3, 'gone', 0), (4, 1, 0), (5, 'kept', 0)`,
      `update t set a = 'other' where id = 2; delete from t where id = 3; insert into t values (6, 'passing', 0)`,
      `update t set a = 'same' where id = 2; update t set a = 1.0 where id = 1; delete from t where id = 4;
       insert into t values (4, 2, 0), (7, 'new', 0); delete from t where id = 6`,
    )) as [number, number, number]
    expect(diff(h, first, third)).toEqual([
      {
        difference: 'removed',
        key: [3],
        before: { id: 3, a: 'gone', b: 0 },
        after: null,
      },
      {
        difference: 'changed',
        key: [1],
        before: { id: 1, a: 1, b: 0 },
        after: { id: 1, a: 1.0, b: 0 },
      },
      {
        difference: 'changed',
        key: [4],
        before: { id: 4, a: 1, b: 0 },
        after: { id: 4, a: 2, b: 0 },
      },
      { difference: 'added', key: [7], before: null, after: { id: 7, a: 'new', b: 0 } },
    ])
    expect(diff(h, third, third)).toEqual([])
    expect(() => diff(h, 0, third)).toThrowError(
      expect.objectContaining({ code: 'history-incomplete' }),
    )
  })

  it('should compare what the table has at the end, under the names of each side', async () => {
    const h = await HistoryHarness.open(schema)
    const [first] = (await positions(h, 'insert into t values (1, 1, 1), (2, 2, 2)')) as [number]
    h.foreign.exec('alter table t rename column a to x; alter table t drop column b')
    await h.keeper.move()
    const [second] = (await positions(h, 'update t set x = x + (id = 2)')) as [number]
    expect(diff(h, first, second)).toEqual([
      { difference: 'changed', key: [2], before: { id: 2, a: 2, b: 2 }, after: { id: 2, x: 3 } },
    ])
  })

  it('should be read in pages', async () => {
    const h = await HistoryHarness.open(schema)
    const [first, second] = (await positions(
      h,
      'insert into t values (0, 0, 0)',
      `insert into t with recursive s(i) as (select 1 union all select i + 1 from s where i < 2200)
       select i, i, i from s; update t set a = -1 where id % 3 = 0`,
    )) as [number, number]
    const found = diff(h, first, second)
    expect(found).toHaveLength(2201)
    expect(new Set(found.map(({ key }) => key[0])).size).toBe(2201)
  })
})
