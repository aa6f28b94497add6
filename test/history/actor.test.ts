import type Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { noteActor, readLogHead } from '../../dist/sync/capture/commit-notes.js'
import { HistoryHarness } from '../support/history-harness.js'

const schema = 'create table t(id integer primary key, v); create table plain(id integer)'

async function open(): Promise<HistoryHarness> {
  return await HistoryHarness.open(schema, ['t'])
}

/** One transaction of somebody; nobody of ours sees its end. */
function act(database: Database.Database, actor: string, sql: string): void {
  database.exec('begin immediate')
  const after = readLogHead(database)
  database.exec(sql)
  noteActor(database, { actor, message: `${actor} was here`, after })
  database.exec('commit')
}

/** Actor and rows of every transaction. */
function authors(h: HistoryHarness): unknown[] {
  return h.keeper.history
    .prepare(
      `select t.actor, t.message, (select group_concat(k0) from version_1 v where v.position = t.position)
       from history_transaction t where kind = 'commit' order by t.position`,
    )
    .raw()
    .all()
}

describe('the actor of a transaction', () => {
  it('should stand with its changes and no others, though nobody has watched', async () => {
    const h = await open()
    h.foreign.exec('insert into t values (1, 0)')
    h.foreign.exec('insert into t values (2, 0)')
    act(h.database, 'ann', 'insert into t values (3, 0); insert into t values (4, 0)')
    act(h.foreign, 'bob', 'insert into t values (5, 0)')
    h.foreign.exec('insert into t values (6, 0)')
    await h.keeper.move()
    expect(authors(h)).toEqual([
      [null, null, '1,2'],
      ['ann', 'ann was here', '3,4'],
      ['bob', 'bob was here', '5'],
      [null, null, '6'],
    ])
  })

  it('should be kept where nothing that has a history was changed, at its time', async () => {
    const h = await open()
    const before = Date.now()
    act(h.database, 'ann', '')
    act(h.database, 'bob', 'insert into plain values (1)')
    await h.keeper.move()
    expect(authors(h)).toEqual([
      ['ann', 'ann was here', null],
      ['bob', 'bob was here', null],
    ])
    const instants = h.keeper.history
      .prepare("select instant from history_transaction where kind = 'commit' order by position")
      .pluck()
      .all() as [number, number]
    expect(instants[0]).toBeGreaterThanOrEqual(before * 1000)
    expect(instants[1]).toBeGreaterThan(instants[0])
  })

  it('should be the last one that was noted, and none where the transaction is undone', async () => {
    const h = await open()
    h.database.exec('begin immediate')
    const after = readLogHead(h.database)
    h.database.exec('insert into t values (1, 0)')
    noteActor(h.database, { actor: 'ann', message: null, after })
    h.database.exec('insert into t values (2, 0)')
    noteActor(h.database, { actor: 'bob', message: null, after })
    h.database.exec('commit; begin; insert into t values (3, 0)')
    noteActor(h.database, { actor: 'eve', message: null, after: after + 2 })
    h.database.exec('rollback')
    act(h.database, 'dan', 'insert into t values (4, 0)')
    await h.keeper.move()
    expect(authors(h)).toEqual([
      ['bob', null, '1,2'],
      ['dan', 'dan was here', '4'],
    ])
  })

  it('should leave the log with what the history has', async () => {
    const h = await open()
    act(h.database, 'ann', 'insert into t values (1, 0)')
    await h.keeper.move()
    act(h.database, 'bob', 'insert into t values (2, 0)')
    await h.keeper.move()
    expect(h.database.prepare('select count(*) from _htap_commit').pluck().get()).toBe(0)
    expect(authors(h)).toHaveLength(2)
  })

  it('should be noted nowhere while nothing has a history', async () => {
    const h = await HistoryHarness.open(schema, [])
    h.foreign.exec('drop table _htap_history')
    expect(noteActor(h.foreign, { actor: 'ann', message: null, after: 0 })).toBe(false)
  })
})
