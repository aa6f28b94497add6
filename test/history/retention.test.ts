import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { FailPoint } from '../../dist/src/core/outside-world.js'
import { openControlConnection } from '../../dist/src/oltp/open-read-connection.js'
import { noteActor, readLogHead } from '../../dist/sync/capture/commit-notes.js'
import { eraseKeys } from '../../dist/sync/history/erase-keys.js'
import { readAllHistoryTables, readHistoryTables } from '../../dist/sync/history/history-table.js'
import {
  applyRetention,
  planRetention,
  type RetentionProps,
} from '../../dist/sync/history/retention.js'
import { positionAt } from '../../dist/sync/history/rows-as-of.js'
import { beginOf, requireWhole } from '../../dist/sync/history/whole-history.js'
import { OwnConnectionAccess } from '../../dist/sync/read/source-access.js'
import { expectFollowing } from '../support/check-versions.js'
import { Child } from '../support/child.js'
import { HistoryHarness } from '../support/history-harness.js'
import { tempFolder } from '../support/temp-folder.js'

const schema = `create table t(id integer primary key, k unique, v);
  create table pair(a text, b int, v, primary key (a, b)) without rowid`

interface Copy {
  readonly position: number
  readonly t: unknown[][]
  readonly pair: unknown[][]
}

/** A history of a few keys with many versions each, ends and new beginnings, and copies of it. */
async function grow(h: HistoryHarness, count: number): Promise<Copy[]> {
  const copies: Copy[] = []
  for (let i = 0; i < count; i++) {
    h.commit(
      `insert or replace into t values (${i % 7}, ${i % 5}, ${i}); delete from t where id = ${(i * 3) % 11};
       insert or replace into pair values ('k', ${i % 4}, ${i}); delete from pair where b = ${(i * 5) % 9}`,
    )
    copies.push(copyOf(h))
  }
  await h.keeper.move()
  return copies
}

/** Of the last transaction, which is not moved yet. */
function copyOf(h: HistoryHarness): Copy {
  const head = h.database.prepare('select max(seq) from _htap_log').pluck().get() as number
  const rows = (sql: string) => h.database.prepare(sql).raw().safeIntegers().all() as unknown[][]
  return {
    position: head + h.state.shift,
    t: rows('select id, id, k, v from t order by 1'),
    pair: rows('select a, b, a, b, v from pair order by 1, 2'),
  }
}

/** Every copy from where the history is whole on is given back, and from before it is refused. */
function expectWhole(h: HistoryHarness, copies: readonly Copy[]): void {
  const { history } = h.keeper
  for (const table of readHistoryTables(history)) {
    expectFollowing(h, table)
    const begins = beginOf(history, table)!
    for (const copy of copies) {
      if (copy.position >= begins) {
        expect(h.asOf(table.name, copy.position)).toEqual(copy[table.name as 't' | 'pair'])
      } else {
        expect(() => requireWhole(history, table, copy.position)).toThrowError(
          expect.objectContaining({ code: 'history-incomplete' }),
        )
      }
    }
  }
}

/** Instants of positions, far enough from each other that an age lies between two of them. */
function setInstants(h: HistoryHarness, msBetween: number): void {
  h.keeper.history.exec(
    `update history_transaction set instant = (${Date.now()} - ${msBetween} * (
       (select count(*) from history_transaction) - (
         select count(*) from history_transaction b where b.position <= history_transaction.position))) * 1000`,
  )
}

const hour = 3_600_000

