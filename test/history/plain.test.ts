import { expect, it } from 'vitest'
import { limits } from '../../dist/src/core/limits.js'
import { readHistoryTables, versionTable } from '../../dist/sync/history/history-table.js'
import { repetitions } from '../support/deep.js'
import { HistoryHarness } from '../support/history-harness.js'
import { Random } from '../translate/random/random.js'

// Versions that are made straight from the log of several large transactions are those that a move after each of them
// would have made.

const rows = 2 * limits.plainSampleRowsMax
const runs = repetitions('HTAP_PLAIN', 20)
const seed = Number(process.env['HTAP_SEED'] ?? Date.now() % 1_000_000)

const numbers = (from: number, to: number) =>
  `with recursive n(v) as (select ${from} union all select v + 1 from n where v < ${to})`

async function expectSame(schema: string, changes: readonly string[]): Promise<void> {
  const [once, often] = [await HistoryHarness.open(schema), await HistoryHarness.open(schema)]
  for (const sql of changes) {
    once.commit(sql)
    often.commit(sql)
    await often.keeper.move()
  }
  await once.keeper.move()
  expect(versionsOf(once)).toEqual(versionsOf(often))
}

/** All versions with the one before, and the newest of each key. */
function versionsOf({ keeper: { history } }: HistoryHarness): unknown[] {
  return readHistoryTables(history).map((table) =>
    history
      .prepare(
        `select v.*, p.id is v.previous, n.id, n.step from ${versionTable(table)} v
         left join ${versionTable(table)} p on p.id = v.previous
         left join history.newest_${table.id} n on n.k0 = v.k0 order by v.id`,
      )
      .raw()
      .all(),
  )
}

it.each([
  ['inserted and deleted', ['insert', 'delete']],
  ['deleted and inserted', ['insert', 'delete', 'insert']],
  ['inserted and changed', ['insert', 'update']],
  ['changed twice', ['update', 'update']],
])('has all versions of many rows that were %s before a move', async (_, kinds) => {
  const statements: Record<string, string> = {
    insert: `insert into t ${numbers(rows + 1, 2 * rows)} select v, v from n`,
    delete: `delete from t where id > ${rows}`,
    update: 'update t set a = a + 1',
  }
  await expectSame(
    `create table t(id integer primary key, a);
     insert into t ${numbers(1, rows)} select v, v from n`,
    kinds.map((kind) => statements[kind]!),
  )
})

function randomChange(random: Random): string {
  const from = random.integer(1, 3 * rows)
  const to = from + random.integer(1, 2 * rows)
  const part = `id between ${from} and ${to} and id % ${random.integer(1, 3)} = 0`
  return random.pick([
    `insert or ignore into t ${numbers(from, to)} select v, v from n`,
    `insert or replace into t ${numbers(from, to)} select v, -v from n`,
    `insert into t(a) ${numbers(from, to)} select v from n`,
    `update t set a = a + 1 where ${part}`,
    `delete from t where ${part}`,
    `delete from t where ${part}; insert into t ${numbers(from, from + 9)} select v, 0 from n where v not in (select id from t)`,
    'delete from t',
  ])
}

it(`has them after random changes, ${runs} times (seed ${seed})`, {
  timeout: 60_000 + runs * 5_000,
}, async () => {
  for (let run = 0; run < runs; run++) {
    const random = new Random(seed + run)
    const changes = Array.from({ length: random.integer(1, 5) }, () => randomChange(random))
    await expectSame(
      `create table t(id integer primary key, a);
       insert into t ${numbers(1, random.integer(1, 2 * rows))} select v, v from n`,
      changes,
    ).catch((error: unknown) => {
      throw new Error(`seed ${seed + run}: ${changes.join('; ')}`, { cause: error })
    })
  }
})
