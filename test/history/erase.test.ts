import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import type { FailPoint } from '../../dist/src/core/outside-world.js'
import { openControlConnection } from '../../dist/src/oltp/open-read-connection.js'
import { eraseKeys } from '../../dist/sync/history/erase-keys.js'
import { findKeys } from '../../dist/sync/history/find-keys.js'
import { readHistoryTables } from '../../dist/sync/history/history-table.js'
import { applyRetention } from '../../dist/sync/history/retention.js'
import { OwnConnectionAccess } from '../../dist/sync/read/source-access.js'
import { expectFollowing } from '../support/check-versions.js'
import { Child } from '../support/child.js'
import { HistoryHarness } from '../support/history-harness.js'
import { tempFolder } from '../support/temp-folder.js'

function tableOf(h: HistoryHarness, name = 't') {
  return readHistoryTables(h.keeper.history).find((it) => it.name === name)!
}

async function erase(h: HistoryHarness, keys: readonly (readonly unknown[])[], name = 't') {
  const access = new OwnConnectionAccess(await openControlConnection(h.path), h.path)
  try {
    return await eraseKeys({
      history: h.keeper.history,
      access,
      move: () => h.keeper.move(),
      table: tableOf(h, name),
      keys,
    })
  } finally {
    access.close()
  }
}

/** Those of the files of a database and its history that hold the bytes. */
function filesWith(path: string, secret: string): string[] {
  return ['', '-wal', '-shm', '-history', '-history-wal', '-history-shm'].filter(
    (suffix) => existsSync(path + suffix) && readFileSync(path + suffix).includes(secret),
  )
}

const secretText = () => randomBytes(12).toString('hex')