describe('retention', () => {
  it.each<RetentionProps>([
    { olderThanMs: 20.5 * hour },
    { versionsPerKey: 3 },
    { olderThanMs: 5.5 * hour, versionsPerKey: 2 },
    { versionsPerKey: 1 },
    { olderThanMs: 0 },
  ])(
    'should give up what %o says, and nothing that is needed: asked before, and once',
    async (props) => {
      const h = await HistoryHarness.open(schema)
      const copies = await grow(h, 60)
      setInstants(h, hour)
      const { history } = h.keeper
      const count = () => readHistoryTables(history).map(({ name }) => h.versions(name).length)
      const [before, planned] = [count(), await planRetention(history, props)]
      expect(count()).toEqual(before)
      expectWhole(h, copies)
      const done = await applyRetention(history, props)
      expect(done.tables.map(({ versions, bytes, begins }) => [versions, bytes, begins])).toEqual(
        planned.tables.map(({ versions, bytes, begins }) => [versions, bytes, begins]),
      )
      const gone = done.tables.map(({ versions }) => versions)
      expect(count()).toEqual(before.map((all, index) => all - gone[index]!))
      expect(Math.min(...gone)).toBeGreaterThan(20)
      expect(done.tables.map(({ begins }) => begins)).toEqual(
        readHistoryTables(history).map((table) => beginOf(history, table)),
      )
      expectWhole(h, copies)
      const again = await applyRetention(history, props)
      expect(again.tables.map(({ versions }) => versions)).toEqual([0, 0])
      copies.push(...(await grow(h, 20)))
      expectWhole(h, copies)
      h.expectPresent('t', 'id', 'id, k, v')
    },
  )

  it('should reach back exactly as far as was asked', async () => {
    const h = await HistoryHarness.open(schema)
    const copies = await grow(h, 60)
    setInstants(h, hour)
    const { history } = h.keeper
    const { position } = await applyRetention(history, { olderThanMs: 20.5 * hour })
    const seen = copies.filter((copy) => copy.position >= position!)
    // The state at that moment, and the twenty-one that came after it.
    expect(seen).toHaveLength(22)
    expect(Math.max(...readHistoryTables(history).map((it) => beginOf(history, it)!))).toBe(
      position,
    )
  })

  it('should keep so many versions of each key, and no end whose beginning is gone', async () => {
    const h = await HistoryHarness.open(schema)
    for (let i = 0; i < 9; i++) {
      h.commit(`insert or replace into t values (1, 'a', ${i}), (2, 'b', ${i}), (3, 'c', ${i})`)
    }
    h.commit('delete from t where id = 2')
    h.commit("delete from t where id = 3; insert into t values (3, 'c', 9)")
    await h.keeper.move()
    await applyRetention(h.keeper.history, { versionsPerKey: 2 })
    expect(h.story('t').sort()).toEqual([
      'D 2 null null null',
      'D 3 null null null',
      'I 3 3 c 9',
      'U 1 1 a 7',
      'U 1 1 a 8',
      'U 2 2 b 7',
      'U 2 2 b 8',
      'U 3 3 c 8',
    ])
    await applyRetention(h.keeper.history, { versionsPerKey: 1 })
    expect(h.story('t').sort()).toEqual([
      'D 2 null null null',
      'I 3 3 c 9',
      'U 1 1 a 8',
      'U 2 2 b 8',
    ])
    await applyRetention(h.keeper.history, { olderThanMs: 0 })
    expect(h.story('t').sort()).toEqual(['I 3 3 c 9', 'U 1 1 a 8'])
    h.commit("insert into t values (2, 'b', 'new'); delete from t where id = 1")
    await h.keeper.move()
    h.expectPresent('t', 'id', 'id, k, v')
  })

  it('should keep what other tables need, and the tables that are not named', async () => {
    const h = await HistoryHarness.open(schema)
    const copies = await grow(h, 40)
    setInstants(h, hour)
    const { history } = h.keeper
    await applyRetention(history, { olderThanMs: 10.5 * hour, tables: ['T'] })
    const pair = readHistoryTables(history).find(({ name }) => name === 'pair')!
    expect(beginOf(history, pair)).toBeLessThan(copies[0]!.position)
    expectWhole(h, copies)
    const instants = history.prepare('select count(*) from history_transaction').pluck().get()
    await applyRetention(history, { olderThanMs: 10.5 * hour })
    expect(history.prepare('select count(*) from history_transaction').pluck().get()).toBeLessThan(
      instants as number,
    )
    expectWhole(h, copies)
    const dangling = readHistoryTables(history).map(({ id }) =>
      history
        .prepare(
          `select count(*) from version_${id} where position not in (
             select position from history_transaction)`,
        )
        .pluck()
        .get(),
    )
    expect(dangling).toEqual([0, 0])
  })

  it('should forget who did what when it is as old, and not sooner', async () => {
    const h = await HistoryHarness.open(schema)
    for (const actor of ['old', 'new']) {
      h.database.exec('begin immediate')
      noteActor(h.database, { actor, message: null, after: readLogHead(h.database) })
      h.database.exec('commit')
      await grow(h, 10)
    }
    setInstants(h, hour)
    const actors = () =>
      h.keeper.history
        .prepare('select actor from history_transaction where actor is not null')
        .pluck()
        .all()
    await applyRetention(h.keeper.history, { olderThanMs: 12.5 * hour, tables: ['t'] })
    expect(actors()).toEqual(['old', 'new'])
    await applyRetention(h.keeper.history, { olderThanMs: 12.5 * hour })
    expect(actors()).toEqual(['new'])
  })

  it('should go on while changes are moved, and erased, at the same time', async () => {
    const h = await HistoryHarness.open(schema)
    const copies = await grow(h, 30)
    const { history } = h.keeper
    const access = new OwnConnectionAccess(await openControlConnection(h.path), h.path)
    const writing = async () => {
      for (let i = 0; i < 10; i++) {
        copies.push(...(await grow(h, 2)))
      }
    }
    const shortening = async () => {
      for (let i = 0; i < 10; i++) {
        await applyRetention(history, { versionsPerKey: 3 + (i % 2) })
      }
    }
    const erasing = async () => {
      const table = readHistoryTables(history).find(({ name }) => name === 't')!
      for (const id of [100, 101, 102]) {
        await eraseKeys({ history, access, table, keys: [[id]], move: () => h.keeper.move() })
      }
    }
    await Promise.all([writing(), shortening(), erasing()])
    access.close()
    expectWhole(h, copies)
    h.expectPresent('t', 'id', 'id, k, v')
  })

  it('should take a table that was dropped as a whole in the end', async () => {
    const h = await HistoryHarness.open(schema)
    await grow(h, 20)
    h.foreign.exec('drop table t')
    await h.keeper.move()
    await applyRetention(h.keeper.history, { olderThanMs: 0, tables: ['t'] })
    expect(h.versions('t')).toEqual([])
    expect(readAllHistoryTables(h.keeper.history)).toHaveLength(2)
  })

  it('should refuse what makes no sense, and tables without history', async () => {
    const h = await HistoryHarness.open(schema)
    const wrong: [RetentionProps, string][] = [
      [{}, 'config-invalid'],
      [{ olderThanMs: -1 }, 'config-invalid'],
      [{ olderThanMs: Number.NaN }, 'config-invalid'],
      [{ versionsPerKey: 0 }, 'config-invalid'],
      [{ versionsPerKey: 1.5 }, 'config-invalid'],
      [{ olderThanMs: 1, tables: ['nobody'] }, 'table-unknown'],
    ]
    for (const [props, code] of wrong) {
      await expect(applyRetention(h.keeper.history, props)).rejects.toMatchObject({ code })
      await expect(planRetention(h.keeper.history, props)).rejects.toMatchObject({ code })
    }
  })

  it('should find the position of a moment whose own transaction is gone', async () => {
    const h = await HistoryHarness.open(schema)
    await grow(h, 5)
    h.commit("insert into t values (100, 'x', 0)")
    await h.keeper.move()
    const passing = h.state
    h.commit('delete from t where id = 100')
    await h.keeper.move()
    await grow(h, 5)
    await applyRetention(h.keeper.history, { olderThanMs: 0 })
    const found = positionAt(h.keeper.history, passing.instant)
    const [table] = readHistoryTables(h.keeper.history)
    expect(() => requireWhole(h.keeper.history, table!, found)).toThrowError(
      expect.objectContaining({ code: 'history-incomplete' }),
    )
  })
})

