import { copyFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { expelConsumers, expireConsumers } from '../../dist/sync/capture/change-log.js'
import { HistoryThreads } from '../../dist/sync/history/history-threads.js'
import { positionAt } from '../../dist/sync/history/rows-as-of.js'
import { HistoryHarness } from '../support/history-harness.js'
import { tempFolder } from '../support/temp-folder.js'

interface Transaction {
  readonly position: number
  readonly instant: number
}

function transactions(h: HistoryHarness): Transaction[] {
  return h.keeper.history
    .prepare(
      "select position, instant from history_transaction where kind <> 'schema' order by position",
    )
    .all() as Transaction[]
}

const schema =
  'create table t(id integer primary key, v); create table u(id integer primary key, v)'

describe('transactions of the history', () => {
  it('should have one position and one instant for all that they changed', async () => {
    const h = await HistoryHarness.open(schema)
    h.commit('insert into t values (1, 0); insert into u values (1, 0); update t set v = 1')
    h.commit('insert into u values (2, 0); insert into t values (2, 0)')
    await h.keeper.move()
    const positions = (name: string) => h.versions(name).map(([position]) => position)
    const [first, second] = transactions(h).map(({ position }) => position)
    expect(positions('t')).toEqual([first, first, second])
    expect(positions('u')).toEqual([first, second])
  })

  it('should be one where nobody saw their ends, never a part of one', async () => {
    const h = await HistoryHarness.open(schema)
    h.foreign.exec('insert into t values (1, 0)')
    h.foreign.exec('insert into t values (2, 0)')
    h.keeper.noteCommit()
    h.foreign.exec('begin; insert into t values (3, 0)')
    h.keeper.noteCommit()
    await h.keeper.move()
    h.foreign.exec('insert into t values (4, 0); commit')
    await h.keeper.move()
    const positions = h.versions('t').map(([position]) => position)
    expect(positions[0]).toBe(positions[1])
    expect(positions[2]).toBe(positions[3])
    expect(transactions(h)).toHaveLength(2)
  })

  it('should have instants that rise, whatever the clock does', async () => {
    const h = await HistoryHarness.open(schema)
    const now = Date.now()
    const clock = (at: number) =>
      h.database.exec(
        `update _htap_history_1 set _htap_at = ${at}
         where _htap_seq = (select max(_htap_seq) from _htap_history_1)`,
      )
    for (const [id, at] of [now, now - 3_600_000, now, now, now + 5].entries()) {
      h.commit(`insert into t values (${id}, 0)`)
      clock(at)
    }
    await h.keeper.move()
    h.commit('insert into t values (9, 0)')
    clock(now - 7_200_000)
    await h.keeper.move()
    const instants = transactions(h).map(({ instant }) => instant - now * 1000)
    expect(instants).toEqual([0, 1, 2, 3, 5000, 5001])
    const [, second] = transactions(h) as [Transaction, Transaction]
    expect(positionAt(h.keeper.history, second.instant)).toBe(second.position)
    expect(positionAt(h.keeper.history, now * 1000 - 1)).toBeLessThan(second.position - 1)
  })

  it('should take the clock of SQLite, in microseconds since 1970', async () => {
    const h = await HistoryHarness.open(schema)
    const before = Date.now()
    h.commit('insert into t values (1, 0)')
    const after = Date.now()
    await h.keeper.move()
    const instant = (transactions(h)[0]?.instant ?? 0) / 1000
    expect(instant).toBeGreaterThanOrEqual(before)
    expect(instant).toBeLessThanOrEqual(after + 1)
  })
})

describe('moving the log into the history', () => {
  it('should ask no thread where nothing was committed since', async () => {
    const h = await HistoryHarness.open(schema)
    h.commit('insert into t values (1, 0)')
    const run = vi.spyOn(HistoryThreads.prototype, 'run')
    onTestFinished(run.mockRestore)
    const moved = await h.keeper.moveOnly()
    expect(run).toHaveBeenCalledTimes(1)
    expect(await h.keeper.moveOnly()).toEqual(moved)
    expect(run).toHaveBeenCalledTimes(1)
    h.foreign.exec('insert into t values (2, 0)')
    expect((await h.keeper.moveOnly()).position).toBe(moved.position + 1)
    h.foreign.exec('create table w(id integer primary key)')
    h.foreign.exec('vacuum')
    await h.keeper.moveOnly()
    expect(run).toHaveBeenCalledTimes(3)
  })

  it('should delete from the log what the history has, and nothing else', async () => {
    const h = await HistoryHarness.open(schema)
    const entries = () => h.database.prepare('select count(*) from _htap_history_1').pluck().get()
    h.database.exec(
      `insert into t with recursive s(v) as (select 1 union all select v + 1 from s where v < 2500)
       select v, v from s`,
    )
    expect(entries()).toBe(2500)
    h.foreign.exec('begin immediate; insert into t values (9999, 1)')
    await h.keeper.move()
    // Somebody writes: the history has them, and they stay for a while.
    expect(entries()).toBe(2500)
    expect(h.versions('t')).toHaveLength(2500)
    h.foreign.exec('commit')
    await h.keeper.move()
    expect(entries()).toBe(0)
    expect(h.versions('t')).toHaveLength(2501)
  })

  it('should go on after a restart, and keep the key log for its place', async () => {
    const h = await HistoryHarness.open(schema)
    h.commit('insert into t values (1, 0)')
    await h.keeper.move()
    await h.end()
    h.database.exec('update t set v = 1; delete from t; insert into t values (1, 2)')
    await h.begin()
    expect(h.story('t')).toEqual(['I 1 1 0', 'U 1 1 1', 'D 1 null null', 'I 1 1 2'])
    const consumer = h.database.prepare('select id, position from _htap_consumer').get()
    expect(consumer).toEqual({ id: expect.stringMatching(/^history:/), position: h.state.seq })
  })

  it('should never be forgotten by the log, however far it is behind', async () => {
    const h = await HistoryHarness.open(schema)
    expireConsumers(h.database, Date.now() + 1e12)
    expelConsumers(h.database, 1e12)
    expect(h.database.prepare('select count(*) from _htap_consumer').pluck().get()).toBe(1)
  })

  it('should lose no version to whoever prunes the key log', async () => {
    const h = await HistoryHarness.open(schema)
    h.commit('insert into t values (1, 0)')
    await h.keeper.move()
    h.commit('update t set v = 1')
    h.commit('update t set v = 2')
    h.database.exec('delete from _htap_log where seq < (select max(seq) from _htap_log)')
    await h.keeper.move()
    expect(h.story('t')).toEqual(['I 1 1 0', 'U 1 1 1', 'U 1 1 2'])
  })

  it('should say so where somebody has emptied the key log, and go on when it has begun anew', async () => {
    const h = await HistoryHarness.open('create table t(id integer primary key, a)')
    h.commit('insert into t values (1, 1)')
    h.foreign.exec('delete from _htap_log')
    await expect(h.keeper.move()).rejects.toThrow('the change log has no beginning')
    h.commit('insert into t values (2, 2)')
    await h.keeper.move()
    expect(h.asOf('t', h.state.position)).toEqual([
      [1n, 1n, 1n],
      [2n, 2n, 2n],
    ])
  })

  it('should note as a change what a restored database no longer has', async () => {
    const first = await HistoryHarness.open(schema)
    const backup = join(dirname(first.path), 'backup.db')
    first.commit("insert into t values (1, 'kept'), (2, 'kept')")
    await first.keeper.move()
    first.database.exec(`vacuum into '${backup}'`)
    first.commit("update t set v = 'lost' where id = 1; delete from t where id = 2")
    first.commit("insert into t values (3, 'lost')")
    await first.keeper.move()
    const { position } = first.state
    await first.close()
    for (const suffix of ['-wal', '-shm']) {
      rmSync(first.path + suffix, { force: true })
    }
    copyFileSync(backup, first.path)
    const other = new Database(first.path)
    other.exec("insert into t values (4, 'new'), (5, 'new'), (6, 'new'), (7, 'new'), (8, 'new')")
    await other.close()
    const h = await HistoryHarness.openFile(first.path)
    expect(h.kinds().at(-1)).toBe('set-back')
    expect(h.state.position).toBeGreaterThan(position)
    expect(h.asOf('t', position)).toEqual([
      [1n, 1n, 'lost'],
      [3n, 3n, 'lost'],
    ])
    h.expectPresent('t', 'id', 'id, v')
    h.commit('delete from t where id = 4')
    await h.keeper.move()
    h.expectPresent('t', 'id', 'id, v')
    expect(h.kinds().at(-1)).toBe('commit')
  })

  it('should write texts as the database does, whatever its encoding', async () => {
    const path = join(tempFolder(), 'wide.db')
    const wide = new Database(path)
    wide.exec("pragma encoding = 'UTF-16le'; create table t(id integer primary key, v)")
    wide.close()
    const h = await HistoryHarness.openFile(path)
    h.commit("insert into t values (1, 'žluť')")
    await h.keeper.move()
    h.expectPresent('t', 'id', 'id, v')
    expect(h.story('t')).toEqual(['I 1 1 žluť'])
  })

  it('should refuse a file that is no history, and leave it alone', async () => {
    const h = await HistoryHarness.open(schema)
    await h.end()
    rmSync(h.historyPath)
    const other = new Database(h.historyPath)
    other.exec('create table mine(a)')
    await other.close()
    await expect(h.begin()).rejects.toMatchObject({
      code: 'history-unusable',
      message: expect.stringContaining('the file is no history that this version can read'),
    })
    rmSync(h.historyPath)
    writeFileSync(h.historyPath, 'no database at all '.repeat(100))
    await expect(h.begin()).rejects.toMatchObject({ code: 'SQLITE_NOTADB' })
  })

  it('should be the only one of a database: what another one took is found when it takes over again', async () => {
    const h = await HistoryHarness.open('create table t(id integer primary key, v)')
    h.commit('insert into t values (1, 1)')
    await h.keeper.move()
    const other = await h.openOther()
    h.commit('update t set v = 2')
    await other.move()
    await expect(h.keeper.move()).rejects.toThrow('another history of this database has taken over')
    await other.close()
    await h.restart()
    expect(h.story('t')).toEqual(['I 1 1 1', 'U 1 1 2'])
    expect(h.kinds().at(-1)).toBe('found')
    h.expectPresent('t', 'id', 'id, v')
    const places = "select count(*) from _htap_consumer where id like 'history:%'"
    expect(h.database.prepare(places).pluck().get()).toBe(1)
  })
})