describe('erasing a key', () => {
  it('should leave no trace of its rows in any file, where the application does not', async () => {
    const h = await HistoryHarness.open(
      'create table t(id integer primary key, mail text unique, note); create table other(id integer primary key, v)',
    )
    h.database.pragma('secure_delete = on')
    const secrets: string[] = []
    // Its table has no other row: what splitting pages leave there is the application's own.
    for (let i = 0; i < 36; i++) {
      const [mail, note] = [secretText(), secretText()]
      secrets.push(mail, note)
      h.commit(
        `insert or replace into t values (1, '${mail}', '${note}' || hex(zeroblob(${(i % 7) * 900})) || '${note}');
         insert into other with recursive s(n) as (select 1 union all select n + 1 from s where n < 25)
           select null, hex(randomblob(${(i % 5) * 200})) from s`,
      )
      if (i % 9 === 0) {
        await h.keeper.move()
      }
    }
    h.commit('delete from t where id = 1')
    const waiting = secretText()
    h.foreign.pragma('secure_delete = on')
    h.foreign.exec(`insert into t values (1, '${waiting}', null); delete from t where id = 1`)
    secrets.push(waiting)
    expect(secrets.filter((it) => filesWith(h.path, it).length > 0)).toHaveLength(secrets.length)
    const erased = await erase(h, [[1]])
    expect(erased).toMatchObject({ versions: 39, begunAnew: 0, isInLog: false })
    expect(secrets.flatMap((it) => filesWith(h.path, it))).toEqual([])
    expect(h.versions('t')).toEqual([])
    expect(h.versions('other')).toHaveLength(36 * 25)
    h.expectPresent('other', 'id', 'id, v')
    expect(h.database.prepare('select count(*) from _htap_zeros').pluck().get()).toBe(0)
    expect(h.database.pragma('integrity_check', { simple: true })).toBe('ok')
  })

  it('should leave none in pages that were split and joined before', async () => {
    const h = await HistoryHarness.open('create table t(id integer primary key, k unique, v)')
    h.database.pragma('secure_delete = on')
    const secrets: string[] = []
    for (let i = 0; i < 120; i++) {
      const values = Array.from({ length: 12 }, (_, id) => {
        const text = secretText()
        if (id === 0) {
          secrets.push(text)
        }
        return `(${id}, '${text}' || hex(zeroblob(${((i * 7 + id * 13) % 11) * 150})), ${i})`
      })
      h.commit(`insert or replace into t values ${values.join(', ')}`)
      if (i % 40 === 39) {
        await h.keeper.move()
        await applyRetention(h.keeper.history, { versionsPerKey: 20 })
      }
    }
    h.commit('delete from t where id = 0')
    await erase(h, [[0]])
    // In the application's own index pages were split and joined as well.
    const ours = (it: string) => filesWith(h.path, it).filter((file) => file.startsWith('-history'))
    expect(secrets.flatMap(ours)).toEqual([])
  })

  it('should leave no trace of a key that is a text', async () => {
    const h = await HistoryHarness.open(
      'create table t(mail text, n int, v, primary key (mail, n)) without rowid',
    )
    h.database.pragma('secure_delete = on')
    const [secret, other] = [secretText(), secretText()]
    h.commit(`insert into t values ('${secret}', 1, 0), ('${other}', 1, 0)`)
    h.commit(`update t set v = 1 where mail = '${secret}'; delete from t where mail = '${secret}'`)
    h.commit(`insert into t values ('${other}', 2, 0), ('${other}', 3, 0), ('${other}', 4, 0)`)
    await h.keeper.move()
    const log = () => h.database.prepare('select * from _htap_log').safeIntegers().raw().all()
    // Pruned as a mirror prunes it.
    h.foreign.exec('delete from _htap_log where seq < (select max(seq) from _htap_log) - 2')
    const before = log()
    expect(filesWith(h.path, secret)).toContain('-wal')
    const erased = await erase(h, [[secret, 1]])
    expect(erased).toMatchObject({ versions: 3, begunAnew: 0, isInLog: false })
    expect(filesWith(h.path, secret)).toEqual([])
    expect(filesWith(h.path, other)).toContain('-history')
    expect(log().map((row) => [(row as unknown[])[0], (row as unknown[])[3]])).toEqual(
      before.map((row) => [(row as unknown[])[0], (row as unknown[])[3]]),
    )
  })

  it('should find the keys of rows by what they held under any name', async () => {
    const h = await HistoryHarness.open('create table t(mail text primary key, n)')
    h.commit("insert into t values ('ann', 1), ('bob', 1), ('eve', null)")
    h.commit("update t set mail = 'anna' where mail = 'ann'; delete from t where mail = 'bob'")
    await h.keeper.move()
    h.database.exec('alter table t rename column mail to address')
    h.commit(
      "update t set address = 'other' where address = 'anna'; insert into t values ('bob', 2)",
    )
    await h.keeper.move()
    const find = (values: Record<string, unknown>) => findKeys(h.keeper.history, tableOf(h), values)
    expect(find({ mail: 'ann' })).toEqual([[1n]])
    expect(find({ ADDRESS: 'anna' })).toEqual([[1n]])
    expect(find({ mail: 'bob' })).toEqual([[2n], [4n]])
    expect(find({ mail: 'bob', n: 2 })).toEqual([[4n]])
    expect(find({ n: null })).toEqual([[3n]])
    expect(find({ mail: 'nobody' })).toEqual([])
    expect(() => find({ other: 1 })).toThrowError(
      expect.objectContaining({ code: 'config-invalid' }),
    )
    expect(await erase(h, find({ mail: 'bob' }))).toMatchObject({ versions: 3, begunAnew: 1 })
  })

  it('should say that a mirror has not read the key from the log yet', async () => {
    const h = await HistoryHarness.open('create table t(mail text primary key) without rowid')
    h.foreign.exec("insert into _htap_consumer values ('slow', 1, 0)")
    h.commit("insert into t values ('here'); delete from t")
    expect((await erase(h, [['here']])).isInLog).toBe(true)
    h.foreign.exec("delete from _htap_consumer where id = 'slow'")
    await h.keeper.move()
    expect(await erase(h, [['here']])).toMatchObject({ isInLog: false, position: null })
  })

  it('should let a row that is there begin anew, from now on', async () => {
    const h = await HistoryHarness.open('create table t(id integer primary key, v)')
    h.commit("insert into t values (1, 'old'), (2, 'old'), (3, 'old')")
    h.commit("update t set v = 'new' where id < 3")
    await h.keeper.move()
    const before = h.state.position
    h.foreign.exec("update t set v = 'newest' where id = 1")
    const erased = await erase(h, [[1], [2], [9]])
    expect(erased).toMatchObject({ versions: 5, begunAnew: 2, position: h.state.position })
    expect(h.asOf('t', before).map(([key]) => key)).toEqual([3n])
    expect(h.story('t')).toEqual(['I 3 3 old', 'I 1 1 newest', 'I 2 2 new'])
    h.expectPresent('t', 'id', 'id, v')
    expect(h.kinds().at(-1)).toBe('erased')
    h.commit("delete from t where id = 1; update t set v = 'later' where id = 2")
    await h.keeper.move()
    expectFollowing(h, tableOf(h))
    h.expectPresent('t', 'id', 'id, v')
  })

  it('should give no number of a version out again', async () => {
    const h = await HistoryHarness.open('create table t(id integer primary key, v)')
    h.commit('insert into t values (1, 0), (2, 0)')
    await h.keeper.move()
    const numbers = () =>
      h.keeper.history.prepare('select id from version_1 order by id').pluck().all() as number[]
    h.commit('delete from t where id = 2')
    await h.keeper.move()
    const last = numbers().at(-1)!
    await erase(h, [[2]])
    h.commit('insert into t values (2, 0)')
    await h.keeper.move()
    expect(numbers().at(-1)).toBeGreaterThan(last)
  })

  it('should refuse to promise what somebody who reads hinders', { timeout: 60_000 }, async () => {
    const h = await HistoryHarness.open('create table t(id integer primary key, v)')
    h.commit("insert into t values (1, 'x')")
    await h.keeper.move()
    const reader = new Database(h.historyPath)
    reader.exec('begin')
    reader.prepare('select count(*) from version_1').get()
    await expect(erase(h, [[1]])).rejects.toMatchObject({ code: 'wait-timeout' })
    reader.close()
    expect(await erase(h, [[1]])).toMatchObject({ versions: 1 })
  })

  it('should refuse to begin while the table is written to without a pause', async () => {
    const h = await HistoryHarness.open('create table t(id integer primary key, v)')
    const access = new OwnConnectionAccess(await openControlConnection(h.path), h.path)
    const table = tableOf(h)
    const erasing = eraseKeys({
      history: h.keeper.history,
      access,
      move: async () => h.foreign.exec('insert into t values (null, 0)'),
      table,
      keys: [[1]],
    })
    await expect(erasing).rejects.toMatchObject({ code: 'wait-timeout' })
    access.close()
  })
})

