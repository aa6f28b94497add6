import Database from 'better-sqlite3'
import { expect, it, onTestFinished } from 'vitest'
import { limits } from '../../dist/src/core/limits.js'
import { installChangeLog, pruneChangeLog } from '../../dist/sync/capture/change-log.js'
import { truncateChangeLog } from '../../dist/sync/capture/truncate-change-log.js'
import { SyncHarness } from '../support/sync-harness.js'
import { TestWorld } from '../support/test-world.js'

// A log of which nearly everything may go is emptied at once: with what stays exactly as it was.

const { pruneBacklogRowsMax: fewest, pruneRowsMax: mostKept, truncatedLogRowsMax: most } = limits

/** A log of so many rows, every tenth with a key of three columns, and keys of all storage classes. */
function openLog(rows: number): Database.Database {
  const database = new Database(':memory:')
  onTestFinished(() => void database.close())
  installChangeLog(database)
  database.exec(`
    with recursive n(v) as (select 2 union all select v + 1 from n where v < ${rows})
    insert into _htap_log(seq, tbl, k) select v, 1 + v % 3, case v % 5
      when 0 then v when 1 then v + 0.0 when 2 then cast(x'ff00' || v as text)
      when 3 then cast(v as blob) end from n;
    insert into _htap_key select seq, k, 'b' || seq, null from _htap_log where seq % 10 = 0`)
  return database
}

function contents(database: Database.Database): unknown {
  return ['_htap_log', '_htap_key'].map((table) => {
    const columns = table === '_htap_log' ? 'tbl, mark, typeof(k), quote(k)' : 'quote(k1), k2, k3'
    return database.prepare(`select seq, ${columns} from ${table}`).raw().safeIntegers().all()
  })
}

function copyOf(database: Database.Database): Database.Database {
  const copy = new Database(database.serialize())
  onTestFinished(() => void copy.close())
  return copy
}

it.each([
  ['at the head', fewest + 2, 0],
  ['beyond the head', fewest + 2, -50],
  ['some rows before the head', fewest + 200, 150],
  ['as many rows before the head as may stay', fewest + mostKept + 1, mostKept - 1],
])('leaves what parts leave: up to a position %s', (_, rows, behind) => {
  const truncated = openLog(rows)
  const pruned = copyOf(truncated)
  const position = rows - behind
  expect(truncateChangeLog(truncated, position)).toBe(true)
  while (pruneChangeLog(pruned, position, mostKept) > 0) {}
  expect(contents(truncated)).toEqual(contents(pruned))
  expect(truncated.prepare('select min(seq) from _htap_log').pluck().get()).toBe(
    Math.min(position, rows),
  )
  expect(truncated.prepare('select name from temp.sqlite_schema').all()).toEqual([])
  truncated.exec('insert into _htap_log(tbl) values (1)')
  expect(truncated.prepare('select max(seq) from _htap_log').pluck().get()).toBe(rows + 1)
})

it.each([
  ['so few go that parts are as quick', fewest + 1, 0],
  ['too many stay', fewest + mostKept + 2, mostKept],
  ['it is so long that the event loop would stand still', most + 1, 0],
])('deletes nothing where %s', (_, rows, behind) => {
  const database = openLog(rows)
  const before = database.prepare('select count(*) from _htap_log').pluck().get()
  expect(truncateChangeLog(database, rows - behind)).toBe(false)
  expect(database.prepare('select count(*) from _htap_log').pluck().get()).toBe(before)
})

it('empties the longest log that may be', () => {
  expect(truncateChangeLog(openLog(most), most)).toBe(true)
})

it.each([
  ['a file at once', 'file', 1],
  [
    'a database in memory by parts, for whose application it would count as an insert',
    'memory',
    12,
  ],
] as const)('prunes the log of %s after a large sync', async (_, kind, transactions) => {
  const world = new TestWorld()
  const h = await SyncHarness.open(kind)
  h.database.exec(`create table t(id integer primary key, a int);
    insert into t with recursive n(v) as (select 1 union all select v + 1 from n where v <= ${fewest + 1000})
      select v, v from n`)
  await h.mirror('t')
  await h.engine.syncNow()
  const before = world.times('prune.committed')
  h.database.exec('update t set a = a + 1')
  const lastInsert = h.database.prepare('select last_insert_rowid()').pluck()
  const lastBefore = lastInsert.get()
  await h.engine.syncNow()
  await expect
    .poll(() => h.database.prepare('select count(*) from _htap_log').pluck().get(), {
      timeout: 10_000,
    })
    .toBe(1)
  expect(world.times('prune.committed') - before).toBe(transactions)
  expect(lastInsert.get()).toBe(lastBefore)
  h.database.exec('delete from t where id % 3 = 0')
  await h.engine.syncNow()
  await h.expectEqual('t')
})