describe('retention that is killed', () => {
  const armed = fileURLToPath(new URL('../children/arm-fail-point.mjs', import.meta.url))
  const points: readonly FailPoint[] = [
    'history-retention.in-transaction',
    'history-retention.committed',
  ]

  it('should leave a history that tells from where on it is whole', {
    timeout: 120_000,
  }, async () => {
    const path = join(tempFolder(), 'kill.db')
    const first = await HistoryHarness.openFile(path)
    first.database.exec(schema)
    await first.keeper.move()
    first.commit(
      `insert into t with recursive s(i) as (select 1 union all select i + 1 from s where i < 900) select i, i, 0 from s`,
    )
    const copies: Copy[] = []
    for (let i = 0; i < 8; i++) {
      first.commit(`update t set v = ${i} where id % 8 <> ${i}; delete from t where id = ${i}`)
      copies.push(copyOf(first))
    }
    await first.keeper.move()
    await first.close()
    for (const [round, point] of points.entries()) {
      const child = new Child('history-shortener.mjs', [path], {
        NODE_OPTIONS: `--import ${armed}`,
        HTAP_FAIL_POINT: `${point}:${1 + round}:0`,
      })
      expect(await child.ended()).toMatchObject({ signal: 'SIGKILL' })
      const h = await HistoryHarness.openFile(path)
      expectWhole(h, copies)
      await h.close()
    }
    const last = new Child('history-shortener.mjs', [path])
    expect(Number(await last.nextLine())).toBeGreaterThan(0)
    const h = await HistoryHarness.openFile(path)
    expectWhole(h, copies)
    expect(h.versions('t')).toHaveLength(893)
  })
})