describe('an erasure that is killed', () => {
  const armed = fileURLToPath(new URL('../children/arm-fail-point.mjs', import.meta.url))
  const points: readonly FailPoint[] = [
    'history-erase.log',
    'history-erase.versions',
    'history-erase.rewritten',
  ]

  it('should be finished by a second call', { timeout: 60_000 }, async () => {
    for (const point of points) {
      const path = join(tempFolder(), 'kill.db')
      const first = await HistoryHarness.openFile(path)
      first.database.pragma('secure_delete = on')
      first.database.exec('create table t(id integer primary key, v)')
      await first.keeper.move()
      const secret = secretText()
      for (let i = 0; i < 20; i++) {
        first.commit(`insert or replace into t values (1, '${secret}'), (2, 'other')`)
      }
      first.commit('delete from t where id = 1')
      await first.close()
      const child = new Child('history-eraser.mjs', [path], {
        NODE_OPTIONS: `--import ${armed}`,
        HTAP_FAIL_POINT: `${point}:1:0`,
      })
      expect(await child.ended()).toMatchObject({ signal: 'SIGKILL' })
      const h = await HistoryHarness.openFile(path)
      h.expectPresent('t', 'id', 'id, v')
      expectFollowing(h, tableOf(h))
      await erase(h, [[1]])
      expect(filesWith(path, secret)).toEqual([])
      expect(h.versions('t')).toHaveLength(20)
      await h.close()
    }
  })
})
